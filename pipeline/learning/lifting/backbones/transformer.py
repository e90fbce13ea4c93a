"""A Transformer encoder over the frames of a window (Jain et al. 2022)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pipeline.learning.lifting.architecture import LiftingArchitecture
from pipeline.learning.lifting.inputs import N_FEATURES

N_HEADS, N_LAYERS = 8, 3


class PoseTransformer(nn.Module):
    """A Transformer encoder with learned positions, whose output is read at the middle frame."""

    def __init__(self, architecture: LiftingArchitecture, n_out: int) -> None:
        super().__init__()
        width = architecture.width
        self.first = nn.Linear(N_FEATURES, width)
        self.position = nn.Parameter(0.02 * torch.randn(architecture.frames, width))
        layer = nn.TransformerEncoderLayer(
            width, N_HEADS, 2 * width, architecture.dropout, "gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, N_LAYERS, nn.LayerNorm(width), enable_nested_tensor=False)
        self.last = nn.Linear(width, n_out)

    def forward(self, features: Float[Tensor, "batch time features"]) -> Float[Tensor, "batch outputs"]:
        """Outputs of the middle frame."""
        x = self.layers(self.first(features) + self.position)
        outputs: Tensor = self.last(x[:, x.shape[1] // 2])
        return outputs
