"""What every backbone of a lifting network promises, whichever is registered."""

from typing import get_args

import pytest
import torch

from pipeline.learning.lifting.architecture import LiftingArchitecture
from pipeline.learning.lifting.backbones import BACKBONES
from pipeline.learning.lifting.inputs import N_FEATURES
from pipeline.params.train import LiftingParams

FRAMES = {"martinez2017": 1, "li2020": 1, "temporal": 9, "transformer": 5}


def test_the_parameters_choices_are_those_that_are_registered():
    assert get_args(LiftingParams.model_fields["backbone"].annotation) == tuple(BACKBONES)


@pytest.mark.parametrize("name", BACKBONES)
def test_a_window_gives_the_outputs_of_its_middle_frame(name):
    torch.manual_seed(0)
    frames = FRAMES[name]
    backbone = BACKBONES[name](LiftingArchitecture(name, frames, 16, 0.0, False), 7).eval()
    features = torch.randn(4, frames, N_FEATURES, requires_grad=True)
    outputs = backbone(features)
    assert outputs.shape == (4, 7)
    assert backbone.get_submodule("last").out_features == 7
    outputs[0].sum().backward()
    assert features.grad[0].abs().sum(-1).min() > 0, "every frame of the window has an influence"
    assert not features.grad[1:].any()
