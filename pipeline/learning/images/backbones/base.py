"""What every backbone of the volumetric network is: the base class of its module, and its entry in the registry."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn


class FeatureExtractor(nn.Module):
    """A module that turns images (B, 3, H, W) into a list of features.

    First come the coarsest, (B, channels, H / 32, W / 32), then finer ones, if there are any, each of twice the size.
    """

    channels: int  # of the coarsest features
    lateral_channels: tuple[int, ...] = ()  # of the finer features, from coarse to fine


@dataclass(frozen=True)
class Backbone:
    """How a backbone is built."""

    build: Callable[[int], FeatureExtractor]  # from the width: the channels of its first stage; 0 if it is fixed
    deconvolution_channels: Callable[[int], int]  # of the network's deconvolutions, from the width
