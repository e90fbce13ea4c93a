"""The TOML dialects: units, names, and what each program expects in its file."""

import tomllib

import cv2
import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.formats.calibration import read_calibration, write_calibration
from tests.formats.cameras import FILE_R, FILE_T_M, rig, toml


def write(folder, text):
    path = folder / "c.toml"
    path.write_text(text)
    return path


def test_rotation_vectors_and_metres(tmp_path):
    camera = read_calibration(write(tmp_path, toml()))["cam1"]
    np.testing.assert_allclose(camera.R_cam_from_world, FILE_R)
    np.testing.assert_allclose(camera.t_cam_from_world_mm, 1000 * FILE_T_M)
    np.testing.assert_allclose(camera.dist, [0.1, 0, 0, 0])


def test_tables_without_a_name_are_named_by_their_heading(tmp_path):
    assert list(read_calibration(write(tmp_path, toml().replace('name = "cam1"\n', "")))) == ["cam_0", "cam2"]


def test_the_fisheye_model_is_read(tmp_path):
    assert read_calibration(write(tmp_path, toml(fisheye="true")))["cam1"].fisheye


def test_the_unit_may_be_millimetres_but_not_inches(tmp_path):
    write_calibration(tmp_path / "c.toml", rig(), "epiline")
    text = (tmp_path / "c.toml").read_text()
    assert 'unit = "mm"' in text
    with pytest.raises(UserError, match="unit = 'inch' is not known"):
        read_calibration(write(tmp_path, text.replace('unit = "mm"', 'unit = "inch"')))


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
    assert list(read_calibration(tmp_path / "c.toml")) == ["left cam", "cam.2"]
