"""Resection: the extrinsics of a view from known 3D points."""

import numpy as np
import poselib
from jaxtyping import Float

from pipeline.shapes import check_shapes

INLIER_SIGMAS = 4.0
MIN_POINTS = 6


@check_shapes(no_inf=("points", "points_norm"))
def resect(
    points: Float[np.ndarray, "point 3"],
    points_norm: Float[np.ndarray, "point 2"],
    sigma: Float[np.ndarray, " point"],
    *,
    seed: int,
) -> tuple[Float[np.ndarray, "3 3"], Float[np.ndarray, "3"]] | None:
    """Rotation and translation, from the world, of the camera that sees world points at normalised image points.

    Robust three-point pose (PoseLib), refined on its inliers. None if too few points agree. Raises ValueError for
    shapes that do not fit and infinite points.
    """
    keep = np.isfinite(points).all(-1) & np.isfinite(points_norm).all(-1) & np.isfinite(sigma)
    if keep.sum() < MIN_POINTS:
        return None
    focal = 1 / float(np.median(sigma[keep]))
    camera = {"model": "SIMPLE_PINHOLE", "width": 1, "height": 1, "params": [focal, 0.0, 0.0]}
    options = {"max_reproj_error": INLIER_SIGMAS, "seed": seed, "max_iterations": 500, "min_iterations": 50}
    pose, info = poselib.estimate_absolute_pose(points_norm[keep] * focal, points[keep], camera, options, {})
    R, t = np.array(pose.R), np.array(pose.t)
    if info["num_inliers"] < MIN_POINTS or not (np.isfinite(R).all() and np.isfinite(t).all()):
        return None
    return R, t
