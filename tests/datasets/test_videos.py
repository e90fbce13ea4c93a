"""The source `videos`: the manifest of a folder of videos, and everything that can be wrong with it."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.capture import read_capture
from pipeline.datasets.videos import read_videos
from pipeline.errors import UserError
from tests.datasets.footage import footage, params, read, write_video
from tests.formats.cameras import FILE_K, FILE_T_M, toml

WEBCAMS = """CreationDate = 2023-03-31T09:56:43.193358

[cam_0]
port = 0
size = [ 96, 64,]
rotation_count = 0
error = 0.5
matrix = [ [ 90.0, 0.0, 46.0,], [ 0.0, 91.0, 33.0,], [ 0.0, 0.0, 1.0,],]
distortions = [ -0.3, 0.05, -0.004, 0.004, 0.07,]
ignore = false
verified_resolutions = [ [ 64, 48,], [ 96, 64,],]
translation = [ 0.12, -0.2, 0.67,]
rotation = [ [ 1.0, 0.0, 0.0,], [ 0.0, 1.0, 0.0,], [ 0.0, 0.0, 1.0,],]

[cam_1]
port = 1
size = [ 96, 64,]
matrix = [ [ 76.0, 0.0, 47.0,], [ 0.0, 76.0, 32.0,], [ 0.0, 0.0, 1.0,],]
distortions = [ 0.1, -0.2, 0.0, 0.0, 0.08,]
translation = [ 0.31, -0.15, 0.85,]
rotation = [ [ 0.0, 0.0, 1.0,], [ 0.0, 1.0, 0.0,], [ -1.0, 0.0, 0.0,],]

[capture_volume]
stage = 2

[charuco]
columns = 4
units = "inch"
square_size_overide_cm = 5.4
"""


def test_reads_recordings_views_and_cameras(tmp_path):
    capture = read(footage(tmp_path, ("S1_walk_fast", "S7_sit", "Ann")))
    assert [(r.subject, r.action, r.split, r.rig) for r in capture.recordings] == [
        ("Ann", "", "train", "shared"), ("S1", "walk_fast", "train", "shared"), ("S7", "sit", "test", "shared"),
    ]  # fmt: skip
    recording = capture.recordings[1]
    assert (recording.name, recording.fps, recording.n_frames, recording.height_mm) == ("S1_walk_fast", 25, 5, None)
    assert [view.name for view in recording.views] == ["cam1", "cam2"]
    assert all(Path(view.file).exists() for view in recording.views)
    camera = recording.views[1].camera
    np.testing.assert_allclose(camera.K, FILE_K)
    np.testing.assert_allclose(camera.t_cam_from_world_mm, 1000 * (FILE_T_M + 1))
    assert camera.size_px == (96, 64)


def test_a_calibration_in_a_recordings_folder_is_its_own_rig(tmp_path):
    root = footage(tmp_path, ("S1_walk", "S2_sit"))
    (root / "S2_sit" / "moved.toml").write_text(toml(extrinsics=False))
    capture = read(root)
    assert [(r.rig, r.views[0].camera.has_extrinsics) for r in capture.recordings] == [
        ("shared", True),
        ("S2_sit", False),
    ]


def test_assumed_cameras_are_recorded_in_the_manifest(tmp_path):
    root = footage(tmp_path, takes=("S1_walk", "S2_jump"))
    (root / "calibration.toml").unlink()
    capture = read(root, intrinsics="assumed")
    assert capture.intrinsics == "assumed"
    assert {recording.rig for recording in capture.recordings} == {"shared"}


def test_heights_come_from_the_table(tmp_path):
    root = footage(tmp_path, ("S1_walk", "S2_walk"))
    (root / "subjects.csv").write_text("subject,height_mm\nS2,1780\n")
    assert [r.height_mm for r in read(root).recordings] == [None, 1780]


def test_without_test_subjects_all_recordings_train_with_a_warning(tmp_path, caplog):
    capture = read(footage(tmp_path), test_subjects=["S8"])
    assert capture.recordings[0].split == "train"
    assert "all recordings are used to train" in caplog.text


def test_the_capture_changes_when_a_video_does(tmp_path):
    root = footage(tmp_path)
    read(root)
    before = (tmp_path / "capture" / "videos.sha256").read_text()
    assert before.count("\n") == 2
    write_video(root / "S1_walk" / "cam1.mp4", n=6)
    read(root)
    assert (tmp_path / "capture" / "videos.sha256").read_text() != before


def test_a_relative_root_gives_a_manifest_that_can_be_copied_with_the_project(tmp_path, monkeypatch):
    footage(tmp_path)
    (tmp_path / "data" / "capture").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    read_videos(params(), Path("footage"), Path("data/capture"))
    assert str(tmp_path) not in Path("data/capture/manifest.json").read_text()
    assert Path(read_capture(Path("data/capture")).recordings[0].views[0].file).exists()


def test_a_camera_without_any_video_is_ignored_with_an_alert(tmp_path, caplog):
    caplog.set_level("INFO", "epiline")
    capture = read(footage(tmp_path, calibration=toml(("cam1", "cam2", "cam9"))))
    assert len(capture.recordings[0].views) == 2
    assert "cameras without any video: cam9" in caplog.text


def test_only_the_recording_of_a_damaged_video_is_rejected(tmp_path):
    root = footage(tmp_path, ("S1_walk", "S2_sit"))
    (root / "S1_walk" / "cam2.mp4").write_bytes(b"x")
    capture = read(root)
    assert [r.name for r in capture.recordings] == ["S2_sit"]
    assert "cam2.mp4 (1 bytes) cannot be read" in capture.rejected[0].reason


def test_a_recording_that_lacks_a_camera_is_rejected(tmp_path):
    root = footage(tmp_path, ("S1_walk", "S2_sit"), ("cam1", "cam2", "cam3"), toml(("cam1", "cam2", "cam3")))
    (root / "S2_sit" / "cam3.mp4").unlink()
    capture = read(root)
    assert [r.name for r in capture.recordings] == ["S1_walk"]
    assert "No video of camera cam3" in capture.rejected[0].reason


def test_a_further_camera_in_one_of_five_recordings_is_left_out(tmp_path):
    root = footage(tmp_path, [f"S{i}_walk" for i in range(1, 6)], calibration=toml(("cam1", "cam2", "cam3")))
    write_video(root / "S4_walk" / "cam3.mp4")
    capture = read(root)
    assert capture.rejected == []
    assert [[view.name for view in r.views] for r in capture.recordings] == [["cam1", "cam2"]] * 5
    assert [(alert.kind, alert.subject) for alert in capture.alerts if alert.kind == "further_views"] == [
        ("further_views", "S4_walk, cam3")
    ]


def test_webcams_as_their_tool_recorded_them(tmp_path):
    """Caliscope's older layout: port_0.mp4, ..., and config.toml with the cameras, the board and more."""
    root = footage(tmp_path, (".",), ("port_0", "port_1"), calibration=WEBCAMS)
    (root / "calibration.toml").rename(root / "config.toml")
    times = [f"{26 + i},{port},{26 + i},{123.3359 + i / 25 + port / 100}" for i in range(5) for port in (1, 0)]
    (root / "frame_time_history.csv").write_text("\n".join(["sync_index,port,frame_index,frame_time", *times]))
    [recording] = read(root).recordings
    assert all(view.times is not None for view in recording.views)
    assert [view.name for view in recording.views] == ["port_0", "port_1"]
    assert all(view.camera.has_extrinsics for view in recording.views)
    np.testing.assert_allclose(recording.views[1].camera.t_cam_from_world_mm, [310, -150, 850])


