"""Finds the cameras of a rig from the joints they saw: pairs, resection, triangulation, bundle adjustment.

Rays are undistorted normalised image coordinates; the world of a found rig is the first calibrated camera's frame,
its scale is arbitrary.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.geometry.align import rig_similarity, rotation_angle
from pipeline.geometry.calibration import bundle
from pipeline.geometry.calibration.bundle import EXACT, Focal
from pipeline.geometry.calibration.essential import epipolar_error
from pipeline.geometry.calibration.initial_rig import (
    LEAST_PARALLAX_DEG,
    InitialRig,
    RigNotFound,
    find_initial_rig,
    register_views,
)
from pipeline.geometry.camera import reprojection
from pipeline.geometry.frame_sampling import diverse_frames, linspace_indices, nearest_exemplar
from pipeline.geometry.triangulation import methods as triangulation

FRAMES_FOR_START = 60
FRAMES_FOR_ADJUSTMENT = 1000
FEWEST_POSES = 3
LEAST_INLIER_SHARE = 0.5
# Of the robust cost of width 6: an inlier lies within four standard deviations.
INLIER_WEIGHT = 0.48
MOST_NOISE = 2.5
MOST_ROTATION_STD_DEG = 5.0
# A turn of more standard deviations than this is one.
TOLD_STDS = 4.0


@dataclass(frozen=True)
class Rig:
    """Cameras found, and the numbers that say how well; views without a pose are NaN."""

    R: np.ndarray  # (V, 3, 3) camera from world
    t: np.ndarray  # (V, 3)
    focal: Focal  # of all cameras, as a factor of the focal lengths given
    rotation_std_deg: np.ndarray  # (V,)
    center_covariance: np.ndarray  # (V, 3, 3) of the centre, along its camera's axes, in the rig's unit squared
    residual: np.ndarray  # (V,) median distance of the inliers, normalised image units
    inlier_share: np.ndarray  # (V,) of each view's joints
    noise: float  # standard deviation of the residuals as a multiple of the sigma expected
    epipolar_start: float  # median distance of a joint from its epipolar line before adjustment, normalised units
    epipolar: float  # and after it
    parallax_deg: float
    n_frames: int
    n_poses: int  # distinct ones among them

    @property
    def has_extrinsics(self) -> np.ndarray:
        """Which views (V,) have a pose."""
        return np.isfinite(self.t).all(-1)

    @property
    def centers(self) -> np.ndarray:
        """The cameras' centres (V, 3) in the world."""
        return -np.einsum("vji,vj->vi", self.R, self.t)

    @property
    def center_covariance_in_world(self) -> np.ndarray:
        """The covariance (V, 3, 3) of the cameras' centres along the world's axes."""
        return np.swapaxes(self.R, -1, -2) @ self.center_covariance @ self.R

    @property
    def center_std(self) -> np.ndarray:
        """The standard deviation (V,) of the cameras' centres: the root of their covariance's trace."""
        return _std(self.center_covariance)

    def scaled(self, factor: float) -> "Rig":
        """The same rig in another unit of length."""
        return replace(self, t=self.t * factor, center_covariance=self.center_covariance * factor**2)

    def turned(self, R_old_from_new: np.ndarray, origin: np.ndarray) -> "Rig":
        """The same rig in another world, whose origin lies at `origin` of the old one."""
        return replace(self, R=self.R @ R_old_from_new, t=self.t + self.R @ origin)

    def moved_to(self, R: np.ndarray, t: np.ndarray) -> "Rig":
        """The same rig in the world of other poses R (V, 3, 3), t (V, 3) of its cameras, and in their unit."""
        scale, Q, shift = rig_similarity(self.R, self.centers, R, -np.einsum("vji,vj->vi", R, t))
        return self.scaled(scale).turned(Q.T, -Q.T @ shift)


def find_rig(points_norm: np.ndarray, sigma: np.ndarray, *, seed: int, focal: Focal = EXACT) -> Rig:
    """The rig that saw rays (F, J, V, 2) with expected standard deviations sigma (F, J, V), infinite where unseen.

    A view most of whose joints contradict the others (out of step in time, or moved) is left out: it gets no pose.
    `focal` says how well the focal lengths are known by which pixels became rays. Raises RigNotFound with the reason.
    """
    while True:
        rig = _find_rig(points_norm, sigma, seed, focal)
        worst = int(np.nanargmin(rig.inlier_share))
        if rig.inlier_share[worst] >= LEAST_INLIER_SHARE or rig.has_extrinsics.sum() <= 2:
            check_quality(rig)
            first = int(rig.has_extrinsics.argmax())
            return rig.turned(rig.R[first].T, -rig.R[first].T @ rig.t[first])
        sigma = np.where(np.arange(len(rig.t)) == worst, np.inf, sigma)


