"""Smoothing over time: what it keeps, what it takes away, and that frames in parts give the same."""

import numpy as np
import pytest

from pipeline.geometry.triangulation.smoothing import smooth, smoothing_radius


def test_constant_velocity_is_kept_and_noise_is_reduced():
    time = np.arange(200.0)[:, None, None]
    joints = np.array([3.0, -2.0, 1.0]) * time + np.zeros((1, 17, 1))
    reach = smoothing_radius(3.0)
    np.testing.assert_allclose(smooth(joints, 3.0)[reach:-reach], joints[reach:-reach], atol=1e-9)
    noise = np.random.default_rng(0).normal(size=joints.shape)
    left = (smooth(joints + noise, 3.0) - joints)[reach:-reach].std()
    assert left == pytest.approx((2 * np.sqrt(np.pi) * 3.0) ** -0.5, rel=0.1)  # white noise under a Gaussian


def test_missing_joints_stay_missing_and_take_no_part():
    joints = np.ones((30, 17, 3))
    joints[10:12, 4] = np.nan
    smoothed = smooth(joints, 2.0)
    np.testing.assert_array_equal(np.isnan(smoothed), np.isnan(joints))
    np.testing.assert_allclose(smoothed[np.isfinite(smoothed)], 1)


def test_frames_in_parts_give_the_same():
    joints = np.random.default_rng(1).normal(size=(60, 17, 3))
    whole, reach = smooth(joints, 1.5), smoothing_radius(1.5)
    part = smooth(joints[20 - reach : 40 + reach], 1.5)
    np.testing.assert_array_equal(part[reach:-reach], whole[20:40])
