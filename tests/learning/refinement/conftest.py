"""Pairs of estimated and true poses, and the refinement of the stick figures' world by a small unit."""

import json

import numpy as np
import pytest

from pipeline.learning.refinement import refiner
from pipeline.learning.refinement.refine import refine_predictions
from pipeline.learning.refinement.refiner import RefinerInput
from pipeline.learning.refinement.task import PosePairs
from pipeline.params.refine import RefineParams
from tests.world.people import stick_figures

PARAMS = RefineParams(
    sources=[], epochs=30, batch_size=16, lr=1e-3, warm_up=0.05, schedule="cosine", weight_decay=0.01,
    clip_grad_norm=5.0, ema=0.0, keep="last", patience=0, seed=0,
)  # fmt: skip


@pytest.fixture(autouse=True)
def _narrow(monkeypatch):
    monkeypatch.setattr(refiner, "WIDTH", 64)
    monkeypatch.setattr(refiner, "DROPOUT", 0.1)


def pairs(n: int, seed: int) -> PosePairs:
    """Predictions in which all depths are twice what they should be, and the size is anything; no detections."""
    rng = np.random.default_rng(seed)
    poses = stick_figures(rng, n)
    poses -= poses[:, :1]
    poses *= rng.uniform(1e-4, 1, (n, 1, 1))
    return PosePairs(undetected(poses * [1, 1, 2.0]), poses)


def undetected(poses: np.ndarray) -> RefinerInput:
    return RefinerInput(poses, np.full((*poses.shape[:-1], 2), np.nan), np.full(poses.shape[:-1], np.nan))


def refine_world(world, params, source: str) -> dict:
    paths, few_epochs = world.paths, PARAMS.model_copy(update={"epochs": 4})
    folder = paths.refined(source)
    folder.mkdir(parents=True, exist_ok=True)
    refine_predictions(source, paths, paths.detector, folder, few_epochs, params)
    return json.loads((folder / "figures.json").read_text())
