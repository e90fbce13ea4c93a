"""The volumetric pose network: backbone, three deconvolutions, a volume of scores per joint and its expectation.

The frozen 2D detector is the same network with volumes one cell deep. Coordinates are in the unit cube over the crop:
x right, y down, z away from the camera; (0, 0, 0) is one corner, (1, 1, 1) the opposite one, the root is at z = 0.5.
"""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pipeline.learning.engine.checkpoints import SavableNetwork
from pipeline.learning.images.backbones import BACKBONES
from pipeline.skeleton import N_JOINTS

N_DECONVOLUTIONS = 3


@dataclass(frozen=True)
class Architecture:
    """The configuration that a network is built from; part of its checkpoint."""

    backbone: str
    width: int  # channels of the backbone's first stage; 0 where they are fixed
    depth_bins: int  # 1 for a 2D network

    def __str__(self) -> str:
        width = f" of width {self.width}" if self.width else ""
        return f"{self.backbone}{width}, volumes {self.depth_bins} deep"

    def as_dict(self) -> dict[str, str | int]:
        """Plain values, for a checkpoint."""
        return asdict(self)


class PoseNetwork(SavableNetwork):
    """Integral pose regression (Sun et al. 2018): images (B, 3, H, W) to scores (B, 17, D, H / 4, W / 4)."""

    kind: ClassVar[str] = "volumetric"
    backbones: ClassVar[tuple[str, ...]] = tuple(BACKBONES)

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        backbone = BACKBONES[architecture.backbone]
        self.backbone = backbone.build(architecture.width)
        channels = backbone.deconvolution_channels(architecture.width)
        self.feature_channels = self.backbone.channels
        self.deconvolutions = nn.Sequential(
            *(_deconvolution(self.feature_channels if i == 0 else channels, channels) for i in range(N_DECONVOLUTIONS))
        )
        # Finer features of the backbone, if there are any, are added after each deconvolution: they improve the
        # position of a joint, while the coarse features identify the joint.
        self.laterals = nn.ModuleList(nn.Conv2d(c, channels, 1) for c in self.backbone.lateral_channels)
        self.head = nn.Conv2d(channels, N_JOINTS * architecture.depth_bins, 1)
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]

    @classmethod
    def from_dict(cls, architecture: dict[str, Any]) -> "PoseNetwork":
        """Build a network from the plain values of its architecture."""
        return cls(Architecture(**architecture))

    def forward(self, images: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch 17 depth rows columns"]:
        """Scores of every cell of every joint's volume."""
        return self.scores(self.backbone(images))

    def scores(self, features: list[Tensor]) -> Float[Tensor, "batch 17 depth rows columns"]:
        """Scores from the backbone's features, the coarsest first."""
        fine = features[0]
        for i, deconvolution in enumerate(self.deconvolutions):
            fine = deconvolution(fine)
            if self.laterals:
                fine = fine + self.laterals[i](features[i + 1])
        depth, (batch, channels, height, width) = self.architecture.depth_bins, fine.shape
        # The 1x1 convolution as a matrix product, whose large result has the volume's memory layout without a copy.
        weight = self.head.weight.view(-1, channels)
        planes = weight @ fine.flatten(2).contiguous() + self.head.bias[:, None]  # type: ignore[index]
        return planes.float().view(batch, N_JOINTS, depth, height, width)


def _deconvolution(c_in: int, c_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.ConvTranspose2d(c_in, c_out, 4, 2, 1, bias=False), nn.BatchNorm2d(c_out), nn.ReLU(inplace=True)
    )


def expectation(scores: Float[Tensor, "*batch depth height width"]) -> Float[Tensor, "*batch 3"]:
    """Soft-argmax: the mean position (x, y, z) in the unit cube under the softmax of the scores."""
    probability = scores.flatten(-3).softmax(-1).view(scores.shape)
    plane = probability.sum(-3)
    along = (plane.sum(-2), plane.sum(-1), probability.sum((-2, -1)))
    return torch.stack([(p * cell_centers(p.shape[-1], p.device)).sum(-1) for p in along], -1)


def cell_centers(n: int, device: torch.device | None = None) -> Float[Tensor, " n"]:
    """Centres of n equal cells of the unit interval."""
    return (torch.arange(n, device=device) + 0.5) / n


def start_from_detector(network: PoseNetwork, detector: PoseNetwork) -> None:
    """Copy a 2D network's weights and repeat its head over the depth cells: x and y are then the detector's.

    Raises ValueError if the two differ in more than the depth.
    """
    ours, theirs = network.architecture, detector.architecture
    if (ours.backbone, ours.width, 1) != (theirs.backbone, theirs.width, theirs.depth_bins):
        raise ValueError(f"A network ({ours}) cannot start from another architecture ({theirs}).")
    weights = {
        name: w.repeat_interleave(ours.depth_bins, 0) if name.startswith("head.") else w
        for name, w in detector.state_dict().items()
    }
    network.load_state_dict(weights)
