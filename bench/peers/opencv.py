"""OpenCV: the paper's method, pair by pair."""

import cv2
import numpy as np

from bench.geometry.simulation import Capture

Pose = tuple[np.ndarray, np.ndarray]  # R (3, 3), t (3,) of the second camera from the first

PAPER_THRESHOLD_PX = 3.0
INLIER_SIGMAS = 2.0


def fundamental_ransac(first: np.ndarray, second: np.ndarray, K: np.ndarray, noise_px: float) -> Pose | None:
    """The paper's estimator: a fundamental matrix by RANSAC from pixels (N, 2), converted to an essential matrix."""
    F, inliers = cv2.findFundamentalMat(first, second, cv2.FM_RANSAC, PAPER_THRESHOLD_PX, 0.99)
    return _from_fundamental(F, inliers, first, second, K)


def fundamental_lmeds(first: np.ndarray, second: np.ndarray, K: np.ndarray, noise_px: float) -> Pose | None:
    """The estimator of EpipolarPose's released code: least median of squares on pixels truncated to integers."""
    first, second = (np.floor(points) for points in (first, second))
    F, inliers = cv2.findFundamentalMat(first, second, cv2.FM_LMEDS)
    return _from_fundamental(F, inliers, first, second, K)


def essential_usac(first: np.ndarray, second: np.ndarray, K: np.ndarray, noise_px: float) -> Pose | None:
    """The five-point essential matrix by OpenCV's most accurate robust estimator."""
    a, b = _rays(first, K[0]), _rays(second, K[1])
    threshold = INLIER_SIGMAS * noise_px / K[0, 0, 0]
    E, inliers = cv2.findEssentialMat(a, b, np.eye(3), cv2.USAC_ACCURATE, 0.999, threshold)
    return _from_essential(E, inliers, a, b)


def _rays(px: np.ndarray, K: np.ndarray) -> np.ndarray:
    return (px - K[:2, 2]) / K[[0, 1], [0, 1]]


def _from_fundamental(F, inliers, first: np.ndarray, second: np.ndarray, K: np.ndarray) -> Pose | None:
    if F is None or F.shape != (3, 3):
        return None
    return _from_essential(K[1].T @ F @ K[0], inliers, _rays(first, K[0]), _rays(second, K[1]))


def _from_essential(E, inliers, a: np.ndarray, b: np.ndarray) -> Pose | None:
    if E is None or E.shape != (3, 3):
        return None
    good, R, t, _ = cv2.recoverPose(E, a, b, np.eye(3), mask=inliers.copy())
    return (R, t[:, 0]) if good else None


def triangulate_pair(first: np.ndarray, second: np.ndarray, pose: Pose) -> np.ndarray:
    """Points (N, 3) in the first camera's frame with the least reprojection error for matched points (N, 2).

    Hartley and Sturm's polynomial moves the image points until their rays meet.
    """
    R, t = pose
    x, y, z = t
    E = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]) @ R
    a, b = (corrected[0] for corrected in cv2.correctMatches(E, first[None], second[None]))
    X = cv2.triangulatePoints(np.eye(3, 4), np.column_stack(pose), a.T, b.T)
    with np.errstate(divide="ignore", invalid="ignore"):
        return (X[:3] / X[3]).T


def pairs(capture: Capture) -> np.ndarray:
    """Points (F, J, 3) with the true rig: the geometric median over consecutive pairs of views (the paper)."""
    points_norm = capture.points_norm.reshape(-1, len(capture.cameras), 2)
    found = []
    for a in range(points_norm.shape[1] - 1):
        R = capture.R[a + 1] @ capture.R[a].T
        pose = R, capture.t[a + 1] - R @ capture.t[a]
        points = triangulate_pair(points_norm[:, a], points_norm[:, a + 1], pose)
        found.append((points - capture.t[a]) @ capture.R[a])
    return geometric_median(np.stack(found)).reshape(capture.joints_world_mm.shape)


def geometric_median(points: np.ndarray) -> np.ndarray:
    """The geometric median (N, 3) over the first dimension of points (M, N, 3), by Weiszfeld's iteration."""
    median = points.mean(0)
    for _ in range(30):
        w = 1 / np.maximum(np.linalg.norm(points - median, axis=-1, keepdims=True), 1e-9)
        median = (w * points).sum(0) / w.sum(0)
    return median
