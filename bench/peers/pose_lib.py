"""PoseLib: five-point LO-RANSAC for a pair of views."""

import numpy as np
import poselib

from bench.peers.opencv import Pose

INLIER_SIGMAS = 2.0


def five_point(first: np.ndarray, second: np.ndarray, K: np.ndarray, noise_px: float) -> Pose | None:
    """The second camera's pose from matched pixels (N, 2), by at least 100 iterations."""
    cameras = [
        {"model": "PINHOLE", "width": 1000, "height": 1000, "params": [k[0, 0], k[1, 1], k[0, 2], k[1, 2]]} for k in K
    ]
    options = {"max_epipolar_error": INLIER_SIGMAS * noise_px, "min_iterations": 100, "max_iterations": 100}
    pose, _ = poselib.estimate_relative_pose(first, second, *cameras, options, {})
    return (pose.R, pose.t) if np.isfinite(pose.R).all() and np.linalg.norm(pose.t) > 0 else None