def _find_rig(points_norm: np.ndarray, sigma: np.ndarray, seed: int, focal: Focal) -> Rig:
    n_views = points_norm.shape[2]
    order, n_poses = _differing(points_norm, sigma)
    start = find_initial_rig(points_norm[order].reshape(-1, n_views, 2), sigma[order].reshape(-1, n_views), seed, focal)
    return adjust_from(points_norm, sigma, start, bundle.FINAL_WIDTHS, focal=focal, examples=order[:n_poses])


def _differing(points_norm: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, int]:
    """Frames that differ the most, and how many differ at all. Raises RigNotFound where these are too few."""
    order, n_poses = diverse_frames(points_norm, sigma, FRAMES_FOR_START)
    if n_poses < FEWEST_POSES:
        raise RigNotFound(f"the people hold {n_poses} distinct pose(s), at least {FEWEST_POSES} are needed")
    return order, n_poses


def adjust_from(
    points_norm: np.ndarray,
    sigma: np.ndarray,
    start: InitialRig,
    widths: Sequence[float],
    *,
    focal: Focal,
    examples: np.ndarray,
) -> Rig:
    """The rig nearest to a start that fits as many of the frames as are wanted; `examples` are its distinct frames."""
    frames = linspace_indices(len(points_norm), FRAMES_FOR_ADJUSTMENT)
    pose = nearest_exemplar(points_norm[frames], sigma[frames], points_norm[examples], sigma[examples])
    rig = adjust_rig(points_norm[frames], sigma[frames], start, widths, focal=focal, pose=pose)
    return replace(rig, n_poses=len(examples))


def adjust_extrinsics(
    points_norm: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray, *, seed: int, focal: Focal = EXACT
) -> tuple[Rig, float]:
    """A given rig, R (V, 3, 3), t (V, 3), adjusted to rays (F, J, V, 2) with sigma (F, J, V), and how far it turned.

    It stays in its world: of all positions and scales that fit alike, the adjusted one takes that nearest to the given
    rig. Views without a pose are added. The turn is the largest of a camera, in degrees. Raises RigNotFound.
    """
    n_views = len(t)
    order, n_poses = _differing(points_norm, sigma)
    x, s = points_norm[order].reshape(-1, n_views, 2), sigma[order].reshape(-1, n_views)
    start = InitialRig(*register_views(x, s, R, t, seed), 1.0, epipolar_error(x, s, R, t))
    rig = adjust_from(points_norm, sigma, start, bundle.START_WIDTHS, focal=focal, examples=order[:n_poses])
    check_quality(rig)
    rig = rig.moved_to(R, t)
    both = rig.has_extrinsics & np.isfinite(t).all(-1)
    return rig, float(np.degrees(rotation_angle(rig.R[both] @ np.swapaxes(R[both], -1, -2)).max()))


def measure_rig(points_norm: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray) -> Rig:
    """A given rig, R (V, 3, 3), t (V, 3), as it is, with how well it fits rays (F, J, V, 2) with sigma (F, J, V)."""
    start = InitialRig(
        R, t, 1.0, epipolar_error(points_norm.reshape(-1, *points_norm.shape[2:]), sigma.reshape(-1, len(t)), R, t)
    )
    rig = adjust_rig(points_norm, sigma, start, (), focal=EXACT, pose=np.arange(len(points_norm)))
    # What the joints would tell of the cameras is not how well those are known.
    none = unknown_rig(len(t))
    return replace(rig, rotation_std_deg=none.rotation_std_deg, center_covariance=none.center_covariance)


def turned_deg(points_norm: np.ndarray, sigma: np.ndarray, rig: Rig) -> float:
    """How far a camera turned, at most, between the first and the second half of the frames a rig was found from.

    Degrees; 0 where it is not told from the uncertainty of both halves. Rays (F, J, V, 2), sigma (F, J, V) of the focal
    lengths given.
    """
    halves = []
    for half in np.array_split(linspace_indices(len(points_norm), FRAMES_FOR_ADJUSTMENT), 2):
        order, n_poses = diverse_frames(points_norm[half], sigma[half], FRAMES_FOR_START)
        if n_poses < FEWEST_POSES:
            return 0.0
        start = InitialRig(rig.R, rig.t, rig.focal.factor, rig.epipolar)
        own = replace(rig.focal, std=0.0)
        examples = half[order[:n_poses]]
        pose = nearest_exemplar(points_norm[half], sigma[half], points_norm[examples], sigma[examples])
        halves.append(adjust_rig(points_norm[half], sigma[half], start, bundle.START_WIDTHS, focal=own, pose=pose))
    a, b = halves
    b = b.moved_to(a.R, a.t)
    turn = np.degrees(rotation_angle(b.R @ np.swapaxes(a.R, -1, -2)))
    reported = turn > TOLD_STDS * np.hypot(a.rotation_std_deg, b.rotation_std_deg)
    return float(np.max(turn[reported], initial=0.0))


