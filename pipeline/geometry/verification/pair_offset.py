"""The time offset of one pair of views with what is needed to judge it: influences, gain and the size of its effect."""

from dataclasses import dataclass

import numpy as np

from pipeline.geometry.verification.pair_lag import (
    WIDTH,
    Lag,
    Matches,
    Tracks,
    jacobian,
    match,
    refine,
    residuals,
    robust_share,
    start_at,
)
from pipeline.geometry.verification.speed_correlation import likely_lags

# A search starts from lags at this distance up to this lag, and from so many more lags, further apart than the third
# number, at which the views move alike; all in seconds.
SEARCH_STEP_S, DENSE_S, LIKELY_APART_S, N_LIKELY = 0.1, 1.2, 0.3, 8
# The best so many of these starts are refined.
REFINED = 3
# Another minimum than the one near lag 0 must cost less: by this many standard deviations of the difference between
# blocks of time, or by this factor in all.
BETTER, BETTER_FACTOR = 3.0, 1.1
# Matches of a pair at most.
MAX_MATCHES = 6000


@dataclass(frozen=True)
class PairOffset:
    """The lag of the second view of a pair behind the first, in frames: frame f + lag shows what the first shows at f.

    The influences are the contributions to the error of the lag of each block of time, of each joint, and of each
    joint in each block; their squares add up to its variance under errors that these share.
    """

    lag: Lag
    by_block: np.ndarray  # (B,) frames
    by_joint: np.ndarray  # (J,) frames
    by_both: np.ndarray  # (B * J,) frames
    gain: np.ndarray  # (B,) how much less the matches cost with the lag than without one
    speed: float  # root-mean-square image motion in a frame, in standard deviations of the noise

    @property
    def certainty(self) -> float:
        """The gain over its standard deviation between blocks of time."""
        return stds_of_sum(self.gain)


def stds_of_sum(values: np.ndarray) -> float:
    """The sum of values over its standard deviation, estimated from their scatter."""
    n = len(values)
    scatter = float(((values - values.mean()) ** 2).sum()) * n / max(n - 1, 1)
    return float(values.sum()) / max(float(np.sqrt(scatter)), 1e-9)


def offset_of_pair(first: Tracks, second: Tracks, fps: float, seed: int, search_s: float) -> PairOffset | None:
    """Find the lag between two views, of at most `search_s` seconds.

    None if they share too little, if nothing moves, or if the best lag lies at the end of the search.
    """
    most = min(search_s * fps, 0.4 * float(np.bincount(first.window).max()))
    step = max(1, round(np.isfinite(first.sigma).sum() / MAX_MATCHES))
    found = _candidates(first, second, step, fps, most, seed)
    if not found:
        return None
    best = found[0]
    for other in found[1:]:
        gain, ratio = _gain(first, second, best, other, step)
        if stds_of_sum(gain) > BETTER or ratio > BETTER_FACTOR:
            best = other
    still = refine(first, second, Lag(best.R, best.t, 0.0, best.noise), step, most=most, free=False)
    if still is None or abs(best.frames) > most - 1:
        return None
    if found[0] is not best:
        unmoved = refine(first, second, Lag(found[0].R, found[0].t, 0.0, best.noise), step, most=most, free=False)
        if unmoved is not None and _gain(first, second, still, unmoved, step)[0].sum() > 0:
            still = unmoved
    return _measured(first, second, best, still, step, fps)


