import json

import numpy as np
import pytest
import torch

from pipeline.learning import loop, refine, refiner
from pipeline.learning.refine import refine_predictions
from pipeline.learning.refiner import PosePairs, Refiner, RefinerLesson, refined, z_scored
from pipeline.params import RefineParams
from pipeline.skeleton import MIRROR
from pipeline.stores import LABELS, PREDICTIONS, reading, reopen
from tests.learning.conftest import random_poses

PARAMS = RefineParams(
    sources=[], epochs=30, batch_size=16, lr=1e-3, schedule="cosine", ema=0.0, keep="last", patience=0, seed=0
)  # fmt: skip


@pytest.fixture(autouse=True)
def _narrow(monkeypatch):
    monkeypatch.setattr(refiner, "WIDTH", 64)
    monkeypatch.setattr(refiner, "DROPOUT", 0.1)


def _pairs(n: int, seed: int) -> PosePairs:
    """Predictions in which all depths are twice what they should be, and the size is anything."""
    rng = np.random.default_rng(seed)
    poses = random_poses(rng, n)
    poses -= poses[:, :1]
    poses *= rng.uniform(1e-4, 1, (n, 1, 1))
    return PosePairs(poses * [1, 1, 2.0], poses)


def test_it_learns_what_a_network_gets_wrong_at_any_scale(tmp_path):
    trained, test = _pairs(400, 0), _pairs(100, 1)
    torch.manual_seed(0)
    unit = Refiner()
    z_scored(unit, trained.predicted)
    lesson = RefinerLesson(trained, test)
    before = float(np.mean(np.linalg.norm(test.predicted - test.wanted, axis=(1, 2)) / np.linalg.norm(test.wanted)))
    error_mm = lesson.held_out_error_mm(unit)
    loop.train(unit, lesson, PARAMS, tmp_path / "refine.csv")
    found = refined(unit, test.predicted)
    after = float(np.mean(np.linalg.norm(found - test.wanted, axis=(1, 2)) / np.linalg.norm(test.wanted)))
    assert after < 0.5 * before
    assert lesson.held_out_error_mm(unit) < 0.6 * error_mm
    np.testing.assert_allclose(refined(unit, 1000 * test.predicted), 1000 * found, rtol=1e-3, atol=1e-3)
    assert (found[:, 0] == 0).all()


def test_missing_poses_stay_missing():
    unit, poses = Refiner(), _pairs(3, 0).predicted
    poses[1, 4] = np.nan
    assert np.isfinite(refined(unit, poses)).all((1, 2)).tolist() == [True, False, True]


def test_a_mirrored_pose_swaps_sides():
    pairs = _pairs(1, 0)
    lesson = RefinerLesson(pairs, pairs)
    made = np.concatenate([lesson._sample(0, np.random.default_rng(i))[0][None] for i in range(20)]).reshape(20, 17, 3)
    straight = pairs.predicted[0] / np.linalg.norm(pairs.predicted[0])
    mirrored = straight[MIRROR] * [-1, 1, 1]
    as_is = np.isclose(made, straight, atol=1e-6).all((1, 2))
    flipped = np.isclose(made, mirrored, atol=1e-6).all((1, 2))
    assert (as_is ^ flipped).all()
    assert as_is.any()
    assert flipped.any()


def _refine(world, params, source: str) -> dict:
    figures = world.out / "refine.json"
    refine_predictions(
        source, world.sources, world.poses2d, world.detector, world.model, world.predictions, world.out / "refiner.pt",
        world.out / "refined.zarr", figures, world.out / "refine.csv",
        PARAMS.model_copy(update={"epochs": 4}), params,
    )  # fmt: skip
    return json.loads(figures.read_text())


def test_every_source_and_what_is_said_of_it(world, params):
    world.train(params)
    before = reading(world.predictions, PREDICTIONS)["S2"]
    for source in ("truth", "labels"):
        figures = _refine(world, params, source)
        assert figures["source"] == source
        assert set(figures["before"]) == set(figures["after"]) == {"n_mpjpe_mm", "pa_mpjpe_mm"}
        after = reading(world.out / "refined.zarr", PREDICTIONS)["S2"]
        # The root stays where it was; other joints move.
        np.testing.assert_allclose(after["joints_px"][:, :, 0], before["joints_px"][:, :, 0], atol=1e-3)
        assert (np.abs(after["joints_px"] - before["joints_px"]).max((0, 1, 3))[1:] > 0).all()


def test_labels_need_no_truth(world, params):
    world.train(params)
    (world.frames / "truth.zarr").rename(world.frames / "gone.zarr")
    assert _refine(world, params, "labels") == {"source": "labels"}


def test_poses_and_pixels_agree(world, params, monkeypatch):
    """A unit that changes nothing gives the predictions back."""
    world.train(params)
    monkeypatch.setattr(refine, "refined", lambda unit, poses: poses)
    _refine(world, params, "truth")
    given, kept = (reading(path, PREDICTIONS)["S2"] for path in (world.predictions, world.out / "refined.zarr"))
    for name in ("joints_px", "relative_depth"):
        np.testing.assert_allclose(kept[name], given[name], atol=1e-3)


def test_pelvises_without_a_label_teach_nothing(world, params):
    world.train(params)
    labels = reopen(world.labels, LABELS)
    joints = labels["S0"]["joints_cam_mm"]
    joints[1, :, 0] = np.nan
    labels["S0"].write(0, {"joints_cam_mm": joints})
    assert _refine(world, params, "labels")["source"] == "labels"
