"""A training run that can go on after a kill: all that its next steps depend on, in one file."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pipeline.errors import UserError
from pipeline.files import atomic_write
from pipeline.learning.engine.checkpoints import read_checkpoint
from pipeline.learning.engine.curves import curve_file
from pipeline.learning.engine.distributed import rank_and_world_size

COLUMNS = ("epoch", "train_loss", "val_n_mpjpe_mm", "lr")


class TrainingState:
    """The state of a training run: how far it is, its curve, its best weights; begun anew or taken up from its note.

    Raises UserError where the note is of a run with other parameters, samples or weights; the message says both.
    """

    def __init__(
        self, curve: Path, network: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer,
        metadata: dict[str, Any],
    ) -> None:  # fmt: skip
        self.step = 0
        self.best: dict[str, Tensor] = {}
        self._curve, self._note = curve, curve.with_suffix(".resume")
        self._parts: dict[str, Any] = {"network": network, "average": average, "optimizer": optimizer}
        self._about = metadata
        self._losses: list[Tensor] = []
        self._rows: list[dict[str, float]] = []
        if self._note.exists():
            self._restore()

    @property
    def epochs_since_best(self) -> int:
        """Epochs done since the one with the least held-out error."""
        errors = [row["val_n_mpjpe_mm"] for row in self._rows]
        return len(errors) - 1 - errors.index(min(errors))

    def add_step(self, loss: Tensor) -> None:
        """Count a step and keep its loss."""
        self.step += 1
        self._losses.append(loss)

    def mean_loss(self) -> float:
        """The mean loss of the epoch's steps so far."""
        return float(torch.stack(self._losses).mean())

    def add_epoch(self, epoch: int, error_mm: float, lr: float, network: nn.Module) -> None:
        """Add a row to the curve and write it; keep the weights if none were better."""
        row = {"epoch": epoch, "train_loss": self.mean_loss(), "val_n_mpjpe_mm": error_mm, "lr": lr}
        self._rows.append(row)
        self._losses.clear()
        if self.epochs_since_best == 0:
            self.best = {name: value.detach().clone() for name, value in network.state_dict().items()}
        self._write_curve()

    def snapshot(self) -> None:
        """Write down all that the next steps depend on."""
        if rank_and_world_size()[0] == 0:
            content = {
                "about": self._about, "step": self.step, "best": self.best, "rows": self._rows,
                "losses": self._losses, "random": torch.get_rng_state(),
                **{name: part.state_dict() for name, part in self._parts.items()},
            }  # fmt: skip
            with atomic_write(self._note) as aside:
                torch.save(content, aside)

    def finish(self) -> None:
        """The run is over and needs no note."""
        if rank_and_world_size()[0] == 0:
            self._note.unlink(missing_ok=True)

    def _restore(self) -> None:
        content = read_checkpoint(self._note)
        there = content.get("about", {}) if isinstance(content, dict) else {}
        names = sorted({*there, *self._about})
        other = [
            f"{n} = {there.get(n)!r}, now {self._about.get(n)!r}" for n in names if there.get(n) != self._about.get(n)
        ]
        if other:
            fix = f"Set them back to go on with it, or delete {self._note} to begin anew."
            raise UserError(f"{self._note} is of an unfinished run with {'; '.join(other)}", fix=fix)
        for name, part in self._parts.items():
            part.load_state_dict(content[name])
        self.step, self.best, self._rows, self._losses = (content[k] for k in ("step", "best", "rows", "losses"))
        torch.set_rng_state(content["random"])

    def _write_curve(self) -> None:
        if rank_and_world_size()[0] == 0:
            with curve_file(self._curve, COLUMNS) as curve:
                for row in self._rows:
                    curve.add(**row)
