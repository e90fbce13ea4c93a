"""Calibration of each frame on its own, with all cameras adjusted at once.

The paper (EpipolarPose, section 3.1) finds the relative pose of two views at a time by RANSAC on their joints; here all
views of a frame are adjusted together, with a prior on the person's lengths. Many wrong rigs fit the points of a frame
nearly as well as the right one. So the adjustment starts from several pairs of views, and the results are compared by
one cost.

The frames share what belongs to the person and to the detector, never a camera: the noise of each landmark in each
view, and, for a second adjustment of each frame, the person's own bone lengths. These also give all frames one scale.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from pipeline.geometry.calibration import bundle
from pipeline.geometry.calibration.calibrated_rig import Rig, root_of_trace
from pipeline.geometry.calibration.focal_prior import EXACT
from pipeline.geometry.calibration.initial_rig import MIN_PARALLAX_DEG, InitialRig, Pairs, RigNotFound, pair_poses
from pipeline.geometry.calibration.rig_adjustment import adjust_rig
from pipeline.geometry.calibration.single_frame.body_points import body_points
from pipeline.geometry.calibration.single_frame.body_prior import LengthPrior, adult_prior, own_prior
from pipeline.geometry.calibration.single_frame.contradicting_views import cost_of_views, leave_out_views
from pipeline.geometry.calibration.single_frame.frame_adjustment import (
    LAST_WIDTH,
    FrameRig,
    Start,
    adjust_frame,
    adjust_to_points,
    best_rig,
    starts_of,
)
from pipeline.geometry.calibration.single_frame.rig_uncertainty import pose_covariance
from pipeline.geometry.calibration.single_frame.shared_noise import noise_of_crowding, noise_of_landmarks
from pipeline.geometry.frame_sampling import linspace_indices
from pipeline.shapes import check_shapes

# Five points determine a relative pose; with fewer matches than this, outliers are not detected.
MIN_MATCHES = 8
FRAMES_FOR_NOISE = 30
MIN_INLIER_SHARE = 0.5
# A frame that determines its cameras' rotations less well than this has no rig.
MAX_ROTATION_STD_DEG = 20.0
# A frame whose cost is more than this multiple of the median frame's has no rig. The median cost per degree of freedom
# is about 1; exact image points have none.
MAX_COST, MIN_COST = 4.0, 0.1


@check_shapes(no_inf=("points_norm", "landmarks_norm"))
def find_rigs(
    points_norm: Float[np.ndarray, "frame joint=17 view 2"],
    sigma: Float[np.ndarray, "frame joint=17 view"],
    landmarks_norm: Float[np.ndarray, "frame landmark view 2"] | None = None,
    landmarks_sigma: Float[np.ndarray, "frame landmark view"] | None = None,
    *,
    seed: int,
) -> list[Rig | str]:
    """Calibrate each frame of one person on its own; return its rig, or the reason why there is none.

    Image points are normalised, sigma is their standard deviation, infinite where not seen. The joints must be the
    project's, as the prior on the human build uses them. If all landmarks of the detector are given too, the cameras
    are calibrated from these. All rigs have one unit: about a millimetre of a person of average build. Raises
    ValueError for shapes that do not fit and infinite image points.
    """
    if landmarks_norm is None or landmarks_sigma is None:
        landmarks_norm, landmarks_sigma = points_norm, sigma
    body = body_points(points_norm, sigma, landmarks_norm, landmarks_sigma)
    x, s, prior = body.points_norm, body.sigma, adult_prior(body.of_joint)
    pairs = [_pairs(x[f], s[f], seed) for f in range(len(x))]
    starts = {f: starts_of(x[f], s[f], found, seed) for f, found in enumerate(pairs) if not isinstance(found, str)}
    noise = _noise(x, s, starts)
    rigs = {f: best_rig(x[f], s[f], own, prior, noise) for f, own in starts.items()}
    rigs = _without_contradicting_views(x, s, rigs, pairs, prior, noise, seed)
    if rigs:
        own, s = own_prior(prior, [rig.points for rig in rigs.values()]), s * _noise_factors(x, s, rigs)
        rigs = {f: adjust_frame(x[f], s[f], rig, own, noise) for f, rig in rigs.items()}
        prior = own
    costs = {f: rig.cost_per_freedom(x[f], s[f] * noise) for f, rig in rigs.items()}
    typical = max(float(np.median(list(costs.values()))), MIN_COST) if costs else 1.0
    return [
        found if isinstance(found, str) else _measured(x[f], s[f], rigs[f], prior, noise, costs[f] / typical)
        for f, found in enumerate(pairs)
    ]


def _pairs(points_norm: np.ndarray, sigma: np.ndarray, seed: int) -> Pairs | str:
    """The relative poses of a frame's pairs of views, or the reason why there is none."""
    try:
        return pair_poses(points_norm, sigma, seed, MIN_MATCHES)
    except RigNotFound as error:
        return str(error)


