"""The ResNets of He et al. 2016; ResNet-50 is EpipolarPose's backbone."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pipeline.learning.images.backbones.base import Backbone, FeatureExtractor


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with a shortcut, as in ResNet-18 and 34; parameter names are torchvision's."""

    expansion = 1

    def __init__(self, c_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(c_in, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        self.downsample = _shortcut(c_in, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Features (B, c_in, H, W) to (B, width, H / stride, W / stride)."""
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(y)) + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    """A 1x1, 3x3, 1x1 bottleneck with a shortcut, as in the deeper ResNets; parameter names are torchvision's."""

    expansion = 4

    def __init__(self, c_in: int, width: int, stride: int) -> None:
        super().__init__()
        c_out = self.expansion * width
        self.conv1, self.bn1 = nn.Conv2d(c_in, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, c_out, 1, bias=False), nn.BatchNorm2d(c_out)
        self.downsample = _shortcut(c_in, c_out, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Features (B, c_in, H, W) to (B, 4 width, H / stride, W / stride)."""
        y = torch.relu(self.bn1(self.conv1(x)))
        y = torch.relu(self.bn2(self.conv2(y)))
        return torch.relu(self.bn3(self.conv3(y)) + (x if self.downsample is None else self.downsample(x)))


def _shortcut(c_in: int, c_out: int, stride: int) -> nn.Sequential | None:
    if c_in == c_out and stride == 1:
        return None
    return nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out))


class ResNet(FeatureExtractor):
    """A ResNet without its classifier (He et al. 2016); parameter names are torchvision's, to load its checkpoints."""

    def __init__(self, block: type[BasicBlock] | type[Bottleneck], blocks: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        channels = 64
        for i, n in enumerate(blocks):
            width, stride = 64 * 2**i, 1 if i == 0 else 2
            inner = block.expansion * width
            layer = [block(channels, width, stride), *(block(inner, width, 1) for _ in range(n - 1))]
            self.add_module(f"layer{i + 1}", nn.Sequential(*layer))
            channels = inner
        self.channels = channels

    def forward(self, images: Float[Tensor, "batch 3 height width"]) -> list[Tensor]:
        """Features (B, channels, H / 32, W / 32), and no finer ones."""
        x = self.maxpool(torch.relu(self.bn1(self.conv1(images))))
        for i in range(1, 5):
            x = self.get_submodule(f"layer{i}")(x)
        return [x]


def resnet(block: type[BasicBlock] | type[Bottleneck], *blocks: int) -> Backbone:
    """The registry's entry of a ResNet with the given number of blocks in each of its four stages."""
    one, two, three, four = blocks
    return Backbone(lambda width: ResNet(block, (one, two, three, four)), lambda width: 256)
