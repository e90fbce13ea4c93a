"""The pose of a view from points whose place is known."""

import numpy as np
import poselib

INLIER_SIGMAS = 4.0
FEWEST_POINTS = 6


def resect(
    points: np.ndarray, points_norm: np.ndarray, sigma: np.ndarray, *, seed: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """Rotation (3, 3) and translation (3,) of the camera that sees points (N, 3) at rays (N, 2) with sigma (N,).

    Robust three-point pose, refined on its inliers. None where too few points agree.
    """
    keep = np.isfinite(points).all(-1) & np.isfinite(points_norm).all(-1) & np.isfinite(sigma)
    if keep.sum() < FEWEST_POINTS:
        return None
    focal = 1 / float(np.median(sigma[keep]))
    camera = {"model": "SIMPLE_PINHOLE", "width": 1, "height": 1, "params": [focal, 0.0, 0.0]}
    options = {"max_reproj_error": INLIER_SIGMAS, "seed": seed, "max_iterations": 500, "min_iterations": 50}
    pose, info = poselib.estimate_absolute_pose(points_norm[keep] * focal, points[keep], camera, options, {})
    R, t = np.array(pose.R), np.array(pose.t)
    if info["num_inliers"] < FEWEST_POINTS or not (np.isfinite(R).all() and np.isfinite(t).all()):
        return None
    return R, t
