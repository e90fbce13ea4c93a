"""The training loop of every 3D network, read from top to bottom."""

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
from pipeline.learning.engine.loader import shuffled
from pipeline.learning.engine.schedule import learning_rate
from pipeline.learning.engine.training_state import TrainingState
from pipeline.params.train import LoopParams
from pipeline.progress import progress

LARGEST_GRADIENT = 5.0
WEIGHT_DECAY = 0.01
# Steps between two notes of the state of a run, from which it goes on after a kill.
STEPS_BETWEEN_NOTES = 500
UNIFORM_LR: Mapping[str, float] = MappingProxyType({})


@runtime_checkable
class TrainingTask(Protocol):
    """What a network is taught: its samples, what it is shown of them, and what counts as an error."""

    def __len__(self) -> int:
        """Number of training samples."""

    def batches(
        self, orders: Iterable[np.ndarray], seed: tuple[int, ...], *, first: int, part: tuple[int, int]
    ) -> Iterator[Any]:
        """A batch for every order of samples; the first has the number `first`.

        All that is random in a batch follows from the seed, its number and its order. Of the batch's samples, `part`
        (i, n) asks for the i-th, (i + n)-th, ...
        """

    def loss(self, network: nn.Module, batch: Any, done: float) -> Tensor:
        """The network's mean error on a batch, to be made small; `done` is the share of the run that is over."""

    def validation_error_mm(self, network: nn.Module) -> float:
        """The N-MPJPE on samples that are not trained on."""


def train(
    network: nn.Module, task: TrainingTask, params: LoopParams, curve: Path, *,
    lr_multipliers: Mapping[str, float] = UNIFORM_LR, **metadata: Any,
) -> None:  # fmt: skip
    """Train a network, with a row of the curve for every epoch; in the end it holds the weights to keep.

    Those are the last ones or the best on the held-out samples (`params.keep`), averaged with `params.ema`. Modules
    that `paces` names learn at that share of the learning rate. A killed run goes on from its last note, beside the
    curve, as if it had not been killed; `about` is what the two must agree in besides the parameters. Bit-reproducible
    for a seed on one machine's CPU with the same number of threads, on a GPU up to rounding. Raises UserError where
    the loss is not finite, or the note is of another run.
    """
    learner = wrap_ddp(to_device(network, choose_device()))
    optimizer = torch.optim.AdamW(_groups(network, lr_multipliers), params.lr, weight_decay=WEIGHT_DECAY, fused=True)
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(params.ema), use_buffers=True)
    judged = average.module if params.ema else network
    steps_per_epoch = max(1, len(task) // params.batch_size)
    n_steps = steps_per_epoch * params.epochs
    run = TrainingState(curve, network, average, optimizer, {**params.model_dump(), "samples": len(task), **metadata})
    orders = shuffled(np.arange(len(task)), params.batch_size, n_steps, (params.seed,))
    data = task.batches(islice(orders, run.step, None), (params.seed, 1), first=run.step, part=rank_and_world_size())
    network.train()
    for batch in progress(data, "train", total=n_steps - run.step, unit="step"):
        lr = learning_rate(params.lr, run.step, n_steps, params.schedule)
        for group in optimizer.param_groups:
            group["lr"] = lr * group["pace"]
        loss = task.loss(learner, batch, run.step / n_steps)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
        optimizer.step()
        if params.ema:
            average.update_parameters(network)
        run.add_step(mean_over_processes(loss))
        if run.step % steps_per_epoch == 0:
            _check_finite(run.mean_loss(), run.step)
            run.add_epoch(run.step // steps_per_epoch, task.validation_error_mm(judged), lr, judged)
            network.train()
            if params.patience and run.epochs_since_best >= params.patience:
                break
        if run.step % STEPS_BETWEEN_NOTES == 0:
            run.snapshot()
    network.load_state_dict(run.best if params.keep == "best" else judged.state_dict())
    network.eval()
    run.finish()


def _groups(network: nn.Module, lr_multipliers: Mapping[str, float]) -> list[dict[str, Any]]:
    """The network's weights by the pace of the module they are of."""
    groups: dict[float, list[nn.Parameter]] = {}
    for name, weight in network.named_parameters():
        groups.setdefault(lr_multipliers.get(name.split(".")[0], 1.0), []).append(weight)
    return [{"params": weights, "pace": pace} for pace, weights in groups.items()]


def _check_finite(loss: float, step: int) -> None:
    if not np.isfinite(loss):
        fix = "Lower train.lr; if it comes back, look for boxes or labels of enormous size in the report."
        raise UserError(f"The loss is {loss} within the {step} steps done", fix=fix)
