"""Finds the cameras of a rig from the joints they saw: pairs, resection, triangulation, bundle adjustment.

Rays are undistorted normalised image coordinates; the world of a found rig is the first calibrated camera's frame,
its scale is arbitrary.
"""

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from pipeline.geometry import bundle, triangulation
from pipeline.geometry.essential import RelativePose, is_degenerate, relative_pose
from pipeline.geometry.resection import resect
from pipeline.geometry.spread import evenly, spread_frames

FRAMES_FOR_START = 200
FRAMES_FOR_ADJUSTMENT = 600
STARTS = 2
# A pair of views takes part with this many joints seen by both.
FEWEST_MATCHES = 40
FEWEST_POSES = 3
LEAST_PARALLAX_DEG = 2.0
LEAST_INLIER_SHARE = 0.5
MOST_NOISE = 2.5
MOST_ROTATION_STD_DEG = 5.0


class RigNotFound(Exception):
    """The rig cannot be found from these joints; the message says why."""


@dataclass(frozen=True)
class Rig:
    """Cameras found, and the numbers that say how well; views without a pose are NaN."""

    R: np.ndarray  # (V, 3, 3) camera from world
    t: np.ndarray  # (V, 3)
    rotation_std_deg: np.ndarray  # (V,)
    center_std: np.ndarray  # (V,) in the rig's unit
    residual: np.ndarray  # (V,) median distance of the inliers, normalised image units
    inlier_share: np.ndarray  # (V,) of each view's joints
    noise: float  # standard deviation of the residuals as a multiple of the sigma expected
    parallax_deg: float
    n_frames: int
    n_poses: int  # distinct ones among them

    def scaled(self, factor: float) -> "Rig":
        """The same rig in another unit of length."""
        return replace(self, t=self.t * factor, center_std=self.center_std * factor)

    def turned(self, R_old_from_new: np.ndarray, origin: np.ndarray) -> "Rig":
        """The same rig in another world, whose origin lies at `origin` of the old one."""
        return replace(self, R=self.R @ R_old_from_new, t=self.t + self.R @ origin)


def find_rig(rays: np.ndarray, sigma: np.ndarray, *, seed: int) -> Rig:
    """The rig that saw rays (F, J, V, 2) with expected standard deviations sigma (F, J, V), infinite where unseen.

    A view most of whose joints contradict the others (out of step in time, or moved) is left out: it gets no pose.
    Raises RigNotFound with the reason.
    """
    while True:
        rig = _find_rig(rays, sigma, seed)
        views = np.isfinite(rig.t).all(-1)
        worst = int(np.nanargmin(rig.inlier_share))
        if rig.inlier_share[worst] >= LEAST_INLIER_SHARE or views.sum() <= 2:
            _refuse_poor(rig)
            return rig
        sigma = np.where(np.arange(len(views)) == worst, np.inf, sigma)


def _find_rig(rays: np.ndarray, sigma: np.ndarray, seed: int) -> Rig:
    n_views = rays.shape[2]
    order, n_poses = spread_frames(rays, sigma, FRAMES_FOR_START)
    if n_poses < FEWEST_POSES:
        raise RigNotFound(f"the people hold {n_poses} distinct pose(s), at least {FEWEST_POSES} are needed")
    few_rays, few_sigma = rays[order].reshape(-1, n_views, 2), sigma[order].reshape(-1, n_views)
    pairs = pair_poses(few_rays, few_sigma, seed, FEWEST_MATCHES)
    _refuse_degenerate(few_rays, few_sigma, pairs)
    R, t = _best_start(few_rays, few_sigma, pairs, seed)
    views = np.isfinite(t).all(-1)
    frames = evenly(len(rays), FRAMES_FOR_ADJUSTMENT)
    x, s = rays[frames][:, :, views].reshape(-1, views.sum(), 2), sigma[frames][:, :, views].reshape(-1, views.sum())
    points = triangulation.robust(x, s, R[views], t[views])
    adjusted = bundle.adjust(x[None], s[None], R[views][None], t[views][None], points[None], bundle.FINAL_WIDTHS)
    # Frames alike carry the same errors: the covariance counts only those that differ.
    rig = summary(adjusted, 0, x, s, views, len(frames) / n_poses)
    return replace(rig, n_frames=len(frames), n_poses=n_poses)


Pairs = dict[tuple[int, int], RelativePose]


def pair_poses(rays: np.ndarray, sigma: np.ndarray, seed: int, fewest: int) -> Pairs:
    """Relative poses of all pairs of views that share enough of the points with rays (N, V, 2) and sigma (N, V).

    Raises RigNotFound where there is none.
    """
    seen = np.isfinite(rays).all(-1) & np.isfinite(sigma)
    pairs = {}
    for a, b in combinations(range(rays.shape[1]), 2):
        both = seen[:, a] & seen[:, b]
        if both.sum() >= fewest:
            spread = np.sqrt(sigma[both, a] * sigma[both, b])
            pose = relative_pose(rays[both, a], rays[both, b], spread, seed=seed)
            if pose is not None:
                pairs[a, b] = pose
    if not pairs:
        raise RigNotFound(f"no two views share {fewest} confident joints that agree")
    return pairs


