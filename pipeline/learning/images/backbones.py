"""Backbones: images to features at a 32nd of their side; a slim ResNet for small budgets, and the paper's ResNets."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

STRIDE = 32  # side of the input over side of the features, for every backbone


def conv_norm_relu(c_in: int, c_out: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """A convolution that keeps the centre, batch normalisation and ReLU."""
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(c_out), nn.ReLU(inplace=True)
    )


class PlainBlock(nn.Module):
    """Two 3x3 convolutions with a shortcut (He et al. 2016, the blocks of ResNet-18)."""

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.first = conv_norm_relu(c_in, c_out, 3, stride)
        self.second = nn.Sequential(nn.Conv2d(c_out, c_out, 3, padding=1, bias=False), nn.BatchNorm2d(c_out))
        same = c_in == c_out and stride == 1
        self.shortcut = nn.Identity() if same else nn.Conv2d(c_in, c_out, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Features (B, c_in, H, W) to (B, c_out, H / stride, W / stride)."""
        return torch.relu(self.second(self.first(x)) + self.shortcut(x))


class SlimResNet(nn.Module):
    """A ResNet with one plain block a stage and `width`, 2, 4 and 8 times `width` channels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        # Every 2x2 pixels as 12 channels, then a strided 3x3: the reach of 6 pixels, at a tenth less cost than the
        # usual 7x7 convolution and pooling, whose full-size activations a CPU waits for.
        self.stem = nn.Sequential(nn.PixelUnshuffle(2), conv_norm_relu(12, width, 3, 2))
        widths = [width, width, 2 * width, 4 * width, 8 * width]
        self.stages = nn.Sequential(
            *(PlainBlock(widths[i], widths[i + 1], stride=1 if i == 0 else 2) for i in range(4))
        )
        self.channels = widths[-1]
        self.lateral_channels = (widths[3], widths[2], widths[1])

    def forward(self, images: Tensor) -> list[Tensor]:
        """Images (B, 3, S, S) to features (B, 8 width, S / 32, S / 32), then finer ones to S / 4 and `width`."""
        features = [self.stem(images)]
        for stage in self.stages:
            features.append(stage(features[-1]))
        return features[:0:-1]


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


class ResNet(nn.Module):
    """A ResNet without its classifier (He et al. 2016); parameter names are torchvision's, so its checkpoints load."""

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
        self.lateral_channels = ()  # the paper's head sees the last features alone

    def forward(self, images: Tensor) -> list[Tensor]:
        """Images (B, 3, S, S) to features (B, channels, S / 32, S / 32)."""
        x = self.maxpool(torch.relu(self.bn1(self.conv1(images))))
        for i in range(1, 5):
            x = self.get_submodule(f"layer{i}")(x)
        return [x]


def _resnet(block: type[BasicBlock] | type[Bottleneck], *blocks: int) -> tuple[Callable[[int], nn.Module], Callable[[int], int]]:
    return lambda width: ResNet(block, blocks), lambda width: 256  # type: ignore[arg-type]


# Built from the width (which ResNets of the paper do not have); with the channels of the deconvolutions that fit it.
BACKBONES: dict[str, tuple[Callable[[int], nn.Module], Callable[[int], int]]] = {
    "slim": (SlimResNet, lambda width: 2 * width),
    "resnet18": _resnet(BasicBlock, 2, 2, 2, 2),
    "resnet34": _resnet(BasicBlock, 3, 4, 6, 3),
    "resnet50": _resnet(Bottleneck, 3, 4, 6, 3),
    "resnet101": _resnet(Bottleneck, 3, 4, 23, 3),
    "resnet152": _resnet(Bottleneck, 3, 8, 36, 3),
}
