"""The relative pose of two views from what both saw: five-point essential matrix, robust, refined on its inliers."""

from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np
import poselib

# Epipolar distance, in standard deviations, up to which a match is an inlier.
INLIER_SIGMAS = 2.0
MOST_ITERATIONS = 500
# A homography that explains this share of the essential matrix's inliers leaves the relative pose open.
HOMOGRAPHY_SHARE = 0.9


@dataclass(frozen=True)
class RelativePose:
    """The second camera seen from the first, with a baseline of length 1."""

    R: np.ndarray  # (3, 3) second from first
    t: np.ndarray  # (3,)
    inliers: np.ndarray  # (N,) of the matches given
    parallax_deg: float  # median angle between the two rays of an inlier

    @property
    def score(self) -> float:
        """How good a start it makes: many inliers under wide angles."""
        return float(self.inliers.sum()) * min(self.parallax_deg, 30.0)


def relative_pose(first: np.ndarray, second: np.ndarray, sigma: np.ndarray, *, seed: int) -> RelativePose | None:
    """The pose of the second view against the first from matched rays (N, 2) with a standard deviation sigma (N,).

    Rays are normalised image coordinates. None where five matches in front of both cameras do not agree.
    """
    if len(first) < 6:
        return None
    # In units of the standard deviation, so that PoseLib's pixels are sigmas.
    focal = 1 / float(np.median(sigma))
    camera = {"model": "SIMPLE_PINHOLE", "width": 1, "height": 1, "params": [focal, 0.0, 0.0]}
    options = {
        "max_epipolar_error": INLIER_SIGMAS, "seed": seed,
        "max_iterations": MOST_ITERATIONS, "min_iterations": 100,
    }  # fmt: skip
    pose, info = poselib.estimate_relative_pose(first * focal, second * focal, camera, camera, options, {})
    inliers = np.array(info["inliers"], bool)
    R, t = np.array(pose.R), np.array(pose.t)
    if inliers.sum() < 6 or not np.isfinite(R).all() or not np.isfinite(t).all() or not np.linalg.norm(t) > 0:
        return None
    cosine = (_directions(first[inliers]) @ R.T * _directions(second[inliers])).sum(-1)
    parallax_deg = float(np.degrees(np.arccos(np.clip(np.median(cosine), -1, 1))))
    return RelativePose(R, t / np.linalg.norm(t), inliers, parallax_deg)


def _directions(points_norm: np.ndarray) -> np.ndarray:
    directions = np.concatenate([points_norm, np.ones_like(points_norm[..., :1])], -1)
    return directions / np.linalg.norm(directions, axis=-1, keepdims=True)


def is_degenerate(first: np.ndarray, second: np.ndarray, sigma: np.ndarray, pose: RelativePose) -> bool:
    """Whether a homography explains the matches as well as the relative pose does.

    So it is when both cameras stand in one place or all points lie in one plane: then the pose means nothing.
    """
    unit = float(np.median(sigma))
    a, b = first[pose.inliers] / unit, second[pose.inliers] / unit
    keep = np.ones(len(a), bool)
    distance = np.zeros(len(a))
    # Trimmed least squares: OpenCV's robust estimators refuse a plane that the views see from its two sides.
    for _ in range(4):
        H, _ = cv2.findHomography(a[keep], b[keep], 0)
        if H is None:
            return False
        moved = np.concatenate([a, np.ones((len(a), 1))], -1) @ H.T
        distance = np.linalg.norm(moved[:, :2] / moved[:, 2:] - b, axis=-1)
        keep = distance <= np.quantile(distance, 0.8)
    # Two coordinates against the epipolar distance's one: the same noise lies about half as far again.
    return bool((distance < 1.5 * INLIER_SIGMAS).mean() >= HOMOGRAPHY_SHARE)


def focal_of_pair(first: np.ndarray, second: np.ndarray, sigma: np.ndarray, *, seed: int) -> float:
    """The focal length, in the unit of the rays, of two views that share it: six-point method, robust, refined.

    Rays are matched image coordinates (N, 2) from the principal point. NaN where it cannot be found.
    """
    unit = float(np.median(sigma))
    options = {
        "max_epipolar_error": INLIER_SIGMAS, "seed": seed,
        "max_iterations": MOST_ITERATIONS, "min_iterations": 100,
    }  # fmt: skip
    pair, info = poselib.estimate_shared_focal_relative_pose(first / unit, second / unit, np.zeros(2), options, {})
    return float(pair.camera1.focal()) * unit if info["num_inliers"] >= 7 else float("nan")


def epipolar_error(points_norm: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray) -> float:
    """Median distance of a ray from the epipolar line of its match, over all pairs of views, in the rays' unit.

    Rays are (N, V, 2) with sigma (N, V), infinite where not seen, cameras R (V, 3, 3), t (V, 3). NaN without matches.
    """
    points_norm = np.where(np.isfinite(sigma)[..., None], points_norm, np.nan)
    homogeneous = np.concatenate([points_norm, np.ones_like(points_norm[..., :1])], -1)
    found = []
    for a, b in combinations(range(len(R)), 2):
        turn = R[b] @ R[a].T
        x, y, z = t[b] - turn @ t[a]
        E = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]) @ turn
        lines = homogeneous[:, a] @ E.T, homogeneous[:, b] @ E
        off = np.abs((homogeneous[:, b] * lines[0]).sum(-1))
        found += [off / np.linalg.norm(line[:, :2], axis=-1) for line in lines]
    distance = np.concatenate(found)
    distance = distance[np.isfinite(distance)]
    return float(np.median(distance)) if len(distance) else float("nan")
