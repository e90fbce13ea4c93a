import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from pipeline.learning.engine.training_state import TrainingState
from tests.learning.engine.test_device import FakeCuda


def _state(folder: Path, **trained_on: str) -> TrainingState:
    network = nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(network.parameters())
    return TrainingState(folder / "curve.csv", network, copy.deepcopy(network), optimizer, trained_on)


def _epoch(state: TrainingState, error_mm: float) -> None:
    state.add_step(torch.tensor(1.0))
    state.add_epoch(state.step, error_mm, 0.1, nn.Linear(2, 2))


def test_a_snapshot_holds_the_step_and_the_rows(tmp_path):
    state = _state(tmp_path, data="a")
    _epoch(state, 5.0)
    state.snapshot()
    again = _state(tmp_path, data="a")
    assert again.step == 1
    assert again.best.keys() == state.best.keys()
    again.finish()
    assert _state(tmp_path, data="a").step == 0


@pytest.mark.parametrize("other", [{"data": "b"}, {}, {"data": "a", "more": "c"}])
def test_a_snapshot_of_another_training_is_ignored(tmp_path, other):
    state = _state(tmp_path, data="a")
    _epoch(state, 5.0)
    state.snapshot()
    assert _state(tmp_path, **other).step == 0


@pytest.mark.parametrize(
    ("errors", "since_best"), [([5, 4, 6], 1), ([np.nan, 4, 6], 1), ([5, np.nan], 1), ([np.nan, np.nan], 0)]
)
def test_epochs_since_the_best_are_counted_from_a_number(tmp_path, errors, since_best):
    state = _state(tmp_path)
    for error in errors:
        _epoch(state, error)
    assert state.epochs_since_best == since_best
    assert bool(state.best) == np.isfinite(errors).any()


def test_the_gpus_generator_belongs_to_the_snapshot(tmp_path, monkeypatch):
    gpu = FakeCuda(monkeypatch)
    state = _state(tmp_path)
    state.snapshot()
    gpu.state = torch.tensor([9], dtype=torch.uint8)
    _state(tmp_path)
    assert gpu.state.tolist() == [7]
