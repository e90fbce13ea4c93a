"""Which points a frame is calibrated from."""

import numpy as np
import pytest

from pipeline.geometry.calibration.single_frame.body_points import body_points
from pipeline.skeleton import LIMB_JOINTS, N_JOINTS


def seen(n_points, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(6, n_points, 3, 2)), np.full((6, n_points, 3), 0.01)


def test_landmarks_are_used_and_the_joints_among_them_are_known():
    landmarks, sigma = seen(25)
    joints, joints_sigma = seen(N_JOINTS, seed=1)
    at = np.random.default_rng(2).permutation(25)[: len(LIMB_JOINTS)]
    joints[:, LIMB_JOINTS] = landmarks[:, at]
    joints[2, LIMB_JOINTS[3], 1] = np.nan  # one missing detection is no difference
    body = body_points(joints, joints_sigma, landmarks, sigma)
    np.testing.assert_array_equal(body.points_norm, landmarks)
    np.testing.assert_array_equal(body.of_joint[LIMB_JOINTS], at)
    assert (np.delete(body.of_joint, LIMB_JOINTS) == -1).all()


@pytest.mark.parametrize("n_landmarks", [0, 25])
def test_joints_that_are_not_among_the_landmarks_are_used_too(n_landmarks):
    joints, joints_sigma = seen(N_JOINTS, seed=1)
    landmarks, sigma = seen(n_landmarks)
    body = body_points(joints, joints_sigma, landmarks, sigma)
    np.testing.assert_array_equal(body.points_norm, np.concatenate([joints, landmarks], 1))
    assert body.sigma.shape == (6, N_JOINTS + n_landmarks, 3)
    np.testing.assert_array_equal(body.of_joint, np.arange(N_JOINTS))


def test_a_joint_that_is_never_found_is_none_of_the_points():
    landmarks, sigma = seen(N_JOINTS)
    joints = landmarks.copy()
    joints[:, LIMB_JOINTS[0]] = np.nan
    assert body_points(joints, sigma, landmarks, sigma).of_joint[LIMB_JOINTS[0]] == -1


def test_infinite_points_are_refused():
    joints, sigma = seen(N_JOINTS)
    joints[0, 0, 0, 0] = np.inf
    with pytest.raises(ValueError, match="joints_norm"):
        body_points(joints, sigma, *seen(25))
