"""Bone lengths and symmetry against cases worked out by hand."""

import numpy as np

from pipeline import metrics
from pipeline.skeleton import BONES, N_JOINTS, joint
from tests.metrics.poses import moved, poses


def test_a_longer_bone():
    true = poses(1)
    predicted = true.copy()
    along = true[:, joint("l_wrist")] - true[:, joint("l_elbow")]
    predicted[:, joint("l_wrist")] += 34 * along / np.linalg.norm(along, axis=-1, keepdims=True)
    errors = metrics.bone_errors(predicted, true)
    np.testing.assert_allclose(errors[:, joint("l_wrist")], 34)
    np.testing.assert_allclose(metrics.mean(errors), 34 / len(BONES))
    assert np.isnan(errors[:, 0]).all()


def test_bone_lengths_do_not_depend_on_the_rotation():
    true = poses(1)
    np.testing.assert_allclose(metrics.bone_lengths(moved(true)), metrics.bone_lengths(true))


def test_symmetry_by_hand():
    pose = np.zeros((N_JOINTS, 3))
    pose[joint("l_elbow")] = [3, 4, 0]  # upper arm 5 mm, forearm 5 mm
    pose[joint("r_knee")] = [0, 0, 7]  # thigh 7 mm, shin 7 mm
    errors = metrics.symmetry_errors(pose)
    expected = {"l_elbow": 5, "r_elbow": 5, "l_wrist": 5, "r_wrist": 5} | dict.fromkeys(
        ("l_knee", "r_knee", "l_ankle", "r_ankle"), 7
    )
    for name, value in expected.items():
        assert errors[joint(name)] == value
    assert np.isnan(errors[joint("head")])
    assert metrics.mean(errors) == (2 * 5 + 2 * 7) / 6  # of six pairs


def test_a_missing_joint_removes_its_bones_and_pairs():
    pose = poses(1, 1)[0]
    pose[joint("l_elbow")] = np.nan
    assert np.isnan(metrics.bone_lengths(pose)).sum() == 3  # the root has none; two end or begin in the elbow
    missing = np.isnan(metrics.symmetry_errors(pose))
    assert missing[[joint("r_elbow"), joint("r_wrist")]].all()
    assert missing.sum() == 5 + 4
