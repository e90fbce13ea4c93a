"""Several processes train as one would with the same batches."""

import csv
import os
import socket
from pathlib import Path

import pytest
import torch
import torch.multiprocessing as mp
from torch import nn

from pipeline.learning.engine.distributed import process_group, wrap_ddp
from pipeline.learning.images import crop_cache, predict
from pipeline.params.train import TrainParams
from tests.learning.conftest import lifting_params
from tests.world.frames import ArrayFrames
from tests.world.training import TrainingWorld


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("localhost", 0))
        return s.getsockname()[1]


def _join(rank: int, port: int) -> None:
    os.environ.update(RANK=str(rank), WORLD_SIZE="2", MASTER_ADDR="localhost", MASTER_PORT=str(port))
    torch.set_num_threads(1)


def _train(rank: int, world: TrainingWorld, params: TrainParams, port: int) -> None:
    _join(rank, port)
    for module in (crop_cache, predict):
        module.PackedFrames = ArrayFrames
    world.train(params)


def _rows(path: Path) -> list[dict[str, float]]:
    return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(path.open())]


def test_two_processes_have_the_loss_curve_of_one(world, params):
    """The same batches and crops, through the whole stage; `test_loop` tests that the weights are the same too."""
    params = params.model_copy(update={"lr": 1e-4})
    world.train(params)
    alone = _rows(world.paths.curve("train"))
    mp.spawn(_train, (world, params, _free_port()), nprocs=2)
    for one, two in zip(alone, _rows(world.paths.curve("train")), strict=True):
        assert two["train_loss"] == pytest.approx(one["train_loss"], rel=1e-4)


def test_a_root_branch_that_no_loss_uses_does_not_stop_two_processes(world, params):
    """DistributedDataParallel fails in the second step where a weight has no gradient."""
    lifting = lifting_params(root="ray", dropout=0.0)
    params = params.model_copy(update={"model": "lifting", "lifting": lifting, "lr": 1e-4})
    mp.spawn(_train, (world, params, _free_port()), nprocs=2)
    assert len(_rows(world.paths.curve("train"))) == params.epochs


def _norm1d() -> nn.Module:
    return nn.BatchNorm1d(3)


def _norm2d() -> nn.Module:
    return nn.BatchNorm2d(3)


# The layer, the shape of the batch, and the mean and standard deviation of its values.
NORMS = {
    f"{make.__name__}, mean {mean}": (make, shape, mean, std)
    for make, shape in ((_norm1d, (16, 3)), (_norm2d, (6, 3, 4, 5)))
    for mean, std in ((0.0, 1.0), (100.0, 0.01))
}


def _batch(case: str) -> torch.Tensor:
    _, shape, mean, std = NORMS[case]
    return mean + std * torch.randn(shape, generator=torch.manual_seed(0))


def _backward(y: torch.Tensor) -> None:
    (y * torch.arange(3).view(1, -1, *[1] * (y.ndim - 2))).square().sum().backward()


def _normalise(rank: int, port: int, folder: Path) -> None:
    _join(rank, port)
    found = {}
    with process_group():
        for case, (make, *_) in NORMS.items():
            network = nn.Sequential(make())
            own = _batch(case)[rank::2].clone().requires_grad_()
            y = wrap_ddp(network)(own)
            _backward(y)
            found[case] = {"y": y.detach(), "gradient": own.grad, "network": network.state_dict()}
    torch.save(found, folder / f"{rank}.pt")


@pytest.fixture(scope="module")
def normalised(tmp_path_factory):
    """What each of two processes found, by case. One start of the processes serves all cases."""
    folder = tmp_path_factory.mktemp("normalised")
    mp.spawn(_normalise, (_free_port(), folder), nprocs=2)
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


@pytest.mark.parametrize("case", NORMS)
def test_batch_statistics_are_those_of_the_whole_batch(normalised, case):
    """Also of values whose spread is a ten thousandth of their mean."""
    make, _, mean, std = NORMS[case]
    alone, x = make(), _batch(case).requires_grad_()
    y = alone(x)
    _backward(y)
    for rank in range(2):
        found = normalised[rank][case]
        torch.testing.assert_close(found["y"], y[rank::2].detach(), atol=5e-3 if mean else 1e-5, rtol=1e-3)
        torch.testing.assert_close(found["gradient"] * std, x.grad[rank::2] * std, atol=2e-2, rtol=1e-2)
        statistics = {name.removeprefix("0."): value for name, value in found["network"].items()}
        for name, value in alone.state_dict().items():
            torch.testing.assert_close(statistics[name], value, atol=1e-6, rtol=1e-4)


def test_on_a_gpu_torchs_own_batch_norm_is_used(monkeypatch):
    """A stand-in for a network on a GPU: its modules are torch's SyncBatchNorm, its weights keep their names."""
    network = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    names = list(network.state_dict())
    monkeypatch.setattr("torch.distributed.is_initialized", lambda: True)
    monkeypatch.setattr(nn.Parameter, "is_cuda", True, raising=False)
    monkeypatch.setattr("pipeline.learning.engine.distributed.DistributedDataParallel", lambda module: module)
    wrapped = wrap_ddp(network)
    assert isinstance(network[1], nn.SyncBatchNorm)
    assert list(wrapped.state_dict()) == names
