import json
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.learning.engine import loop
from pipeline.learning.images.samples import training_recordings
from pipeline.learning.images.volumetric import Volumetric
from pipeline.learning.refinement import refine, refiner, task
from pipeline.learning.refinement.refine import refine_predictions
from pipeline.learning.refinement.refiner import Refiner, RefinerInput, fit_normalisation, refine_poses
from pipeline.learning.refinement.task import PosePairs, RefinerTask
from pipeline.learning.train import METHODS
from pipeline.params.refine import RefineParams
from pipeline.skeleton import MIRROR
from pipeline.stores import LABELS, PREDICTIONS, open_store, reopen
from tests.learning.conftest import random_poses

PARAMS = RefineParams(
    sources=[], epochs=30, batch_size=16, lr=1e-3, warm_up=0.05, schedule="cosine", weight_decay=0.01,
    clip_grad_norm=5.0, ema=0.0, keep="last", patience=0, seed=0,
)  # fmt: skip


@pytest.fixture(autouse=True)
def _narrow(monkeypatch):
    monkeypatch.setattr(refiner, "WIDTH", 64)
    monkeypatch.setattr(refiner, "DROPOUT", 0.1)


def _pairs(n: int, seed: int) -> PosePairs:
    """Predictions in which all depths are twice what they should be, and the size is anything; no detections."""
    rng = np.random.default_rng(seed)
    poses = random_poses(rng, n)
    poses -= poses[:, :1]
    poses *= rng.uniform(1e-4, 1, (n, 1, 1))
    return PosePairs(_undetected(poses * [1, 1, 2.0]), poses)


def _undetected(poses: np.ndarray) -> RefinerInput:
    return RefinerInput(poses, np.full((*poses.shape[:-1], 2), np.nan), np.full(poses.shape[:-1], np.nan))


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
    trained, test = _pairs(400, 0), _pairs(100, 1)
    found, share = _learned(trained, test, tmp_path)
    assert _error(found, test.targets) < 0.5 * _error(test.inputs.poses, test.targets)
    assert share < 0.6


def test_it_learns_when_the_detector_is_right(tmp_path):
    """Joints are off at random, which the pose does not tell; the detector does, but where it is not sure."""

    def pairs(n: int, seed: int) -> PosePairs:
        rng = np.random.default_rng(seed)
        poses = random_poses(rng, n)
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
    given = _pairs(3, 0).inputs
    np.testing.assert_allclose(refine_poses(Refiner(), given), given.poses, atol=1e-3)


def test_missing_poses_stay_missing():
    given = _pairs(3, 0).inputs
    given.poses[1, 4] = np.nan
    assert np.isfinite(refine_poses(Refiner(), given)).all((1, 2)).tolist() == [True, False, True]


def test_a_mirrored_pose_swaps_sides(monkeypatch):
    monkeypatch.setattr(task, "NOISE", 0.0)
    rng = np.random.default_rng(0)
    poses = _pairs(1, 0).targets
    given = RefinerInput(poses, rng.normal(0, 0.01, (1, 17, 2)), rng.random((1, 17)))
    refiner_task = RefinerTask(*2 * [PosePairs(given, poses)])
    made = np.stack([refiner_task._sample(0, np.random.default_rng(i))[0] for i in range(20)])
    as_is, flipped = (np.isclose(made, one.values, atol=1e-6).all(1) for one in (given, given.mirrored()))
    np.testing.assert_array_equal(given.mirrored().poses, poses[:, MIRROR] * [-1, 1, 1])
    assert (as_is ^ flipped).all()
    assert as_is.any()
    assert flipped.any()


def test_noise_moves_the_pose_and_not_what_the_detector_saw():
    poses = _pairs(1, 0).targets
    given = RefinerInput(poses, np.zeros((1, 17, 2)), np.ones((1, 17)))
    moved = given.moved(np.random.default_rng(0).normal(size=poses.shape))
    assert (moved.poses != poses).all()
    np.testing.assert_allclose(moved.poses[..., :2] + moved.offsets, poses[..., :2])


def _refine(world, params, source: str) -> dict:
    folder = world.paths.refined(source)
    folder.mkdir(parents=True, exist_ok=True)
    refine_predictions(source, world.paths, world.detector, folder, PARAMS.model_copy(update={"epochs": 4}), params)
    return json.loads((folder / "figures.json").read_text())


def test_every_source_and_what_is_said_of_it(world, params):
    world.train(params)
    given = open_store(world.predictions, PREDICTIONS)
    before = given["S2"]
    for source in ("truth", "labels"):
        figures = _refine(world, params, source)
        [found] = figures.values()
        assert set(figures) == {f"refine_{source}"}
        assert set(found["before"]) == set(found["after"]) == {"n_mpjpe_mm", "pa_mpjpe_mm"}
        store = open_store(world.paths.refined(source) / "predictions.zarr", PREDICTIONS)
        # It can stand for what it improves.
        assert store.summary == given.summary.model_copy(update={"refined_by": source})
        after = store["S2"].person(0)
        # The root stays where it was; other joints move.
        np.testing.assert_allclose(after["joints_px"][:, :, 0], before["joints_px"][:, :, 0], atol=1e-3)
        assert (np.abs(after["joints_px"] - before["joints_px"]).max((0, 1, 3))[1:] > 0).all()


def test_poses_come_from_networks_that_do_not_know_the_subject(world, params, monkeypatch):
    seen = []

    class Spy(Volumetric):
        def predict(self, recording):
            seen.append((recording.subject, *self._params.validation_subjects))
            return super().predict(recording)

    monkeypatch.setitem(METHODS, "volumetric", Spy)
    world.train(params)
    for changes, expected in (
        ({}, [("S0", "S0"), ("S1", "S1")]),
        ({"validation_subjects": ["S1"]}, [("S1", "S1")]),
        ({"supervision": "subset", "subjects": ["S0"]}, [("S1",)]),
    ):
        seen.clear()
        _refine(world, params.model_copy(update=changes), "truth")
        assert sorted(seen) == expected


def test_one_subject_is_better_than_none(world, params, monkeypatch):
    world.train(params)
    monkeypatch.setattr(refine, "training_recordings", lambda *reported: training_recordings(*reported)[:1])
    assert _refine(world, params, "truth")["refine_truth"]["after"]["n_mpjpe_mm"] > 0


def test_labels_need_no_truth(world, params):
    world.train(params)
    (world.frames / "truth.zarr").rename(world.frames / "gone.zarr")
    assert _refine(world, params, "labels") == {"refine_labels": {}}


def test_poses_and_pixels_agree(world, params, monkeypatch):
    """A unit that changes nothing gives the predictions back."""
    world.train(params)
    monkeypatch.setattr(refine, "refine_poses", lambda unit, given: given.poses)
    _refine(world, params, "truth")
    given, kept = (
        open_store(path, PREDICTIONS)["S2"].person(0)
        for path in (world.predictions, world.paths.refined("truth") / "predictions.zarr")
    )
    for name in ("joints_px", "relative_depth"):
        np.testing.assert_allclose(kept[name], given[name], atol=1e-3)


def test_pelvises_without_a_label_teach_nothing(world, params):
    world.train(params)
    labels = reopen(world.labels, LABELS)
    joints = labels["S0"].person(0)["joints_cam_mm"]
    joints[1, :, 0] = np.nan
    labels["S0"].person(0).write(0, {"joints_cam_mm": joints})
    assert _refine(world, params, "labels")["refine_labels"]["after"]["n_mpjpe_mm"] > 0
