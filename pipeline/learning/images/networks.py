"""The volumetric pose network: backbone, three deconvolutions, one volume of scores per joint, its expectation.

The frozen 2D detector is the same network with volumes one cell deep. Coordinates are of the unit cube over the crop:
x right, y down, z away from the camera, the crop's corner at 0, its far corner at 1, the root's depth at z = 0.5.
"""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from pipeline.learning.images.backbones import BACKBONES
from pipeline.skeleton import N_JOINTS

N_DECONVOLUTIONS = 3


@dataclass(frozen=True)
class Architecture:
    """What a network is built from; written into its checkpoint."""

    backbone: str
    width: int  # channels of the slim backbone's first stage; 0 where the backbone has no such choice
    depth_bins: int  # 1 for a 2D network

    def __str__(self) -> str:
        width = f" of width {self.width}" if self.width else ""
        return f"{self.backbone}{width}, volumes {self.depth_bins} deep"

    def as_dict(self) -> dict[str, str | int]:
        """Plain values, for a checkpoint."""
        return asdict(self)


class PoseNetwork(nn.Module):
    """Integral pose regression (Sun et al. 2018): images (B, 3, S, S) to scores (B, 17, D, S / 4, S / 4)."""

    kind: ClassVar[str] = "volumetric"
    backbones: ClassVar[tuple[str, ...]] = tuple(BACKBONES)

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        build, deconvolution_channels = BACKBONES[architecture.backbone]
        self.backbone = build(architecture.width)
        channels = deconvolution_channels(architecture.width)
        self.feature_channels: int = self.backbone.channels  # type: ignore[assignment]
        self.deconvolutions = nn.Sequential(
            *(_deconvolution(self.feature_channels if i == 0 else channels, channels) for i in range(N_DECONVOLUTIONS))
        )
        # Finer features of the backbone, if it gives any, are added to what each deconvolution makes: where a joint is
        # shows in them, which joint it is in the coarse ones.
        laterals: tuple[int, ...] = self.backbone.lateral_channels  # type: ignore[assignment]
        self.laterals = nn.ModuleList(nn.Conv2d(c, channels, 1) for c in laterals)
        self.head = nn.Conv2d(channels, N_JOINTS * architecture.depth_bins, 1)
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]

    @classmethod
    def from_dict(cls, architecture: dict[str, Any]) -> "PoseNetwork":
        """A network of the architecture's plain values."""
        return cls(Architecture(**architecture))

    def forward(self, images: Tensor) -> Tensor:
        """Scores (B, 17, D, S / 4, S / 4) of every cell of every joint's volume."""
        return self.scores(self.backbone(images))

    def scores(self, features: list[Tensor]) -> Tensor:
        """Scores from the backbone's features, the coarsest first."""
        fine = features[0]
        for i, deconvolution in enumerate(self.deconvolutions):
            fine = deconvolution(fine)
            if self.laterals:
                fine = fine + self.laterals[i](features[i + 1])
        depth, (batch, channels, height, width) = self.architecture.depth_bins, fine.shape
        # The 1x1 convolution as a matrix product: its large result comes out in the volume's order, with no copy.
        weight = self.head.weight.view(-1, channels)
        planes = weight @ fine.flatten(2).contiguous() + self.head.bias[:, None]  # type: ignore[index]
        return planes.float().view(batch, N_JOINTS, depth, height, width)


def _deconvolution(c_in: int, c_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.ConvTranspose2d(c_in, c_out, 4, 2, 1, bias=False), nn.BatchNorm2d(c_out), nn.ReLU(inplace=True)
    )


def expectation(scores: Tensor) -> Tensor:
    """Soft-argmax: mean position (..., 3) as x, y, z under the softmax of scores (..., D, H, W)."""
    probability = scores.flatten(-3).softmax(-1).unflatten(-1, scores.shape[-3:])
    plane = probability.sum(-3)
    along = (plane.sum(-2), plane.sum(-1), probability.sum((-2, -1)))
    return torch.stack([(p * cell_centers(p.shape[-1], p.device)).sum(-1) for p in along], -1)


def cell_centers(n: int, device: torch.device | None = None) -> Tensor:
    """Centres (n,) of n equal cells of the unit interval."""
    return (torch.arange(n, device=device) + 0.5) / n


def start_from_detector(network: PoseNetwork, detector: PoseNetwork) -> None:
    """Copy a 2D network's weights, its head repeated over the depth cells: x and y come out as the detector's.

    Raises ValueError where the two differ in more than depth.
    """
    ours, theirs = network.architecture, detector.architecture
    if (ours.backbone, ours.width, 1) != (theirs.backbone, theirs.width, theirs.depth_bins):
        raise ValueError(f"A network ({ours}) cannot start from another architecture ({theirs}).")
    weights = {
        name: w.repeat_interleave(ours.depth_bins, 0) if name.startswith("head.") else w
        for name, w in detector.state_dict().items()
    }
    network.load_state_dict(weights)
