"""Backbones of the volumetric network, which compute features of images: one file and one line here for each."""

from pipeline.learning.images.backbones.base import Backbone
from pipeline.learning.images.backbones.resnet import BasicBlock, Bottleneck, resnet
from pipeline.learning.images.backbones.slim import SlimResNet

__all__ = ["BACKBONES", "Backbone"]

BACKBONES: dict[str, Backbone] = {
    "slim": Backbone(SlimResNet, lambda width: 2 * width),
    "resnet18": resnet(BasicBlock, 2, 2, 2, 2),
    "resnet34": resnet(BasicBlock, 3, 4, 6, 3),
    "resnet50": resnet(Bottleneck, 3, 4, 6, 3),
    "resnet101": resnet(Bottleneck, 3, 4, 23, 3),
    "resnet152": resnet(Bottleneck, 3, 8, 36, 3),
}
