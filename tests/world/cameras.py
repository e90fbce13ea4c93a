"""Cameras around the people, what they observe, and the errors of cameras that were found."""

import numpy as np

from pipeline.geometry.align import rig_error
from pipeline.geometry.camera.model import Camera

FOCAL_PX = 1000.0
SIZE_PX = (1000, 1000)
K = np.array([[FOCAL_PX, 0, 500], [0, FOCAL_PX, 500], [0, 0, 1]])
DIST = np.array([-0.2, 0.1, 0.001, 0.0, 0.0])
SMALL_SIZE_PX = (160, 120)  # of images that a test writes and reads in no time
STICK_FIGURE_SIZE_PX = 96


def ring(
    n_views: int, radius_mm: float = 4500.0, height_mm: float = 1500.0, spread: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Rotations (V, 3, 3) and translations (V, 3) of cameras on a ring (or a part of it) that look at its middle."""
    angles = np.linspace(0, 2 * np.pi * spread, n_views, endpoint=False) + 0.3
    heights = height_mm + 300.0 * (-1.0) ** np.arange(n_views)
    centers = np.stack([radius_mm * np.cos(angles), radius_mm * np.sin(angles), heights], -1)
    return looking_at(centers, np.array([0, 0, 900.0]))


def looking_at(centers: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotations (V, 3, 3) and translations (V, 3) of upright cameras at `centers` (V, 3) that look at `target` (3,)."""
    z = target - centers
    z /= np.linalg.norm(z, axis=-1, keepdims=True)
    x = np.cross(z, [0, 0, 1.0])
    x /= np.linalg.norm(x, axis=-1, keepdims=True)
    R = np.stack([x, np.cross(z, x), z], 1)
    return R, -np.einsum("vij,vj->vi", R, centers)


def lens_cameras(n_views: int) -> list[Camera]:
    """Cameras with distortion on the ring."""
    R, t = ring(n_views)
    return [Camera(K, DIST, SIZE_PX, R[v], t[v]) for v in range(n_views)]


def small_camera(angle: float) -> Camera:
    """A camera of small images, 4 m away at breast height, at an angle of the ring in radians."""
    center = np.array([[4000 * np.cos(angle), 4000 * np.sin(angle), 1200.0]])
    R, t = looking_at(center, np.array([0, 0, 950.0]))
    return Camera(_centred_intrinsics(180.0, SMALL_SIZE_PX), np.zeros(0), SMALL_SIZE_PX, R[0], t[0])


def stick_figure_cameras() -> list[Camera]:
    """Three cameras of tiny square images, y down, turned about a point 3 m in front of the first."""
    size_px = (STICK_FIGURE_SIZE_PX, STICK_FIGURE_SIZE_PX)
    middle, cameras = np.array([0, 0, 3000.0]), []
    for turn in (0.0, 1.5, -1.5):
        c, s = np.cos(turn), np.sin(turn)
        R = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
        cameras.append(Camera(_centred_intrinsics(90.0, size_px), np.zeros(0), size_px, R, middle - R @ middle))
    return cameras


def _centred_intrinsics(focal_px: float, size_px: tuple[int, int]) -> np.ndarray:
    width, height = size_px
    return np.array([[focal_px, 0, (width - 1) / 2], [0, focal_px, (height - 1) / 2], [0, 0, 1]])


def project_norm(joints: np.ndarray, R: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Normalised image points (F, J, V, 2) of joints (F, J, 3) that lie in front of all cameras."""
    in_camera = np.einsum("vij,fnj->fnvi", R, joints) + t
    assert (in_camera[..., 2] > 0).all()
    return in_camera[..., :2] / in_camera[..., 2:]


def observed(
    joints: np.ndarray, R: np.ndarray, t: np.ndarray, noise_px: float = 0.0, outliers: float = 0.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Normalised image points (F, J, V, 2) with noise and outliers; sigma (F, J, V) is 2 % of the person's height."""
    rng = np.random.default_rng(seed)
    points_norm = project_norm(joints, R, t)
    low, high = points_norm.min(1, keepdims=True), points_norm.max(1, keepdims=True)
    sigma = np.broadcast_to(0.02 * (high - low)[..., 1], points_norm.shape[:3]).copy()
    wrong = rng.random(points_norm.shape[:3]) < outliers
    points_norm = points_norm + rng.normal(size=points_norm.shape) * noise_px / FOCAL_PX
    return np.where(wrong[..., None], low + rng.random(points_norm.shape) * (high - low), points_norm), sigma


def centers_of(R: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Camera centres (..., V, 3) in the world."""
    return -np.einsum("...vji,...vj->...vi", R, t)


def error_deg_mm(rig, R: np.ndarray, t: np.ndarray) -> tuple[float, float]:
    """Mean errors of a rig's rotations in degrees and of its centres in mm, similarity-aligned."""
    return extrinsics_error_deg_mm(rig.R, rig.t, R, t)


def extrinsics_error_deg_mm(
    R_found: np.ndarray, t_found: np.ndarray, R: np.ndarray, t: np.ndarray
) -> tuple[float, float]:
    """The same of rotations (V, 3, 3) and translations (V, 3)."""
    return rig_error(R_found, centers_of(R_found, t_found), R, centers_of(R, t))
