"""Calibration of slowly moving cameras, a rig per frame: rigs of windows first, then one adjustment over all frames."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from pipeline.geometry.align import rig_similarity, similarity
from pipeline.geometry.calibration import bundle, trajectory
from pipeline.geometry.calibration.calibrated_rig import Rig, unknown_rig
from pipeline.geometry.calibration.essential import epipolar_error
from pipeline.geometry.calibration.focal_prior import EXACT
from pipeline.geometry.calibration.initial_rig import InitialRig, RigNotFound
from pipeline.geometry.calibration.rig import (
    FRAMES_FOR_START,
    MAX_NOISE,
    MAX_ROTATION_STD_DEG,
    adjust_from,
    check_quality,
    find_rig,
)
from pipeline.geometry.calibration.rig_adjustment import INLIER_SIGMAS
from pipeline.geometry.calibration.trajectory import Trajectory
from pipeline.geometry.camera import reprojection
from pipeline.geometry.frame_sampling import diverse_frames, linspace_indices, nearest_exemplar
from pipeline.geometry.triangulation import methods as triangulation
from pipeline.shapes import check_shapes

# Points of the overlap of two windows whose distance is more than this many times the median are not used to align
# them.
TRIM = 2.5
# A window in which the cameras move too fast is halved, down to SHORTEST frames. The cameras move too fast if the
# window has no rig, or if the noise of its rig is MAX_MISFIT times the noise of windows a quarter as long, of which
# TRIED are calibrated.
SHORTEST, MAX_MISFIT, TRIED = 12, 1.3, 8
# The number of frames adjusted between two knots, and the number of those whose epipolar error is measured.
FRAMES_PER_KNOT, FRAMES_FOR_EPIPOLAR = 25, 5
# A window's rig that is adjusted from the previous one only starts the adjustment over all frames, so it may be this
# uncertain. The rigs of the frames are held to the limit of every rig. Motion within a window adds to the noise.
MAX_START_STD_DEG = 3 * MAX_ROTATION_STD_DEG
MAX_START_NOISE = 4.0 * MAX_NOISE


@check_shapes(no_inf=("points_norm",))
def find_moving_rig(
    points_norm: Float[np.ndarray, "frame joint view 2"],
    sigma: Float[np.ndarray, "frame joint view"],
    *,
    length: int,
    seed: int,
) -> list[Rig | str]:
    """Calibrate cameras that move slowly; return for each frame its rig, or the reason why there is none.

    Image points are normalised, sigma is their standard deviation, infinite where not seen. The start is the rigs of
    windows of `length` frames that overlap by half, with static cameras in each window (shorter windows where the
    cameras move too fast), aligned by the points that the windows share. Then the cameras are adjusted over all frames,
    with constant velocity between knots; a window has two knots. Raises ValueError for shapes that do not fit and
    infinite image points.
    """
    windows: list[slice] = []
    found: list[Rig | str] = []
    most_noise = MAX_MISFIT * _least_noise(points_norm, sigma, length // 4, seed)
    for window in _windows(len(points_norm), length):
        for part, rig in _window_rigs(points_norm, sigma, window, found[-1] if found else "none", most_noise, seed):
            windows.append(part)
            found.append(rig)
    points = [
        _points(points_norm[w], sigma[w], rig) if isinstance(rig, Rig) else None
        for w, rig in zip(windows, found, strict=True)
    ]
    start = _blend(len(points_norm), windows, _chain(windows, found, points))
    return _adjusted(points_norm, sigma, start, length) if any(isinstance(rig, Rig) for rig in start) else start


def _windows(n_frames: int, length: int) -> list[slice]:
    starts = [*range(0, max(n_frames - length, 0), max(length // 2, 1)), max(n_frames - length, 0)]
    return [slice(start, min(start + length, n_frames)) for start in starts]


def _least_noise(points_norm: np.ndarray, sigma: np.ndarray, length: int, seed: int) -> float:
    """The noise of the detections, from short windows in which the cameras hardly move; infinite without rigs."""
    windows = _windows(len(points_norm), max(length, 2 * SHORTEST))
    rigs = [
        _window_rig(points_norm[w], sigma[w], "none", seed)
        for w in (windows[i] for i in linspace_indices(len(windows), TRIED))
    ]
    noises = [rig.noise for rig in rigs if isinstance(rig, Rig)]
    return float(np.median(noises)) if noises else float("inf")


def _window_rigs(
    points_norm: np.ndarray, sigma: np.ndarray, window: slice, last: Rig | str, most_noise: float, seed: int
) -> list[tuple[slice, Rig | str]]:
    """The rig of a window, or the rigs of its parts if the cameras move too fast for one rig."""
    rig = _window_rig(points_norm[window], sigma[window], last, seed)
    middle = (window.start + window.stop) // 2
    if (isinstance(rig, Rig) and rig.noise <= most_noise) or middle - window.start < SHORTEST:
        return [(window, rig)]
    halves = slice(window.start, middle), slice(middle, window.stop)
    parts: list[tuple[slice, Rig | str]] = []
    for half in halves:
        before = next((found for _, found in reversed(parts) if isinstance(found, Rig)), last)
        parts += _window_rigs(points_norm, sigma, half, before, most_noise, seed)
    return parts if any(isinstance(found, Rig) for _, found in parts) else [(window, rig)]


def _window_rig(points_norm: np.ndarray, sigma: np.ndarray, last: Rig | str, seed: int) -> Rig | str:
    """The rig of a window, adjusted from the previous window's rig, or calibrated anew if that gives no good rig."""
    if isinstance(last, Rig):
        order, n_poses = diverse_frames(points_norm, sigma, FRAMES_FOR_START)
        n_views = points_norm.shape[2]
        epipolar = epipolar_error(points_norm.reshape(-1, n_views, 2), sigma.reshape(-1, n_views), last.R, last.t)
        start = InitialRig(last.R, last.t, np.ones(n_views), epipolar)
        try:
            rig = adjust_from(points_norm, sigma, start, bundle.START_WIDTHS, focal=EXACT, examples=order[:n_poses])
            check_quality(rig, max_noise=MAX_START_NOISE, max_rotation_std_deg=MAX_START_STD_DEG)
            return rig
        except RigNotFound:
            pass
    try:
        return find_rig(points_norm, sigma, seed=seed, max_noise=MAX_START_NOISE)
    except RigNotFound as error:
        return str(error)


