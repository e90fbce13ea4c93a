"""Calibration of a static rig from detected joints: pairs of views, resection, triangulation, bundle adjustment.

Image points are undistorted and normalised, sigma is their standard deviation in the same unit, infinite where not
seen. The world frame of a found rig is the frame of its first calibrated camera; its scale is arbitrary.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int

from pipeline.geometry.align import rotation_angle
from pipeline.geometry.calibration import bundle
from pipeline.geometry.calibration.calibrated_rig import Rig, unknown_rig
from pipeline.geometry.calibration.essential import epipolar_error
from pipeline.geometry.calibration.focal_prior import EXACT, Focal
from pipeline.geometry.calibration.initial_rig import (
    MIN_PARALLAX_DEG,
    InitialRig,
    RigNotFound,
    find_initial_rig,
    register_views,
)
from pipeline.geometry.calibration.rig_adjustment import adjust_rig
from pipeline.geometry.frame_sampling import diverse_frames, linspace_indices, nearest_exemplar
from pipeline.geometry.verification.given_residuals import left_out_noise
from pipeline.shapes import check_shapes

_checked = check_shapes(no_inf=("points_norm",))

FRAMES_FOR_START = 60
FRAMES_FOR_ADJUSTMENT = 1000
MIN_POSES = 3
# Evenly spread frames in which each view is compared with the others.
FRAMES_FOR_VIEWS = 60
# Noise of a view against the other views, as a multiple of the expected sigma. A usable detector leaves 0.8; a view
# that is late by 0.4 s has 1.7, one of another take 3. A view with more than this share of the limit, and this many
# times the noise of the others, contradicts them. Of three views any one may be the wrong one, so three must remain.
MAX_NOISE, SHARE_OF_LIMIT, TIMES_THE_OTHERS = 2.5, 0.6, 2.0
VIEWS_THAT_SETTLE = 3
# A view with fewer joints than this share of those of the others is left out where it makes the rig too uncertain.
FEW_OF_THE_OTHERS = 0.5
MAX_ROTATION_STD_DEG = 5.0


@_checked
def find_rig(
    points_norm: Float[np.ndarray, "frame joint view 2"],
    sigma: Float[np.ndarray, "frame joint view"],
    *,
    seed: int,
    focal: Focal = EXACT,
    max_noise: float = MAX_NOISE,
) -> Rig:
    """Calibrate a static rig from detected joints.

    A view that contradicts the others (not synchronised, of other people, or moved) is left out and has no extrinsics,
    and so is one that its few joints in common with the others do not determine; `Rig.left_out` has the reasons.
    `focal` is the prior on the focal lengths by which pixels were normalised, `max_noise` the largest noise of a view
    against the others. Raises RigNotFound with the reason, and ValueError for shapes that do not fit and infinite image
    points.
    """
    left_out: dict[int, str] = {}
    while True:
        rig = _find_rig(points_norm, sigma, seed, focal)
        view = _contradicting_view(rig, max_noise)
        if view is None:
            break
        left_out[view] = (
            f"its joints lie {rig.view_noise[view]:.1f} times the usual error from where the others see them"
        )
        sigma = _without(sigma, view)
    try:
        # Views that contradict the others are left out only where that settles it.
        check_quality(rig, max_noise=SHARE_OF_LIMIT * max_noise if left_out else max_noise)
    except RigNotFound:
        view = _undetermined_view(rig, sigma)
        if view is None:
            raise
        left_out[view] = f"the joints determine its direction only to {rig.rotation_std_deg[view]:.1f} deg"
        rig = _find_rig(points_norm, _without(sigma, view), seed, focal)
        check_quality(rig, max_noise=max_noise)
    for unplaced in np.flatnonzero(~rig.has_extrinsics & np.isfinite(sigma).any((0, 1))):
        left_out.setdefault(int(unplaced), "the joints that two other views see too are too few to give its place")
    first = int(rig.has_extrinsics.argmax())
    return replace(rig.in_axes(rig.R[first].T, -rig.R[first].T @ rig.t[first]), left_out=left_out)


def _without(sigma: np.ndarray, view: int) -> np.ndarray:
    return np.where(np.arange(sigma.shape[-1]) == view, np.inf, sigma)


def _contradicting_view(rig: Rig, max_noise: float) -> int | None:
    """The view that contradicts the others; None if there is none, or if the others are too few to tell."""
    noise = rig.view_noise
    if np.isfinite(noise).sum() <= VIEWS_THAT_SETTLE:
        return None
    worst = int(np.nanargmax(noise))
    others = float(np.nanmedian(np.delete(noise, worst)))
    return worst if noise[worst] > max(SHARE_OF_LIMIT * max_noise, TIMES_THE_OTHERS * others) else None


def _undetermined_view(rig: Rig, sigma: np.ndarray) -> int | None:
    """The view that shares far fewer joints with the others than they do, if they are enough for a rig."""
    seen = np.isfinite(sigma) & rig.has_extrinsics
    shared = np.where(rig.has_extrinsics, (seen & (seen.sum(-1, keepdims=True) >= 2)).sum((0, 1)), np.inf)
    least = int(shared.argmin())
    few = shared[least] < FEW_OF_THE_OTHERS * np.median(np.delete(shared, least))
    return least if few and rig.has_extrinsics.sum() > 2 else None


def _find_rig(
    points_norm: Float[np.ndarray, "frame joint view 2"],
    sigma: Float[np.ndarray, "frame joint view"],
    seed: int,
    focal: Focal,
) -> Rig:
    n_views = points_norm.shape[2]
    order, n_poses = _diverse_frames(points_norm, sigma)
    start = find_initial_rig(points_norm[order].reshape(-1, n_views, 2), sigma[order].reshape(-1, n_views), seed, focal)
    return adjust_from(points_norm, sigma, start, bundle.FINAL_WIDTHS, focal=focal, examples=order[:n_poses])


def _diverse_frames(
    points_norm: Float[np.ndarray, "frame joint view 2"], sigma: Float[np.ndarray, "frame joint view"]
) -> tuple[Int[np.ndarray, " chosen"], int]:
    """Frames that differ the most, and the number of distinct poses. Raises RigNotFound if there are too few poses."""
    order, n_poses = diverse_frames(points_norm, sigma, FRAMES_FOR_START)
    if n_poses < MIN_POSES:
        raise RigNotFound(f"the people hold {n_poses} distinct pose(s), at least {MIN_POSES} are needed")
    return order, n_poses


def adjust_from(
    points_norm: Float[np.ndarray, "frame joint view 2"],
    sigma: Float[np.ndarray, "frame joint view"],
    start: InitialRig,
    widths: Sequence[float],
    *,
    focal: Focal,
    examples: Int[np.ndarray, " example"],
) -> Rig:
    """Adjust a rig from a start, on at most 1,000 frames spread evenly; `examples` are frames with distinct poses."""
    frames = linspace_indices(len(points_norm), FRAMES_FOR_ADJUSTMENT)
    pose = nearest_exemplar(points_norm[frames], sigma[frames], points_norm[examples], sigma[examples])
    rig = adjust_rig(points_norm[frames], sigma[frames], start, widths, focal=focal, pose=pose)
    few = frames[linspace_indices(len(frames), FRAMES_FOR_VIEWS)]
    f = rig.focal_scale
    noise = left_out_noise(points_norm[few] / f[:, None], sigma[few] / f, rig.R, rig.t)
    return replace(rig, n_poses=len(examples), view_noise=noise)


@_checked
def adjust_extrinsics(
    points_norm: Float[np.ndarray, "frame joint view 2"],
    sigma: Float[np.ndarray, "frame joint view"],
    R: Float[np.ndarray, "view 3 3"],
    t: Float[np.ndarray, "view 3"],
    *,
    seed: int,
    focal: Focal = EXACT,
) -> tuple[Rig, float]:
    """Adjust given extrinsics; return the rig and the largest rotation of a camera against the given one, in degrees.

    The rig keeps its world frame: of the positions and scales that fit equally well, the nearest to the given rig is
    used. Views without extrinsics (NaN) are registered; views that show nobody have none in the result. Raises
    RigNotFound with the reason, and ValueError for shapes that do not fit and infinite image points.
    """
    n_views, shows_people = len(t), np.isfinite(sigma).any((0, 1))
    if shows_people.sum() < 2:
        raise RigNotFound(f"only {shows_people.sum()} view(s) show people")
    R, t = np.where(shows_people[:, None, None], R, np.nan), np.where(shows_people[:, None], t, np.nan)
    order, n_poses = _diverse_frames(points_norm, sigma)
    x, s = points_norm[order].reshape(-1, n_views, 2), sigma[order].reshape(-1, n_views)
    start = InitialRig(*register_views(x, s, R, t, seed), np.ones(n_views), epipolar_error(x, s, R, t))
    rig = adjust_from(points_norm, sigma, start, bundle.START_WIDTHS, focal=focal, examples=order[:n_poses])
    check_quality(rig)
    rig = rig.in_world_of(R, t)
    both = rig.has_extrinsics & np.isfinite(t).all(-1)
    return rig, float(np.degrees(rotation_angle(rig.R[both] @ np.swapaxes(R[both], -1, -2)).max()))


@_checked
def measure_rig(
    points_norm: Float[np.ndarray, "frame joint view 2"],
    sigma: Float[np.ndarray, "frame joint view"],
    R: Float[np.ndarray, "view 3 3"],
    t: Float[np.ndarray, "view 3"],
) -> Rig:
    """A given rig, not adjusted, with its residuals; its uncertainty is NaN. Raises ValueError as `find_rig` does."""
    epipolar = epipolar_error(points_norm.reshape(-1, *points_norm.shape[2:]), sigma.reshape(-1, len(t)), R, t)
    start = InitialRig(R, t, np.ones(len(t)), epipolar)
    rig = adjust_rig(points_norm, sigma, start, (), focal=EXACT, pose=np.arange(len(points_norm)))
    # The uncertainty of an adjustment to these joints would not be the uncertainty of the given extrinsics.
    none = unknown_rig(len(t))
    return replace(
        rig, rotation_std_deg=none.rotation_std_deg, center_covariance=none.center_covariance,
        pose_covariance=none.pose_covariance,
    )  # fmt: skip


def check_quality(
    rig: Rig, *, max_noise: float = MAX_NOISE, max_rotation_std_deg: float = MAX_ROTATION_STD_DEG
) -> None:
    """Raise RigNotFound, with the reason, if the residuals or the uncertainty of a rig are too large."""
    noise = float(np.nanmax(rig.view_noise, initial=0.0))
    if noise > max_noise:
        times = f"{noise:.1f} times the error of a usable detector"
        causes = "several people in view, cameras that moved or views out of step do this"
        raise RigNotFound(
            f"the views contradict each other: joints lie {times} from where the other views see them; {causes}"
        )
    if rig.parallax_deg < MIN_PARALLAX_DEG:
        raise RigNotFound(f"the views lie only {rig.parallax_deg:.1f} deg apart")
    worst = float(rig.rotation_std_deg[rig.has_extrinsics].max())
    if not worst <= 180:
        raise RigNotFound("the joints do not determine the cameras' directions")
    if worst > max_rotation_std_deg:
        raise RigNotFound(f"the joints determine the cameras' directions only to {worst:.1f} deg")
