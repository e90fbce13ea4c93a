"""The demo capture: real videos with their truth, reproducible, with people of its own."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline import stores
from pipeline.capture import Capture, read_capture
from pipeline.datasets import demo
from pipeline.datasets.demo import read_demo
from pipeline.errors import UserError
from pipeline.params.capture import CaptureParams, DemoParams
from pipeline.synthetic import processes
from tests.datasets.footage import TRUTH

TINY = DemoParams(subjects=3, seconds=0.8, fps=25.0, size_px=96, seed=1)


def make_params(**changes: object) -> CaptureParams:
    values = {
        "source": "demo",
        "root": "footage",
        "intrinsics": "file",
        "image_fps": 30.0,
        "subjects": "all",
        "test_subjects": ["S3"],
        "truth": TRUTH,
        "demo": TINY,
    }
    return CaptureParams(**{**values, **changes})


@pytest.fixture(scope="module")
def capture(tmp_path_factory) -> Capture:
    folder = tmp_path_factory.mktemp("capture")
    read_demo(make_params(), folder / "none", folder)
    return read_capture(folder)


def decode(file: str) -> np.ndarray:
    video, frames = cv2.VideoCapture(file), []
    while (frame := video.read()[1]) is not None:
        frames.append(frame)
    return np.stack(frames)


def test_every_subject_has_two_recordings_from_five_cameras(capture):
    assert [r.subject for r in capture.recordings] == ["S1", "S1", "S2", "S2", "S3", "S3"]
    assert len({r.name for r in capture.recordings}) == 6
    for r in capture.recordings:
        assert r.split == ("test" if r.subject == "S3" else "train")
        assert [v.name for v in r.views] == ["cam1", "cam2", "cam3", "cam4", "cam5"]
        assert [v.evaluation_only for v in r.views] == [False] * 4 + [True]
        assert 1450 < r.height_mm < 2000
        assert all(-0.25 < v.dist[0] < -0.05 for v in r.views)


def test_videos_decode_to_the_promised_frames(capture):
    for r in capture.recordings:
        for view in r.views:
            frames = decode(view.file)
            assert len(frames) == r.n_frames == 10
            assert frames.shape[1:3] == (96, 96)
            assert np.abs(np.diff(frames.astype(float), axis=0)).max() > 20  # somebody moves


def test_the_truth_has_a_row_per_frame_and_is_seen_by_the_cameras(capture):
    folder = capture.recordings[0].views[0].file.split("/videos/")[0]
    with_truth = stores.open_store(Path(folder) / "truth.zarr", stores.TRUTH)
    for r in capture.recordings:
        joints = with_truth[r.name].person(0)["joints_world_mm"]
        assert joints.shape == (r.n_frames, 17, 3)
        for view in r.views:
            pixels = view.camera.project(joints)
            inside = ((pixels > 0) & (pixels < 95)).all(-1)
            assert inside.mean() > 0.9
        np.testing.assert_array_equal(with_truth[r.name]["time_s"], np.arange(r.n_frames) / r.fps)


def test_the_number_of_processes_changes_nothing(tmp_path, monkeypatch):
    params = make_params(demo=TINY.model_copy(update={"subjects": 2, "seconds": 0.2}), test_subjects=["S2"])
    folders = []
    for cores in (1, 3):
        monkeypatch.setattr(processes, "n_cores", lambda cores=cores: cores)
        folders.append(tmp_path / str(cores))
        read_demo(params, tmp_path, folders[-1])
    for one, other in zip(*(sorted(folder.rglob("*.mp4")) for folder in folders), strict=True):
        np.testing.assert_array_equal(decode(str(one)), decode(str(other)))
    manifests = [(folder / "manifest.json").read_text() for folder in folders]
    assert manifests[0] == manifests[1]


def test_a_subset_of_subjects_is_rendered_as_in_the_whole(capture, tmp_path):
    read_demo(make_params(subjects=["S2", "S3"]), tmp_path, tmp_path)
    part = read_capture(tmp_path)
    assert [r.subject for r in part.recordings] == ["S2", "S2", "S3", "S3"]
    same = next(r for r in capture.recordings if r.name == part.recordings[0].name)
    np.testing.assert_array_equal(decode(part.recordings[0].views[1].file), decode(same.views[1].file))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"subjects": ["S1", "S9"]}, "S9"),
        ({"test_subjects": ["bob"]}, "bob"),
        ({"subjects": ["S3"]}, "train on"),
        ({"test_subjects": ["S1", "S2", "S3"]}, "train on"),
    ],
)
def test_impossible_subjects_are_refused(changes, message, tmp_path):
    with pytest.raises(UserError, match=message):
        read_demo(make_params(**changes), tmp_path, tmp_path)
    assert not list(tmp_path.iterdir())


def test_recordings_of_a_large_demo_have_names_of_their_own():
    big = DemoParams(subjects=26, seconds=1, fps=25.0, size_px=96, seed=1)
    cameras = demo.make_world(big)[1]
    recordings = [r for i in range(26) for r in demo._recordings(f"S{i + 1}", False, big, cameras)]
    assert len({r.name for r in recordings}) == 52


def test_a_video_has_the_frames_of_its_recording(tmp_path):
    small = TINY.model_copy(update={"size_px": 192, "seconds": 2.0, "subjects": 2})
    demo._render_video(small, "S1_walk", "S1", "walk", 0, tmp_path / "video.mp4")
    assert decode(str(tmp_path / "video.mp4")).shape == (25, 192, 192, 3)
