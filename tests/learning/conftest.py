"""Parameters of small networks, and a world of stick figures to train them on."""

from typing import Any

import pytest
import torch

from pipeline.learning.images import crop_cache, predict
from pipeline.params.train import AugmentParams, LiftingLossParams, LiftingParams, TrainParams
from tests.world.frames import ArrayFrames
from tests.world.training import TrainingWorld, write_training_world


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch):
    torch.set_num_threads(1)
    for module in (crop_cache, predict):
        monkeypatch.setattr(module, "PackedFrames", ArrayFrames)
    ArrayFrames.opened.clear()


def lifting_params(**changes: Any) -> LiftingParams:
    """A small lifting network that learns from labels, but for the changes."""
    losses = LiftingLossParams(labels=1.0, reprojection=0.0, transform=0.0, consistency=0.0)
    values = dict(
        backbone="martinez2017", frames=1, width=64, dropout=0.1, losses=losses, squared=False, confidence="target",
        root="least_squares", root_relative=False, pretrain_epochs=0, virtual_views=0, freeze_after=1.0,
    )  # fmt: skip
    return LiftingParams(**{**values, **changes})


@pytest.fixture
def params() -> TrainParams:
    return TrainParams(
        model="volumetric", lifting=lifting_params(), supervision="self",
        subjects=["S0"], validation_subjects=[], weighting="none",
        init="weights", weights="models/detector.pt", backbone_lr=1.0, backbone="slim", width=8,
        input_px=64, depth_bins=16, crop="box",
        augment=AugmentParams(
            rotation_deg=15.0, scale=1.15, occlusion_prob=0.15, occluders="drawn", occluder_folder="",
        ),
        epochs=2, batch_size=4, lr=1e-3, warm_up=0.05, schedule="cosine", weight_decay=0.01, clip_grad_norm=5.0,
        ema=0.0, keep="last", patience=0, flip_test=True, seed=0,
    )  # fmt: skip


@pytest.fixture
def world(tmp_path) -> TrainingWorld:
    """Two training recordings and a test one, of two views and a third kept for evaluation; exact labels."""
    return write_training_world(tmp_path)
