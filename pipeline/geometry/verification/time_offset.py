"""Time offsets between the views of a recording, found from the people without a rig.

Each pair of views has a lag at which its epipolar geometry fits best; the offsets of the views are the least-squares
solution of all lags.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float, Int

from pipeline.geometry.verification.pair_lag import Tracks
from pipeline.geometry.verification.pair_offset import PairOffset, offset_of_pair, stds_of_sum
from pipeline.shapes import check_shapes

# Views are out of step if their lag has this many standard deviations, lowers the cost by this many, and moves the
# image points by this many standard deviations of their noise. With less, they are of more use than harm.
SURE, SURE_GAIN, EFFECT = 4.0, 2.0, 1.5
SEARCH_S = 4.0  # largest lag that is searched for, in seconds
# Smallest standard deviation of a lag, in frames; and what is added to it, up to the second number, the more the rate
# lies below the third, as motion between frames far apart is not uniform.
LEAST_STD, SLOW_STD, SLOW_FPS = 0.05, 0.2, 20.0
# With more views than this, each view is compared with its next two neighbours only.
ALL_PAIRS = 5
BLOCKS = 10
# With fewer frames, the blocks are too short to tell how certain an offset is, and nothing is compared.
MIN_FRAMES = 40
# Half the span of frames that velocities are taken over, in seconds.
VELOCITY_S = 0.05

Pairs = dict[tuple[int, int], PairOffset]


@dataclass(frozen=True)
class Solution:
    """The offsets of the views but for one that all share, with the influences that their errors come from."""

    frames: Float[np.ndarray, " view"]
    by_block: Float[np.ndarray, "view block"]
    by_joint: Float[np.ndarray, "view joint"]
    by_both: Float[np.ndarray, "view both"]
    inflation: float
    least_std: float

    def std(self, weights: Float[np.ndarray, " view"]) -> float:
        """The standard deviation of a sum of the offsets with weights that sum to 0."""
        influences = (weights @ own for own in (self.by_block, self.by_joint, self.by_both))
        return float(np.sqrt(self.inflation * _variance(*influences) + self.least_std**2))

    def against(self, v: int, views: Bool[np.ndarray, " view"]) -> tuple[float, float]:
        """The offset of a view from the mean of some views, and its standard deviation; 0 for the only one of them."""
        weights = (np.arange(len(views)) == v) - views / views.sum()
        return (float(weights @ self.frames), self.std(weights)) if weights.any() else (0.0, 0.0)


@dataclass(frozen=True)
class TimeOffsets:
    """The time offsets of the views of a recording: frame f + offset of a view shows what the views in step show at f.

    NaN for views without a comparison.
    """

    frames: Float[np.ndarray, " view"]  # against the median of the other views in step
    std: Float[np.ndarray, " view"]
    certainty: Float[np.ndarray, " view"]  # how sure the gain by the offset is, in standard deviations
    effect: Float[np.ndarray, " view"]  # root-mean-square error of image points by the offset, over their noise
    in_step: Bool[np.ndarray, " view"]  # the largest set of views none of which is clearly out of step with another
    # The largest set of views without certain offsets from each other; the first of them alone if they are at most half
    # of the views, as the cameras then started on their own.
    reference: Bool[np.ndarray, " view"]
    solution: Solution | None  # None without any comparison

    @property
    def compared(self) -> Bool[np.ndarray, " view"]:
        """The views with a comparison."""
        return np.isfinite(self.frames)

    def from_reference(self, reference: Bool[np.ndarray, " view"]) -> tuple[np.ndarray, np.ndarray]:
        """Offsets (V,) from the mean of some views, and standard deviations; NaN without a comparison."""
        offset, std = np.full((2, len(self.frames)), np.nan)
        reference = reference & self.compared
        if self.solution is not None and reference.any():
            for v in np.flatnonzero(self.compared):
                offset[v], std[v] = self.solution.against(int(v), reference)
        return offset, std


@check_shapes(no_inf=("points_norm",))
def find_time_offsets(
    points_norm: Float[np.ndarray, "frame joint view 2"],
    sigma: Float[np.ndarray, "frame joint view"],
    window: Int[np.ndarray, " frame"],
    *,
    fps: float,
    seed: int,
    search_s: float = SEARCH_S,
) -> TimeOffsets:
    """Find the time offsets of all views from normalised image points with standard deviations sigma.

    Frames of one number in `window` (increasing from 0) are consecutive frames of one recording. Sigma is infinite
    where not seen. Lags of more than `search_s` seconds are not found, and with fewer than MIN_FRAMES frames nothing is
    compared. Raises ValueError for shapes that do not fit and infinite image points.
    """
    n_frames, _, n_views = sigma.shape
    if n_frames < MIN_FRAMES:
        return _combined({}, n_views, LEAST_STD)
    block = np.arange(n_frames) * BLOCKS // max(n_frames, 1)
    h = max(1, round(VELOCITY_S * fps))
    tracks = [Tracks.of(points_norm[:, :, v], sigma[:, :, v], window, block, h) for v in range(n_views)]
    found = {(a, b): offset_of_pair(tracks[a], tracks[b], fps, seed, search_s) for a, b in _chosen_pairs(tracks)}
    pairs = {pair: offset for pair, offset in found.items() if offset is not None}
    least = LEAST_STD + SLOW_STD * max(0.0, 1 - fps / SLOW_FPS)
    return _combined(pairs, n_views, least)


def _chosen_pairs(tracks: list[Tracks]) -> list[tuple[int, int]]:
    views = [v for v, track in enumerate(tracks) if np.isfinite(track.sigma).any()]
    if len(views) <= ALL_PAIRS:
        return list(combinations(views, 2))
    following = views[1:] + views[:1], views[2:] + views[:2]
    return sorted({(min(a, b), max(a, b)) for others in following for a, b in zip(views, others, strict=True)})


def _combined(pairs: Pairs, n_views: int, least_std: float) -> TimeOffsets:
    """The offsets of the views by robust least squares over the lags of the pairs."""
    unknown = np.full(n_views, np.nan)
    if not pairs:
        in_step = np.ones(n_views, bool)
        return TimeOffsets(unknown, unknown, unknown, unknown, in_step, in_step, None)
    found = list(pairs.values())
    D = np.zeros((len(pairs), n_views))
    for row, (a, b) in enumerate(pairs):
        D[row, a], D[row, b] = -1.0, 1.0
    lags = np.array([offset.lag.frames for offset in found])
    variance = np.array([_variance(o.by_block, o.by_joint, o.by_both) for o in found]) + least_std**2
    weight, misfit = 1 / variance, np.zeros(len(lags))
    for _ in range(5):  # pairs that contradict the others lose weight
        G = np.linalg.pinv((D * weight[:, None]).T @ D, rcond=1e-9) @ (D * weight[:, None]).T
        misfit = (lags - D @ (G @ lags)) ** 2 / variance
        weight = 1 / variance / (1 + misfit / 9)
    freedom = len(pairs) - int(np.linalg.matrix_rank(D))
    inflation = max(1.0, float(np.minimum(misfit, 9).sum()) / freedom) if freedom else 1.0
    block, joint, both = (
        G @ np.array([getattr(o, name) for o in found]) for name in ("by_block", "by_joint", "by_both")
    )
    return _judged(pairs, Solution(G @ lags, block, joint, both, inflation, least_std))


def _judged(pairs: Pairs, solution: Solution) -> TimeOffsets:
    """The largest set of views that do not clearly disagree, and the offsets of all views against it."""
    n_views = len(solution.frames)
    compared = np.isin(np.arange(n_views), list(pairs))
    certain, apart = np.zeros((2, n_views, n_views), bool)
    for (a, b), offset in pairs.items():
        lag, std = solution.against(b, np.arange(n_views) == a)
        is_certain = abs(lag) > SURE * std and offset.certainty > SURE_GAIN
        certain[a, b] = certain[b, a] = is_certain
        apart[a, b] = apart[b, a] = is_certain and abs(lag) * offset.speed > EFFECT
    in_step, reference = _largest_set(compared, apart), reference_views(compared, certain)
    frames, stds, certainty, effect = np.full((4, n_views), np.nan)
    for v in np.flatnonzero(compared).tolist():
        others = in_step & (np.arange(n_views) != v)
        frames[v] = solution.frames[v] - np.median(solution.frames[others]) if others.any() else 0.0
        stds[v] = solution.against(v, others)[1] if others.any() else solution.least_std
        own = [(pair, o) for pair, o in pairs.items() if v in pair and others[list(pair)].any()]
        if own:
            certainty[v] = stds_of_sum(np.sum([o.gain for _, o in own], axis=0))
            effect[v] = abs(frames[v]) * float(np.median([o.speed for _, o in own]))
    # Views without a comparison are not known to be out of step.
    return TimeOffsets(frames, stds, certainty, effect, in_step | ~compared, reference, solution)


def reference_views(views: np.ndarray, certain: np.ndarray) -> np.ndarray:
    """The largest set of some views (V,) without certain offsets (V, V) from each other; see TimeOffsets.reference."""
    alike = _largest_set(views, certain)
    return np.arange(len(views)) == alike.argmax() if 2 * alike.sum() <= views.sum() else alike


def _largest_set(compared: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """The largest set found of the compared views (V,), none of which is apart (V, V) from another."""
    sets = [compared & ~apart[v] for v in np.flatnonzero(compared)]
    return max((_consistent(views, apart) for views in sets), key=lambda views: int(views.sum()))


def _consistent(views: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """The views without those that disagree with the most others, until none disagrees."""
    views = views.copy()
    while (clashes := (apart & views).sum(1) * views).any():
        views[int(clashes.argmax())] = False
    return views


def _variance(by_block: np.ndarray, by_joint: np.ndarray, by_both: np.ndarray) -> float:
    """The variance of a sum of influences whose errors are shared within blocks and within joints."""
    block, joint = (float((x**2).sum()) * len(x) / max(len(x) - 1, 1) for x in (by_block, by_joint))
    return max(block + joint - float((by_both**2).sum()), block, joint)
