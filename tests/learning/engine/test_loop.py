"""The loop on a small regression: all that it promises, without images."""

import csv
import itertools
import os
import socket
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.multiprocessing as mp
from torch import nn

from pipeline.errors import UserError
from pipeline.learning.engine import loop
from pipeline.learning.engine.distributed import process_group
from pipeline.learning.engine.loader import batches
from pipeline.learning.images.losses import masked_smooth_l1
from pipeline.params.train import LoopParams

PARAMS = LoopParams(
    epochs=4, batch_size=8, lr=1e-2, warm_up=0.05, schedule="cosine", weight_decay=0.01, clip_grad_norm=5.0, ema=0.0,
    keep="last", patience=0, seed=3,
)  # fmt: skip


@dataclass
class Line:
    """Learn a linear map from noisy views of 40 points; validation errors are given."""

    errors: list[float] = field(default_factory=list)
    dies_at: int = -1
    poisoned: bool = False
    data_seed: int = 0

    def __len__(self) -> int:
        return 40

    def fingerprint(self) -> str:
        return f"points {self.data_seed}"

    def batches(self, orders, seed, *, first, shard):
        points = np.random.default_rng(self.data_seed).normal(size=(40, 6)).astype(np.float32)

        def sample(row, rng):
            x = points[row] + rng.normal(0, 0.1, 6).astype(np.float32)
            target = points[row, ::2].copy()
            target[row % 3] = np.nan  # unequal numbers of known coordinates in the shards of a batch
            return x, target

        for number, batch in enumerate(batches(sample, orders, seed, first=first, shard=shard), start=first):
            if number == self.dies_at:
                raise KeyboardInterrupt
            yield batch

    def loss(self, network, batch, done):
        x, target = (torch.from_numpy(values) for values in batch)
        loss = masked_smooth_l1(network(x), target)
        return loss * torch.nan if self.poisoned else loss

    def validation_error_mm(self, network):
        return self.errors.pop(0) if self.errors else 1.0


def _network(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 16, bias=False), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 3))


def _trained(folder: Path, task: Line, params: LoopParams = PARAMS, init_seed: int = 0) -> dict[str, torch.Tensor]:
    network = _network(init_seed)
    torch.manual_seed(0)  # of dropout
    loop.train(network, task, params, folder / "curve.csv")
    return network.state_dict()


def _rows(folder: Path) -> list[dict[str, float]]:
    return [{k: float(v) for k, v in row.items()} for row in csv.DictReader((folder / "curve.csv").open())]


def _same(a, b) -> bool:
    return all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize(("ema", "keep"), [(0.0, "last"), (0.9, "best")])
def test_a_killed_run_goes_on_as_if_it_had_not_been(tmp_path, monkeypatch, ema, keep):
    """Killed in the middle of an epoch, between two snapshots; dropout, averages and best weights included."""
    monkeypatch.setattr(loop, "STEPS_BETWEEN_SNAPSHOTS", 3)
    params = PARAMS.model_copy(update={"ema": ema, "keep": keep})
    errors = [4.0, 2.0, 3.0, 5.0]
    whole = _trained(tmp_path / "whole", Line(errors.copy()), params)
    with pytest.raises(KeyboardInterrupt):
        _trained(tmp_path / "killed", Line(errors[:2], dies_at=13), params)
    assert len(_rows(tmp_path / "killed")) == 2  # the curve is live
    resumed = _trained(tmp_path / "killed", Line(errors[2:]), params)
    assert _same(whole, resumed)
    assert (tmp_path / "whole/curve.csv").read_text() == (tmp_path / "killed/curve.csv").read_text()
    assert [path.name for path in (tmp_path / "killed").iterdir()] == ["curve.csv"]
    # The test can fail: another run is not the same.
    assert not _same(whole, _trained(tmp_path / "other", Line(), params.model_copy(update={"seed": 4})))


def test_a_snapshot_of_other_training_data_is_ignored(tmp_path, monkeypatch, caplog):
    """Killed, the labels made anew, run again: the training starts anew and says so."""
    monkeypatch.setattr(loop, "STEPS_BETWEEN_SNAPSHOTS", 3)
    with pytest.raises(KeyboardInterrupt):
        _trained(tmp_path / "killed", Line(dies_at=9))
    with caplog.at_level("WARNING", logger="epiline"):
        again = _trained(tmp_path / "killed", Line(data_seed=1))
    assert _same(again, _trained(tmp_path / "fresh", Line(data_seed=1)))
    assert "training data = 'points 0', now 'points 1'): starting anew" in caplog.text
    assert not _same(again, _trained(tmp_path / "other", Line()))


