"""Dilated temporal convolutions (Pavllo et al. 2019)."""

from jaxtyping import Float
from torch import Tensor, nn

from pipeline.learning.lifting.architecture import LiftingArchitecture
from pipeline.learning.lifting.inputs import N_FEATURES

KERNEL = 3  # frames; the receptive field is a power of KERNEL


class TemporalDilated(nn.Module):
    """Temporal convolutions whose receptive field triples with each block, to 27, 81 or 243 frames.

    As only the middle frame's pose is estimated, the dilated convolutions are computed as strided ones, with the same
    weights and results.
    """

    def __init__(self, architecture: LiftingArchitecture, n_out: int) -> None:
        super().__init__()
        width, dropout = architecture.width, architecture.dropout
        self.first = nn.Sequential(
            nn.Conv1d(N_FEATURES, width, KERNEL, KERNEL), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(dropout)
        )
        n_blocks = _exponent(architecture.frames) - 1
        self.blocks = nn.ModuleList(_block(width, dropout) for _ in range(n_blocks))
        self.last = nn.Linear(width, n_out)

    def forward(self, features: Float[Tensor, "batch time features"]) -> Float[Tensor, "batch outputs"]:
        """Outputs of the middle frame."""
        x = self.first(features.mT)
        for block in self.blocks:
            x = x[..., KERNEL // 2 :: KERNEL] + block(x)
        outputs: Tensor = self.last(x[..., 0])
        return outputs


def _block(width: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(width, width, KERNEL, KERNEL, bias=False), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(dropout),
        nn.Conv1d(width, width, 1, bias=False), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(dropout),
    )  # fmt: skip


def _exponent(frames: int) -> int:
    """The exponent n of a number of frames KERNEL ** n."""
    n = 0
    while frames % KERNEL == 0:
        frames, n = frames // KERNEL, n + 1
    return n
