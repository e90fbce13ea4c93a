"""Checks of the cameras in a calibration file."""

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from pipeline.errors import UserError
from pipeline.formats.calibration_format import MM_PER_M, UNKNOWN_SIZE
from pipeline.geometry.camera.model import Camera

# Range of the largest distance between two cameras of a rig, in mm; other values indicate another unit.
RIG_SPAN_MM = (20.0, 200_000.0)
# Largest deviation of R @ R.T from the identity that rounded numbers may cause.
ROUNDING = 1e-3
DISTORTION_LENGTHS = (0, 4, 5, 8, 12, 14)  # OpenCV's models
FISHEYE_LENGTH = 4


def check_camera(camera: Camera, name: str, path: Path) -> None:
    """Raise UserError for an invalid camera matrix, distortion, size or rotation."""
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
    elif camera.R_cam_from_world is not None and not _is_rotation(camera.R_cam_from_world):
        wrong = f"has a rotation matrix that is not a rotation: {camera.R_cam_from_world.tolist()}"
    if wrong:
        raise UserError(f"Camera {name} {wrong}", where=str(path), fix="Correct the file or calibrate again.")


def have_extrinsics(cameras: Collection[Camera]) -> bool:
    """Whether every camera has extrinsics; files with intrinsics only may place all cameras at the origin."""
    translations = [c.t_cam_from_world_mm for c in cameras if c.R_cam_from_world is not None]
    finite = [t for t in translations if t is not None and np.isfinite(t).all()]
    if len(finite) < len(cameras):
        return False
    return len(finite) == 1 or any(not np.array_equal(t, finite[0]) for t in finite)


def check_distances(cameras: Mapping[str, Camera], path: Path) -> None:
    """Raise UserError if the cameras are so close together or so far apart that the unit must be wrong."""
    centers = np.stack([camera.center_world_mm for camera in cameras.values()])
    span_mm = float(np.linalg.norm(centers[:, None] - centers, axis=-1).max())
    if len(cameras) > 1 and not RIG_SPAN_MM[0] <= span_mm <= RIG_SPAN_MM[1]:
        fix = 'Translations are metres, unless a TOML file says unit = "mm" under [metadata].'
        raise UserError(f"The cameras stand up to {span_mm / MM_PER_M:g} m apart", where=str(path), fix=fix)


def _is_rotation(R: np.ndarray) -> bool:
    # NaN is allowed: files write it for extrinsics that are not known, and `have_extrinsics` drops them.
    deviation = np.abs(R @ R.T - np.eye(3)).max()
    return bool(np.isnan(deviation) or (deviation < ROUNDING and np.linalg.det(R) > 0))
