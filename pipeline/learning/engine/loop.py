"""The training loop of every 3D network, read from top to bottom."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from pipeline.errors import UserError
from pipeline.learning.engine.device import choose_device, to_device
from pipeline.learning.engine.distributed import mean_over_processes, rank_and_world_size, wrap_ddp
from pipeline.learning.engine.fingerprint import code_fingerprint, fingerprint
from pipeline.learning.engine.loader import shuffled
from pipeline.learning.engine.optimizer import clip_gradients, parameter_groups, set_learning_rate
from pipeline.learning.engine.schedule import learning_rate
from pipeline.learning.engine.training_state import TrainingState
from pipeline.params.train import LoopParams
from pipeline.progress import progress

log = logging.getLogger("epiline")

STEPS_BETWEEN_SNAPSHOTS = 500
UNIFORM_LR: Mapping[str, float] = MappingProxyType({})


@runtime_checkable
class TrainingTask(Protocol):
    """What a network is trained for: batches, loss and validation error."""

    def __len__(self) -> int:
        """Number of training samples."""

    def fingerprint(self) -> str:
        """A hash of all that batches and validation error are made from."""

    def batches(
        self, orders: Iterable[np.ndarray], seed: tuple[int, ...], *, first: int, shard: tuple[int, int]
    ) -> Iterator[Any]:
        """A batch for every array of sample indices; the first batch has the number `first`.

        All that is random in a batch follows from the seed, its number and its indices. `shard` is (rank, world size):
        the batch holds the samples at positions rank, rank + world size, ...
        """

    def loss(self, network: nn.Module, batch: Any, done: float) -> Tensor:
        """The network's loss on a batch; `done` is the share of the training that is over."""

    def validation_error_mm(self, network: nn.Module) -> float:
        """The N-MPJPE on the validation samples; NaN where there are none."""


def train(
    network: nn.Module, task: TrainingTask, params: LoopParams, curve: Path, *,
    lr_multipliers: Mapping[str, float] = UNIFORM_LR,
) -> None:  # fmt: skip
    """Train a network and write a row of the curve for every epoch; in the end the network holds the weights to keep.

    Those are the last ones or those with the least validation error (`params.keep`), averaged with `params.ema`.
    `lr_multipliers` scales the learning rate of the network's children that it names. A killed training continues from
    its last snapshot, beside the curve, and gives the result it would have given; a snapshot of another training is
    ignored. Bit-reproducible for a seed on one machine's CPU with the same number of threads, on a GPU up to rounding.
    Raises UserError where the loss is not finite.
    """
    trained_on = _trained_on(network, task, params, lr_multipliers)
    learner = wrap_ddp(to_device(network, choose_device()))
    groups = parameter_groups(network, lr_multipliers)
    optimizer = torch.optim.AdamW(groups, params.lr, weight_decay=params.weight_decay, fused=True)
    average = AveragedModel(network, multi_avg_fn=_ema(params.ema), use_buffers=True)
    evaluated = average.module if params.ema else network
    steps_per_epoch = max(1, len(task) // params.batch_size)
    n_steps = steps_per_epoch * params.epochs
    state = TrainingState(curve, network, average, optimizer, trained_on)
    orders = islice(shuffled(np.arange(len(task)), params.batch_size, n_steps, (params.seed,)), state.step, None)
    data = task.batches(orders, (params.seed, 1), first=state.step, shard=rank_and_world_size())
    network.train()
    for batch in progress(data, "train", total=n_steps - state.step, unit="step"):
        lr = learning_rate(params.lr, state.step, n_steps, warm_up=params.warm_up, schedule=params.schedule)
        set_learning_rate(optimizer, lr)
        loss = task.loss(learner, batch, state.step / n_steps)
        optimizer.zero_grad()
        loss.backward()
        clip_gradients(network.parameters(), params.clip_grad_norm)
        optimizer.step()
        if params.ema:
            average.update_parameters(network)
        state.add_step(mean_over_processes(loss))
        if state.step % steps_per_epoch == 0:
            _check_finite(state.mean_loss(), state.step)
            state.add_epoch(state.step // steps_per_epoch, task.validation_error_mm(evaluated), lr, evaluated)
            network.train()
            if params.patience and state.epochs_since_best >= params.patience:
                break
        if state.step % STEPS_BETWEEN_SNAPSHOTS == 0:
            state.snapshot()
    network.load_state_dict(_kept_weights(state, evaluated, params))
    network.eval()
    state.finish()


def _trained_on(
    network: nn.Module, task: TrainingTask, params: LoopParams, lr_multipliers: Mapping[str, float]
) -> dict[str, Any]:
    """All that the result of a training depends on, as plain values and hashes."""
    return {
        **params.model_dump(), "lr_multipliers": dict(lr_multipliers), "device": choose_device().type,
        "training data": task.fingerprint(), "initial weights": fingerprint(network.state_dict()),
        "code": code_fingerprint(__name__, type(network).__module__, type(task).__module__),
    }  # fmt: skip


def _ema(decay: float) -> Any:
    return get_ema_multi_avg_fn(decay)


def _check_finite(loss: float, step: int) -> None:
    if not np.isfinite(loss):
        fix = "Lower train.lr; if it comes back, look for boxes or labels of enormous size in the report."
        raise UserError(f"The loss is {loss} within the {step} steps done", fix=fix)


def _kept_weights(state: TrainingState, evaluated: nn.Module, params: LoopParams) -> dict[str, Tensor]:
    if params.keep == "best" and state.best:
        return state.best
    if params.keep == "best":
        log.warning("train: no epoch has a finite validation error, so keep: best keeps the last weights")
    return evaluated.state_dict()
