import numpy as np

from pipeline.learning.refinement import task
from pipeline.learning.refinement.refiner import RefinerInput
from pipeline.learning.refinement.task import PosePairs, RefinerTask
from pipeline.skeleton import MIRROR
from tests.learning.refinement.conftest import pairs


def test_a_mirrored_pose_swaps_sides(monkeypatch):
    monkeypatch.setattr(task, "NOISE", 0.0)
    rng = np.random.default_rng(0)
    poses = pairs(1, 0).targets
    given = RefinerInput(poses, rng.normal(0, 0.01, (1, 17, 2)), rng.random((1, 17)))
    refiner_task = RefinerTask(*2 * [PosePairs(given, poses)])
    made = np.stack([refiner_task._sample(0, np.random.default_rng(i))[0] for i in range(20)])
    as_is, flipped = (np.isclose(made, one.values, atol=1e-6).all(1) for one in (given, given.mirrored()))
    np.testing.assert_array_equal(given.mirrored().poses, poses[:, MIRROR] * [-1, 1, 1])
    assert (as_is ^ flipped).all()
    assert as_is.any()
    assert flipped.any()
