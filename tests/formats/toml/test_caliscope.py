"""Caliscope's `camera_array.toml`, as written now and before, and the other files of its folder."""

import tomllib

import numpy as np
import pytest

from pipeline.formats.calibration import read_calibration, write_calibration
from pipeline.formats.find_calibration import find_calibration
from tests.formats.cameras import FILE_R, FILE_T_M, rig

CAMERA = """[cameras.{i}]
{key} = {i}
rotation_count = 0
error = 0.19
exposure = -7
grid_count = 24
fisheye = false
size = [1280, 720]
matrix = [[{f}, 0.0, 624.0], [0.0, {f}, 361.2], [0.0, 0.0, 1.0]]
distortions = [-0.3, 0.1, -0.001, 0.003, -0.004]
translation = [{x}, 0.2, 3.0]
rotation = [0.1, 0.2, 0.3]
"""
# What Caliscope writes beside it: the board, the pairs of cameras, the project. None has a camera matrix.
OTHERS = {
    "charuco.toml": 'columns = 4\nrows = 5\nboard_height = 11.0\nunits = "inch"\nsquare_size_override_cm = 5.4\n',
    "stereo_pairs.toml": "[stereo_1_2]\nRMSE = 0.5\nrotation = [0.1, 0.2, 0.3]\ntranslation = [0.1, 0.2, 3.0]\n",
    "project_settings.toml": 'creation_date = "2026-11-30"\nsave_tracked_points_video = true\n',
}


def camera_array(key="cam_id"):
    return "\n".join(CAMERA.format(key=key, i=i, f=890.5 + i, x=0.1 + i) for i in (1, 2))


def aniposelib():
    """The export that Caliscope writes beside `camera_array.toml`."""
    keys = ("size", "matrix", "distortions", "rotation", "translation")
    text = ""
    for number, table in tomllib.loads(camera_array())["cameras"].items():
        entries = [f"{key} = {table[key]}" for key in keys]
        text += "\n".join([f"[cam_{number}]", f'name = "cam_{number}"', *entries, "", ""])
    return text + "[metadata]\nadjusted = false\nerror = 0.0\n"


@pytest.mark.parametrize(("key", "names"), [("cam_id", ["cam_1", "cam_2"]), ("port", ["port_1", "port_2"])])
def test_cameras_are_named_as_their_videos_are(tmp_path, key, names):
    (tmp_path / "camera_array.toml").write_text(camera_array(key))
    found = read_calibration(tmp_path / "camera_array.toml")
    assert list(found.cameras) == names
    camera = found.cameras[names[0]]
    np.testing.assert_allclose(camera.R_cam_from_world, FILE_R)
    np.testing.assert_allclose(camera.t_cam_from_world_mm, 1000 * FILE_T_M + np.array([1000, 0, 0]))
    assert camera.size_px == (1280, 720)


def test_the_folder_has_one_calibration(tmp_path):
    (tmp_path / "camera_array.toml").write_text(camera_array())
    (tmp_path / "camera_array_aniposelib.toml").write_text(aniposelib())
    for name, text in OTHERS.items():
        (tmp_path / name).write_text(text)
    found = find_calibration(tmp_path)
    assert found.path.name == "camera_array.toml"
    assert list(found.cameras) == ["cam_1", "cam_2"]


def test_cameras_without_a_name_or_number_are_ports_and_those_without_intrinsics_are_left_out(tmp_path):
    lines = [line for line in camera_array().splitlines() if not line.startswith("cam_id")]
    unknown = '[cameras.7]\nport = 7\nignore = true\nsize = [1280, 720]\nmatrix = "null"\n[cameras.8]\nport = 8\n'
    (tmp_path / "camera_array.toml").write_text("\n".join([*lines, unknown]))
    assert list(read_calibration(tmp_path / "camera_array.toml").cameras) == ["port_1", "port_2"]


def test_values_that_older_versions_did_not_know(tmp_path):
    text = camera_array("port").replace("rotation = [0.1, 0.2, 0.3]", 'rotation = "null"')
    (tmp_path / "camera_array.toml").write_text(text)
    assert not any(
        camera.has_extrinsics for camera in read_calibration(tmp_path / "camera_array.toml").cameras.values()
    )


@pytest.mark.parametrize(
    ("names", "numbers"),
    [(["cam_3", "cam_1"], ["3", "1"]), (["left", "right"], ["0", "1"]), (["a1", "b1"], ["0", "1"])],
)
def test_written_cameras_keep_their_numbers(tmp_path, names, numbers):
    write_calibration(tmp_path / "c.toml", dict(zip(names, rig(2).values(), strict=True)), "caliscope")
    tables = tomllib.loads((tmp_path / "c.toml").read_text())["cameras"]
    assert list(tables) == numbers
    assert [str(table["cam_id"]) for table in tables.values()] == numbers
    assert list(read_calibration(tmp_path / "c.toml").cameras) == names
