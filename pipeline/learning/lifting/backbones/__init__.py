"""Backbones of lifting networks: windows of features to a pose; one file and one line here for each.

A backbone is built from the architecture and the number of its outputs. It maps features (B, T, F) to outputs (B,
n_out) of the middle frame; its last layer has the name `last`.
"""

from collections.abc import Callable

from torch import nn

from pipeline.learning.lifting.architecture import LiftingArchitecture
from pipeline.learning.lifting.backbones.linear import li2020, martinez2017
from pipeline.learning.lifting.backbones.temporal import TemporalDilated
from pipeline.learning.lifting.backbones.transformer import PoseTransformer

BACKBONES: dict[str, Callable[[LiftingArchitecture, int], nn.Module]] = {
    "martinez2017": martinez2017,
    "li2020": li2020,
    "temporal": TemporalDilated,
    "transformer": PoseTransformer,
}
