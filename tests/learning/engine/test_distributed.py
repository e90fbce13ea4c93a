"""Several processes train the volumetric network as one would."""

import csv
import os
import socket
from pathlib import Path

import pytest
import torch
import torch.multiprocessing as mp

from pipeline.learning.images import crop_cache as crop_cache
from pipeline.learning.images import predict
from pipeline.params.train import TrainParams
from tests.learning.conftest import ArrayFrames, World


def _one_of_two(rank: int, world: World, params: TrainParams, port: int) -> None:
    os.environ.update(RANK=str(rank), WORLD_SIZE="2", MASTER_ADDR="localhost", MASTER_PORT=str(port))
    torch.set_num_threads(1)
    for module in (crop_cache, predict):
        module.PackedFrames = ArrayFrames
    world.train(params)


def _rows(path: Path) -> list[dict[str, float]]:
    return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(path.open())]


def test_two_processes_have_the_loss_curve_of_one(world, params):
    """The same batches and crops, through the whole stage; `test_loop` holds that the weights are the same too."""
    params = params.model_copy(update={"lr": 1e-4})
    world.train(params)
    alone = _rows(world.curve)
    with socket.socket() as s:
        s.bind(("localhost", 0))
        port = s.getsockname()[1]
    mp.spawn(_one_of_two, (world, params, port), nprocs=2)
    for one, two in zip(alone, _rows(world.curve), strict=True):
        assert two["train_loss"] == pytest.approx(one["train_loss"], rel=1e-4)
