"""The stage `frames`: what is kept, and what happens to bad videos."""

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.capture import Capture, Recording, Rejected, View, read_capture
from pipeline.errors import UserError
from pipeline.stores import TRUTH, create_store, open_store
from pipeline.video.decoding import read_header
from pipeline.video.extraction import extract_frames
from pipeline.video.packing import PackedFrames
from tests.video.videos import CAMERA, PARAMS, drop_frames, level, params, write_video
from tests.world.records import TRUTH_SUMMARY, truth_record


def recording(folder: Path, name: str = "S1_walk", lengths: tuple[int, ...] = (12, 12), **kwargs) -> Recording:
    views = []
    for i, n in enumerate(lengths):
        path = write_video(folder / "videos" / name / f"cam{i}.mp4", n, **kwargs)
        views.append(View.of(f"cam{i}", str(path), CAMERA, evaluation_only=i == 2))
    return Recording(
        name=name, subject="S1", action="walk", split="train", rig="r", fps=25, n_frames=max(lengths), views=views
    )


def capture(folder: Path, *recordings: Recording, rejected=()) -> Path:
    path = folder / "capture"
    path.mkdir()
    Capture(source="videos", recordings=list(recordings), rejected=list(rejected)).write(path)
    return path


def reds(path: Path) -> list[int]:
    return [int(image[5:-5, 5:-5, 0].mean().round()) for image in PackedFrames(path)]


def test_keeps_every_third_frame_of_every_view(tmp_path):
    extract_frames(capture(tmp_path, recording(tmp_path)), tmp_path / "frames", params(every_n_frames=3))
    (kept,) = read_capture(tmp_path / "frames").recordings
    assert (kept.n_frames, kept.frame_numbers) == (4, [0, 3, 6, 9])
    assert kept.fps == pytest.approx(25 / 3)
    for view in kept.views:
        assert reds(Path(view.file)) == pytest.approx([level(i) for i in kept.frame_numbers], abs=4)


def test_images_are_rgb(tmp_path):
    extract_frames(capture(tmp_path, recording(tmp_path)), tmp_path / "frames", PARAMS)
    image = PackedFrames(read_capture(tmp_path / "frames").recordings[0].views[0].file)[11]
    assert image.shape == (64, 96, 3)
    assert image.dtype == np.uint8
    assert image[32, 48, 0] > 100 > 30 > image[32, 48, 2]


def test_manifest_names_files_relative_to_itself(tmp_path):
    extract_frames(capture(tmp_path, recording(tmp_path)), tmp_path / "frames", PARAMS)
    (tmp_path / "frames").rename(tmp_path / "moved")
    assert len(PackedFrames(read_capture(tmp_path / "moved").recordings[0].views[1].file)) == 12


def test_shrinks_the_longer_side_and_the_intrinsics_alike(tmp_path):
    extract_frames(capture(tmp_path, recording(tmp_path)), tmp_path / "frames", params(max_side_px=48))
    view = read_capture(tmp_path / "frames").recordings[0].views[0]
    assert PackedFrames(view.file)[0].shape == (32, 48, 3)
    assert view.size_px == (48, 32)
    np.testing.assert_allclose(view.camera.K, CAMERA.resized((48, 32)).K)


def test_evaluation_only_views_stay_so(tmp_path):
    extract_frames(capture(tmp_path, recording(tmp_path, lengths=(3, 3, 3))), tmp_path / "frames", PARAMS)
    assert [v.evaluation_only for v in read_capture(tmp_path / "frames").recordings[0].views] == [False, False, True]


def test_truth_keeps_the_rows_of_the_kept_frames(tmp_path):
    source = capture(tmp_path, recording(tmp_path))
    joints = np.arange(12 * 17 * 3, dtype=float).reshape(12, 17, 3)
    with create_store(source / "truth.zarr", TRUTH, TRUTH_SUMMARY) as store:
        store.create("S1_walk", {"frame": 12}, truth_record()).person(0).write(0, {"joints_world_mm": joints})
    extract_frames(source, tmp_path / "frames", params(every_n_frames=5))
    truth = open_store(tmp_path / "frames" / "truth.zarr", TRUTH)["S1_walk"].person("S1")["joints_world_mm"]
    np.testing.assert_array_equal(truth, joints[[0, 5, 10]])


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: path.unlink(), "does not exist"),
        (lambda path: path.write_bytes(b"no video"), "cannot be read as a video"),
        # Without its end an mp4 has lost the table of its frames.
        (lambda path: path.write_bytes(path.read_bytes()[:-200]), "cannot be read as a video"),
    ],
)
def test_only_the_recording_of_a_bad_video_is_rejected(tmp_path, damage, reason):
    bad, good = recording(tmp_path, "S1_walk"), recording(tmp_path, "S2_sit")
    damage(Path(bad.views[1].file))
    extract_frames(capture(tmp_path, bad, good), tmp_path / "frames", PARAMS)
    result = read_capture(tmp_path / "frames")
    assert [r.name for r in result.recordings] == ["S2_sit"]
    assert [r.recording for r in result.rejected] == ["S1_walk"]
    assert reason in result.rejected[0].reason
    assert "cam1.mp4" in result.rejected[0].reason
    assert not (tmp_path / "frames" / "S1_walk").exists()


