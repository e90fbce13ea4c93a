"""The training task of the refinement unit: estimated poses and their targets."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from pipeline.learning.engine.device import choose_device
from pipeline.learning.engine.distributed import mean_over_processes
from pipeline.learning.engine.fingerprint import fingerprint
from pipeline.learning.engine.loader import batches
from pipeline.learning.refinement.refiner import N_OUTPUTS, RefinerInput, refine_poses
from pipeline.metrics import n_mpjpe
from pipeline.skeleton import MIRROR, ROOT

# Standard deviation of the noise added to training poses, as a share of their size; depths are twice as uncertain.
NOISE = 0.01 * np.array([1.0, 1.0, 2.0])
# Poses are divided by the root's depth; the validation error is computed for people at this distance.
NOMINAL_DEPTH_MM = 4000


@dataclass(frozen=True)
class PosePairs:
    """N estimated poses and their targets, root-relative, divided by the root's depth."""

    inputs: RefinerInput
    targets: Float[np.ndarray, "pose 17 3"]  # NaN where unknown

    def __getitem__(self, rows: np.ndarray) -> "PosePairs":
        return PosePairs(self.inputs[rows], self.targets[rows])


def concatenate(pairs: Sequence[PosePairs]) -> PosePairs:
    """All pairs, one after the other."""
    parts = [(*vars(one.inputs).values(), one.targets) for one in pairs]
    poses, offsets, confidence, targets = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return PosePairs(RefinerInput(poses, offsets, confidence), targets)


class RefinerTask:
    """Trains on poses with added noise, mirrored at random, and on their targets at the same scale."""

    def __init__(self, training: PosePairs, validation: PosePairs) -> None:
        self._training, self._validation = training, validation

    def __len__(self) -> int:
        return len(self._training.targets)

    def fingerprint(self) -> str:
        """A hash of all inputs of the batches and of the validation error."""
        return fingerprint(self._training, self._validation)

    def batches(
        self, orders: Iterable[np.ndarray], seed: tuple[int, ...], *, first: int, shard: tuple[int, int]
    ) -> Iterator[tuple[np.ndarray, ...]]:
        """Inputs (B, N_INPUTS) and targets (B, N_OUTPUTS)."""
        return batches(self._sample, orders, seed, first=first, shard=shard)

    def _sample(self, row: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        inputs, target = self._training.inputs[row : row + 1], self._training.targets[row : row + 1]
        noise = NOISE * inputs.size * rng.normal(size=inputs.poses.shape)
        inputs = inputs.moved(noise - noise[:, ROOT : ROOT + 1])
        if rng.random() < 0.5:
            inputs, target = inputs.mirrored(), target[:, MIRROR] * [-1, 1, 1]
        return inputs.values[0], (target / inputs.size).reshape(N_OUTPUTS).astype(np.float32)

    def loss(self, network: nn.Module, batch: Any, done: float) -> Tensor:
        """The sum of the mean absolute errors of the intermediate and the final poses."""
        inputs, targets = (torch.from_numpy(values).to(choose_device()) for values in batch)
        known = torch.isfinite(targets)
        intermediate, final = network(inputs)
        errors = (intermediate - targets)[known].abs().sum() + (final - targets)[known].abs().sum()
        mean: Tensor = errors / mean_over_processes(known.sum()).clamp(min=1)
        return mean

    def validation_error_mm(self, network: nn.Module) -> float:
        """N-MPJPE of refined poses, with the root at a nominal depth, because targets may lack a metric scale."""
        errors = n_mpjpe(refine_poses(network, self._validation.inputs), self._validation.targets)
        return NOMINAL_DEPTH_MM * float(np.nanmean(errors)) if np.isfinite(errors).any() else float("nan")
