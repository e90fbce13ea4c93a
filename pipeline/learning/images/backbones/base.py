"""The interface of the volumetric network's backbones: the base class of the module, and the registry's entry."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn


class FeatureExtractor(nn.Module):
    """A module that turns images (B, 3, H, W) into a list of features.

    The first features are the coarsest, (B, channels, H / 32, W / 32); optional finer ones follow, each twice the size.
    """

    channels: int  # of the coarsest features
    lateral_channels: tuple[int, ...] = ()  # of the finer features, from coarse to fine


@dataclass(frozen=True)
class Backbone:
    """The registry's entry of a backbone: how to build it."""

    build: Callable[[int], FeatureExtractor]  # from the width: the channels of its first stage; 0 if it is fixed
    deconvolution_channels: Callable[[int], int]  # number for the network's deconvolutions, from the width
