"""The refinement unit: a small network that lifts a 3D pose to a better one (Kocabas et al. 2019, section 3.3)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.learning.device import choose_device
from pipeline.learning.distributed import mean_over_processes
from pipeline.learning.loader import batches
from pipeline.metrics import n_mpjpe
from pipeline.skeleton import MIRROR, N_JOINTS

WIDTH, DROPOUT = 1024, 0.5
N_VALUES = 3 * N_JOINTS


class Refiner(nn.Module):
    """Root-relative poses (B, 51) of unit size to better ones: twice, after each of two residual blocks.

    Inputs and outputs are z-scored inside, by the training poses' mean and spread. The blocks correct the pose they
    are given: where they say nothing it stays.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(N_VALUES))
        self.register_buffer("spread", torch.ones(N_VALUES))
        self.enter = nn.Linear(N_VALUES, WIDTH)
        self.blocks = nn.ModuleList([nn.Sequential(*_layer(), *_layer()) for _ in range(2)])
        self.leave = nn.ModuleList([nn.Linear(WIDTH, N_VALUES) for _ in range(2)])

    def forward(self, poses: Tensor) -> tuple[Tensor, Tensor]:
        """The intermediate and the final poses, (B, 51) each."""
        scored = (poses - self.mean) / self.spread
        hidden = self.enter(scored)
        found = []
        for block, leave in zip(self.blocks, self.leave, strict=True):
            hidden = hidden + block(hidden)
            found.append((scored + leave(hidden)) * self.spread + self.mean)
        return found[0], found[1]


def _layer() -> list[nn.Module]:
    return [nn.Linear(WIDTH, WIDTH), nn.BatchNorm1d(WIDTH), nn.LeakyReLU(), nn.Dropout(DROPOUT)]


@dataclass(frozen=True)
class PosePairs:
    """N poses (N, 17, 3) as a network predicts them and as they should be, root-relative, over the root's depth."""

    predicted: np.ndarray
    wanted: np.ndarray  # NaN where nothing is known

    def __getitem__(self, rows: np.ndarray) -> "PosePairs":
        return PosePairs(self.predicted[rows], self.wanted[rows])


class RefinerLesson:
    """Predicted poses of unit size, mirrored by chance, and what they should have been at the same scale."""

    def __init__(self, trained: PosePairs, held_out: PosePairs) -> None:
        self._trained, self._held_out = trained, held_out

    def __len__(self) -> int:
        return len(self._trained.predicted)

    def batches(
        self, orders: Iterable[np.ndarray], seed: tuple[int, ...], *, first: int, part: tuple[int, int]
    ) -> Iterator[tuple[np.ndarray, ...]]:
        """Inputs and targets, (B, 51) each."""
        return batches(self._sample, orders, seed, first=first, part=part)

    def _sample(self, row: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        poses = np.stack([self._trained.predicted[row], self._trained.wanted[row]])
        poses /= np.linalg.norm(poses[0])
        if rng.random() < 0.5:
            poses = poses[:, MIRROR] * [-1, 1, 1]
        predicted, wanted = poses.reshape(2, N_VALUES).astype(np.float32)
        return predicted, wanted

    def loss(self, network: nn.Module, batch: Any, done: float) -> Tensor:
        """Mean absolute error of the intermediate and the final poses, added."""
        predicted, wanted = (torch.from_numpy(values).to(choose_device()) for values in batch)
        known = torch.isfinite(wanted)
        errors = sum((found - wanted)[known].abs().sum() for found in network(predicted))
        return errors / mean_over_processes(known.sum()).clamp(min=1)

    def held_out_error_mm(self, network: nn.Module) -> float:
        """N-MPJPE of refined poses, as if the root were 4 m away: what is wanted need not be in millimetres."""
        return 4000 * float(np.nanmean(n_mpjpe(refined(network, self._held_out.predicted), self._held_out.wanted)))


def z_scored(network: Refiner, poses: np.ndarray) -> None:
    """Take mean and spread of the training poses (N, 17, 3) into a refiner."""
    size = np.linalg.norm(poses, axis=(1, 2), keepdims=True)
    values = torch.from_numpy((poses / size).reshape(-1, N_VALUES)).float()
    network.mean.copy_(values.mean(0))
    network.spread.copy_(values.std(0).clamp(min=1e-3))  # the root does not move at all


@torch.inference_mode()
def refined(network: nn.Module, poses: np.ndarray) -> np.ndarray:
    """Refined poses (N, 17, 3) of predicted ones, root-relative and at their scale; NaN stays NaN."""
    network.eval()
    known = np.isfinite(poses).all((1, 2))
    size = np.linalg.norm(poses[known], axis=(1, 2), keepdims=True)
    values = torch.from_numpy((poses[known] / size).reshape(-1, N_VALUES)).float().to(choose_device())
    found = np.full_like(poses, np.nan)
    found[known] = network(values)[1].double().cpu().numpy().reshape(-1, N_JOINTS, 3) * size
    return found - found[:, :1]
