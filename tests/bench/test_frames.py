"""The bench of the stage `frames` measures each of its figures."""

import json

from bench import frames
from tests.video.videos import encode


def test_figures_are_written(tmp_path, monkeypatch):
    monkeypatch.setattr(frames, "N_CROPS", 4)
    videos = [encode(tmp_path / f"{i}.mp4", 3 + i, size=(128, 96)) for i in range(2)]
    found = frames.main(videos, tmp_path / "figures.json", n_manifest=4000, runs=1)
    assert json.loads((tmp_path / "figures.json").read_text()) == found
    assert set(found) == {"extract_over_decode", "crop_ms", "read_ms", "manifest_s", "manifest_gib"}
    assert found["read_ms"] > 0


def test_the_least_work_is_that_of_the_stage(tmp_path):
    video = encode(tmp_path / "a.mp4", 3, size=(128, 96))
    small = frames.PARAMS.model_copy(update={"max_side_px": 64})
    assert 0 < frames.least_work([video], small) < frames.least_work([video], frames.PARAMS)
