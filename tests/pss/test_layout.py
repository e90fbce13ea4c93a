"""Poses laid out by similarity."""

import numpy as np
import pytest

from pipeline.pss import pose_map
from pipeline.skeleton import N_JOINTS


def test_similar_poses_are_near_and_groups_are_numbered_by_size():
    rng = np.random.default_rng(0)
    kinds = rng.normal(size=(3, N_JOINTS, 3))
    which = np.repeat([0, 1, 2], [20, 50, 30])
    poses = kinds[which] + rng.normal(scale=0.02, size=(100, N_JOINTS, 3))
    points, groups = pose_map(poses, 3, seed=1)
    assert [len(set(groups[which == kind])) for kind in range(3)] == [1, 1, 1]
    np.testing.assert_array_equal(np.bincount(groups), [50, 30, 20])
    middles = np.stack([points[which == kind].mean(0) for kind in range(3)])
    own = np.linalg.norm(points - middles[which], axis=-1)
    others = np.linalg.norm(points[:, None] - middles[None], axis=-1)
    assert (others.argmin(1) == which).all()
    assert np.median(own) < 0.5 * np.median(others)


def test_incomplete_poses_are_refused():
    poses = np.random.default_rng(0).normal(size=(40, N_JOINTS, 3))
    poses[3, 5] = np.nan
    with pytest.raises(ValueError, match="needs complete poses"):
        pose_map(poses, 3, seed=1)
