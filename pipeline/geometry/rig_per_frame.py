"""A rig for each frame on its own, all its cameras at once: the paper's setting, where nothing is pooled over time.

Seventeen joints leave many wrong rigs that fit nearly as well. So the adjustment starts from every pair of views, and
all starts and frames are judged by one cost, whose scale is the noise of the frames together: that is the only thing
the frames share.
"""

from dataclasses import replace

import numpy as np

from pipeline.geometry import bundle, triangulation
from pipeline.geometry.body_prior import adjust_to_body
from pipeline.geometry.bundle import EXACT, Adjusted
from pipeline.geometry.essential import epipolar_error
from pipeline.geometry.rig import LEAST_INLIER_SHARE, Rig, adjust_rig
from pipeline.geometry.rig_start import LEAST_PARALLAX_DEG, RigNotFound, Start, grow, of_pair, pair_poses
from pipeline.geometry.spread import evenly

# Five points determine a pair; fewer than this leave nothing to tell outliers by.
FEWEST_MATCHES = 8
# So many pairs of views are starts, the most promising first.
STARTS = 4
FRAMES_FOR_NOISE = 30
# Widths of the robust cost from a start, and of the last adjustment.
WIDTHS, LAST_WIDTH = (6.0, 3.0), 4.0


def find_rigs(rays: np.ndarray, sigma: np.ndarray, *, seed: int) -> list[Rig | str]:
    """For each frame its rig, or the reason why there is none; rays (F, 17, V, 2), sigma (F, 17, V).

    The joints are the project's, in its order: the prior on a human build knows them.
    """
    starts = [_starts(rays[f], sigma[f], seed) for f in range(len(rays))]
    with_start = [f for f, found in enumerate(starts) if not isinstance(found, str)]
    noise = _noise(rays, sigma, starts, with_start)
    return [
        found if isinstance(found, str) else _best(rays[f], sigma[f], found, noise) for f, found in enumerate(starts)
    ]


def _starts(rays: np.ndarray, sigma: np.ndarray, seed: int) -> list[Start] | str:
    """Rigs grown from the pairs of a frame's views; those with the most views."""
    try:
        pairs = pair_poses(rays, sigma, seed, FEWEST_MATCHES)
    except RigNotFound as error:
        return str(error)
    starts = []
    for pair in sorted(pairs, key=lambda p: -pairs[p].score)[:STARTS]:
        R, t = grow(rays, sigma, *of_pair(pair, pairs[pair], rays.shape[1]), seed)
        starts.append(Start(R, t, 1.0, float("nan")))
    most = max(start.posed.sum() for start in starts)
    return [start for start in starts if start.posed.sum() == most]


def _noise(rays: np.ndarray, sigma: np.ndarray, starts: list[list[Start] | str], frames: list[int]) -> float:
    """The noise of the detections as a multiple of sigma: the median over some frames, each adjusted on its own."""
    found = []
    for f in np.array(frames, int)[evenly(len(frames), FRAMES_FOR_NOISE)]:
        own = starts[f]
        assert not isinstance(own, str)
        found.append(min(_adjusted(rays[f], sigma[f], start, bundle.START_WIDTHS, None).noise for start in own))
    return float(np.median(found)) if found else 1.0


def _adjusted(
    rays: np.ndarray, sigma: np.ndarray, start: Start, widths: tuple[float, ...], noise: float | None
) -> Adjusted:
    views = start.posed
    x, s, R, t = rays[:, views], sigma[:, views], start.R[views], start.t[views]
    return bundle.adjust(x, s, R, t, triangulation.robust(x, s, R, t), widths, noise=noise)


def _best(rays: np.ndarray, sigma: np.ndarray, starts: list[Start], noise: float) -> Rig | str:
    """The rig of a frame from the start that leads to the least cost."""
    tried = [(*_to_body(rays, sigma, start, noise), start) for start in starts]
    best, _, start = min(tried, key=lambda found: found[1])
    # Joints that the start had put wrong are found afresh.
    best, _ = _to_body(rays, sigma, best, noise, widths=())
    best = replace(best, epipolar=epipolar_error(rays, sigma, start.R, start.t))
    rig = adjust_rig(rays[None], sigma[None], best, (), focal=EXACT, pose=np.zeros(1, int), noise=noise)
    if not np.nanmean(rig.inlier_share) >= LEAST_INLIER_SHARE:
        return "too few joints agree with the best rig"
    if not rig.parallax_deg >= LEAST_PARALLAX_DEG:
        return "the views lie too close together"
    return rig


def _to_body(
    rays: np.ndarray, sigma: np.ndarray, start: Start, noise: float, widths: tuple[float, ...] = WIDTHS
) -> tuple[Start, float]:
    """A start adjusted to the rays and then to a human build too, and the cost."""
    adjusted = _adjusted(rays, sigma, start, widths, noise)
    views = start.posed
    R, t = start.R.copy(), start.t.copy()
    R[views], t[views], _, cost = adjust_to_body(
        rays[:, views], sigma[:, views], adjusted.R, adjusted.t, adjusted.points, width=LAST_WIDTH, noise=noise
    )
    return replace(start, R=R, t=t), cost