def _refuse_degenerate(rays: np.ndarray, sigma: np.ndarray, pairs: Pairs) -> None:
    seen = np.isfinite(rays).all(-1) & np.isfinite(sigma)
    for (a, b), pose in list(pairs.items()):
        both = seen[:, a] & seen[:, b]
        if pose.parallax_deg < LEAST_PARALLAX_DEG or is_degenerate(
            rays[both, a], rays[both, b], np.sqrt(sigma[both, a] * sigma[both, b]), pose
        ):
            del pairs[a, b]
    if not pairs:
        raise RigNotFound("no two views differ enough: the cameras stand in one place, or all joints lie in one plane")


def _best_start(rays: np.ndarray, sigma: np.ndarray, pairs: Pairs, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Poses (V, 3, 3), (V, 3) adjusted on a few frames from the best pairs; the one with the least noise of them."""
    found = []
    for pair in sorted(pairs, key=lambda p: -pairs[p].score)[:STARTS]:
        R, t = grow(rays, sigma, pair, pairs[pair], seed)
        views = np.isfinite(t).all(-1)
        x, s = rays[:, views], sigma[:, views]
        points = triangulation.robust(x, s, R[views], t[views])
        adjusted = bundle.adjust(x[None], s[None], R[views][None], t[views][None], points[None], bundle.START_WIDTHS)
        # More views first: a rig of fewer views is always the easier to fit.
        R[views], t[views] = adjusted.R[0], adjusted.t[0]
        found.append(((~views).sum(), float(adjusted.noise[0]), R, t))
    return min(found, key=lambda start: start[:2])[2:]


def grow(
    rays: np.ndarray, sigma: np.ndarray, pair: tuple[int, int], pose: RelativePose, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Poses of all views that can be added to a pair, one after the other, by resection; NaN for the others."""
    n_views = rays.shape[1]
    R, t = np.full((n_views, 3, 3), np.nan), np.full((n_views, 3), np.nan)
    R[pair[0]], t[pair[0]] = np.eye(3), 0.0
    R[pair[1]], t[pair[1]] = pose.R, pose.t
    seen = np.isfinite(rays).all(-1) & np.isfinite(sigma)
    left = set(range(n_views)) - set(pair)
    while left:
        points = triangulation.robust(rays, sigma, R, t)
        there = np.isfinite(points).all(-1)
        view = max(sorted(left), key=lambda v: (there & seen[:, v]).sum())
        left.remove(view)
        found = resect(points, rays[:, view], np.where(seen[:, view], sigma[:, view], np.inf), seed=seed)
        if found is not None:
            R[view], t[view] = found
    return R, t


def summary(
    adjusted: bundle.Adjusted, b: int, rays: np.ndarray, sigma: np.ndarray, views: np.ndarray, repeats: float
) -> Rig:
    """The b-th adjusted rig over all views; `views` (V,) says which took part, `repeats` how often each pose came."""
    R, t, points = adjusted.R[b], adjusted.t[b], adjusted.points[b]
    distance, _ = triangulation.residuals(points, rays, R, t)
    seen = np.isfinite(rays).all(-1) & np.isfinite(sigma) & np.isfinite(points).all(-1)[:, None]
    inlier = seen & (adjusted.weights[b] > 0.25)
    covariance = adjusted.pose_covariance[b] * repeats
    std = [np.sqrt(np.trace(covariance[:, k, k], axis1=1, axis2=2)) for k in (slice(0, 3), slice(3, 6))]
    rows = [np.median(distance[inlier[:, v], v]) if inlier[:, v].any() else np.nan for v in range(len(R))]
    share = inlier.sum(0) / np.maximum(seen.sum(0), 1)
    first = R[0].T
    return Rig(
        R=_over_all(R @ first, views), t=_over_all(t - (R @ first) @ t[0], views),
        rotation_std_deg=_over_all(np.degrees(std[0]), views), center_std=_over_all(std[1], views),
        residual=_over_all(np.array(rows), views), inlier_share=_over_all(share, views),
        noise=float(adjusted.noise[b]), parallax_deg=_parallax(points, R, t),
        n_frames=1, n_poses=1,
    )  # fmt: skip


def _over_all(values: np.ndarray, views: np.ndarray) -> np.ndarray:
    full = np.full((len(views), *values.shape[1:]), np.nan)
    full[views] = values
    return full


def _parallax(points: np.ndarray, R: np.ndarray, t: np.ndarray) -> float:
    """The widest angle in degrees under which the rays of two views meet at the middle of the points."""
    middle = np.nanmedian(points, axis=0)
    to_camera = -np.einsum("vji,vj->vi", R, t) - middle
    to_camera /= np.linalg.norm(to_camera, axis=-1, keepdims=True)
    sine = np.linalg.norm(np.cross(to_camera[:, None], to_camera[None]), axis=-1)
    return float(np.degrees(np.arcsin(np.clip(sine.max(), 0, 1))))


def _refuse_poor(rig: Rig) -> None:
    share = float(np.nanmin(rig.inlier_share))
    if share < LEAST_INLIER_SHARE:
        raise RigNotFound(f"only {share:.0%} of a view's joints agree with the best rig")
    if rig.noise > MOST_NOISE:
        raise RigNotFound(f"the joints miss the best rig by {rig.noise:.1f} times the error of a usable detector")
    if rig.parallax_deg < LEAST_PARALLAX_DEG:
        raise RigNotFound(f"the views lie only {rig.parallax_deg:.1f} deg apart")
    worst = float(np.nanmax(rig.rotation_std_deg))
    if not worst <= MOST_ROTATION_STD_DEG:
        raise RigNotFound(f"the joints leave the cameras' directions open to {worst:.1f} deg")
