"""Numbers of frames on a camera's clock, and the moments that all views show."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.video.decoding import VideoFrames
from pipeline.video.times import DroppedFrames, clock_numbers, dropped_frames, rows_of_common_moments
from tests.video.videos import drop_frames, write_video


@given(
    kept=st.sets(st.integers(0, 80), min_size=30),
    fps=st.sampled_from([6.0, 25.0, 59.94]),
    decimals=st.sampled_from([0, 6]),
    start=st.floats(0, 500),
)
def test_numbers_are_found_from_rounded_time_stamps(kept, fps, decimals, start):
    numbers = np.array(sorted(kept))
    numbers -= numbers[0]
    # Most frames follow each other, as in a video that lacks some.
    numbers = np.concatenate([numbers, numbers[-1] + np.arange(1, 100)])
    times_ms = np.round(start + 1000 * numbers / fps, decimals)
    np.testing.assert_array_equal(clock_numbers(times_ms), numbers)


@pytest.mark.parametrize("times_ms", [[0.0] * 9, [0.0, 40, 80, 60, 100], [0.0, np.nan, 80.0], [5.0], []], ids=str)
def test_time_stamps_that_do_not_increase_are_ignored(times_ms):
    np.testing.assert_array_equal(clock_numbers(times_ms), np.arange(len(times_ms)))


def test_jitter_is_no_gap():
    times_ms = 40.0 * np.arange(500) + np.random.default_rng(1).uniform(-8, 8, 500)
    np.testing.assert_array_equal(clock_numbers(times_ms), np.arange(500))


def test_gaps_are_listed():
    assert dropped_frames(np.array([0, 1, 5, 6, 8])) == [DroppedFrames(2, 3), DroppedFrames(4, 1)]
    assert dropped_frames(np.arange(4)) == []


def test_common_moments():
    a, b = np.array([0, 1, 2, 5, 6, 7, 8]), np.array([0, 1, 2, 3, 4, 5, 8, 9])
    moments, (rows_a, rows_b) = rows_of_common_moments([a, b], 1, 60.0)
    np.testing.assert_array_equal(moments, [0, 1, 2, 5, 8])
    np.testing.assert_array_equal(a[rows_a], moments)
    np.testing.assert_array_equal(b[rows_b], moments)


@pytest.mark.parametrize("n", [1, 3])
def test_without_gaps_all_frames_are_kept(n):
    kept = [np.arange(0, 20, n), np.arange(0, 26, n)]
    moments, rows = rows_of_common_moments(kept, n, 25.0)
    np.testing.assert_array_equal(moments, kept[0])
    for own in rows:
        np.testing.assert_array_equal(own, np.arange(len(moments)))


def test_the_time_stamps_of_a_video(tmp_path):
    video = VideoFrames(drop_frames(write_video(tmp_path / "a.mp4", 8), {3: 2, 6: 1}), 2)
    assert len(list(video)) == 4
    assert clock_numbers(video.times_ms).tolist() == [0, 1, 2, 5, 6, 7, 9, 10]
