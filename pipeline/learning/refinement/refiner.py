"""The refinement unit: a small network that lifts a 3D pose to a better one (Kocabas et al. 2019, section 3.3)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.learning.engine.device import choose_device
from pipeline.learning.engine.distributed import mean_over_processes
from pipeline.learning.engine.loader import batches
from pipeline.metrics import n_mpjpe
from pipeline.skeleton import MIRROR, N_JOINTS, ROOT

WIDTH, DROPOUT = 1024, 0.5
N_VALUES = 3 * N_JOINTS
N_GIVEN = N_VALUES + 3 * N_JOINTS
# Standard deviation of the noise on the poses of the training, as a share of their size; depths are twice as unsure.
NOISE = 0.01 * np.array([1.0, 1.0, 2.0])
# Offsets beyond this share of the pose's size are blunders of the detector.
LARGEST_OFFSET = 0.3


@dataclass(frozen=True)
class Given:
    """N poses as a network predicts them, and what the detector saw in the same images; over the root's depth."""

    poses: np.ndarray  # (N, 17, 3) root-relative
    offsets: np.ndarray  # (N, 17, 2) from their joints to the detector's, at the joints' depths; NaN where it saw none
    confidence: np.ndarray  # (N, 17) of the detector, 0-1; NaN where it saw none

    def __getitem__(self, rows: np.ndarray | slice) -> "Given":
        return Given(self.poses[rows], self.offsets[rows], self.confidence[rows])

    @property
    def size(self) -> np.ndarray:
        """The poses' sizes, (N, 1, 1)."""
        return np.linalg.norm(self.poses, axis=(-2, -1), keepdims=True)

    @property
    def values(self) -> np.ndarray:
        """What a refiner is given, (N, 102): all at the poses' sizes."""
        size = self.size
        offsets = np.clip(np.nan_to_num(self.offsets / size), -LARGEST_OFFSET, LARGEST_OFFSET)
        parts = (self.poses / size, offsets, np.nan_to_num(self.confidence))
        return np.concatenate([part.reshape(len(size), -1) for part in parts], -1).astype(np.float32)

    def mirrored(self) -> "Given":
        """Left and right exchanged."""
        return Given(
            self.poses[..., MIRROR, :] * [-1, 1, 1], self.offsets[..., MIRROR, :] * [-1, 1],
            self.confidence[..., MIRROR],
        )  # fmt: skip

    def moved(self, by: np.ndarray) -> "Given":
        """The same images, the poses predicted elsewhere by (N, 17, 3)."""
        return Given(self.poses + by, self.offsets - by[..., :2], self.confidence)


class Refiner(nn.Module):
    """What is given of B poses, (B, 102), to better poses of unit size: twice, after each of two residual blocks.

    Inputs and outputs are z-scored inside, by the training poses' mean and spread. The blocks correct the pose they
    are given: where they say nothing it stays. Beyond the paper, the unit sees where the detector saw the joints.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(N_GIVEN))
        self.register_buffer("spread", torch.ones(N_GIVEN))
        self.enter = nn.Linear(N_GIVEN, WIDTH)
        self.blocks = nn.ModuleList([nn.Sequential(*_layer(), *_layer()) for _ in range(2)])
        self.leave = nn.ModuleList([_silent_layer() for _ in range(2)])

    def forward(self, given: Tensor) -> tuple[Tensor, Tensor]:
        """The intermediate and the final poses, (B, 51) each."""
        scored = (given - self.mean) / self.spread
        hidden = self.enter(scored)
        found = []
        for block, leave in zip(self.blocks, self.leave, strict=True):
            hidden = hidden + block(hidden)
            found.append(given[:, :N_VALUES] + leave(hidden) * self.spread[:N_VALUES])
        return found[0], found[1]


def _layer() -> list[nn.Module]:
    return [nn.Linear(WIDTH, WIDTH), nn.BatchNorm1d(WIDTH), nn.LeakyReLU(), nn.Dropout(DROPOUT)]


def _silent_layer() -> nn.Linear:
    """A last layer that says nothing yet."""
    layer = nn.Linear(WIDTH, N_VALUES)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


@dataclass(frozen=True)
class PosePairs:
    """N poses as they are given and as they should be, root-relative, over the root's depth."""

    given: Given
    wanted: np.ndarray  # (N, 17, 3), NaN where nothing is known

    def __getitem__(self, rows: np.ndarray) -> "PosePairs":
        return PosePairs(self.given[rows], self.wanted[rows])


