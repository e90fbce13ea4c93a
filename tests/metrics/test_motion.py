"""Errors of velocity and acceleration against motions whose derivatives are known."""

import numpy as np
import pytest

from pipeline import metrics
from pipeline.skeleton import N_JOINTS, joint

TIMES = np.array([0.0, 0.1, 0.2, 0.5, 0.6])  # not evenly spaced


def still():
    return np.zeros((len(TIMES), N_JOINTS, 3))


def test_constant_velocity():
    predicted = still()
    predicted[:, joint("head")] = TIMES[:, None] * [30, 40, 0]
    velocity = metrics.velocity_errors(predicted, still(), TIMES)
    np.testing.assert_allclose(velocity[:-1, joint("head")], 50)
    assert np.isnan(velocity[-1]).all()
    np.testing.assert_allclose(metrics.mean(velocity, axis=None), 50 / N_JOINTS)
    acceleration = metrics.acceleration_errors(predicted, still(), TIMES)
    np.testing.assert_allclose(acceleration[:-2], 0, atol=1e-9)
    assert np.isnan(acceleration[-2:]).all()


def test_constant_acceleration():
    true = still()
    true[:, joint("head"), 2] = TIMES**2 / 2 * 800
    np.testing.assert_allclose(metrics.acceleration_errors(still(), true, TIMES)[:-2, joint("head")], 800)


def test_an_error_of_the_root_does_not_count():
    rng = np.random.default_rng(0)
    true = rng.normal(size=(5, N_JOINTS, 3))
    predicted = true + rng.normal(size=(5, 1, 3))
    np.testing.assert_allclose(metrics.velocity_errors(predicted, true, TIMES)[:-1], 0, atol=1e-9)


def test_a_missing_frame_removes_its_neighbours():
    predicted = still()
    predicted[2] = np.nan
    np.testing.assert_array_equal(np.isnan(metrics.velocity_errors(predicted, still(), TIMES)[:, 0]), [0, 1, 1, 0, 1])
    assert np.isnan(metrics.acceleration_errors(predicted, still(), TIMES)).all()


@pytest.mark.parametrize("n", [0, 1, 2])
def test_sequences_too_short_to_move(n):
    poses, times = np.zeros((n, N_JOINTS, 3)), np.arange(n, dtype=float)
    assert np.isfinite(metrics.velocity_errors(poses, poses, times)).all(-1).sum() == max(n - 1, 0)
    assert metrics.acceleration_errors(poses, poses, times).shape == (n, N_JOINTS)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (TIMES[:4], r"times_s is of shape \(4,\).* predicted_mm of shape \(5, 17, 3\)"),
        (TIMES[::-1], "must increase"),
        (TIMES * 0, "must increase"),
    ],
)
def test_times_that_do_not_fit_are_refused(times, message):
    with pytest.raises(ValueError, match=message):
        metrics.velocity_errors(still(), still(), times)
