"""The moments at which the views of a recording are observed."""

import numpy as np
import pytest

from pipeline.video.moments import common_rate, find_moments, times_of_frames
from pipeline.video.times import Clock, clock_of


@pytest.mark.parametrize("n", [1, 3])
def test_without_gaps_all_frames_are_kept(n):
    times = [np.arange(0, 20, n) / 25, np.arange(0, 26, n) / 25]
    moments = find_moments(times, 25.0, n, n_numbers=20, counted=[True, True])
    np.testing.assert_array_equal(moments.numbers, np.arange(0, 20, n))
    assert moments.are_exact
    for rows in moments.rows:
        np.testing.assert_array_equal(rows, np.arange(len(moments.numbers)))


def test_a_frame_stands_for_one_moment_only():
    slow, fast = np.arange(8) / 10, np.arange(32) / 40
    moments = find_moments([slow, fast, fast], 20.0, 1, n_numbers=14, counted=[True] * 3)
    np.testing.assert_array_equal(moments.numbers, np.arange(14))
    np.testing.assert_array_equal(moments.rows[0], [0, -1, 1, -1, 2, -1, 3, -1, 4, -1, 5, -1, 6, -1])
    np.testing.assert_array_equal(moments.rows[1], 2 * np.arange(14))
    np.testing.assert_allclose(moments.times_s[0], np.where(moments.rows[0] < 0, np.nan, np.arange(14) / 20))


def test_views_for_evaluation_only_do_not_keep_a_moment():
    whole, gap = np.arange(30) / 30, np.delete(np.arange(30), np.arange(10, 20)) / 30
    for counted, kept in (([True, True, True], 30), ([True, False, True], 20)):
        moments = find_moments([whole, whole, gap], 30.0, 1, n_numbers=30, counted=counted)
        assert len(moments.numbers) == kept


def test_the_clock_starts_when_all_views_do():
    one, other = 5.0 + np.arange(40) / 20, 5.51 + np.arange(40) / 20
    moments = find_moments([one, other], 20.0, 1, n_numbers=28, counted=[True, True])
    # At the last moment no later frame of the first view is left to interpolate with.
    np.testing.assert_array_equal(moments.rows[1], np.arange(27))
    np.testing.assert_array_equal(moments.rows[0], 10 + np.arange(27))
    np.testing.assert_allclose(moments.times_s[0], np.arange(27) / 20 - 0.01)
    assert not moments.are_exact


def test_regular_clocks_of_one_rate_count_the_same_frames():
    clocks = [clock_of(np.arange(100) / rate) for rate in (29.97, 30.0, 60.0)] + [Clock(np.arange(100), 0.0)]
    assert common_rate(clocks, 30.0) == pytest.approx(30, rel=1e-3)
    times = times_of_frames(clocks, 30.0)
    np.testing.assert_allclose(times[0], times[1])
    np.testing.assert_allclose(times[3], times[1])
    np.testing.assert_allclose(times[2], np.arange(100) / 60)


def test_beside_an_irregular_clock_all_time_stamps_are_taken_as_they_are():
    steps = np.repeat([1 / 30, 1 / 24], 50)
    clocks = [clock_of(7 + np.cumsum(steps)), clock_of(np.arange(100) / 29.97)]
    times = times_of_frames(clocks, 30.0)
    np.testing.assert_allclose(times[0], np.cumsum(steps) - steps[0])
    np.testing.assert_allclose(times[1], np.arange(100) / 29.97)
