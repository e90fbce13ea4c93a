"""What every backbone of the volumetric network promises, whichever is registered."""

from typing import get_args

import pytest
import torch

from pipeline.learning.images.backbones import BACKBONES
from pipeline.params.train import TrainParams


def test_the_parameters_choices_are_those_that_are_registered():
    assert get_args(TrainParams.model_fields["backbone"].annotation) == tuple(BACKBONES)


@pytest.mark.parametrize("name", BACKBONES)
def test_features_are_at_a_32nd_of_the_side_and_finer_ones_of_twice_the_size_each(name):
    with torch.device("meta"):
        backbone = BACKBONES[name].build(8).eval()
        features = backbone(torch.zeros(1, 3, 64, 96))
    assert features[0].shape == (1, backbone.channels, 2, 3)
    assert tuple(f.shape[1] for f in features[1:]) == backbone.lateral_channels
    for i, finer in enumerate(features[1:], start=1):
        assert finer.shape[2:] == (2 * 2**i, 3 * 2**i)
    assert BACKBONES[name].deconvolution_channels(8) > 0