def _points(points_norm: np.ndarray, sigma: np.ndarray, rig: Rig) -> np.ndarray:
    """Points (F, J, 3) triangulated with a rig."""
    return triangulation.robust(points_norm, sigma, rig.R, rig.t)


def _chain(windows: Sequence[slice], rigs: Sequence[Rig | str], points: Sequence[np.ndarray | None]) -> list[Rig | str]:
    """The rigs of the windows, all in the world and unit of the first rig that was found."""
    chained: list[Rig | str] = []
    last: tuple[slice, Rig, np.ndarray] | None = None
    for window, rig, seen in zip(windows, rigs, points, strict=True):
        if isinstance(rig, str) or seen is None:
            chained.append(rig)
            continue
        if last is not None:
            rig, seen = _in_world_of(*last, window, rig, seen)
        last = window, rig, seen
        chained.append(rig)
    return chained


def _in_world_of(
    before: slice, rig_before: Rig, points_before: np.ndarray, window: slice, rig: Rig, points: np.ndarray
) -> tuple[Rig, np.ndarray]:
    """A window's rig and points in the world of an earlier window, aligned by common points, else by the cameras."""
    first, last = max(before.start, window.start), min(before.stop, window.stop)
    a, b = (
        own[max(first - span.start, 0) : max(last - span.start, 0)].reshape(-1, 3)
        for own, span in ((points, window), (points_before, before))
    )
    if first < last and (np.isfinite(a) & np.isfinite(b)).all(-1).sum() >= 3:
        weights = np.ones(len(a))
        for _ in range(3):
            scale, Q, shift = similarity(a, b, weights=weights)
            factor = float(scale)
            apart = np.linalg.norm(factor * a @ Q.T + shift - b, axis=-1)
            weights = (apart <= TRIM * np.nanmedian(apart)).astype(float)
    else:
        factor, Q, shift = rig_similarity(rig.R, rig.centers, rig_before.R, rig_before.centers)
    return rig.scaled(factor).in_axes(Q.T, -Q.T @ shift), factor * points @ Q.T + shift