def test_videos_of_different_rates_have_the_lower_one(tmp_path):
    root = footage(tmp_path)
    write_video(root / "S1_walk" / "cam2.mp4", n=11, fps=50)
    [recording] = read(root).recordings
    assert (recording.fps, recording.n_frames) == (25, 5)


def unknown_camera(root: Path) -> None:
    (root / "S1_walk" / "cam2.mp4").rename(root / "S1_walk" / "left.mp4")


def height_in_metres(root: Path) -> None:
    (root / "subjects.csv").write_text("subject,height_mm\nS1,1.78\n")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (unknown_camera, r"left has no camera in .*calibration.toml.*cam1, cam2"),
        (height_in_metres, r"height_mm = 1.78 of S1 is not a height in mm"),
    ],
)
def test_wrong_footage_is_refused_in_one_line(tmp_path, spoil, message):
    root = footage(tmp_path)
    spoil(root)
    with pytest.raises(UserError, match=message) as error:
        read(root)
    assert "\n" not in str(error.value)


def test_all_subjects_for_testing_is_an_error(tmp_path):
    with pytest.raises(UserError, match="All subjects are test subjects: S1"):
        read(footage(tmp_path), test_subjects=["S1"])


def test_folders_of_images_have_the_rate_of_the_parameters(tmp_path):
    root = footage(tmp_path)
    for video in (root / "S1_walk").glob("*.mp4"):
        video.unlink()
        folder = video.with_suffix("")
        folder.mkdir()
        for i in range(4):
            cv2.imwrite(str(folder / f"{i}.png"), np.full((64, 96, 3), 10 * i + len(video.name), np.uint8))
    cv2.imwrite(str(root / "S1_walk" / "cam2" / "0.png"), np.zeros((64, 96, 3), np.uint8))
    [recording] = read(root, image_fps=12.5).recordings
    assert (recording.fps, recording.n_frames) == (12.5, 4)
    before = (tmp_path / "capture" / "videos.sha256").read_text()
    cv2.imwrite(str(root / "S1_walk" / "cam1" / "2.png"), np.zeros((64, 96, 3), np.uint8))
    read(root)
    after = (tmp_path / "capture" / "videos.sha256").read_text()
    assert [one == other for one, other in zip(before.splitlines(), after.splitlines(), strict=True)] == [False, True]
