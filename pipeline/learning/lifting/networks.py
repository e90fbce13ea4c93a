"""Networks that lift 2D poses to 3D: single frames or windows of frames in, the pose of the middle frame out."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from pipeline.learning.lifting.inputs import N_FEATURES
from pipeline.skeleton import N_JOINTS

HEADS = 8  # of the Transformer's attention
KERNEL = 3  # of the temporal convolutions: frames seen are a power of it


@dataclass(frozen=True)
class LiftingArchitecture:
    """What a lifting network is built from; written into its checkpoint."""

    backbone: str
    frames: int  # odd; those around the one whose pose is predicted
    width: int
    dropout: float
    root_branch: bool  # a second network of the same kind predicts where the root is

    def __str__(self) -> str:
        branch = ", with a root branch" if self.root_branch else ""
        return f"lifting by {self.backbone} of width {self.width} over {self.frames} frame(s){branch}"

    def as_dict(self) -> dict[str, str | int | float | bool]:
        """Plain values, for a checkpoint."""
        return asdict(self)


def _layer(c_in: int, c_out: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(nn.Linear(c_in, c_out), nn.BatchNorm1d(c_out), nn.ReLU(), nn.Dropout(dropout))


class Residual(nn.Module):
    """A shortcut around some layers."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """The input plus what the layers make of it."""
        return x + self.layers(x)


class LinearNetwork(nn.Module):
    """Fully connected: a first layer and residual blocks of some layers each."""

    def __init__(self, architecture: LiftingArchitecture, n_out: int, blocks: int, layers: int) -> None:
        super().__init__()
        width, dropout = architecture.width, architecture.dropout
        self.first = _layer(N_FEATURES, width, dropout)
        self.blocks = nn.Sequential(
            *(Residual(*(_layer(width, width, dropout) for _ in range(layers))) for _ in range(blocks))
        )
        self.last = nn.Linear(width, n_out)

    def forward(self, features: Tensor) -> Tensor:
        """Features (B, 1, F) to (B, n_out)."""
        return self.last(self.blocks(self.first(features[:, 0])))


class TemporalDilated(nn.Module):
    """Temporal convolutions whose reach grows threefold a block, 27, 81 or 243 frames (Pavllo et al. 2019).

    One pose a window: the dilated convolutions become strided ones with the same weights and results.
    """

    def __init__(self, architecture: LiftingArchitecture, n_out: int) -> None:
        super().__init__()
        width, dropout = architecture.width, architecture.dropout
        self.first = nn.Sequential(
            nn.Conv1d(N_FEATURES, width, KERNEL, KERNEL), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(dropout)
        )
        n_blocks = powers_of_three(architecture.frames) - 1
        self.blocks = nn.ModuleList(self._block(width, dropout) for _ in range(n_blocks))
        self.last = nn.Linear(width, n_out)

    @staticmethod
    def _block(width: int, dropout: float) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv1d(width, width, KERNEL, KERNEL, bias=False), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(dropout),
            nn.Conv1d(width, width, 1, bias=False), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(dropout),
        )  # fmt: skip

    def forward(self, features: Tensor) -> Tensor:
        """Features (B, T, F) to (B, n_out) of the middle frame."""
        x = self.first(features.mT)
        for block in self.blocks:
            x = x[..., KERNEL // 2 :: KERNEL] + block(x)
        return self.last(x[..., 0])


class PoseTransformer(nn.Module):
    """A Transformer encoder over the frames of a window, read out at the middle one (Jain et al. 2022)."""

    def __init__(self, architecture: LiftingArchitecture, n_out: int) -> None:
        super().__init__()
        width = architecture.width
        self.first = nn.Linear(N_FEATURES, width)
        self.place = nn.Parameter(0.02 * torch.randn(architecture.frames, width))
        layer = nn.TransformerEncoderLayer(
            width, HEADS, 2 * width, architecture.dropout, "gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, 3, nn.LayerNorm(width), enable_nested_tensor=False)
        self.last = nn.Linear(width, n_out)

    def forward(self, features: Tensor) -> Tensor:
        """Features (B, T, F) to (B, n_out) of the middle frame."""
        x = self.layers(self.first(features) + self.place)
        return self.last(x[:, x.shape[1] // 2])


def powers_of_three(frames: int) -> int:
    """How often three divides the number of frames."""
    n = 0
    while frames % KERNEL == 0:
        frames, n = frames // KERNEL, n + 1
    return n


BACKBONES: dict[str, Callable[[LiftingArchitecture, int], nn.Module]] = {
    # Martinez et al. 2017: two residual blocks of two layers.
    "martinez2017": lambda a, n_out: LinearNetwork(a, n_out, blocks=2, layers=2),
    # Li et al. 2020: four residual blocks of one layer.
    "li2020": lambda a, n_out: LinearNetwork(a, n_out, blocks=4, layers=1),
    "temporal": TemporalDilated,
    "transformer": PoseTransformer,
}


class LiftingNetwork(nn.Module):
    """Features (..., T, F) to poses (..., 17, 3) and, with a root branch, its three numbers (..., 3).

    A pose means its joints' places around its own root, which the network is free to put anywhere.

    The two branches are networks of the same kind that share no weights (Li et al. 2020, section 3.2).
    """

    kind: ClassVar[str] = "lifting"
    backbones: ClassVar[tuple[str, ...]] = tuple(BACKBONES)

    def __init__(self, architecture: LiftingArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        build = BACKBONES[architecture.backbone]
        self.pose = build(architecture, 3 * N_JOINTS)
        self.root = build(architecture, 3) if architecture.root_branch else None
        if self.root is not None:
            for values in self.root.get_submodule("last").parameters():
                nn.init.zeros_(values)

    @classmethod
    def from_dict(cls, architecture: dict[str, Any]) -> "LiftingNetwork":
        """A network of the architecture's plain values."""
        return cls(LiftingArchitecture(**architecture))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor | None]:
        """Poses in units of UNIT_MM, and what the root branch says."""
        before, flat = features.shape[:-2], features.flatten(0, -3)
        # Views without a person must not count in the batch statistics.
        there = flat.any(-1).any(-1)
        pose = _where(there, self.pose(flat[there])).view(*before, N_JOINTS, 3)
        root = None if self.root is None else _where(there, self.root(flat[there])).view(*before, 3)
        return pose, root


def _where(there: Tensor, values: Tensor) -> Tensor:
    """Values (n, C) in the rows that are true in `there` (B,), zero in the others."""
    every = values.new_zeros(len(there), values.shape[1], dtype=torch.float32)
    return every.index_put((there.nonzero()[:, 0],), values.float())