def unknown_rig(n_views: int) -> Rig:
    """What is known of cameras that were not found."""
    none, nan = np.full(n_views, np.nan), float("nan")
    return Rig(
        R=np.full((n_views, 3, 3), nan), t=np.full((n_views, 3), nan), focal=Focal(nan, nan),
        rotation_std_deg=none, center_covariance=np.full((n_views, 3, 3), nan), residual=none, inlier_share=none,
        noise=nan, epipolar_start=nan, epipolar=nan, parallax_deg=nan, n_frames=0, n_poses=0,
    )  # fmt: skip


def adjust_rig(
    points_norm: np.ndarray,
    sigma: np.ndarray,
    start: InitialRig,
    widths: Sequence[float],
    *,
    focal: Focal,
    pose: np.ndarray,
    noise: float | None = None,
) -> Rig:
    """The rig nearest to a start that fits rays (F, J, V, 2) with sigma (F, J, V) best, and what is known of it.

    `pose` (F,) numbers the frames, those that look alike by the same number. The noise is estimated unless given. The
    world stays as it was.
    """
    F, J, n_views = sigma.shape
    points_norm, sigma = points_norm.reshape(-1, n_views, 2), sigma.reshape(-1, n_views)
    views = start.has_extrinsics
    x, s, R, t = points_norm[:, views], sigma[:, views], start.R[views], start.t[views]
    points = triangulation.robust(x / start.focal, s / start.focal, R, t)
    groups = [np.repeat(pose, J), np.tile(np.arange(J), F)]
    focal = replace(focal, factor=start.focal)
    adjusted = bundle.adjust(x, s, R, t, points, widths, focal=focal, groups=groups, noise=noise)
    open_ = bundle.uncertainty(adjusted, x, s, groups)
    seen = np.isfinite(x).all(-1) & np.isfinite(s) & np.isfinite(adjusted.points).all(-1)[:, None]
    inlier = seen & (adjusted.weights > INLIER_WEIGHT)
    return Rig(
        R=_over_all(adjusted.R, views), t=_over_all(adjusted.t, views),
        focal=Focal(adjusted.focal.factor, open_.focal_std),
        rotation_std_deg=_over_all(np.degrees(_std(open_.pose_covariance[:, :3, :3])), views),
        center_covariance=_over_all(open_.pose_covariance[:, 3:, 3:], views),
        residual=_over_all(_residual(adjusted, x, inlier), views),
        inlier_share=_over_all(inlier.sum(0) / np.maximum(seen.sum(0), 1), views),
        noise=adjusted.noise, epipolar_start=start.epipolar,
        epipolar=epipolar_error(x / adjusted.focal.factor, s, adjusted.R, adjusted.t) * adjusted.focal.factor,
        parallax_deg=_parallax(adjusted.points, adjusted.R, adjusted.t), n_frames=F, n_poses=len(np.unique(pose)),
    )  # fmt: skip


def _std(covariance: np.ndarray) -> np.ndarray:
    return np.sqrt(np.trace(covariance, axis1=1, axis2=2))


def _residual(adjusted: bundle.Adjusted, points_norm: np.ndarray, inlier: np.ndarray) -> np.ndarray:
    """Median distance (V,) of the inliers from the projected points, in the unit of the rays."""
    factor = adjusted.focal.factor
    distance, _ = reprojection.residuals(adjusted.points, points_norm / factor, adjusted.R, adjusted.t)
    return np.array(
        [factor * np.median(d[keep]) if keep.any() else np.nan for d, keep in zip(distance.T, inlier.T, strict=True)]
    )


def _over_all(values: np.ndarray, views: np.ndarray) -> np.ndarray:
    full = np.full((len(views), *values.shape[1:]), np.nan)
    full[views] = values
    return full


def _parallax(points: np.ndarray, R: np.ndarray, t: np.ndarray) -> float:
    """The widest angle in degrees under which the rays of two views meet at the middle of the points."""
    there = np.isfinite(points).all(-1)
    if not there.any():
        return float("nan")
    middle = np.median(points[there], axis=0)
    to_camera = -np.einsum("vji,vj->vi", R, t) - middle
    to_camera /= np.linalg.norm(to_camera, axis=-1, keepdims=True)
    sine = np.linalg.norm(np.cross(to_camera[:, None], to_camera[None]), axis=-1)
    return float(np.degrees(np.arcsin(np.clip(sine.max(), 0, 1))))


def check_quality(rig: Rig) -> None:
    """Raise RigNotFound, with the reason, where the numbers of a rig say that it may be wrong."""
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
