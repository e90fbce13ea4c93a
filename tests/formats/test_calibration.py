"""The door to all formats: every one comes back as it was written, and bad files are refused by name."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.formats.calibration import (
    ENDINGS,
    FORMATS,
    WRITABLE,
    read_calibration,
    with_extrinsics_of_all_or_none,
    write_calibration,
)
from pipeline.geometry.camera.model import Camera
from tests.formats.cameras import FILE_K, rig, toml
from tests.formats.test_qualisys import qualisys


def targets(folder):
    """Each writable format with a file name for each of its endings."""
    pairs = [(form, ending) for form in WRITABLE for ending in FORMATS[form].endings]
    return [(form, folder / (ending if len(ending) > 5 else f"c{ending}")) for form, ending in pairs]


@pytest.mark.parametrize("number", range(len([e for form in WRITABLE for e in FORMATS[form].endings])))
def test_round_trip(tmp_path, number):
    form, path = targets(tmp_path)[number]
    write_calibration(path, rig(), form)
    back = read_calibration(path).cameras
    assert list(back) == list(rig())
    for name, camera in rig().items():
        assert back[name].size_px == camera.size_px
        np.testing.assert_allclose(back[name].K, camera.K, rtol=1e-12)
        np.testing.assert_allclose(back[name].dist, camera.dist, rtol=1e-12)
        np.testing.assert_allclose(back[name].R_cam_from_world, camera.R_cam_from_world, atol=1e-12)
        np.testing.assert_allclose(back[name].t_cam_from_world_mm, camera.t_cam_from_world_mm, atol=1e-8)


@pytest.mark.parametrize("form", WRITABLE)
def test_cameras_without_extrinsics_or_distortion(tmp_path, form):
    path = dict(targets(tmp_path))[form]
    pinhole = Camera(FILE_K, np.zeros(0), (96, 64))
    write_calibration(path, {"a": pinhole, "b": pinhole}, form)
    back = read_calibration(path).cameras["b"]
    assert back.R_cam_from_world is None
    assert not back.dist.any()


@pytest.mark.parametrize("form", ["epiline", "pose2sim", "anipose", "caliscope", "opencv"])
def test_the_comment_is_in_the_file_and_does_not_disturb_reading(tmp_path, form):
    path = dict(targets(tmp_path))[form]
    write_calibration(path, rig(), form, "Written by a test.\nSecond line.")
    assert "Written by a test." in path.read_text()
    assert "Second line." in path.read_text()
    assert len(read_calibration(path).cameras) == 3


@pytest.mark.parametrize("form", WRITABLE)
def test_no_file_is_overwritten(tmp_path, form):
    path = dict(targets(tmp_path))[form]
    write_calibration(path, rig(), form)
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(UserError, match=r"exists\. Export to another name"):
        write_calibration(path, rig(2), form)
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_the_name_must_fit_the_format(tmp_path):
    with pytest.raises(UserError, match=r"c.toml is not a valid file name for the format opencv.*intri.yml"):
        write_calibration(tmp_path / "c.toml", rig(), "opencv")


def test_a_format_without_writer_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"qualisys is only read\. Choose one of .*pose2sim"):
        write_calibration(tmp_path / "c.qca", rig(), "qualisys")


def test_every_format_has_lower_case_endings():
    """Names are compared in lower case, so an ending with a capital would never match."""
    assert all(ending == ending.lower() for ending in ENDINGS)


def test_two_cameras_of_one_name_are_refused(tmp_path):
    (tmp_path / "c.toml").write_text(toml(("a", "a")))
    with pytest.raises(UserError, match="two cameras named a"):
        read_calibration(tmp_path / "c.toml")


@pytest.mark.parametrize(
    "text",
    [
        toml(extrinsics=False),
        toml().replace("translation", "place", 1),
        toml(rotation=[0, 0, 0], translation=[0, 0, 0]),
    ],
    ids=["none", "one camera lacks them", "all at the origin"],
)
def test_incomplete_extrinsics_are_dropped(tmp_path, text):
    (tmp_path / "c.toml").write_text(text)
    calibration = read_calibration(tmp_path / "c.toml")
    cameras, _ = with_extrinsics_of_all_or_none(calibration.cameras, "c.toml")
    assert [camera.R_cam_from_world for camera in cameras.values()] == [None, None]


def test_extrinsics_that_some_cameras_lack_are_dropped_with_an_alert(tmp_path):
    (tmp_path / "c.toml").write_text(toml().replace("translation", "place", 1))
    cameras = read_calibration(tmp_path / "c.toml").cameras
    assert [camera.has_extrinsics for camera in cameras.values()] == [False, True]
    [alert] = with_extrinsics_of_all_or_none(cameras, "c.toml")[1]
    assert (alert.kind, alert.severity, alert.subject) == ("incomplete_extrinsics", "note", "c.toml")
    assert "all extrinsics are left out, as cam1 has none" in alert.message
    whole, alerts = with_extrinsics_of_all_or_none(rig(2), "c.toml")
    assert all(camera.has_extrinsics for camera in whole.values())
    assert alerts == ()


def test_names_can_be_those_of_files(tmp_path):
    (tmp_path / "c.toml").write_text(toml(("a/1", "a/2")))
    assert list(read_calibration(tmp_path / "c.toml").cameras) == ["a_1", "a_2"]


def test_extrinsics_that_are_none_do_not_spoil_the_intrinsics(tmp_path):
    (tmp_path / "c.toml").write_text(toml(rotation=[[1, 0, 0], [0, 1, 0], [0, 0, -1]]))
    calibration = read_calibration(tmp_path / "c.toml")
    assert not any(camera.has_extrinsics for camera in calibration.cameras.values())
    [alert] = calibration.alerts
    assert (alert.kind, alert.severity) == ("wrong_extrinsics", "warning")
    assert "the rotation of cam1, cam2 is no rotation matrix" in alert.message


def test_a_file_that_states_no_unit_says_what_was_inferred(tmp_path, caplog):
    caplog.set_level("INFO", "epiline")
    cameras = {name: replace(c, t_cam_from_world_mm=1000 * c.t_cam_from_world_mm) for name, c in rig(2).items()}
    write_calibration(tmp_path / "c.toml", cameras, "pose2sim")
    calibration = read_calibration(tmp_path / "c.toml")
    for name, camera in rig(2).items():
        np.testing.assert_allclose(calibration.cameras[name].t_cam_from_world_mm, camera.t_cam_from_world_mm)
    calibration.log_inferred()
    assert "c.toml: the file does not state its unit of length; millimetres" in caplog.text


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("c.toml", "[cam\nmatrix", "cannot be read as a calibration"),
        ("c.toml", "[metadata]\nerror = 1", "holds no camera"),
        ("c.toml", toml(matrix='"text"'), "cannot be read as a calibration"),
        ("c.toml", toml(size=[1920]), "cannot be read as a calibration"),
        ("c.toml", toml(matrix=[[1, 2], [3, 4]]), r"cannot be read as a calibration: ValueError: .* shape \(2, 2\)"),
        ("c.qca.txt", "<calibration><cameras>", "cannot be read as a calibration: ParseError"),
        ("c.qca.txt", qualisys().replace("focalLengthU", "focal", 1), "cannot be read as a calibration: KeyError"),
        ("intri.yml", "%YAML:1.0\n---\nK_a: 1\n", "cannot be read as a calibration"),
        ("intri.yml", "[[[{", "cannot be read as a calibration"),
        ("c.json", "{}", "is not a known calibration file. Known are .toml"),
    ],
)
def test_a_file_that_cannot_be_understood_is_refused_by_name(tmp_path, name, text, message):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(UserError, match=message) as error:
        read_calibration(path)
    assert str(path) in str(error.value)
