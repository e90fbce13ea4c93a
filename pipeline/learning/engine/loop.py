"""The training loop of all 3D networks."""

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
    """The task of a training: batches, loss and validation error."""

    def __len__(self) -> int:
        """Number of training samples."""

    def fingerprint(self) -> str:
        """A hash of all inputs of the batches and of the validation error."""

    def batches(
        self, orders: Iterable[np.ndarray], seed: tuple[int, ...], *, first: int, shard: tuple[int, int]
    ) -> Iterator[Any]:
        """A batch for every array of sample indices; the first batch has the number `first`.

        All random values of a batch depend only on the seed, the number of the batch and its indices. `shard` is (rank,
        world size): the batch holds the samples at positions rank, rank + world size, ...
        """

    def loss(self, network: nn.Module, batch: Any, done: float) -> Tensor:
        """The network's loss on a batch; `done` is the completed share of the training."""

    def validation_error_mm(self, network: nn.Module) -> float:
        """The N-MPJPE on the validation samples; NaN if there are none."""


def train(
    network: nn.Module, task: TrainingTask, params: LoopParams, curve: Path, *,
    lr_multipliers: Mapping[str, float] = UNIFORM_LR,
) -> None:  # fmt: skip
    """Train a network and write a row of the curve for every epoch; at the end the network has the weights to keep.

    These are the last weights or the ones with the least validation error (`params.keep`), averaged with `params.ema`.
    `lr_multipliers` scales the learning rates of the named children of the network. A killed training continues from
    its last snapshot, in the folder of the curve, with the same result as without the interruption; a snapshot of
    another training is ignored. Bit-reproducible for a seed on one machine's CPU with the same number of threads, on a
    GPU up to rounding. Raises UserError if the loss is not finite.
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
    """All inputs that determine the result of a training, as plain values and hashes."""
    return {
        **params.model_dump(), "lr_multipliers": dict(lr_multipliers), "device": choose_device().type,
        "training data": task.fingerprint(), "initial weights": fingerprint(network.state_dict()),
        "code": code_fingerprint(__name__, type(network).__module__, type(task).__module__),
    }  # fmt: skip


def _ema(decay: float) -> Any:
    return get_ema_multi_avg_fn(decay)


def _check_finite(loss: float, step: int) -> None:
    if not np.isfinite(loss):
        fix = "Lower train.lr; if that does not help, look for very large boxes or labels in the report."
        raise UserError(f"The loss is {loss} within the first {step} steps", fix=fix)


def _kept_weights(state: TrainingState, evaluated: nn.Module, params: LoopParams) -> dict[str, Tensor]:
    if params.keep == "best" and state.best:
        return state.best
    if params.keep == "best":
        log.warning("train: no epoch has a finite validation error, so keep: best keeps the last weights")
    return evaluated.state_dict()