def _candidates(first: Tracks, second: Tracks, step: int, fps: float, most: float, seed: int) -> list[Lag]:
    """Local minima: the one near lag 0 first, then those from the best of the other starts."""
    rng, grid = np.random.default_rng(seed), max(1, round(SEARCH_STEP_S * fps))
    n = int(min(most, DENSE_S * fps) // grid)
    lags = {k * grid for k in range(-n, n + 1)}
    lags |= set(likely_lags(first, second, int(most), max(1, round(LIKELY_APART_S * fps)), N_LIKELY))
    starts = [(abs(lag), start_at(first, second, lag, step, rng)) for lag in sorted(lags)]
    known = [(lag, *start) for lag, start in starts if start is not None]
    others = sorted((start[1:] for start in known if start[0]), key=lambda start: start[0])[:REFINED]
    chosen = [start[2] for start in known if start[0] == 0] + [lag for _, lag in others]
    refined = [refine(first, second, lag, step, most=most, bold=max(1.0, 0.1 * fps)) for lag in chosen]
    return [lag for lag in refined if lag is not None]


def _costs(first: Tracks, second: Tracks, lag: Lag, noise: float, step: int) -> tuple[np.ndarray, np.ndarray, Matches]:
    """The robust cost (M,) of each match, and the number of each match, which is that of frame and joint."""
    k = round(lag.frames)
    matches = match(first, second, k, step)
    costs = robust_share(residuals(lag.R, lag.t, matches, lag.frames - k), noise)
    return costs, matches.frame * first.sigma.shape[1] + matches.joint, matches


def _gain(first: Tracks, second: Tracks, old: Lag, new: Lag, step: int) -> tuple[np.ndarray, float]:
    """How much less the matches cost (B,) by block with another lag, and the old cost over the new one."""
    noise = min(old.noise, new.noise)
    a, a_number, matches = _costs(first, second, old, noise, step)
    b, b_number, _ = _costs(first, second, new, noise, step)
    _, ia, ib = np.intersect1d(a_number, b_number, return_indices=True)
    blocks = first.block[matches.frame[ia]]
    share = float(a[ia].sum()) / max(float(b[ib].sum()), 1e-12)
    return np.bincount(blocks, a[ia] - b[ib], minlength=int(first.block.max()) + 1), share


def _measured(first: Tracks, second: Tracks, lag: Lag, still: Lag, step: int, fps: float) -> PairOffset | None:
    k = round(lag.frames)
    matches = match(first, second, k, step)
    r, J = jacobian(lag, matches, lag.frames - k)
    if not J[:, 5].any():  # a frozen picture
        return None
    q = (r / (WIDTH * lag.noise)) ** 2
    w, slope = 1 / (1 + q) ** 2, (1 - 3 * q) / (1 + q) ** 3
    A = (J * w[:, None]).T @ J * max(float(slope.mean() / w.mean()), 0.1)
    information = _information(first, second, lag, step, max(1, round(0.05 * fps)))
    # The errors of the velocities are in J, but not in this curvature of the cost.
    A[5, 5] = max(information, 1e-6 * A[5, 5])
    others = A[:5, :5] + np.diag(1e-6 * np.diag(A)[:5] + 1e-12)
    along = np.linalg.solve(others, A[:5, 5])
    left = max(float(A[5, 5] - A[5, :5] @ along), 1e-3 * A[5, 5])
    effect = -(J[:, 5] - J[:, :5] @ along) * w * r / left
    n_blocks, n_joints = int(first.block.max()) + 1, first.sigma.shape[1]
    block = first.block[matches.frame]
    gain, _ = _gain(first, second, still, lag, step)
    speed = np.sqrt(2 * max(information, 0.0) / max(float(slope.sum()), 0.1 * float(w.sum()))) / lag.noise
    return PairOffset(
        lag, np.bincount(block, effect, minlength=n_blocks), np.bincount(matches.joint, effect, minlength=n_joints),
        np.bincount(block * n_joints + matches.joint, effect, minlength=n_blocks * n_joints), gain, float(speed),
    )  # fmt: skip


def _information(first: Tracks, second: Tracks, lag: Lag, step: int, h: int) -> float:
    """The curvature of the cost over the lag, from detections h frames away, whose errors are others."""
    middle, number, _ = _costs(first, second, lag, lag.noise, step)
    total, used = 0.0, 0
    for shift in (-h, h):
        moved, moved_number, _ = _costs(
            first, second, Lag(lag.R, lag.t, lag.frames + shift, lag.noise), lag.noise, step
        )
        _, i, j = np.intersect1d(number, moved_number, return_indices=True)
        total += float((moved[j] - middle[i]).mean()) if len(i) else 0.0
        used += len(i)
    return total * (WIDTH * lag.noise) ** 2 / 2 / h**2 * used / 2
