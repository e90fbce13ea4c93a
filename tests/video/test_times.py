"""Clocks of cameras from time stamps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.video.times import DroppedFrames, clock_of, dropped_frames


@given(
    kept=st.sets(st.integers(0, 80), min_size=30),
    fps=st.sampled_from([6.0, 25.0, 59.94]),
    decimals=st.sampled_from([3, 9]),
    start=st.floats(0, 0.5),
)
def test_numbers_and_rate_are_found_from_rounded_time_stamps(kept, fps, decimals, start):
    numbers = np.array(sorted(kept))
    numbers -= numbers[0]
    # Most frames follow each other, as in a video that lacks some.
    numbers = np.concatenate([numbers, numbers[-1] + np.arange(1, 100)])
    clock = clock_of(np.round(start + numbers / fps, decimals))
    np.testing.assert_array_equal(clock.numbers, numbers)
    assert clock.n_frames == numbers[-1] + 1
    assert clock.fps == pytest.approx(fps, rel=1e-3)
    assert clock.is_regular


@pytest.mark.parametrize("times_s", [[0.0] * 9, [0, 0.04, 0.08, 0.06, 0.1], [0.0, np.nan, 0.08], [5.0], []], ids=str)
def test_time_stamps_that_do_not_increase_are_ignored(times_s):
    clock = clock_of(times_s, 30.0)
    np.testing.assert_array_equal(clock.numbers, np.arange(len(times_s)))
    assert (clock.fps, len(clock.times_s), clock.is_regular) == (30.0, 0, True)


def test_the_stated_rate_is_taken_if_the_time_stamps_agree():
    times_s = np.round(np.arange(50) / 29.97, 3)
    assert clock_of(times_s, 29.97).fps == 29.97
    assert clock_of(times_s, 25.0).fps == pytest.approx(29.97, rel=1e-3)


def test_jitter_is_no_gap():
    times_s = 0.04 * np.arange(500) + np.random.default_rng(1).uniform(-0.008, 0.008, 500)
    clock = clock_of(times_s)
    np.testing.assert_array_equal(clock.numbers, np.arange(500))
    assert clock.is_regular


def test_a_rate_that_changes_is_irregular():
    steps = np.repeat([1 / 30, 1 / 24, 1 / 30], 50)
    assert not clock_of(np.cumsum(steps)).is_regular


def test_the_nearest_frame_of_a_time():
    clock = clock_of([1.0, 1.04, 1.08, 1.2])
    assert [clock.index_at(time_s) for time_s in (0.5, 1.0, 1.0799, 1.13, 1.15, 9.0)] == [0, 0, 2, 2, 3, 3]
    assert clock.index_at(None) is None
    assert clock_of([0.0, 0.0]).index_at(1.0) is None


def test_gaps_are_listed():
    assert dropped_frames(np.array([0, 1, 5, 6, 8])) == [DroppedFrames(2, 3), DroppedFrames(4, 1)]
    assert dropped_frames(np.arange(4)) == []
