"""Fully connected backbones for single frames (Martinez et al. 2017, Li et al. 2020)."""

from jaxtyping import Float
from torch import Tensor, nn

from pipeline.learning.lifting.architecture import LiftingArchitecture
from pipeline.learning.lifting.inputs import N_FEATURES


def martinez2017(architecture: LiftingArchitecture, n_out: int) -> nn.Module:
    """Two residual blocks of two layers."""
    return LinearNetwork(architecture, n_out, blocks=2, layers=2)


def li2020(architecture: LiftingArchitecture, n_out: int) -> nn.Module:
    """Four residual blocks of one layer each; the paper says only that a block has "several" layers."""
    return LinearNetwork(architecture, n_out, blocks=4, layers=1)


class LinearNetwork(nn.Module):
    """A fully connected layer and residual blocks of some layers each."""

    def __init__(self, architecture: LiftingArchitecture, n_out: int, blocks: int, layers: int) -> None:
        super().__init__()
        width, dropout = architecture.width, architecture.dropout
        self.first = _layer(N_FEATURES, width, dropout)
        self.blocks = nn.Sequential(
            *(_Residual(*(_layer(width, width, dropout) for _ in range(layers))) for _ in range(blocks))
        )
        self.last = nn.Linear(width, n_out)

    def forward(self, features: Float[Tensor, "batch 1 features"]) -> Float[Tensor, "batch outputs"]:
        """Outputs of the frame."""
        outputs: Tensor = self.last(self.blocks(self.first(features[:, 0])))
        return outputs


class _Residual(nn.Module):
    """Layers with a shortcut around them."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """The input plus the layers' output."""
        residual: Tensor = self.layers(x)
        return x + residual


def _layer(c_in: int, c_out: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(nn.Linear(c_in, c_out), nn.BatchNorm1d(c_out), nn.ReLU(), nn.Dropout(dropout))
