"""The pose structure score: which differences of poses it counts."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline.pss import Reference, clusters, normalised, pss
from pipeline.skeleton import N_JOINTS, joint
from tests.world.people import standing


def four_ways():
    """A standing person who faces four directions, (4, joint, 3)."""
    rotations = Rotation.from_rotvec([[0, 0, a] for a in np.radians([0, 90, 180, 270])]).as_matrix()
    return np.einsum("fij,kj->fki", rotations, standing()) + 77.0


def test_normalised_by_hand():
    pose = np.full((N_JOINTS, 3), 5.0)
    pose[joint("head")] += [30, 40, 0]
    expected = np.zeros((N_JOINTS, 3))
    expected[joint("head")] = [0.6, 0.8, 0]
    np.testing.assert_allclose(normalised(pose), expected)
    assert np.isnan(normalised(np.zeros((N_JOINTS, 3)))).all()


def test_the_score_ignores_position_and_size_but_not_orientation():
    poses = four_ways()
    reference = Reference(normalised(poses), {})
    np.testing.assert_array_equal(clusters(reference, poses), range(4))
    np.testing.assert_array_equal(pss(reference, poses * 0.5 + 300, poses), 1)
    np.testing.assert_array_equal(pss(reference, poses[[0, 2, 1, 3]], poses), [1, 0, 0, 1])


def test_incomplete_poses_have_no_score():
    poses = four_ways()
    reference = Reference(normalised(poses), {})
    predicted, true = poses.copy(), poses.copy()
    predicted[0, joint("head")] = np.nan
    true[2, joint("l_knee")] = np.nan
    np.testing.assert_array_equal(pss(reference, predicted, true), [np.nan, 1, np.nan, 1])


def test_any_leading_shape_and_many_poses():
    poses = np.broadcast_to(four_ways(), (40000, 4, N_JOINTS, 3))[:, :2]
    assert clusters(Reference(normalised(four_ways()), {}), poses).shape == (40000, 2)


def test_another_skeleton_is_refused():
    with pytest.raises(ValueError, match=r"\(14, 3\).*\(17, 3\)"):
        clusters(Reference(normalised(four_ways()), {}), np.zeros((2, 14, 3)))


def test_other_lengths_are_refused():
    poses = four_ways()
    with pytest.raises(ValueError, match=r"\(3, 17, 3\).*\(4, 17, 3\)"):
        pss(Reference(normalised(poses), {}), poses[:3], poses)


def test_the_nearest_center_by_brute_force():
    rng = np.random.default_rng(0)
    poses, centers = rng.normal(size=(200, N_JOINTS, 3)), normalised(rng.normal(size=(9, N_JOINTS, 3)))
    distance = np.linalg.norm(normalised(poses)[:, None] - centers[None], axis=(-1, -2))
    np.testing.assert_array_equal(clusters(Reference(centers, {}), poses), distance.argmin(1))
