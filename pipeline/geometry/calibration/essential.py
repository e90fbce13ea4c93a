"""The relative pose of two views from matched image points: robust five-point essential matrix, refined on inliers."""

from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np
import poselib
from jaxtyping import Bool, Float

from pipeline.shapes import check_shapes

# Epipolar distance, in standard deviations, up to which a match is an inlier.
INLIER_SIGMAS = 2.0
MAX_ITERATIONS = 500
# The relative pose is degenerate if a homography explains this share of the essential matrix's inliers.
HOMOGRAPHY_SHARE = 0.9


@dataclass(frozen=True)
class RelativePose:
    """The second camera seen from the first, with a baseline of length 1."""

    R: Float[np.ndarray, "3 3"]  # second from first
    t: Float[np.ndarray, "3"]
    inliers: Bool[np.ndarray, " match"]
    parallax_deg: float  # median angle between the two viewing rays of an inlier

    @property
    def score(self) -> float:
        """Score of the pose as a start; it grows with the number of inliers and with the parallax."""
        return float(self.inliers.sum()) * min(self.parallax_deg, 30.0)


@check_shapes(no_inf=("first", "second", "sigma"))
def relative_pose(
    first: Float[np.ndarray, "match 2"],
    second: Float[np.ndarray, "match 2"],
    sigma: Float[np.ndarray, " match"],
    *,
    seed: int,
) -> RelativePose | None:
    """The pose of the second view relative to the first from matched normalised image points.

    `sigma` is the standard deviation of a match. Five-point method with LO-RANSAC (PoseLib). None if fewer than six
    matches, in front of both cameras, agree. Raises ValueError for shapes that do not fit and infinite values.
    """
    if len(first) < 6:
        return None
    # In units of the standard deviation, so that PoseLib's thresholds in pixels are multiples of sigma.
    focal = 1 / float(np.median(sigma))
    camera = {"model": "SIMPLE_PINHOLE", "width": 1, "height": 1, "params": [focal, 0.0, 0.0]}
    options = {
        "max_epipolar_error": INLIER_SIGMAS, "seed": seed,
        "max_iterations": MAX_ITERATIONS, "min_iterations": 100,
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


@check_shapes(no_inf=("first", "second", "sigma"))
def is_degenerate(
    first: Float[np.ndarray, "match 2"],
    second: Float[np.ndarray, "match 2"],
    sigma: Float[np.ndarray, " match"],
    pose: RelativePose,
) -> bool:
    """Whether a homography explains the matches as well as the relative pose does.

    A homography does so if both cameras stand in one place or all points lie in one plane. The matches then do not
    determine the pose. Raises ValueError for shapes that do not fit and infinite values.
    """
    unit = float(np.median(sigma))
    a, b = first[pose.inliers] / unit, second[pose.inliers] / unit
    keep = np.ones(len(a), bool)
    distance = np.zeros(len(a))
    # Trimmed least squares: OpenCV's robust estimators fail for a plane that the views see from opposite sides.
    for _ in range(4):
        H, _ = cv2.findHomography(a[keep], b[keep], 0)
        if H is None:
            return False
        moved = np.concatenate([a, np.ones((len(a), 1))], -1) @ H.T
        distance = np.linalg.norm(moved[:, :2] / moved[:, 2:] - b, axis=-1)
        keep = distance <= np.quantile(distance, 0.8)
    # The distance has two coordinates, the epipolar distance one: the same noise makes the former about 1.5 times as
    # large.
    return bool((distance < 1.5 * INLIER_SIGMAS).mean() >= HOMOGRAPHY_SHARE)


@check_shapes(no_inf=("first", "second", "sigma"))
def focal_of_pair(
    first: Float[np.ndarray, "match 2"],
    second: Float[np.ndarray, "match 2"],
    sigma: Float[np.ndarray, " match"],
    *,
    seed: int,
) -> float:
    """The focal length shared by two views, in the unit of the image points: six-point method, robust, refined.

    Image points are matched and relative to the principal point. NaN if too few agree. Raises ValueError for shapes
    that do not fit and infinite values.
    """
    unit = float(np.median(sigma))
    options = {
        "max_epipolar_error": INLIER_SIGMAS, "seed": seed,
        "max_iterations": MAX_ITERATIONS, "min_iterations": 100,
    }  # fmt: skip
    pair, info = poselib.estimate_shared_focal_relative_pose(first / unit, second / unit, np.zeros(2), options, {})
    return float(pair.camera1.focal()) * unit if info["num_inliers"] >= 7 else float("nan")


@check_shapes(no_inf=("R", "t"))
def epipolar_error(
    points_norm: Float[np.ndarray, "point view 2"],
    sigma: Float[np.ndarray, "point view"],
    R: Float[np.ndarray, "view 3 3"],
    t: Float[np.ndarray, "view 3"],
) -> float:
    """Median distance of an image point from the epipolar line of its match, over all pairs of views.

    In normalised units; sigma is infinite where a view did not see a point. NaN without matches. Raises ValueError for
    shapes that do not fit and for infinite rotations or translations.
    """
    points_norm = np.where(np.isfinite(sigma)[..., None], points_norm, np.nan)
    homogeneous = np.concatenate([points_norm, np.ones_like(points_norm[..., :1])], -1)
    found = []
    for a, b in combinations(range(len(R)), 2):
        rotation = R[b] @ R[a].T
        x, y, z = t[b] - rotation @ t[a]
        E = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]) @ rotation
        lines = homogeneous[:, a] @ E.T, homogeneous[:, b] @ E
        off = np.abs((homogeneous[:, b] * lines[0]).sum(-1))
        found += [off / np.linalg.norm(line[:, :2], axis=-1) for line in lines]
    distance = np.concatenate(found)
    distance = distance[np.isfinite(distance)]
    return float(np.median(distance)) if len(distance) else float("nan")
