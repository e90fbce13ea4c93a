"""Means over what is known, and what chance may have done to them."""

import numpy as np
import pytest

from pipeline import metrics


def test_mean_of_nothing_is_missing():
    assert np.isnan(metrics.mean(np.array([np.nan, np.nan])))
    assert metrics.mean(np.array([[1, np.nan], [3, 5]]), axis=None) == 3


def test_interval_by_the_theory_of_means():
    rng = np.random.default_rng(1)
    counts = np.full(200, 50)
    low, high = metrics.interval(counts * rng.normal(70, 10, size=200), counts)
    # 200 sequences of the same length: the mean's standard error is 10 / sqrt(200).
    assert high - low == pytest.approx(2 * 1.96 * 10 / np.sqrt(200), rel=0.15)
    assert low < 70.5 < high + 1


def test_intervals_have_their_coverage():
    rng = np.random.default_rng(2)
    hits = 0
    for n in range(200):
        counts = rng.integers(10, 100, size=40)
        low, high = metrics.interval(counts * rng.normal(70, 10, size=40), counts, seed=n)
        hits += low <= 70 <= high
    assert 0.88 <= hits / 200 <= 0.99


def test_resampling_draws_sequences_not_frames():
    """Frames of one sequence are alike: ten times as many of them make nothing surer."""
    means, counts = np.array([60.0, 70, 80, 90]), np.full(4, 10)
    assert metrics.interval(means * counts, counts) == pytest.approx(metrics.interval(means * counts * 10, counts * 10))


def test_a_long_sequence_has_more_weight():
    low, high = metrics.interval(np.array([1e6 * 50, 70, 90, 80]), np.array([1e6, 1, 1, 1]))
    assert low == pytest.approx(50, abs=0.01)
    assert high == pytest.approx(80, abs=11)


def test_too_few_sequences_have_no_interval():
    assert np.isnan(metrics.interval(np.array([50.0, 70, 0]), np.array([1, 1, 0]))).all()