def joined(pairs: Sequence[PosePairs]) -> PosePairs:
    """All of them, one after the other."""
    parts = [(*vars(one.given).values(), one.wanted) for one in pairs]
    *given, wanted = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return PosePairs(Given(*given), wanted)


class RefinerTask:
    """Poses that are given, with noise and mirrored by chance, and what they should have been at the same scale."""

    def __init__(self, trained: PosePairs, validation: PosePairs) -> None:
        self._trained, self._held_out = trained, validation

    def __len__(self) -> int:
        return len(self._trained.wanted)

    def batches(
        self, orders: Iterable[np.ndarray], seed: tuple[int, ...], *, first: int, part: tuple[int, int]
    ) -> Iterator[tuple[np.ndarray, ...]]:
        """Inputs (B, 102) and targets (B, 51)."""
        return batches(self._sample, orders, seed, first=first, part=part)

    def _sample(self, row: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        given, wanted = self._trained.given[row : row + 1], self._trained.wanted[row : row + 1]
        noise = NOISE * given.size * rng.normal(size=given.poses.shape)
        given = given.moved(noise - noise[:, ROOT : ROOT + 1])
        if rng.random() < 0.5:
            given, wanted = given.mirrored(), wanted[:, MIRROR] * [-1, 1, 1]
        return given.values[0], (wanted / given.size).reshape(N_VALUES).astype(np.float32)

    def loss(self, network: nn.Module, batch: Any, done: float) -> Tensor:
        """Mean absolute error of the intermediate and the final poses, added."""
        given, wanted = (torch.from_numpy(values).to(choose_device()) for values in batch)
        known = torch.isfinite(wanted)
        errors = sum((found - wanted)[known].abs().sum() for found in network(given))
        return errors / mean_over_processes(known.sum()).clamp(min=1)

    def validation_error_mm(self, network: nn.Module) -> float:
        """N-MPJPE of refined poses, as if the root were 4 m away: what is wanted need not be in millimetres."""
        return 4000 * float(np.nanmean(n_mpjpe(refined(network, self._held_out.given), self._held_out.wanted)))


def z_scored(network: Refiner, given: Given) -> None:
    """Take mean and spread of what is given in the training into a refiner."""
    values = torch.from_numpy(given.values)
    network.mean.copy_(values.mean(0))
    network.spread.copy_(values.std(0).clamp(min=1e-3))  # the root does not move at all


@torch.inference_mode()
def refined(network: nn.Module, given: Given) -> np.ndarray:
    """Better poses (N, 17, 3), root-relative and at the scale of those given: the mean with their mirror's.

    Where a pose is missing it stays so.
    """
    network.eval()
    found = np.full_like(given.poses, np.nan)
    known = np.isfinite(given.poses).all((1, 2))
    there = given[known]
    straight, mirrored = (_refined(network, one) for one in (there, there.mirrored()))
    found[known] = (straight + mirrored[:, MIRROR] * [-1, 1, 1]) / 2 * there.size
    return found - found[:, ROOT : ROOT + 1]


def _refined(network: nn.Module, given: Given) -> np.ndarray:
    """Better poses of unit size, (N, 17, 3)."""
    poses = network(torch.from_numpy(given.values).to(choose_device()))[1]
    return poses.double().cpu().numpy().reshape(-1, N_JOINTS, 3)
