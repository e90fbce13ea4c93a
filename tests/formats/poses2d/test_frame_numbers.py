"""Frames of files and frames of videos: where counting starts, gaps, and what is left over."""

import numpy as np
import pytest

from pipeline.formats.poses2d.frame_numbers import VideoFrames, match_frames, number_in_name


@pytest.mark.parametrize(
    ("name", "number"),
    [("0001", 1), ("cam2.0033", 33), ("S1_cam_02_000000000007", 7), ("frame12_rgb", 12), ("x", None)],
)
def test_numbers_in_names(name, number):
    assert number_in_name(name) == number


def match(numbers, n_frames, kept=None, name="a"):
    video = VideoFrames(n_frames, np.arange(n_frames) if kept is None else np.array(kept))
    return match_frames({name: np.array(numbers, int)}, {name: video})[name]


@pytest.mark.parametrize(
    ("numbers", "first", "rows"),
    [
        ([0, 1, 2, 3], 0, [0, 1, 2, 3]),
        ([1, 2, 3, 4], 1, [0, 1, 2, 3]),
        ([330, 331, 332, 333], 330, [0, 1, 2, 3]),
        ([0, 1, 3], 0, [0, 1, -1, 2]),
        ([1, 3], 0, [-1, 0, -1, 1]),
        ([1, 2, 4], 1, [0, 1, -1, 2]),
        ([0, 5, 10, 15], 0, [0, 1, 2, 3]),
        ([], 0, [-1] * 4),
    ],
)
def test_where_counting_starts(numbers, first, rows):
    found = match(numbers, 4)
    assert found.first == first
    np.testing.assert_array_equal(found.rows, rows)
    assert (found.n_missing, found.n_beyond) == (rows.count(-1), 0)


def test_a_gap_at_the_start_of_one_view_does_not_shift_it():
    videos = dict.fromkeys("ab", VideoFrames(5, np.arange(5)))
    matches = match_frames({"a": np.arange(5), "b": np.array([2, 3])}, videos)
    np.testing.assert_array_equal(matches["b"].rows, [-1, -1, 0, 1, -1])


def test_videos_of_different_lengths_each_have_their_frames():
    videos = {"a": VideoFrames(4, np.arange(4)), "b": VideoFrames(6, np.arange(1, 5))}
    matches = match_frames({"a": np.arange(1, 5), "b": np.arange(1, 7)}, videos)
    np.testing.assert_array_equal(matches["a"].rows, [0, 1, 2, 3])
    np.testing.assert_array_equal(matches["b"].rows, [1, 2, 3, 4])


def test_only_kept_frames_count():
    found = match(np.arange(11), 11, [0, 5, 10])
    np.testing.assert_array_equal(found.rows, [0, 5, 10])
    np.testing.assert_array_equal(match(np.arange(1, 12), 11, [0, 5, 10]).rows, [0, 5, 10])


def test_a_moment_without_a_frame_is_not_missing():
    found = match([0, 1, 3], 4, [0, -1, 1, 2, 3])
    np.testing.assert_array_equal(found.rows, [0, -1, 1, -1, 2])
    assert found.n_missing == 1


def test_frames_beyond_the_video_are_counted():
    found = match(np.arange(12), 10)
    np.testing.assert_array_equal(found.rows, np.arange(10))
    assert found.n_beyond == 2
