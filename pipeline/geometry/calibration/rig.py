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
from pipeline.geometry.calibration.bundle import EXACT, Focal
from pipeline.geometry.calibration.calibrated_rig import Rig, unknown_rig
from pipeline.geometry.calibration.essential import epipolar_error
from pipeline.geometry.calibration.initial_rig import (
    MIN_PARALLAX_DEG,
    InitialRig,
    RigNotFound,
    find_initial_rig,
    register_views,
)
from pipeline.geometry.calibration.rig_adjustment import adjust_rig
from pipeline.geometry.frame_sampling import diverse_frames, linspace_indices, nearest_exemplar
from pipeline.shapes import check_shapes

_checked = check_shapes(no_inf=("points_norm",))

FRAMES_FOR_START = 60
FRAMES_FOR_ADJUSTMENT = 1000
MIN_POSES = 3
MIN_INLIER_SHARE = 0.5
MAX_NOISE = 2.5
MAX_ROTATION_STD_DEG = 5.0


@_checked
def find_rig(
    points_norm: Float[np.ndarray, "frame joint view 2"],
    sigma: Float[np.ndarray, "frame joint view"],
    *,
    seed: int,
    focal: Focal = EXACT,
) -> Rig:
    """Calibrate a static rig from detected joints.

    A view most of whose joints contradict the others (not synchronised, or moved) is left out and has no extrinsics.
    `focal` is the prior on the focal lengths by which pixels were normalised. Raises RigNotFound with the reason, and
    ValueError for shapes that do not fit and infinite image points.
    """
    while True:
        rig = _find_rig(points_norm, sigma, seed, focal)
        worst = int(np.nanargmin(rig.inlier_share))
        if rig.inlier_share[worst] >= MIN_INLIER_SHARE or rig.has_extrinsics.sum() <= 2:
            check_quality(rig)
            first = int(rig.has_extrinsics.argmax())
            return rig.in_axes(rig.R[first].T, -rig.R[first].T @ rig.t[first])
        sigma = np.where(np.arange(len(rig.t)) == worst, np.inf, sigma)


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
    return replace(rig, n_poses=len(examples))


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
    used. Views without extrinsics (NaN) are registered. Raises RigNotFound with the reason, and ValueError for shapes
    that do not fit and infinite image points.
    """
    n_views = len(t)
    order, n_poses = _diverse_frames(points_norm, sigma)
    x, s = points_norm[order].reshape(-1, n_views, 2), sigma[order].reshape(-1, n_views)
    start = InitialRig(*register_views(x, s, R, t, seed), 1.0, epipolar_error(x, s, R, t))
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
    start = InitialRig(
        R, t, 1.0, epipolar_error(points_norm.reshape(-1, *points_norm.shape[2:]), sigma.reshape(-1, len(t)), R, t)
    )
    rig = adjust_rig(points_norm, sigma, start, (), focal=EXACT, pose=np.arange(len(points_norm)))
    # The uncertainty of an adjustment to these joints would not be the uncertainty of the given extrinsics.
    none = unknown_rig(len(t))
    return replace(
        rig, rotation_std_deg=none.rotation_std_deg, center_covariance=none.center_covariance,
        pose_covariance=none.pose_covariance,
    )  # fmt: skip


def check_quality(rig: Rig, max_rotation_std_deg: float = MAX_ROTATION_STD_DEG) -> None:
    """Raise RigNotFound, with the reason, if the residuals or the uncertainty of a rig are too large."""
    share = float(np.nanmin(rig.inlier_share))
    if share < MIN_INLIER_SHARE:
        raise RigNotFound(f"only {share:.0%} of a view's joints agree with the best rig")
    if rig.noise > MAX_NOISE:
        raise RigNotFound(f"the joints miss the best rig by {rig.noise:.1f} times the error of a usable detector")
    if rig.parallax_deg < MIN_PARALLAX_DEG:
        raise RigNotFound(f"the views lie only {rig.parallax_deg:.1f} deg apart")
    worst = float(np.nanmax(rig.rotation_std_deg))
    if not worst <= 180:
        raise RigNotFound("the joints do not determine the cameras' directions")
    if worst > max_rotation_std_deg:
        raise RigNotFound(f"the joints determine the cameras' directions only to {worst:.1f} deg")
