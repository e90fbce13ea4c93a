"""Where the cameras of a take come from."""

import numpy as np
import pytest

from pipeline.datasets.take_cameras import FootageCameras, assumed_camera
from pipeline.datasets.takes import Take
from pipeline.errors import UserError
from pipeline.video.decoding import VideoHeader
from pipeline.video.times import Clock
from tests.formats.cameras import toml


def take(root, name="S1_walk", cameras=("cam1", "cam2"), size_px=(96, 64)):
    folder = root / name
    folder.mkdir(exist_ok=True)
    headers = {camera: VideoHeader(size_px, Clock(np.arange(5), 25)) for camera in cameras}
    return Take(name, folder, [folder / f"{camera}.mp4" for camera in cameras]), headers


def shared(root, text=None):
    (root / "calibration.toml").write_text(toml() if text is None else text)
    return FootageCameras(root, assumed=False)


def test_the_shared_calibration_is_one_rig_in_its_own_order(tmp_path):
    cameras = shared(tmp_path, toml(("cam2", "cam1")))
    found = [cameras.of(*take(tmp_path, name)) for name in ("S1_walk", "S2_sit")]
    assert [one.rig for one in found] == ["shared", "shared"]
    assert list(found[0].by_name) == ["cam2", "cam1"]
    assert found[0].source == tmp_path / "calibration.toml"


def test_a_take_with_a_calibration_of_its_own_is_a_rig_of_its_own(tmp_path):
    cameras = shared(tmp_path)
    one = take(tmp_path, "S2_sit")
    (tmp_path / "S2_sit" / "moved.toml").write_text(toml(extrinsics=False))
    found = cameras.of(*one)
    assert (found.rig, found.source.name) == ("S2_sit", "moved.toml")
    assert found.by_name["cam1"].R_cam_from_world is None


def test_a_camera_without_a_size_takes_that_of_its_video(tmp_path):
    text = "\n".join(line for line in toml().splitlines() if not line.startswith("size"))
    assert shared(tmp_path, text).of(*take(tmp_path, size_px=(90, 60))).by_name["cam1"].size_px == (90, 60)
    assert shared(tmp_path).of(*take(tmp_path, size_px=(48, 32))).by_name["cam1"].size_px == (96, 64)


def test_a_video_without_a_camera_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"left has no camera in .*calibration.toml .*S1_walk.*cam1, cam2"):
        shared(tmp_path).of(*take(tmp_path, cameras=("cam1", "left")))


def test_cameras_without_any_video_are_left_out_with_an_alert(tmp_path):
    cameras = shared(tmp_path, toml(("cam1", "cam2", "cam9")))
    assert list(cameras.of(*take(tmp_path)).by_name) == ["cam1", "cam2"]
    [alert] = cameras.alerts()
    assert (alert.kind, alert.subject) == ("unused_cameras", "calibration.toml")
    assert "cameras without any video: cam9" in alert.message


def test_without_unused_cameras_there_is_no_alert(tmp_path):
    cameras = shared(tmp_path)
    cameras.of(*take(tmp_path))
    assert not cameras.alerts()


def test_half_sized_videos_and_a_file_without_sizes(tmp_path, caplog):
    caplog.set_level("INFO", "epiline")
    text = "\n".join(line for line in toml().splitlines() if not line.startswith("size"))
    cameras = shared(tmp_path, text)
    assert cameras.of(*take(tmp_path, size_px=(48, 32))).by_name["cam1"].size_px == (96, 64)
    assert "the file states no image size; 96 x 64 is taken" in caplog.text
    assert [alert.kind for alert in cameras.alerts()] == ["inferred_image_size"]


def test_videos_have_similar_names_and_views_those_of_the_calibration(tmp_path, caplog):
    caplog.set_level("INFO", "epiline")
    cameras = shared(tmp_path, toml(("port_1", "port_2")))
    found = cameras.of(*take(tmp_path, cameras=("Cam_01", "Cam_02")))
    assert list(found.by_name) == ["port_1", "port_2"]
    assert found.video_of == {"port_1": "Cam_01", "port_2": "Cam_02"}
    assert "calibration.toml: videos and cameras with similar names: Cam_01 is port_1, Cam_02 is port_2" in caplog.text
    assert cameras.alerts() == []