def _noise(points_norm: np.ndarray, sigma: np.ndarray, starts: dict[int, list[Start]]) -> float:
    """The noise of the detections as a multiple of sigma: the median over some frames, each adjusted on its own."""
    frames, found = list(starts), []
    for f in np.array(frames, int)[linspace_indices(len(frames), FRAMES_FOR_NOISE)]:
        tried = (adjust_to_points(points_norm[f], sigma[f], start, bundle.START_WIDTHS, None) for start in starts[f])
        found.append(min(adjusted.noise for adjusted in tried))
    return float(np.median(found)) if found else 1.0


def _without_contradicting_views(
    points_norm: np.ndarray, sigma: np.ndarray, rigs: dict[int, FrameRig], pairs: Sequence[Pairs | str],
    prior: LengthPrior, noise: float, seed: int,
) -> dict[int, FrameRig]:  # fmt: skip
    if not rigs:
        return {}
    costs = np.stack([cost_of_views(points_norm[f], sigma[f], rig, noise) for f, rig in rigs.items()])
    seen = np.isfinite(costs).any(0)
    typical = np.where(seen, np.nanmedian(np.where(seen, costs, 0.0), axis=0), np.nan)
    found = {}
    for f, rig in rigs.items():
        own = pairs[f]
        assert not isinstance(own, str)
        found[f] = leave_out_views(
            points_norm[f], sigma[f], rig, own, prior, noise=noise, typical=typical, seed=seed
        )  # fmt: skip
    return found


def _noise_factors(points_norm: np.ndarray, sigma: np.ndarray, rigs: dict[int, FrameRig]) -> np.ndarray:
    """The factor on the sigma of each landmark in each view, (N, V), from the residuals of all frames."""
    squared = np.stack([rig.squared_distances(points_norm[f], sigma[f]) for f, rig in rigs.items()])
    crowding = noise_of_crowding(np.stack([rig.points for rig in rigs.values()]))
    return noise_of_landmarks(np.sqrt(squared)) * crowding[:, None]


def _measured(
    points_norm: np.ndarray, sigma: np.ndarray, found: FrameRig, prior: LengthPrior, noise: float, cost: float
) -> Rig | str:
    """The rig of a frame with its residuals and its uncertainty, or the reason why it cannot be used.

    `cost` is relative to the median frame's. Errors that the noise does not describe raise it, and the standard
    deviations are raised in proportion.
    """
    if cost > MAX_COST:
        return "the views contradict each other"
    start = InitialRig(found.R, found.t, np.ones(len(found.t)), found.epipolar_start)
    rig = adjust_rig(points_norm[None], sigma[None], start, (), focal=EXACT, pose=np.zeros(1, int), noise=noise)
    if not np.nanmean(rig.inlier_share) >= MIN_INLIER_SHARE:
        return "too few joints agree with the best rig"
    if not rig.parallax_deg >= MIN_PARALLAX_DEG:
        return "the views lie too close together"
    v = found.views
    own = pose_covariance(
        points_norm[:, v], sigma[:, v], found.R[v], found.t[v], found.points, prior, width=LAST_WIDTH, noise=noise
    )
    covariance = np.full((6 * len(v), 6 * len(v)), np.nan)
    covariance[np.ix_(np.repeat(v, 6), np.repeat(v, 6))] = own * max(cost, 1.0) ** 2
    of_view = np.einsum("vivj->vij", covariance.reshape(len(v), 6, len(v), 6))
    std = np.degrees(root_of_trace(of_view[:, :3, :3]))
    if not np.nanmax(std) <= MAX_ROTATION_STD_DEG:
        return "the joints hardly determine the cameras' directions"
    return replace(rig, rotation_std_deg=std, center_covariance=of_view[:, 3:, 3:], pose_covariance=covariance)
