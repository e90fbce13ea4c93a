"""A small exact world for the tests: people with fixed bones who walk among cameras on a ring."""

import numpy as np
from scipy.spatial.transform import Rotation

from pipeline.geometry.align import rig_error
from pipeline.skeleton import BONES, JOINTS, N_JOINTS

FOCAL_PX = 1000.0
SIZE_PX = (1000, 1000)
K = np.array([[FOCAL_PX, 0, 500], [0, FOCAL_PX, 500], [0, 0, 1]])

# (length in mm, mean direction) of each joint from its parent; x to the person's left, z up.
REST = {
    "hip": (130, (1, 0, 0)), "knee": (408, (0, 0, -1)), "ankle": (428, (0, 0, -1)), "spine": (230, (0, 0, 1)),
    "thorax": (250, (0, 0, 1)), "neck": (120, (0, 0.2, 1)), "head": (110, (0, 0, 1)), "shoulder": (150, (1, 0, -0.1)),
    "elbow": (299, (0.2, 0.1, -1)), "wrist": (259, (0, 0.5, -1)),
}  # fmt: skip


def people(n_frames, seed=0, swing=0.5, area_mm=1000.0):
    """Joints (F, J, 3) in mm, z up: bones of fixed length in random directions, the pelvis anywhere in the area."""
    rng = np.random.default_rng(seed)
    joints = np.zeros((n_frames, N_JOINTS, 3))
    joints[:, 0] = np.array([0, 0, 900]) + rng.uniform(-area_mm, area_mm, (n_frames, 3)) * [1, 1, 0.1]
    heading = Rotation.from_rotvec(np.outer(rng.uniform(-np.pi, np.pi, n_frames), [0, 0, 1])).as_matrix()
    for parent, child in BONES:
        side, _, name = JOINTS[child].rpartition("_")
        length, rest = REST[name]
        rest = np.array(rest) * ([-1, 1, 1] if side == "r" else [1, 1, 1])
        direction = rest / np.linalg.norm(rest) + rng.normal(size=(n_frames, 3)) * swing * (
            name not in ("hip", "spine")
        )
        direction = (heading @ direction[..., None])[..., 0]
        joints[:, child] = joints[:, parent] + length * direction / np.linalg.norm(direction, axis=-1, keepdims=True)
    return joints


def ring(n_views, radius_mm=4500.0, height_mm=1500.0, spread=1.0):
    """Rotations (V, 3, 3) and translations (V, 3) of cameras on a ring (or a part of it) that look at its middle."""
    angles = np.linspace(0, 2 * np.pi * spread, n_views, endpoint=False) + 0.3
    heights = height_mm + 300.0 * (-1.0) ** np.arange(n_views)
    centers = np.stack([radius_mm * np.cos(angles), radius_mm * np.sin(angles), heights], -1)
    return looking_at(centers, np.array([0, 0, 900.0]))


def looking_at(centers, target):
    z = target - centers
    z /= np.linalg.norm(z, axis=-1, keepdims=True)
    x = np.cross(z, [0, 0, 1.0])
    x /= np.linalg.norm(x, axis=-1, keepdims=True)
    R = np.stack([x, np.cross(z, x), z], 1)
    return R, -np.einsum("vij,vj->vi", R, centers)


def project_norm(joints, R, t):
    """Normalised image coordinates (F, J, V, 2)."""
    in_camera = np.einsum("vij,fnj->fnvi", R, joints) + t
    assert (in_camera[..., 2] > 0).all()
    return in_camera[..., :2] / in_camera[..., 2:]


def observed(joints, R, t, noise_px=0.0, outliers=0.0, seed=0):
    """Normalised image points (F, J, V, 2) with noise and outliers; sigma (F, J, V) is 2 % of the person's height."""
    rng = np.random.default_rng(seed)
    points_norm = project_norm(joints, R, t)
    low, high = points_norm.min(1, keepdims=True), points_norm.max(1, keepdims=True)
    sigma = np.broadcast_to(0.02 * (high - low)[..., 1], points_norm.shape[:3]).copy()
    wrong = rng.random(points_norm.shape[:3]) < outliers
    points_norm = points_norm + rng.normal(size=points_norm.shape) * noise_px / FOCAL_PX
    return np.where(wrong[..., None], low + rng.random(points_norm.shape) * (high - low), points_norm), sigma


def centers_of(R, t):
    return -np.einsum("...vji,...vj->...vi", R, t)


def error_deg_mm(rig, R, t):
    """Mean errors of a rig's rotations in degrees and of its centres in mm, similarity-aligned."""
    return extrinsics_error_deg_mm(rig.R, rig.t, R, t)


def extrinsics_error_deg_mm(R_found, t_found, R, t):
    return rig_error(R_found, centers_of(R_found, t_found), R, centers_of(R, t))