def test_an_ambiguous_name_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"Cam1 may be cam1 or cam_01 in .*calibration.toml .*exactly as its camera"):
        shared(tmp_path, toml(("cam1", "cam_01", "cam2"))).of(*take(tmp_path, cameras=("Cam1", "cam2")))


def test_cameras_that_are_known_by_their_order_alone_are_an_alert(tmp_path):
    cameras = shared(tmp_path, toml(("cam_0", "cam_1")))
    assert cameras.of(*take(tmp_path)).video_of == {"cam_0": "cam1", "cam_1": "cam2"}
    [alert] = cameras.alerts()
    assert (alert.kind, alert.severity, alert.evidence) == (
        "cameras_by_order", "warning", "cam1 is cam_0, cam2 is cam_1",
    )  # fmt: skip


def test_a_camera_without_extrinsics_and_without_a_video_leaves_the_others_theirs(tmp_path):
    text = toml(("cam1", "cam2", "cam9"))
    text = text[: text.rindex("translation")] + "place" + text[text.rindex("translation") + len("translation") :]
    by_name = shared(tmp_path, text).of(*take(tmp_path)).by_name
    assert [camera.has_extrinsics for camera in by_name.values()] == [True, True]


def test_files_without_cameras_are_named_where_no_calibration_is(tmp_path):
    (tmp_path / "Config.toml").write_text('[project]\nframe_rate = "auto"\n')
    cameras = FootageCameras(tmp_path, assumed=False)
    with pytest.raises(UserError, match=r"No calibration file in .*\(Config.toml: no cameras in it\)"):
        cameras.of(*take(tmp_path))


def test_extrinsics_in_no_known_unit_are_a_note(tmp_path):
    text = toml().replace("translation = [0.1, 0.2, 3.0]", "translation = [100.1, 0.2, 3.0]")
    cameras = shared(tmp_path, text)
    assert cameras.of(*take(tmp_path)).by_name["cam1"].has_extrinsics
    [alert] = cameras.alerts()
    assert (alert.kind, alert.severity, alert.subject) == ("unknown_unit", "note", "calibration.toml")


def test_no_calibration_is_refused_with_what_to_do(tmp_path):
    cameras = FootageCameras(tmp_path, assumed=False)
    with pytest.raises(UserError, match=r"No calibration file in .*\.toml, intri.yml.*capture\.intrinsics=assumed"):
        cameras.of(*take(tmp_path))


def test_the_calibration_may_lie_in_a_folder_of_its_own(tmp_path):
    """Pose2Sim's layout: Config.toml, calibration/Calib.toml, videos/cam1.mp4, ..."""
    (tmp_path / "Config.toml").write_text("[project]\nmulti_person = false\n")
    (tmp_path / "calibration").mkdir()
    (tmp_path / "calibration" / "Calib.toml").write_text(toml())
    found = FootageCameras(tmp_path, assumed=False).of(*take(tmp_path, name="videos"))
    assert (found.rig, found.source) == ("shared", tmp_path / "calibration" / "Calib.toml")


def test_several_calibrations_are_refused(tmp_path):
    (tmp_path / "old.toml").write_text(toml().replace("100.0", "120.0"))
    with pytest.raises(UserError, match=r"several calibration files: calibration.toml \(2 .*, old.toml \(2 cameras"):
        shared(tmp_path)


def test_assumed_cameras_need_no_file(tmp_path):
    found = FootageCameras(tmp_path, assumed=True).of(*take(tmp_path))
    assert found.rig == "shared"
    assert list(found.by_name) == ["cam1", "cam2"]


def test_an_assumed_camera_looks_through_the_middle_of_its_image():
    camera = assumed_camera((96, 64))
    np.testing.assert_allclose(camera.project_cam(np.array([0.0, 0, 1])), [47.5, 31.5])
    assert camera.K[0, 0] == camera.K[1, 1] == 96
    assert camera.R_cam_from_world is None