def test_a_snapshot_of_other_initial_weights_is_ignored(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(loop, "STEPS_BETWEEN_SNAPSHOTS", 3)
    with pytest.raises(KeyboardInterrupt):
        _trained(tmp_path / "killed", Line(dies_at=9))
    with caplog.at_level("WARNING", logger="epiline"):
        again = _trained(tmp_path / "killed", Line(), init_seed=1)
    assert _same(again, _trained(tmp_path / "fresh", Line(), init_seed=1))
    assert "(initial weights = " in caplog.text


def test_a_snapshot_of_other_code_or_parameters_is_ignored(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(loop, "STEPS_BETWEEN_SNAPSHOTS", 3)
    params = PARAMS.model_copy(update={"lr": 0.02})
    with pytest.raises(KeyboardInterrupt):
        _trained(tmp_path / "killed", Line(dies_at=9))
    monkeypatch.setattr(loop, "code_fingerprint", lambda *modules: "edited")
    with caplog.at_level("WARNING", logger="epiline"):
        again = _trained(tmp_path / "killed", Line(), params)
    assert _same(again, _trained(tmp_path / "fresh", Line(), params))
    assert "now 'edited'; lr = 0.01, now 0.02): starting anew" in caplog.text


def test_a_damaged_snapshot_is_refused(tmp_path):
    (tmp_path / "curve.resume").write_bytes(b"half a fi")
    with pytest.raises(UserError, match=r"curve\.resume cannot be read"):
        _trained(tmp_path, Line())


@pytest.mark.parametrize(("key", "value"), [("weight_decay", 10.0), ("clip_grad_norm", 1e-4), ("warm_up", 0.9)])
def test_every_parameter_of_the_optimiser_has_an_effect(tmp_path, key, value):
    plain = _trained(tmp_path / "a", Line())
    assert not _same(plain, _trained(tmp_path / "b", Line(), PARAMS.model_copy(update={key: value})))


def test_the_best_epoch_is_kept_and_the_run_stops_when_it_gets_no_better(tmp_path):
    params = PARAMS.model_copy(update={"keep": "best", "patience": 2, "epochs": 9})
    best = _trained(tmp_path / "a", Line([5.0, 1.0, 2.0, 3.0, 0.0]), params)
    assert len(_rows(tmp_path / "a")) == 4
    last = _trained(tmp_path / "b", Line([5.0, 1.0, 2.0, 3.0]), params.model_copy(update={"keep": "last"}))
    assert not _same(best, last)
    second = _trained(tmp_path / "c", Line([5.0, 1.0, 0.0, 2.0, 3.0]), params)
    assert not _same(best, second)


def test_a_validation_error_of_nan_is_never_the_best(tmp_path):
    """A first epoch of NaN: the second, whose error is a number, is better."""
    params = PARAMS.model_copy(update={"keep": "best", "epochs": 3})
    nan_first = _trained(tmp_path / "a", Line([np.nan, 1.0, 2.0]), params)
    assert _same(nan_first, _trained(tmp_path / "b", Line([9.0, 1.0, 2.0]), params))
    assert not _same(nan_first, _trained(tmp_path / "c", Line([1.0, 2.0, 3.0]), params))


def test_without_any_validation_error_the_last_weights_are_kept(tmp_path, caplog):
    params = PARAMS.model_copy(update={"keep": "best", "patience": 1})
    with caplog.at_level("WARNING", logger="epiline"):
        kept = _trained(tmp_path / "a", Line([np.nan] * 4), params)
    assert _same(kept, _trained(tmp_path / "b", Line()))
    assert "no epoch has a finite validation error" in caplog.text


def test_the_running_mean_of_the_weights_is_kept(tmp_path):
    """With a decay of nearly one it stays near the first step's weights; without one, the last count."""
    plain = _trained(tmp_path / "a", Line())
    slow = _trained(tmp_path / "b", Line(), PARAMS.model_copy(update={"ema": 0.999}))
    start = _network().state_dict()
    moved = [(weights["4.weight"] - start["4.weight"]).abs().mean() for weights in (plain, slow)]
    assert moved[1] < 0.3 * moved[0]


def test_a_child_learns_at_its_own_rate(tmp_path):
    """Adam's steps are as large as the learning rate, whatever the gradients."""
    start = _network().state_dict()
    moved = {}
    for multiplier in (1.0, 0.1):
        network = _network()
        loop.train(network, Line(), PARAMS, tmp_path / f"{multiplier}.csv", lr_multipliers={"0": multiplier})
        moved[multiplier] = {name: (w - start[name]).abs().mean() for name, w in network.named_parameters()}
    assert moved[0.1]["0.weight"] < 0.2 * moved[1.0]["0.weight"]
    assert 0.5 < moved[0.1]["4.weight"] / moved[1.0]["4.weight"] < 2


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path):
    with pytest.raises(UserError, match=r"The loss is nan within the first 5 steps\. Lower train\.lr"):
        _trained(tmp_path, Line(poisoned=True))


def _one_of_two(rank: int, folder: Path) -> None:
    os.environ.update(
        RANK=str(rank), WORLD_SIZE="2", MASTER_ADDR="localhost", MASTER_PORT=(folder / "port").read_text()
    )
    torch.set_num_threads(1)
    network = _network()
    network[3].p = 0.0
    with process_group():
        loop.train(network, Line(), PARAMS, folder / "curve.csv")
    torch.save(network.state_dict(), folder / f"{rank}.pt")


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("localhost", 0))
        return s.getsockname()[1]


def test_two_processes_train_as_one_with_the_same_batches(tmp_path):
    """Batch normalisation sees the whole batch, the loss is a mean over all of it, and both end with equal weights."""
    (tmp_path / "two").mkdir()
    (tmp_path / "two/port").write_text(str(_free_port()))
    mp.spawn(_one_of_two, (tmp_path / "two",), nprocs=2)
    alone = _network()
    alone[3].p = 0.0
    loop.train(alone, Line(), PARAMS, tmp_path / "one/curve.csv")
    ours = alone.state_dict()
    theirs = [torch.load(tmp_path / f"two/{rank}.pt") for rank in range(2)]
    assert _same(*theirs)
    for name in ours:
        torch.testing.assert_close(theirs[0][name], ours[name], atol=1e-5, rtol=1e-4)
    for one, two in itertools.zip_longest(_rows(tmp_path / "one"), _rows(tmp_path / "two")):
        assert one == pytest.approx(two, rel=1e-4)
