"""The initial rig: relative poses of pairs of views, and the other views registered to the best pair by resection."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float

from pipeline.geometry.calibration import bundle
from pipeline.geometry.calibration.essential import (
    RelativePose,
    epipolar_error,
    focal_of_pair,
    is_degenerate,
    relative_pose,
)
from pipeline.geometry.calibration.focal_prior import Focal
from pipeline.geometry.calibration.resection import resect
from pipeline.geometry.triangulation import methods as triangulation

MIN_PARALLAX_DEG = 2.0

STARTS = 2
# The least number of joints that both views of a pair must see.
MIN_MATCHES = 40
# An unknown focal length lies within this factor of the guess.
MAX_FOCAL_SCALE = 5.0

Pairs = dict[tuple[int, int], RelativePose]


class RigNotFound(Exception):
    """The rig cannot be found from these joints; the message states the reason."""


@dataclass(frozen=True)
class InitialRig:
    """Extrinsics to start an adjustment from; NaN for views that have none."""

    R: Float[np.ndarray, "view 3 3"]  # camera from world
    t: Float[np.ndarray, "view 3"]
    focal_scale: Float[np.ndarray, " view"]  # focal lengths over those given
    epipolar: float  # median distance of a joint from its epipolar line, in normalised units

    @property
    def has_extrinsics(self) -> Bool[np.ndarray, " view"]:
        """Which views have extrinsics."""
        return np.asarray(np.isfinite(self.t).all(-1))


def find_initial_rig(
    points_norm: Float[np.ndarray, "point view 2"], sigma: Float[np.ndarray, "point view"], seed: int, focal: Focal
) -> InitialRig:
    """Build rigs from the best pairs of views; return the one with the most views, then the least noise.

    Normalised image points have standard deviations sigma, infinite where not seen. Raises RigNotFound.
    """
    scale = 1.0 if np.isfinite(focal.std) else shared_focal(points_norm, sigma, seed)
    x, s = points_norm / scale, sigma / scale
    pairs = non_degenerate_pairs(x, s, pair_poses(x, s, seed, MIN_MATCHES))
    found = []
    for pair in sorted(pairs, key=lambda p: -pairs[p].score)[:STARTS]:
        R, t = register_views(x, s, *extrinsics_of_pair(pair, pairs[pair], points_norm.shape[1]), seed)
        views = np.isfinite(t).all(-1)
        epipolar = scale * epipolar_error(x[:, views], s[:, views], R[views], t[views])
        points = triangulation.robust(x[:, views], s[:, views], R[views], t[views])
        adjusted = bundle.adjust(
            points_norm[:, views], sigma[:, views], R[views], t[views], points, bundle.START_WIDTHS,
            focal=focal, focal_scale=np.full(views.sum(), scale),
        )  # fmt: skip
        R[views], t[views] = adjusted.R, adjusted.t
        focal_scale = np.full(len(views), scale)
        focal_scale[views] = adjusted.focal_scale
        found.append(((~views).sum(), adjusted.noise, InitialRig(R, t, focal_scale, epipolar)))
    return min(found, key=lambda start: start[:2])[2]


def shared_focal(
    points_norm: Float[np.ndarray, "point view 2"], sigma: Float[np.ndarray, "point view"], seed: int
) -> float:
    """The scale of all focal lengths, the median over the pairs of views. Raises RigNotFound if no pair has one."""
    n_views = points_norm.shape[1]
    matches = [matched(points_norm, sigma, a, b) for a, b in combinations(range(n_views), 2)]
    scales = [focal_of_pair(*pair, seed=seed) for pair in matches if len(pair[0]) >= MIN_MATCHES]
    good = [scale for scale in scales if 1 / MAX_FOCAL_SCALE <= scale <= MAX_FOCAL_SCALE]
    if not good:
        raise RigNotFound("the joints do not determine the focal length")
    return float(np.median(good))


def pair_poses(
    points_norm: Float[np.ndarray, "point view 2"], sigma: Float[np.ndarray, "point view"], seed: int, fewest: int
) -> Pairs:
    """Relative poses of all pairs of views that share enough points. Raises RigNotFound if there is none."""
    pairs = {}
    for a, b in combinations(range(points_norm.shape[1]), 2):
        matches = matched(points_norm, sigma, a, b)
        if len(matches[0]) >= fewest:
            pose = relative_pose(*matches, seed=seed)
            if pose is not None:
                pairs[a, b] = pose
    if not pairs:
        raise RigNotFound(f"no two views share {fewest} confident joints that agree")
    return pairs


def matched(
    points_norm: Float[np.ndarray, "point view 2"], sigma: Float[np.ndarray, "point view"], a: int, b: int
) -> tuple[Float[np.ndarray, "match 2"], Float[np.ndarray, "match 2"], Float[np.ndarray, " match"]]:
    """Image points in two views of the points that both views see, and their standard deviation."""
    both = (np.isfinite(points_norm[:, [a, b]]).all(-1) & np.isfinite(sigma[:, [a, b]])).all(-1)
    return points_norm[both, a], points_norm[both, b], np.sqrt(sigma[both, a] * sigma[both, b])


def non_degenerate_pairs(
    points_norm: Float[np.ndarray, "point view 2"], sigma: Float[np.ndarray, "point view"], pairs: Pairs
) -> Pairs:
    """The pairs whose pose is not degenerate. Raises RigNotFound if there is none."""
    good = {
        pair: pose
        for pair, pose in pairs.items()
        if pose.parallax_deg >= MIN_PARALLAX_DEG and not is_degenerate(*matched(points_norm, sigma, *pair), pose)
    }
    if not good:
        raise RigNotFound("no two views differ enough: the cameras stand in one place, or all joints lie in one plane")
    return good


def extrinsics_of_pair(
    pair: tuple[int, int], pose: RelativePose, n_views: int
) -> tuple[Float[np.ndarray, "view 3 3"], Float[np.ndarray, "view 3"]]:
    """Extrinsics of the two views of a pair; NaN for the others."""
    R, t = np.full((n_views, 3, 3), np.nan), np.full((n_views, 3), np.nan)
    R[list(pair)], t[list(pair)] = [np.eye(3), pose.R], [np.zeros(3), pose.t]
    return R, t


def register_views(
    points_norm: Float[np.ndarray, "point view 2"],
    sigma: Float[np.ndarray, "point view"],
    R: Float[np.ndarray, "view 3 3"],
    t: Float[np.ndarray, "view 3"],
    seed: int,
) -> tuple[Float[np.ndarray, "view 3 3"], Float[np.ndarray, "view 3"]]:
    """Add the views without extrinsics (NaN) one after the other by resection; NaN if resection fails."""
    R, t = R.copy(), t.copy()
    seen = np.isfinite(points_norm).all(-1) & np.isfinite(sigma)
    left = set(np.flatnonzero(np.isnan(t).any(-1)))
    while left:
        points = triangulation.robust(points_norm, sigma, R, t)
        there = np.isfinite(points).all(-1)
        view = max(sorted(left), key=lambda v: (there & seen[:, v]).sum())
        left.remove(view)
        found = resect(points, points_norm[:, view], np.where(seen[:, view], sigma[:, view], np.inf), seed=seed)
        if found is not None:
            R[view], t[view] = found
    return R, t