def _blend(n_frames: int, windows: Sequence[slice], rigs: Sequence[Rig | str]) -> list[Rig | str]:
    """The rig of each frame, interpolated between the rigs of the two windows whose centres are nearest."""
    middles = np.array([(window.start + window.stop - 1) / 2 for window in windows])
    order = np.argsort(middles, kind="stable")
    middles, rigs = middles[order], [rigs[i] for i in order]
    blended: list[Rig | str] = []
    for f in range(n_frames):
        after = int(np.searchsorted(middles, f, side="right"))
        a, b = max(after - 1, 0), min(after, len(middles) - 1)
        share = (f - middles[a]) / (middles[b] - middles[a]) if b > a else 0.0
        one, other = rigs[a], rigs[b]
        if isinstance(one, Rig) and isinstance(other, Rig):
            blended.append(_between(one, other, float(np.clip(share, 0, 1))))
        else:
            blended.append(other if isinstance(other, Rig) else one)
    return blended


def _between(a: Rig, b: Rig, share: float) -> Rig:
    """The rig interpolated between two; views that only one of them has are copied from it."""
    R, centers = (
        np.where(a.has_extrinsics[:, None, None], a.R, b.R),
        np.where(a.has_extrinsics[:, None], a.centers, b.centers),
    )
    both = a.has_extrinsics & b.has_extrinsics
    way = Rotation.from_matrix(b.R[both] @ np.swapaxes(a.R[both], -1, -2)).as_rotvec()
    R[both] = Rotation.from_rotvec(share * way).as_matrix() @ a.R[both]
    centers[both] += share * (b.centers - a.centers)[both]
    return replace(a if share < 0.5 else b, R=R, t=-np.einsum("vij,vj->vi", R, centers))


def _adjusted(points_norm: np.ndarray, sigma: np.ndarray, start: Sequence[Rig | str], length: int) -> list[Rig | str]:
    """The rigs of all frames, adjusted together from a start."""
    frames = np.array([f for f, rig in enumerate(start) if isinstance(rig, Rig)])
    rigs = [rig for rig in start if isinstance(rig, Rig)]
    has_extrinsics = np.zeros((len(points_norm), points_norm.shape[2]), bool)
    has_extrinsics[frames] = [rig.has_extrinsics for rig in rigs]
    views = np.asarray(has_extrinsics.any(0))
    points_norm, sigma = points_norm[:, :, views], np.where(has_extrinsics[:, None], sigma, np.inf)[..., views]
    knots = np.linspace(0, max(len(points_norm) - 1, 1), max(int(np.ceil(2 * len(points_norm) / length)), 1) + 1)
    begun = Trajectory(knots, *_nearest(knots, frames, rigs, views))
    few = frames[linspace_indices(len(frames), FRAMES_PER_KNOT * len(knots))]
    x, s = points_norm[few], sigma[few]
    points = triangulation.robust(x, float(np.median([rig.noise for rig in rigs])) * s, *begun.at(few))
    examples, n_poses = diverse_frames(x, s, FRAMES_FOR_START)
    pose = nearest_exemplar(x, s, x[examples[:n_poses]], s[examples[:n_poses]])
    groups = [np.repeat(pose, x.shape[1]), np.tile(np.arange(x.shape[1]), len(few))]
    found = trajectory.adjust(few, x, s, begun, points, groups=groups)
    return _rigs_of(found, few, x, s, start, views)


