"""Means over the values that are not missing, and their confidence intervals."""

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Real, Shaped
from numpy.lib.array_utils import normalize_axis_tuple
from scipy.stats import bootstrap

from pipeline.metrics import kernels
from pipeline.shapes import check_shapes

RESAMPLES = 2000
CONFIDENCE = 0.95
MIN_SEQUENCES = 3


def mean(values: Shaped[np.ndarray, "..."], axis: int | tuple[int, ...] | None = -1) -> Float[np.ndarray, "..."]:
    """Mean of the finite values over one or several axes; NaN if none is finite."""
    axes = normalize_axis_tuple(range(values.ndim) if axis is None else axis, values.ndim)
    last = np.moveaxis(values, axes, range(values.ndim - len(axes), values.ndim))
    shape = last.shape[: values.ndim - len(axes)]
    rows = np.ascontiguousarray(last, float).reshape(math.prod(shape), math.prod(last.shape[len(shape) :]))
    means = np.empty(shape)
    kernels.row_means(rows, means.reshape(-1))
    return means


@check_shapes()
def interval(
    sums: Real[np.ndarray, " sequence"], counts: Real[np.ndarray, " sequence"], seed: int = 0
) -> tuple[float, float]:
    """95 % confidence interval of sum(sums) / sum(counts) over sequences, from the sums and counts of each.

    Whole sequences are drawn with replacement, because the frames of a sequence are similar (percentile bootstrap,
    2,000 resamples). NaN if fewer than three sequences have a count, which is too few to estimate the spread.
    """
    counted = counts > 0
    return _interval(lambda s, n, axis: s.sum(axis) / n.sum(axis), (sums[counted], counts[counted]), seed)


@check_shapes()
def interval_of_change(
    sums_a: Real[np.ndarray, " sequence"],
    counts_a: Real[np.ndarray, " sequence"],
    sums_b: Real[np.ndarray, " sequence"],
    counts_b: Real[np.ndarray, " sequence"],
    seed: int = 0,
) -> tuple[float, float]:
    """95 % confidence interval of the difference b - a of two means over the same sequences, computed as by `interval`.

    Both means are resampled with the same sequences, so a change can be significant even if the means are uncertain.
    """
    counted = (counts_a > 0) & (counts_b > 0)
    samples = tuple(values[counted] for values in (sums_a, counts_a, sums_b, counts_b))
    return _interval(
        lambda s_a, n_a, s_b, n_b, axis: s_b.sum(axis) / n_b.sum(axis) - s_a.sum(axis) / n_a.sum(axis), samples, seed
    )


def _interval(statistic: Callable[..., np.ndarray], samples: tuple[np.ndarray, ...], seed: int) -> tuple[float, float]:
    """Percentile-bootstrap interval of a statistic of paired samples (sequence,)."""
    if len(samples[0]) < MIN_SEQUENCES:
        return np.nan, np.nan
    found = bootstrap(
        samples, statistic, paired=True, vectorized=True, n_resamples=RESAMPLES, confidence_level=CONFIDENCE,
        method="percentile", rng=np.random.default_rng(seed),
    ).confidence_interval  # fmt: skip
    return float(found.low), float(found.high)
