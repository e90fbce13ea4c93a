"""Packing of frames: what is kept, what its camera is, and what becomes of bad videos."""

import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.capture import Capture, Recording, Rejected, View, read_capture
from pipeline.errors import UserError
from pipeline.geometry.camera.model import Camera
from pipeline.params.frames import FramesParams
from pipeline.stores import TRUTH, create_store, open_store
from pipeline.video.frames import PackedFrames, extract_frames, fit_to_video, pack_frames, read_header

SIZE = (96, 64)
CAMERA = Camera(np.array([[100.0, 0, 47], [0, 101, 33], [0, 0, 1]]), np.array([0.1, 0, 0, 0]), SIZE)
PARAMS = FramesParams(
    every_n_frames=1, max_side_px=1000, jpeg_quality=95, unequal_lengths="reject", size_mismatch="zoom",
    size_tolerance=0.05, strict=False,
)  # fmt: skip


def params(**changes) -> FramesParams:
    return PARAMS.model_copy(update=changes)


def level(i: int) -> int:
    return 20 + 10 * i


def write_video(path: Path, n: int = 12, size: tuple[int, int] = SIZE) -> Path:
    """Frame i is uniformly red (RGB) at level(i)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 25, size)
    for i in range(n):
        video.write(np.full((size[1], size[0], 3), (0, 0, level(i)), np.uint8))
    video.release()
    return path


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
    with create_store(source / "truth.zarr", TRUTH) as store:
        store.create("S1_walk", {"frame": 12}).write(0, {"joints_world_mm": joints})
    extract_frames(source, tmp_path / "frames", params(every_n_frames=5))
    truth = open_store(tmp_path / "frames" / "truth.zarr", TRUTH)["S1_walk"]["joints_world_mm"]
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
def test_a_bad_video_costs_its_recording_alone(tmp_path, damage, reason):
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
    with create_store(source / "truth.zarr", TRUTH) as store:
        store.create("S1_walk", {"frame": 9}).write(0, {"joints_world_mm": np.zeros((9, 17, 3))})
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


def pack(folder: Path) -> PackedFrames:
    path = folder / "cam0.jpegs"
    pack_frames(path, (np.full((8, 10, 3), level(i), np.uint8) for i in range(6)), 95)
    return PackedFrames(path)


def test_packed_frames_are_a_sequence(tmp_path):
    frames = pack(tmp_path)
    values = [int(image[0, 0, 0]) for image in frames]
    assert values == [level(i) for i in range(6)]
    assert frames[-1][0, 0, 0] == level(5)
    assert [image[0, 0, 0] for image in frames[1:5:2]] == [level(1), level(3)]
    with pytest.raises(IndexError):
        frames[6]


def test_packed_frames_can_be_pickled_and_shared_by_threads(tmp_path):
    frames = pack(tmp_path)
    again = pickle.loads(pickle.dumps(frames))
    assert len(pickle.dumps(frames)) < 1000
    with ThreadPoolExecutor(4) as pool:
        values = list(pool.map(lambda i: int(again[i % 6][0, 0, 0]), range(60)))
    assert values == [level(i % 6) for i in range(60)]


def pixels(camera: Camera) -> np.ndarray:
    points = np.array([[-300.0, 150, 1000], [200, -100, 1200], [0, 0, 900]])
    return camera.posed(np.eye(3), np.zeros(3)).project(points)


def test_a_uniformly_scaled_video_scales_the_camera():
    fitted = fit_to_video(CAMERA, (48, 32), PARAMS)
    np.testing.assert_allclose(pixels(fitted) + 0.5, (pixels(CAMERA) + 0.5) / 2)


def test_zoom_and_crop_say_how_a_slightly_other_shape_came_about():
    size_px = (94, 64)
    cropped = fit_to_video(CAMERA, size_px, params(size_mismatch="crop"))
    assert cropped.size_px == size_px
    np.testing.assert_array_equal(pixels(cropped), pixels(CAMERA))
    zoomed = fit_to_video(CAMERA, size_px, PARAMS)
    # The calibrated image is the video's enlarged to its width, and cut above and below.
    expected = (pixels(CAMERA) - [47.5, 31.5]) * 94 / 96 + [46.5, 31.5]
    assert zoomed.size_px == size_px
    np.testing.assert_allclose(pixels(zoomed), expected)


@pytest.mark.parametrize(
    ("size_px", "changes", "advice"),
    [
        ((64, 96), {}, "Turn the video"),
        ((96, 80), {}, "video is 96x80, its calibration 96x64"),
        ((94, 64), {"size_mismatch": "reject"}, "size_mismatch"),
        ((94, 64), {"size_tolerance": 0.01}, "size_tolerance"),
    ],
)
def test_another_shape_is_refused(size_px, changes, advice):
    with pytest.raises(UserError, match=advice):
        fit_to_video(CAMERA, size_px, params(**changes))
