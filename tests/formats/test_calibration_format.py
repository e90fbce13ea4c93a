"""What the formats share: names of files, cameras from plain numbers, files that exist."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.formats.calibration_format import CalibrationFormat, find_beside, make_camera, refuse_existing

K = [[100, 0, 47], [0, 101, 31], [0, 0, 1]]


@pytest.mark.parametrize(("name", "fits"), [("Calib.QCA.txt", True), ("a.qca", True), ("a.txt", False), ("qca", False)])
def test_endings_fit_in_any_letter_case(name, fits):
    assert CalibrationFormat("test", (".qca.txt", ".qca"), lambda path: []).has_name(Path(name)) == fits


def test_a_rotation_is_a_matrix_or_a_vector():
    vector = np.array([0.1, -0.2, 0.3])
    R = cv2.Rodrigues(vector)[0]
    for rotation in (vector, vector[:, None].tolist(), R.tolist()):
        camera = make_camera(K, [], (96.0, 64.0), rotation, [[1], [2], [3]])
        np.testing.assert_allclose(camera.R_cam_from_world, R)
        np.testing.assert_array_equal(camera.t_cam_from_world_mm, [1, 2, 3])
    assert (camera.size_px, camera.dist.shape) == ((96, 64), (0,))


@pytest.mark.parametrize(("rotation", "t_mm"), [(None, [1, 2, 3]), ([0, 0, 0], None)])
def test_half_of_the_extrinsics_is_none(rotation, t_mm):
    camera = make_camera(K, [], (96, 64), rotation, t_mm)
    assert camera.R_cam_from_world is None
    assert camera.t_cam_from_world_mm is None


def test_a_file_beside_another_in_any_letter_case(tmp_path):
    (tmp_path / "In.yml").touch()
    assert find_beside(tmp_path / "In.yml", "Ex.yml") is None
    (tmp_path / "EX.YML").touch()
    assert find_beside(tmp_path / "In.yml", "Ex.yml") == tmp_path / "EX.YML"
    (tmp_path / "ex.yml").touch()
    with pytest.raises(UserError, match=r"several files of extrinsics: EX.YML, ex.yml\. Keep Ex.yml"):
        find_beside(tmp_path / "In.yml", "Ex.yml")
    (tmp_path / "Ex.yml").touch()
    assert find_beside(tmp_path / "In.yml", "Ex.yml") == tmp_path / "Ex.yml"


def test_existing_files_are_named(tmp_path):
    (tmp_path / "a").touch()
    refuse_existing(tmp_path / "b")
    with pytest.raises(UserError, match=r"/a exists\. Export to another name"):
        refuse_existing(tmp_path / "a")
