"""OpenCV: the paper's way, pair by pair."""

import cv2
import numpy as np

from bench.geometry.simulation import Capture

Pose = tuple[np.ndarray, np.ndarray]  # R (3, 3), t (3,) of the second camera from the first


def correct_matches(first: np.ndarray, second: np.ndarray, pose: Pose) -> tuple[np.ndarray, np.ndarray]:
    """Matched rays (N, 2) moved to meet exactly, at the least cost (Hartley and Sturm's polynomial)."""
    R, t = pose
    x, y, z = t
    E = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]) @ R
    corrected = cv2.correctMatches(E, first[None], second[None])
    return corrected[0][0], corrected[1][0]


def triangulate_pair(first: np.ndarray, second: np.ndarray, pose: Pose) -> np.ndarray:
    """Points (N, 3) in the first camera's frame from matched rays (N, 2)."""
    a, b = correct_matches(first, second, pose)
    X = cv2.triangulatePoints(np.eye(3, 4), np.column_stack(pose), a.T, b.T)
    return (X[:3] / X[3]).T


def pairs(capture: Capture) -> np.ndarray:
    """Points (F, J, 3): the geometric median of those of consecutive pairs of views (the paper's way)."""
    rays = capture.rays.reshape(-1, len(capture.cameras), 2)
    found = []
    for a in range(rays.shape[1] - 1):
        R = capture.R[a + 1] @ capture.R[a].T
        pose = R, capture.t[a + 1] - R @ capture.t[a]
        points = triangulate_pair(rays[:, a], rays[:, a + 1], pose)
        found.append((points - capture.t[a]) @ capture.R[a])
    return geometric_median(np.stack(found)).reshape(capture.joints_world_mm.shape)


def geometric_median(points: np.ndarray) -> np.ndarray:
    """Of points (M, N, 3), (N, 3): Weiszfeld's iteration."""
    median = points.mean(0)
    for _ in range(30):
        w = 1 / np.maximum(np.linalg.norm(points - median, axis=-1, keepdims=True), 1e-9)
        median = (w * points).sum(0) / w.sum(0)
    return median
