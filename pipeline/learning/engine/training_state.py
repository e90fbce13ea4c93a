"""The state of a training, saved to a file and restored from it, so that a killed training continues."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.files import atomic_write
from pipeline.learning.engine.checkpoints import read_checkpoint
from pipeline.learning.engine.curves import curve_file
from pipeline.learning.engine.device import generator_states, set_generator_states
from pipeline.learning.engine.distributed import rank_and_world_size

log = logging.getLogger("epiline")

COLUMNS = ("epoch", "train_loss", "val_n_mpjpe_mm", "lr")


class TrainingState:
    """Progress, curve and best weights of a training; restored from the snapshot beside the curve if there is one.

    `trained_on` names everything that the training depends on: parameters, data, initial weights, code. A snapshot
    that differs in any of these is ignored, and the log lists the differences. Raises UserError if the snapshot cannot
    be read.
    """

    def __init__(
        self, curve: Path, network: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer,
        trained_on: Mapping[str, Any],
    ) -> None:  # fmt: skip
        self.step = 0
        self.best: dict[str, Tensor] = {}  # empty until a validation error is finite
        self._curve, self._snapshot = curve, curve.with_suffix(".resume")
        self._modules: dict[str, Any] = {"network": network, "average": average, "optimizer": optimizer}
        self._trained_on = dict(trained_on)
        self._losses: list[Tensor] = []
        self._rows: list[dict[str, float]] = []
        if self._snapshot.exists():
            self._restore()

    @property
    def epochs_since_best(self) -> int:
        """Epochs since the one with the least validation error; 0 until a validation error is finite."""
        errors = [row["val_n_mpjpe_mm"] for row in self._rows]
        return len(errors) - 1 - int(np.nanargmin(errors)) if np.isfinite(errors).any() else 0

    def add_step(self, loss: Tensor) -> None:
        """Count a step and keep its loss."""
        self.step += 1
        self._losses.append(loss)

    def mean_loss(self) -> float:
        """The mean loss of the epoch's steps so far."""
        return float(torch.stack(self._losses).mean())

    def add_epoch(self, epoch: int, error_mm: float, lr: float, network: nn.Module) -> None:
        """Add a row to the curve and write it; keep the weights if their validation error is the least so far."""
        row = {"epoch": epoch, "train_loss": self.mean_loss(), "val_n_mpjpe_mm": error_mm, "lr": lr}
        self._rows.append(row)
        self._losses.clear()
        if np.isfinite(error_mm) and self.epochs_since_best == 0:
            self.best = {name: value.detach().clone() for name, value in network.state_dict().items()}
        self._write_curve()

    def snapshot(self) -> None:
        """Write everything that the next steps depend on."""
        if rank_and_world_size()[0] == 0:
            content = {
                "trained_on": self._trained_on, "step": self.step, "best": self.best, "rows": self._rows,
                "losses": self._losses, "generators": generator_states(),
                **{name: module.state_dict() for name, module in self._modules.items()},
            }  # fmt: skip
            with atomic_write(self._snapshot) as aside:
                torch.save(content, aside)

    def finish(self) -> None:
        """Remove the snapshot of a training that has ended."""
        if rank_and_world_size()[0] == 0:
            self._snapshot.unlink(missing_ok=True)

    def _restore(self) -> None:
        content = read_checkpoint(self._snapshot)
        theirs = content.get("trained_on", {}) if isinstance(content, dict) else {}
        if differences := _differences(theirs, self._trained_on):
            log.warning("train: %s is of another training (%s): starting anew", self._snapshot, "; ".join(differences))
            return
        for name, module in self._modules.items():
            module.load_state_dict(content[name])
        self.step, self.best, self._rows, self._losses = (content[k] for k in ("step", "best", "rows", "losses"))
        set_generator_states(content["generators"])
        log.info("train: continuing %s at step %d", self._snapshot, self.step)

    def _write_curve(self) -> None:
        if rank_and_world_size()[0] == 0:
            with curve_file(self._curve, COLUMNS) as curve:
                for row in self._rows:
                    curve.add(**row)


def _differences(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> list[str]:
    names = [name for name in sorted({*theirs, *ours}) if theirs.get(name) != ours.get(name)]
    return [f"{name} = {theirs.get(name)!r}, now {ours.get(name)!r}" for name in names]
