"""The TOML dialects: units, names, and what each program expects in its file."""

import tomllib

import cv2
import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.formats.calibration import read_calibration, write_calibration
from pipeline.formats.toml.camera_toml import holds_cameras
from tests.formats.cameras import FILE_R, FILE_T_M, rig, toml


def write(folder, text):
    path = folder / "c.toml"
    path.write_text(text)
    return path


def test_rotation_vectors_and_metres(tmp_path):
    camera = read_calibration(write(tmp_path, toml())).cameras["cam1"]
    np.testing.assert_allclose(camera.R_cam_from_world, FILE_R)
    np.testing.assert_allclose(camera.t_cam_from_world_mm, 1000 * FILE_T_M)
    np.testing.assert_allclose(camera.dist, [0.1, 0, 0, 0])


def test_tables_without_a_name_are_named_by_their_heading(tmp_path):
    assert list(read_calibration(write(tmp_path, toml().replace('name = "cam1"\n', ""))).cameras) == ["cam_0", "cam2"]


def test_the_fisheye_model_is_read(tmp_path):
    assert read_calibration(write(tmp_path, toml(fisheye="true"))).cameras["cam1"].fisheye


def test_the_unit_may_be_millimetres_but_not_inches(tmp_path):
    write_calibration(tmp_path / "c.toml", rig(), "epiline")
    text = (tmp_path / "c.toml").read_text()
    assert 'unit = "mm"' in text
    with pytest.raises(UserError, match="unit = 'inch' is not known"):
        read_calibration(write(tmp_path, text.replace('unit = "mm"', 'unit = "inch"')))


@pytest.mark.parametrize(("unit", "unit_mm"), [("m", 1000), ("cm", 10), ("mm", 1)])
def test_stated_units(tmp_path, unit, unit_mm):
    text = toml(translation=[3000 / unit_mm, 0, 0]).replace("[metadata]", f'[metadata]\nunit = "{unit}"')
    found = read_calibration(write(tmp_path, text.replace("0.0, 0]", "1.0, 0]", 1)))
    np.testing.assert_allclose(found.cameras["cam2"].t_cam_from_world_mm, [3000, 0, 0])
    assert found.inferred == ()


def test_a_byte_order_mark_is_ignored(tmp_path):
    (tmp_path / "c.toml").write_text(toml(), encoding="utf-8-sig")
    assert len(read_calibration(tmp_path / "c.toml").cameras) == 2


@pytest.mark.parametrize(
    ("text", "is_one"),
    [(toml(), True), ("[project]\nn = 3\n[cameras]\nn = 4\n", False), ("cameras = 4\n", False), ("[cam", True)],
)
def test_a_file_with_a_camera_matrix_is_a_calibration(tmp_path, text, is_one):
    assert holds_cameras(write(tmp_path, text)) == is_one


@pytest.mark.parametrize(("form", "unit_mm"), [("pose2sim", 1000), ("caliscope", 1000), ("anipose", 1), ("epiline", 1)])
def test_files_hold_rotation_vectors_and_the_translations_of_opencv(tmp_path, form, unit_mm):
    camera = rig()["cam_0"]
    write_calibration(tmp_path / "c.toml", rig(), form)
    tables = tomllib.loads((tmp_path / "c.toml").read_text())
    table = next(iter(tables.get("cameras", tables).values()))
    np.testing.assert_allclose(cv2.Rodrigues(np.array(table["rotation"]))[0], camera.R_cam_from_world, atol=1e-12)
    np.testing.assert_allclose(np.array(table["translation"]) * unit_mm, camera.t_cam_from_world_mm)
    assert table["size"] == list(camera.size_px)


@pytest.mark.parametrize("form", ["pose2sim", "anipose", "caliscope", "epiline"])
def test_names_with_spaces_and_dots(tmp_path, form):
    camera = rig()["cam_0"]
    write_calibration(tmp_path / "c.toml", {"left cam": camera, "cam.2": rig()["cam_1"]}, form)
    assert list(read_calibration(tmp_path / "c.toml").cameras) == ["left cam", "cam.2"]
