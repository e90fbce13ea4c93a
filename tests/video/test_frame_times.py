"""Detections between the frames of a view."""

import numpy as np
import pytest

from pipeline.video.frame_times import interpolation, read_times, write_times


def interpolated(times_s, values, moments_s) -> np.ndarray:
    before, after, weight = interpolation(np.asarray(times_s, float), np.asarray(moments_s, float))
    values = np.asarray(values, float)
    return np.where(weight == 1, values[after], (1 - weight) * values[before] + weight * values[after])


def test_moments_between_frames_are_interpolated():
    moments_s = np.arange(20) / 30
    times_s = moments_s + np.random.default_rng(1).uniform(-0.012, 0.012, 20)
    found = interpolated(times_s, 3 * times_s, moments_s)
    np.testing.assert_allclose(found[1:-1], 3 * moments_s[1:-1])


@pytest.mark.parametrize(("fps", "missing", "is_shown"), [(30, 1, True), (30, 2, True), (30, 4, False), (6, 1, False)])
def test_short_gaps_are_bridged_and_long_ones_are_not(fps, missing, is_shown):
    moments_s = np.arange(12) / fps
    times_s = np.where((np.arange(12) >= 5) & (np.arange(12) < 5 + missing), np.nan, moments_s)
    found = interpolated(times_s, np.arange(12), moments_s)
    outside = np.isfinite(times_s)
    np.testing.assert_allclose(found[outside], np.arange(12)[outside])
    if is_shown:
        np.testing.assert_allclose(found, np.arange(12))
    else:
        assert np.isnan(found[5 + missing // 2])


def test_nothing_is_extrapolated_but_the_nearest_frame_stands_for_a_moment_close_by():
    found = interpolated([0.005, 0.045, np.nan, np.nan], [1, 2, 9, 9], [0.0, 0.04, 0.08, 0.12])
    np.testing.assert_allclose(found, [1, 1.875, np.nan, np.nan])


def test_a_view_without_frames_shows_nothing():
    assert np.isnan(interpolation(np.full(3, np.nan), np.arange(3.0))[2]).all()


def test_times_are_kept_in_a_file(tmp_path):
    write_times(tmp_path / "a.npy", np.array([0, np.nan, 0.1]))
    np.testing.assert_array_equal(read_times(tmp_path / "a.npy"), [0, np.nan, 0.1])
