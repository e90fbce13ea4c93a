"""Times of views: offsets, drift and steps, and values between frames."""

import numpy as np
import pytest

from pipeline.geometry.view_time import Between, ViewTime

FRAMES = np.arange(0, 100, 0.5)
TIMES = [
    ViewTime(), ViewTime((0.0,), (7.25,)), ViewTime((0.0, 99.0), (-3.0, 5.0)), ViewTime((40.0, 41.0), (2.0, 1.5)),
]  # fmt: skip


@pytest.mark.parametrize("time", TIMES)
def test_frames_at_inverts_rows(time):
    np.testing.assert_allclose(time.frames_at(time.rows(FRAMES)), FRAMES, atol=1e-9)


def test_offsets_are_linear_between_knots_and_constant_beyond():
    time = ViewTime((10.0, 20.0), (1.0, 3.0))
    np.testing.assert_allclose(time.rows(np.array([0.0, 10, 15, 20, 50])), [1, 11, 17, 23, 53])
    assert ViewTime().is_in_step
    assert not time.is_in_step


@pytest.mark.parametrize("left", TIMES)
@pytest.mark.parametrize("time", TIMES)
def test_a_corrected_time_is_that_of_both_offsets(time, left):
    np.testing.assert_allclose(time.corrected(left).rows(FRAMES), time.rows(left.rows(FRAMES)), atol=1e-9)


def test_values_between_rows():
    values = np.array([[0.0, 5.0], [10.0, np.nan], [20.0, 7.0]])
    between = Between.of(np.array([-0.1, 0.0, 0.25, 1.0 + 1e-9, 1.5, 2.0, 2.1]), 3)
    low, high = values[between.low], values[between.high]
    nan = np.nan
    np.testing.assert_allclose(between.interpolate(low, high)[:, 0], [nan, 0, 2.5, 10, 15, 20, nan])
    np.testing.assert_allclose(between.interpolate(low, high)[:, 1], [nan, 5, nan, nan, nan, 7, nan])
    np.testing.assert_allclose(between.smaller(low, high)[:, 0], [nan, 0, 0, 10, 10, 20, nan])


def test_nothing_is_between_no_rows():
    assert np.isnan(Between.of(np.array([0.0, 1.0]), 0).weight).all()
