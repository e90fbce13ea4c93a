"""Checks of the cameras in a calibration file."""

from collections.abc import Collection
from pathlib import Path

import numpy as np

from pipeline.errors import UserError
from pipeline.formats.calibration_format import UNKNOWN_SIZE
from pipeline.geometry.camera.model import Camera

# Largest deviation of R @ R.T from the identity that rounded numbers may cause.
ROUNDING = 1e-3
DISTORTION_LENGTHS = (0, 4, 5, 8, 12, 14)  # OpenCV's models
FISHEYE_LENGTH = 4


def check_intrinsics(camera: Camera, name: str, path: Path) -> None:
    """Raise UserError for an invalid camera matrix, distortion or size."""
    K, n = camera.K, len(camera.dist)
    wrong = None
    if not np.isfinite(K).all() or min(K[0, 0], K[1, 1]) <= 0 or not np.allclose(K[2], (0, 0, 1)):
        wrong = f"has no camera matrix with positive focal lengths: {K.tolist()}"
    elif n not in DISTORTION_LENGTHS or not np.isfinite(camera.dist).all():
        wrong = f"has {n} distortion coefficients; OpenCV has {', '.join(map(str, DISTORTION_LENGTHS))}"
    elif camera.fisheye and n != FISHEYE_LENGTH:
        wrong = f"has {n} distortion coefficients; OpenCV's fisheye model has {FISHEYE_LENGTH}"
    elif camera.size_px != UNKNOWN_SIZE and min(camera.size_px) < 1:
        wrong = f"has the size {camera.size_px}"
    if wrong:
        raise UserError(f"Camera {name} {wrong}", where=str(path), fix="Correct the file or calibrate again.")


def has_rotation(camera: Camera) -> bool:
    """Whether the camera's rotation matrix is a rotation; NaN stands for extrinsics that are not known."""
    R = camera.R_cam_from_world
    if R is None or np.isnan(R).any():
        return True
    return bool(np.abs(R @ R.T - np.eye(3)).max() < ROUNDING and np.linalg.det(R) > 0)


def have_extrinsics(cameras: Collection[Camera]) -> bool:
    """Whether every camera has extrinsics; files with intrinsics only may place all cameras at the origin."""
    centers = [camera.center_world_mm for camera in cameras if camera.has_extrinsics]
    finite = [center for center in centers if np.isfinite(center).all()]
    if len(finite) < len(cameras):
        return False
    return len(finite) == 1 or any(not np.array_equal(center, finite[0]) for center in finite)
