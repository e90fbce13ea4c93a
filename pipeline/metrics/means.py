"""Means over what is not missing, and how far chance may have moved them."""

from collections.abc import Hashable, Sequence

import numpy as np
from scipy.stats import bootstrap

RESAMPLES = 2000
CONFIDENCE = 0.95
FEWEST_SEQUENCES = 3


def mean(values: np.ndarray, axis: int | tuple[int, ...] | None = -1) -> np.ndarray:
    """Mean of what is not missing; missing where all is."""
    known = np.isfinite(values)
    count = known.sum(axis)
    total = np.sum(values, axis=axis, where=known)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def mean_over_groups(values: np.ndarray, groups: Sequence[Hashable]) -> float:
    """Mean of the groups' means, such as over actions, of values (pose,) of the poses' groups: each counts alike."""
    names = np.array([str(group) for group in groups])
    return float(mean(np.array([mean(values[names == name]) for name in np.unique(names)])))


def interval(sums: np.ndarray, counts: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """95 % confidence interval of sum(sums) / sum(counts) over sequences, from the sums and counts of each (sequence,).

    Whole sequences are drawn with replacement, as the frames of one resemble each other (percentile bootstrap, 2,000
    resamples). NaN where fewer than three sequences count: so few say nothing of their spread.
    """
    counted = counts > 0
    if counted.sum() < FEWEST_SEQUENCES:
        return np.nan, np.nan
    found = bootstrap(
        (sums[counted], counts[counted]), lambda s, n, axis: s.sum(axis) / n.sum(axis), paired=True, vectorized=True,
        n_resamples=RESAMPLES, confidence_level=CONFIDENCE, method="percentile", rng=np.random.default_rng(seed),
    ).confidence_interval  # fmt: skip
    return float(found.low), float(found.high)
