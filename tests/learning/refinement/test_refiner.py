from pathlib import Path

import numpy as np
import torch

from pipeline.learning.engine import loop
from pipeline.learning.refinement.refiner import Refiner, RefinerInput, fit_normalisation, refine_poses
from pipeline.learning.refinement.task import PosePairs, RefinerTask
from tests.learning.refinement.conftest import PARAMS, pairs
from tests.world.people import stick_figures


def _learned(trained: PosePairs, test: PosePairs, folder: Path) -> tuple[np.ndarray, float]:
    """The test's poses refined, and the error of the unit over that of one that was not trained."""
    torch.manual_seed(0)
    unit = Refiner()
    fit_normalisation(unit, trained.inputs)
    refiner_task = RefinerTask(trained, test)
    before = refiner_task.validation_error_mm(unit)
    loop.train(unit, refiner_task, PARAMS, folder / "refine.csv")
    found = refine_poses(unit, test.inputs)
    larger = RefinerInput(1000 * test.inputs.poses, 1000 * test.inputs.offsets, test.inputs.confidence)
    np.testing.assert_allclose(refine_poses(unit, larger), 1000 * found, rtol=1e-3, atol=1e-3)
    assert (found[:, 0] == 0).all()
    return found, refiner_task.validation_error_mm(unit) / before


def _error(poses: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.mean(np.linalg.norm(poses - wanted, axis=(1, 2)) / np.linalg.norm(wanted, axis=(1, 2))))


def test_it_learns_what_a_network_gets_wrong_at_any_scale(tmp_path):
    trained, test = pairs(400, 0), pairs(100, 1)
    found, share = _learned(trained, test, tmp_path)
    assert _error(found, test.targets) < 0.5 * _error(test.inputs.poses, test.targets)
    assert share < 0.6


def test_it_learns_when_the_detector_is_right(tmp_path):
    """Joints are off at random, which the pose does not tell; the detector does, but where it is not sure."""

    def pairs(n: int, seed: int) -> PosePairs:
        rng = np.random.default_rng(seed)
        poses = stick_figures(rng, n)
        poses -= poses[:, :1]
        off = rng.normal(0, 150, poses.shape) * [1, 1, 0]
        off[:, 0] = 0
        sure = rng.random((n, 17)) < 0.5
        blunder = rng.normal(0, 300, (n, 17, 2))
        return PosePairs(
            RefinerInput(poses + off, np.where(sure[..., None], -off[..., :2], blunder), sure * 1.0), poses
        )

    trained, test = pairs(1000, 0), pairs(100, 1)
    found, _ = _learned(trained, test, tmp_path)
    sure = test.inputs.confidence > 0
    for which, least in ((sure, 0.7), (~sure, 1.05)):
        errors = [np.linalg.norm(poses - test.targets, axis=-1)[which].mean() for poses in (found, test.inputs.poses)]
        assert errors[0] < least * errors[1]


def test_an_untrained_unit_changes_nothing():
    given = pairs(3, 0).inputs
    np.testing.assert_allclose(refine_poses(Refiner(), given), given.poses, atol=1e-3)


def test_missing_poses_stay_missing():
    given = pairs(3, 0).inputs
    given.poses[1, 4] = np.nan
    assert np.isfinite(refine_poses(Refiner(), given)).all((1, 2)).tolist() == [True, False, True]


def test_noise_moves_the_pose_and_not_what_the_detector_saw():
    poses = pairs(1, 0).targets
    given = RefinerInput(poses, np.zeros((1, 17, 2)), np.ones((1, 17)))
    moved = given.moved(np.random.default_rng(0).normal(size=poses.shape))
    assert (moved.poses != poses).all()
    np.testing.assert_allclose(moved.poses[..., :2] + moved.offsets, poses[..., :2])
