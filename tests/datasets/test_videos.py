"""A user's folder of videos: layouts, calibration formats, and everything that can be wrong with them."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.capture import Capture, read_capture
from pipeline.datasets.videos import read_videos
from pipeline.errors import UserError
from pipeline.params.capture import CaptureParams, DemoParams
from tests.formats.cameras import FILE_K, FILE_T_M, toml

DEMO = DemoParams(subjects=2, seconds=1.0, fps=25.0, size_px=64, seed=1)


def params(**changes) -> CaptureParams:
    values = {
        "source": "videos",
        "root": "footage",
        "intrinsics": "file",
        "subjects": "all",
        "test_subjects": ["S7"],
        "demo": DEMO,
    }
    return CaptureParams(**{**values, **changes})


def write_video(path: Path, n: int = 5, fps: float = 25) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), fps, (96, 64))
    for _ in range(n):
        video.write(np.zeros((64, 96, 3), np.uint8))
    video.release()
    return path


def footage(folder: Path, takes=("S1_walk",), cameras=("cam1", "cam2"), calibration: str | None = None) -> Path:
    root = folder / "footage"
    for take in takes:
        for camera in cameras:
            write_video(root / take / f"{camera}.mp4")
    root.mkdir(exist_ok=True)
    (root / "calibration.toml").write_text(toml() if calibration is None else calibration)
    return root


def read(root: Path, **changes) -> Capture:
    target = root.parent / "capture"
    target.mkdir(exist_ok=True)
    read_videos(params(**changes), root, target)
    return read_capture(target)


# Layouts


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


def test_videos_directly_in_the_folder_are_one_recording(tmp_path):
    root = footage(tmp_path, ())
    for name in ("cam1.MP4", "cam2.avi", ".cam3.mp4"):
        write_video(root / name.lower()).rename(root / name)
    (recording,) = read(root).recordings
    assert (recording.name, [v.name for v in recording.views]) == ("footage", ["cam1", "cam2"])


def test_a_calibration_in_a_recordings_folder_is_its_own_rig(tmp_path):
    root = footage(tmp_path, ("S1_walk", "S2_sit"))
    (root / "S2_sit" / "moved.toml").write_text(toml(extrinsics=False))
    capture = read(root)
    assert [(r.rig, r.views[0].camera.has_extrinsics) for r in capture.recordings] == [("shared", True), ("S2_sit", False)]


def test_views_follow_the_calibrations_order(tmp_path):
    capture = read(footage(tmp_path, calibration=toml(("cam2", "cam1"))))
    assert [view.name for view in capture.recordings[0].views] == ["cam2", "cam1"]


def test_keeps_the_chosen_subjects(tmp_path):
    capture = read(footage(tmp_path, ("S1_walk", "S2_walk", "S3_walk")), subjects=["S1", "S3"])
    assert [r.subject for r in capture.recordings] == ["S1", "S3"]


def test_without_a_calibration_file_cameras_are_assumed_where_that_is_wanted(tmp_path):
    root = footage(tmp_path, takes=("S1_walk", "S2_jump"))
    (root / "calibration.toml").unlink()
    with pytest.raises(UserError, match=r"capture\.intrinsics=assumed and calibrate\.focal=unknown"):
        read(root)
    capture = read(root, intrinsics="assumed")
    assert capture.intrinsics == "assumed"
    assert {recording.rig for recording in capture.recordings} == {"shared"}
    camera = capture.recordings[0].views[0].camera
    np.testing.assert_allclose(camera.project_cam(np.array([0.0, 0, 1])), [47.5, 31.5])
    assert camera.K[0, 0] == camera.K[1, 1] == 96
    assert not camera.has_extrinsics


def test_cameras_without_a_size_take_that_of_their_video(tmp_path):
    text = "\n".join(line for line in toml().splitlines() if not line.startswith("size"))
    assert read(footage(tmp_path, calibration=text)).recordings[0].views[0].size_px == (96, 64)


def test_heights_come_from_the_table(tmp_path):
    root = footage(tmp_path, ("S1_walk", "S2_walk"))
    (root / "subjects.csv").write_text("subject,height_mm\nS2,1780\n")
    assert [r.height_mm for r in read(root).recordings] == [None, 1780]


def test_without_test_subjects_all_trains_and_is_said(tmp_path, caplog):
    capture = read(footage(tmp_path), test_subjects=["S8"])
    assert capture.recordings[0].split == "train"
    assert "everything trains" in caplog.text


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


def test_a_camera_without_any_video_is_ignored_and_said(tmp_path, caplog):
    capture = read(footage(tmp_path, calibration=toml(("cam1", "cam2", "cam9"))))
    assert len(capture.recordings[0].views) == 2
    assert "cameras without any video: cam9" in caplog.text


# Bad footage


def test_a_damaged_video_costs_its_recording_alone(tmp_path):
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


def no_folder(root: Path) -> None:
    root.rename(root.with_name("elsewhere"))


def no_videos(root: Path) -> None:
    for path in root.glob("*/*.mp4"):
        path.unlink()


def one_camera(root: Path) -> None:
    (root / "S1_walk" / "cam2.mp4").unlink()


def twice_the_same_camera(root: Path) -> None:
    write_video(root / "S1_walk" / "cam1.avi")


def unknown_camera(root: Path) -> None:
    (root / "S1_walk" / "cam2.mp4").rename(root / "S1_walk" / "left.mp4")


def no_calibration(root: Path) -> None:
    (root / "calibration.toml").unlink()


def two_calibrations(root: Path) -> None:
    (root / "old.toml").write_text(toml())


def other_rates(root: Path) -> None:
    write_video(root / "S1_walk" / "cam2.mp4", fps=30)


def videos_at_both_levels(root: Path) -> None:
    write_video(root / "cam1.mp4")


def height_in_metres(root: Path) -> None:
    (root / "subjects.csv").write_text("subject,height_mm\nS1,1.78\n")


def height_without_column(root: Path) -> None:
    (root / "subjects.csv").write_text("subject,height\nS1,1780\n")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (no_folder, r"footage does not exist \(capture.root\)"),
        (no_videos, r"holds no videos.*SUBJECT_ACTION/CAMERA.mp4"),
        (one_camera, r"only one camera: cam1.mp4.*at least two"),
        (twice_the_same_camera, r"several videos of one camera: cam1.avi, cam1.mp4"),
        (unknown_camera, r"left.mp4 in .* has no camera in .*calibration.toml.*cam1, cam2"),
        (no_calibration, r"No calibration file in .*\.toml, intri.yml"),
        (two_calibrations, r"several calibration files: calibration.toml, old.toml"),
        (other_rates, r"different frame rates: cam1.mp4 25, cam2.mp4 30"),
        (videos_at_both_levels, r"both directly and in folders"),
        (height_in_metres, r"height_mm = 1.78 of S1 is not a height in mm"),
        (height_without_column, r"no subject and height \(line 2\)"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path, spoil, message):
    root = footage(tmp_path)
    spoil(root)
    with pytest.raises(UserError, match=message) as error:
        read(root)
    assert "\n" not in str(error.value)


def test_an_unknown_subject_is_an_error_that_names_those_there(tmp_path):
    with pytest.raises(UserError, match=r"No footage of S5 \(capture.subjects\).*S1"):
        read(footage(tmp_path), subjects=["S1", "S5"])


def test_all_subjects_for_testing_is_an_error(tmp_path):
    with pytest.raises(UserError, match="All subjects are test subjects: S1"):
        read(footage(tmp_path), test_subjects=["S1"])
