"""OpenCV's stereo calibration of two cameras."""

import cv2
import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.formats.find_calibration import find_calibration
from tests.formats.cameras import DIST, FILE_K, FILE_R, FILE_T_M


def write(folder, unit_mm=1000.0, ending="yml", extrinsics=("R", "T", "R1", "R2", "P1", "P2", "Q")):
    """As OpenCV's sample program writes it."""
    lenses = {"M1": FILE_K, "D1": DIST[None], "M2": 1.1 * FILE_K, "D2": DIST[None]}
    lenses["M2"][2, 2] = 1
    entries = {
        "R": FILE_R, "T": (1000 / unit_mm * FILE_T_M).reshape(3, 1), "R1": np.eye(3), "R2": np.eye(3),
        "P1": np.eye(3, 4), "P2": np.eye(3, 4), "Q": np.eye(4),
    }  # fmt: skip
    files = {"intrinsics": lenses, "extrinsics": {key: entries[key] for key in extrinsics}}
    for name, values in files.items():
        storage = cv2.FileStorage(str(folder / f"{name}.{ending}"), cv2.FILE_STORAGE_WRITE)
        for key, value in values.items():
            storage.write(key, value)
        storage.release()


@pytest.mark.parametrize("ending", ["yml", "xml"])
@pytest.mark.parametrize("unit_mm", [1000, 1])
def test_the_second_camera_relative_to_the_first(tmp_path, ending, unit_mm):
    write(tmp_path, unit_mm, ending)
    found = find_calibration(tmp_path)
    assert not found.has_names
    one, other = found.cameras.values()
    assert one.size_px == other.size_px == (0, 0)
    np.testing.assert_allclose(one.K, FILE_K)
    np.testing.assert_allclose(one.center_world_mm, 0, atol=1e-9)
    np.testing.assert_allclose(other.K[0, 0], 110)
    np.testing.assert_allclose(other.dist, DIST)
    np.testing.assert_allclose(other.R_cam_from_world, FILE_R)
    np.testing.assert_allclose(other.t_cam_from_world_mm, 1000 * FILE_T_M)
    assert "does not state its unit" in found.inferred[0]


def test_board_squares_are_a_note_and_the_lenses_are_read(tmp_path):
    write(tmp_path, unit_mm=30)  # 100 squares apart
    found = find_calibration(tmp_path)
    assert [alert.kind for alert in found.alerts] == ["unknown_unit"]
    assert len(found.cameras) == 2


def test_names_in_any_letter_case(tmp_path):
    write(tmp_path)
    for name in ("intrinsics", "extrinsics"):
        (tmp_path / f"{name}.yml").rename(tmp_path / f"{name.title()}.YML")
    assert all(camera.has_extrinsics for camera in find_calibration(tmp_path).cameras.values())


def test_without_extrinsics(tmp_path):
    write(tmp_path)
    (tmp_path / "extrinsics.yml").unlink()
    assert not any(camera.has_extrinsics for camera in find_calibration(tmp_path).cameras.values())


def test_extrinsics_without_a_pose_are_refused(tmp_path):
    write(tmp_path, extrinsics=("Q",))
    with pytest.raises(UserError, match=r"intrinsics.yml cannot be read .*R and T in extrinsics.yml"):
        find_calibration(tmp_path)
