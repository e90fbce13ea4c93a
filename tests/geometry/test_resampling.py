"""Joints at other times: exact on rows, close between them, missing where the rows are too far apart."""

import numpy as np
import pytest

from pipeline.geometry.resampling import resample
from tests.world.people import moving

TIMES_S = np.arange(0, 3, 0.04)


def test_rows_of_the_same_times_are_taken_as_they_are():
    joints = moving(TIMES_S, 0)
    joints[5, 3] = np.nan
    np.testing.assert_array_equal(resample(joints, TIMES_S, TIMES_S + 5e-5, 0.01), joints)
    np.testing.assert_array_equal(resample(joints[:1], TIMES_S[:1], TIMES_S[:2], 1.0)[0], joints[0])


def test_between_rows_the_error_is_much_less_than_that_of_straight_lines():
    at_s = np.arange(0.1, 2.8, 0.013)
    joints, true = moving(TIMES_S, 0, speed=2.0), moving(at_s, 0, speed=2.0)
    error = np.linalg.norm(resample(joints, TIMES_S, at_s, 0.1) - true, axis=-1)
    straight = np.stack([np.interp(at_s, TIMES_S, x) for x in joints.reshape(len(joints), -1).T], -1)
    of_lines = np.linalg.norm(straight.reshape(true.shape) - true, axis=-1)
    assert error.max() < 1.0
    assert error.mean() < of_lines.mean() / 5


def test_polynomials_of_second_degree_are_exact_at_any_steps():
    rng = np.random.default_rng(0)
    even, uneven = np.arange(0, 2, 0.05), np.cumsum(rng.uniform(0.02, 0.08, 40))
    at_s = np.linspace(0.2, 1.2, 50)
    for times_s in (even, uneven):
        found = resample((100 * times_s**2)[:, None, None] * np.ones((1, 2, 3)), times_s, at_s, 0.1)
        np.testing.assert_allclose(found[:, 0, 0], 100 * at_s**2, atol=1e-9)


def test_gaps_are_missing_joint_by_joint():
    joints = moving(TIMES_S, 0)
    joints[10, 0] = np.nan  # 0.08 s between its neighbours
    joints[20:24, 1] = np.nan  # 0.2 s
    at_s = TIMES_S[:-1] + 0.01
    found = resample(joints, TIMES_S, at_s, 0.1)
    missing = ~np.isfinite(found).all(-1)
    assert not missing[:, [0, *range(2, 17)]].any()
    assert np.flatnonzero(missing[:, 1]).tolist() == [19, 20, 21, 22, 23]
    np.testing.assert_allclose(found[[9, 10], 0], moving(at_s, 0)[[9, 10], 0], atol=2.0)


def test_nothing_is_made_up_outside_the_rows():
    joints = moving(TIMES_S, 0)
    assert np.isnan(resample(joints, TIMES_S, np.array([-0.01, TIMES_S[-1] + 0.01]), 0.1)).all()
    ends = resample(joints, TIMES_S, np.array([-0.001, TIMES_S[-1] + 0.001]), 0.1)
    np.testing.assert_array_equal(ends, joints[[0, -1]])
    assert np.isnan(resample(np.full((5, 17, 3), np.nan), TIMES_S[:5], TIMES_S, 0.1)).all()


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match="times_s"):
        resample(moving(TIMES_S, 0), TIMES_S[:4], TIMES_S, 0.1)
