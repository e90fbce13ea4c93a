import pytest
import torch

from pipeline.learning.images.backbones import BACKBONES


@pytest.mark.parametrize(
    ("name", "entries", "parameters"),
    [
        ("resnet18", 120, 11_176_512), ("resnet34", 216, 21_284_672), ("resnet50", 318, 23_508_032),
        ("resnet101", 624, 42_500_160), ("resnet152", 930, 58_143_808),
    ],
)  # fmt: skip
def test_resnets_have_torchvisions_parameters(name, entries, parameters):
    """Torchvision's counts, less the classifier's weight and bias."""
    with torch.device("meta"):
        backbone = BACKBONES[name].build(0)
    assert len(backbone.state_dict()) == entries
    assert sum(p.numel() for p in backbone.parameters()) == parameters


def test_resnets_name_their_parameters_as_torchvision_does():
    with torch.device("meta"):
        deep = BACKBONES["resnet50"].build(0).state_dict()
        basic = BACKBONES["resnet18"].build(0).state_dict()
    assert deep["layer4.0.downsample.0.weight"].shape == (2048, 1024, 1, 1)
    assert deep["layer3.5.conv2.weight"].shape == (256, 256, 3, 3)
    assert deep["layer1.2.bn3.running_var"].shape == (256,)
    assert basic["layer2.0.downsample.0.weight"].shape == (128, 64, 1, 1)
    assert "layer1.0.downsample.0.weight" not in basic