def _nearest(
    knots: np.ndarray, frames: np.ndarray, rigs: Sequence[Rig], views: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Rotations and centres at the knots, each view's from the nearest frame in which it has extrinsics."""
    R, centers = np.array([rig.R for rig in rigs]), np.array([rig.centers for rig in rigs])
    at = []
    for v in np.flatnonzero(views):
        own = np.flatnonzero(np.isfinite(centers[:, v]).all(-1))
        at.append((own[np.abs(frames[own] - knots[:, None]).argmin(1)], v))
    return np.stack([R[k, v] for k, v in at], 1), np.stack([centers[k, v] for k, v in at], 1)


def _rigs_of(
    found: trajectory.AdjustedTrajectory, few: np.ndarray, points_norm: np.ndarray, sigma: np.ndarray,
    start: Sequence[Rig | str], views: np.ndarray,
) -> list[Rig | str]:  # fmt: skip
    """The adjusted rigs of all frames that had a start; residuals are those of the adjusted frames between knots."""
    every, none = np.arange(len(start)), unknown_rig(len(views)).pose_covariance
    R, t = found.trajectory.at(every)
    rotation_std, center_covariance = found.uncertainty(every)
    between, between_few = found.trajectory.place(every)[0], found.trajectory.place(few)[0]
    fits = {
        k: _fit(found, R[few], t[few], points_norm, sigma, np.flatnonzero(between_few == k)) for k in set(between_few)
    }
    fits = {k: fits[min(fits, key=lambda other: abs(other - k))] for k in set(between)}
    rigs: list[Rig | str] = []
    for f, rig in enumerate(start):
        worst = float(np.degrees(rotation_std[f]).max())
        if isinstance(rig, str):
            rigs.append(rig)
        elif not worst <= MAX_ROTATION_STD_DEG:
            rigs.append(f"the joints determine the cameras' directions only to {worst:.1f} deg")
        else:
            of_views = [R[f], t[f], np.degrees(rotation_std[f]), center_covariance[f], *fits[between[f]][:2]]
            R_f, t_f, rotation, center, residual, share = (
                _over_all(one, views, rig.has_extrinsics) for one in of_views
            )
            rigs.append(replace(
                rig, R=R_f, t=t_f, rotation_std_deg=rotation, center_covariance=center, pose_covariance=none,
                residual=residual, inlier_share=share, noise=found.noise, epipolar=fits[between[f]][2],
            ))  # fmt: skip
    return rigs


def _fit(
    found: trajectory.AdjustedTrajectory,
    R: np.ndarray,
    t: np.ndarray,
    points_norm: np.ndarray,
    sigma: np.ndarray,
    frames: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Residual (V,), share of inliers (V,) and epipolar error of some of the adjusted frames."""
    distance, _ = reprojection.residuals(found.points[frames], points_norm[frames], R[frames], t[frames])
    seen = found.weights[frames] > 0
    inlier = seen & (distance <= INLIER_SIGMAS * sigma[frames])
    residual = [np.median(d[own]) if own.any() else np.nan for d, own in zip(distance.T, inlier.T, strict=True)]
    some = frames[linspace_indices(len(frames), FRAMES_FOR_EPIPOLAR)]
    epipolar = [epipolar_error(points_norm[f], sigma[f], R[f], t[f]) for f in some]
    return np.array(residual), inlier.sum((0, 1)) / np.maximum(seen.sum((0, 1)), 1), float(np.median(epipolar))


def _over_all(values: np.ndarray, views: np.ndarray, has_extrinsics: np.ndarray) -> np.ndarray:
    """Values of the adjusted views as an array for all views; NaN where a view has no extrinsics."""
    full = np.full((len(views), *values.shape[1:]), np.nan)
    full[views] = values
    full[~has_extrinsics] = np.nan
    return full