def test_a_video_that_ends_before_its_announced_end_is_rejected(tmp_path):
    path = write_video(tmp_path / "cam0.avi", 200)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    video = recording(tmp_path, lengths=(100, 100))
    video.views[0].file = str(path)
    assert read_header(path).n_frames == 200
    with pytest.raises(UserError, match=r"ends after \d+ of 200 announced frames"):
        extract_frames(capture(tmp_path, video), tmp_path / "frames", PARAMS)
    assert not (tmp_path / "frames").exists()


def test_strict_stops_at_the_first_bad_recording(tmp_path):
    bad, good = recording(tmp_path, "S1_walk"), recording(tmp_path, "S2_sit")
    Path(bad.views[0].file).unlink()
    with pytest.raises(UserError, match=r"cam0.mp4 does not exist"):
        extract_frames(capture(tmp_path, bad, good), tmp_path / "frames", params(strict=True))
    assert not (tmp_path / "frames").exists()
    assert not (tmp_path / "frames.partial").exists()


def test_what_the_reader_rejected_stays_counted_and_is_an_error_if_strict(tmp_path):
    rejected = [Rejected(recording="S9_fall", reason="cam0.mp4 is damaged")]
    source = capture(tmp_path, recording(tmp_path), rejected=rejected)
    extract_frames(source, tmp_path / "frames", PARAMS)
    assert read_capture(tmp_path / "frames").rejected == rejected
    with pytest.raises(UserError, match="S9_fall"):
        extract_frames(source, tmp_path / "frames", params(strict=True))


def test_views_of_different_lengths_are_rejected_with_their_lengths_or_trimmed(tmp_path):
    source = capture(tmp_path, recording(tmp_path, lengths=(12, 7)))
    with pytest.raises(UserError, match=r"cam0 12, cam1 7.*unequal_lengths=trim"):
        extract_frames(source, tmp_path / "frames", PARAMS)
    extract_frames(source, tmp_path / "frames", params(unequal_lengths="trim", every_n_frames=2))
    (kept,) = read_capture(tmp_path / "frames").recordings
    assert kept.frame_numbers == [0, 2, 4, 6]
    for view in kept.views:
        assert reds(Path(view.file)) == pytest.approx([level(i) for i in kept.frame_numbers], abs=4)


def test_truth_of_another_length_than_the_videos_is_refused(tmp_path):
    source = capture(tmp_path, recording(tmp_path))
    with create_store(source / "truth.zarr", TRUTH, TRUTH_SUMMARY) as store:
        store.create("S1_walk", {"frame": 9}, truth_record())
    with pytest.raises(UserError, match="truth 9"):
        extract_frames(source, tmp_path / "frames", PARAMS)


def test_result_does_not_depend_on_the_order_of_the_work(tmp_path):
    recordings = [recording(tmp_path, f"S{i}_walk", (4 + i, 4 + i)) for i in range(4)]
    source = capture(tmp_path, *recordings)
    for name in ("a", "b"):
        extract_frames(source, tmp_path / name, PARAMS)
    manifests = [json.loads((tmp_path / name / "manifest.json").read_text()) for name in ("a", "b")]
    assert manifests[0] == manifests[1]
    assert [r["n_frames"] for r in manifests[0]["recordings"]] == [4, 5, 6, 7]


def test_dropped_frames_are_named_and_their_moments_left_out(tmp_path, caplog):
    video = recording(tmp_path, lengths=(10, 10))
    drop_frames(Path(video.views[0].file), {2: 2})
    drop_frames(Path(video.views[1].file), {7: 2})
    extract_frames(capture(tmp_path, video), tmp_path / "frames", PARAMS)
    result = read_capture(tmp_path / "frames")
    (kept,) = result.recordings
    assert (kept.n_frames, kept.fps) == (8, pytest.approx(25))
    assert kept.frame_numbers == [0, 1, 4, 5, 6, 9, 10, 11]
    # The first video shows level(i) at the clock's i, and from 4 on at i + 2; the second only from 9 on.
    assert reds(Path(kept.views[0].file)) == pytest.approx([level(i) for i in (0, 1, 2, 3, 4, 7, 8, 9)], abs=4)
    assert reds(Path(kept.views[1].file)) == pytest.approx([level(i) for i in (0, 1, 4, 5, 6, 7, 8, 9)], abs=4)
    assert [(alert.kind, alert.subject) for alert in result.alerts] == [
        ("dropped_frames", "S1_walk, cam0"), ("dropped_frames", "S1_walk, cam1"),
    ]  # fmt: skip
    assert "2 before frame 7" in caplog.text or "2 before frame 7" in str(result.alerts[1])


def test_views_that_show_few_moments_together_are_rejected(tmp_path):
    video = recording(tmp_path, lengths=(12, 12))
    drop_frames(Path(video.views[0].file), {1: 1, 2: 1, 3: 1, 4: 1})
    drop_frames(Path(video.views[1].file), {8: 1, 9: 1, 10: 1, 11: 1})
    source = capture(tmp_path, video)
    with pytest.raises(UserError, match=r"show only . of 6 moments.*every_n_frames to 1"):
        extract_frames(source, tmp_path / "frames", params(every_n_frames=3))
