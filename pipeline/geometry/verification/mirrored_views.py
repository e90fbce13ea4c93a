"""Views whose images are mirrored, as some programs store those of a front camera."""

import numpy as np
from jaxtyping import Float

from pipeline.geometry.calibration.resection import resect
from pipeline.geometry.camera import reprojection
from pipeline.geometry.triangulation import methods as triangulation
from pipeline.geometry.verification.given_residuals import MEDIAN_LEFT_OUT
from pipeline.shapes import check_shapes
from pipeline.skeleton import MIRROR

# A view is mirrored if its noise (multiple of sigma) after mirroring is below a limit, and at most this share of that
# before. Joints that two other views triangulate leave 1.4 to 2.2 in a view that is right, and a mirrored one 3.4.
MAX_NOISE, FAR_LOWER = 2.5, 0.6


@check_shapes(no_inf=("points_norm", "R", "t"))
def is_mirrored(
    points_norm: Float[np.ndarray, "frame joint view 2"],
    sigma: Float[np.ndarray, "frame joint view"],
    R: Float[np.ndarray, "view 3 3"],
    t: Float[np.ndarray, "view 3"],
    view: int,
    *,
    seed: int,
) -> bool:
    """Whether the joints of a view fit those that the other views triangulate only after its images are mirrored.

    The view's own extrinsics are not used: it is resected before and after mirroring, which also exchanges left and
    right joints. The principal point is taken to be in the middle of the image. False if fewer than two other views
    have extrinsics. Raises ValueError for shapes that do not fit and for infinite image points or extrinsics.
    """
    others = np.where(np.arange(len(t))[:, None] == view, np.nan, t)
    if np.isfinite(others).all(-1).sum() < 2:
        return False
    joints = triangulation.robust(points_norm, sigma, R, others)
    own, own_sigma = points_norm[:, :, view], sigma[:, :, view]
    as_given = _noise(joints, own, own_sigma, seed)
    mirrored = _noise(joints, own[:, MIRROR] * [-1, 1], own_sigma[:, MIRROR], seed)
    return mirrored <= min(MAX_NOISE, FAR_LOWER * as_given)


def _noise(joints: np.ndarray, points_norm: np.ndarray, sigma: np.ndarray, seed: int) -> float:
    """Noise (multiple of sigma) of image points (F, J, 2) of joints (F, J, 3) in the camera that fits best."""
    seen = np.isfinite(joints).all(-1) & np.isfinite(points_norm).all(-1) & np.isfinite(sigma)
    found = resect(joints[seen], points_norm[seen], sigma[seen], seed=seed)
    if found is None:
        return float("inf")
    R, t = found
    distance, _ = reprojection.residuals(joints, points_norm[:, :, None], R[None], t[None])
    return float(np.median((distance[..., 0] / sigma)[seen]) / MEDIAN_LEFT_OUT)
