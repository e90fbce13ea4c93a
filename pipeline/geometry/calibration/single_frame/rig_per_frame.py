"""Calibration of each frame on its own, with all cameras adjusted at once.

The paper (EpipolarPose, section 3.1) finds the relative pose of two views at a time by RANSAC on their joints; here all
views of a frame are adjusted together, with a prior on the human build. Many wrong rigs fit seventeen joints nearly as
well as the right one. So the adjustment starts from several pairs of views, and the results are compared by one cost.
The scale of the cost is the noise of all frames, the only value that the frames share.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from pipeline.geometry.calibration import bundle
from pipeline.geometry.calibration.bundle import EXACT, AdjustedRig
from pipeline.geometry.calibration.calibrated_rig import Rig
from pipeline.geometry.calibration.essential import epipolar_error
from pipeline.geometry.calibration.initial_rig import (
    MIN_PARALLAX_DEG,
    InitialRig,
    RigNotFound,
    extrinsics_of_pair,
    pair_poses,
    register_views,
)
from pipeline.geometry.calibration.rig import MIN_INLIER_SHARE, adjust_rig
from pipeline.geometry.calibration.single_frame.body_prior import adjust_to_body
from pipeline.geometry.frame_sampling import linspace_indices
from pipeline.geometry.triangulation import methods as triangulation
from pipeline.shapes import check_shapes

# Five points determine a relative pose; with fewer matches than this, outliers are not detected.
MIN_MATCHES = 8
# The number of pairs of views to start from, the most promising first.
STARTS = 4
FRAMES_FOR_NOISE = 30
# Scales of the robust kernel from a start, and of the last adjustment, in units of the noise.
WIDTHS, LAST_WIDTH = (6.0, 3.0), 4.0


@check_shapes(no_inf=("points_norm",))
def find_rigs(
    points_norm: Float[np.ndarray, "frame joint=17 view 2"],
    sigma: Float[np.ndarray, "frame joint=17 view"],
    *,
    seed: int,
) -> list[Rig | str]:
    """Calibrate each frame on its own; return its rig, or the reason why there is none.

    Image points are normalised, sigma is their standard deviation, infinite where not seen. The joints must be the
    project's, as the prior on the human build uses them. Raises ValueError for shapes that do not fit and infinite
    image points.
    """
    starts = [_starts(points_norm[f], sigma[f], seed) for f in range(len(points_norm))]
    with_start = [f for f, found in enumerate(starts) if not isinstance(found, str)]
    noise = _noise(points_norm, sigma, starts, with_start)
    return [
        found if isinstance(found, str) else _best(points_norm[f], sigma[f], found, noise)
        for f, found in enumerate(starts)
    ]


def _starts(points_norm: np.ndarray, sigma: np.ndarray, seed: int) -> list[InitialRig] | str:
    """Initial rigs from the pairs of a frame's views; those with the most views."""
    try:
        pairs = pair_poses(points_norm, sigma, seed, MIN_MATCHES)
    except RigNotFound as error:
        return str(error)
    starts = []
    for pair in sorted(pairs, key=lambda p: -pairs[p].score)[:STARTS]:
        R, t = register_views(points_norm, sigma, *extrinsics_of_pair(pair, pairs[pair], points_norm.shape[1]), seed)
        starts.append(InitialRig(R, t, 1.0, float("nan")))
    most = max(start.has_extrinsics.sum() for start in starts)
    return [start for start in starts if start.has_extrinsics.sum() == most]


def _noise(
    points_norm: np.ndarray, sigma: np.ndarray, starts: list[list[InitialRig] | str], frames: list[int]
) -> float:
    """The noise of the detections as a multiple of sigma: the median over some frames, each adjusted on its own."""
    found = []
    for f in np.array(frames, int)[linspace_indices(len(frames), FRAMES_FOR_NOISE)]:
        own = starts[f]
        assert not isinstance(own, str)
        found.append(min(_adjusted(points_norm[f], sigma[f], start, bundle.START_WIDTHS, None).noise for start in own))
    return float(np.median(found)) if found else 1.0


def _adjusted(
    points_norm: np.ndarray, sigma: np.ndarray, start: InitialRig, widths: tuple[float, ...], noise: float | None
) -> AdjustedRig:
    views = start.has_extrinsics
    x, s, R, t = points_norm[:, views], sigma[:, views], start.R[views], start.t[views]
    return bundle.adjust(x, s, R, t, triangulation.robust(x, s, R, t), widths, noise=noise)


def _best(points_norm: np.ndarray, sigma: np.ndarray, starts: list[InitialRig], noise: float) -> Rig | str:
    """The rig of a frame: the result with the least cost over all starts."""
    tried = [(*_to_body(points_norm, sigma, start, noise), start) for start in starts]
    best, _, start = min(tried, key=lambda found: found[1])
    # Triangulate all joints again, as some were wrong at the start.
    best, _ = _to_body(points_norm, sigma, best, noise, widths=())
    best = replace(best, epipolar=epipolar_error(points_norm, sigma, start.R, start.t))
    rig = adjust_rig(points_norm[None], sigma[None], best, (), focal=EXACT, pose=np.zeros(1, int), noise=noise)
    if not np.nanmean(rig.inlier_share) >= MIN_INLIER_SHARE:
        return "too few joints agree with the best rig"
    if not rig.parallax_deg >= MIN_PARALLAX_DEG:
        return "the views lie too close together"
    return rig


def _to_body(
    points_norm: np.ndarray, sigma: np.ndarray, start: InitialRig, noise: float, widths: tuple[float, ...] = WIDTHS
) -> tuple[InitialRig, float]:
    """A start adjusted to the image points, then also to the prior on the human build, and the cost."""
    adjusted = _adjusted(points_norm, sigma, start, widths, noise)
    views = start.has_extrinsics
    R, t = start.R.copy(), start.t.copy()
    R[views], t[views], _, cost = adjust_to_body(
        points_norm[:, views], sigma[:, views], adjusted.R, adjusted.t, adjusted.points, width=LAST_WIDTH, noise=noise
    )
    return replace(start, R=R, t=t), cost
