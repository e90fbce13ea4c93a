"""OpenCV's calibration of one camera per file."""

import cv2
import numpy as np
import pytest

from pipeline.formats.find_calibration import find_calibration
from tests.formats.cameras import DIST, FILE_K


def write(path, K=FILE_K, fisheye=False):
    """As OpenCV's sample program writes it."""
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    storage.write("calibration_time", "Mon Nov 30 02:39:12 2026")
    storage.write("image_width", 96)
    storage.write("image_height", 64)
    storage.write("board_width", 9)
    storage.write("square_size", 50.0)
    if fisheye:
        storage.write("fisheye_model", 1)
    storage.write("camera_matrix", K)
    storage.write("distortion_coefficients", DIST[: 4 if fisheye else 5].reshape(-1, 1))
    storage.write("extrinsic_parameters", np.zeros((3, 6)))
    storage.release()


@pytest.mark.parametrize("ending", ["yml", "xml"])
def test_cameras_are_named_after_their_files(tmp_path, ending):
    write(tmp_path / f"cam1.{ending}")
    write(tmp_path / f"cam2.{ending}", fisheye=True)
    (tmp_path / "._cam2.yml").write_text("%YAML:1.0\n---\n")
    (tmp_path / "notes.yml").write_text("people: [Ann]\n")
    (tmp_path / "settings.xml").write_text("<settings/>")
    found = find_calibration(tmp_path)
    assert list(found.cameras) == ["cam1", "cam2"]
    one, other = found.cameras.values()
    assert (one.size_px, one.fisheye, other.fisheye) == ((96, 64), False, True)
    np.testing.assert_allclose(one.K, FILE_K)
    np.testing.assert_allclose(one.dist, DIST)
    assert not one.has_extrinsics


def test_other_yaml_is_no_calibration(tmp_path):
    (tmp_path / "notes.yml").write_text("people: [Ann]\n")
    assert find_calibration(tmp_path) is None
