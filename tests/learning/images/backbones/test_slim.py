import torch

from pipeline.learning.images.backbones.slim import SlimResNet


def test_channels_double_with_each_stage():
    backbone = SlimResNet(8)
    assert (backbone.channels, backbone.lateral_channels) == (64, (32, 16, 8))


def test_a_pixel_changes_features_near_it_alone():
    """The convolutions keep the centre: a change in a corner stays in that half of the finest features."""
    backbone = SlimResNet(8).eval()
    image = torch.rand(1, 3, 128, 128)
    other = image.clone()
    other[..., :4, :4] = 0
    with torch.no_grad():
        finest, changed = (backbone(x)[-1] for x in (image, other))
    moved = (finest != changed).any(1)[0]
    assert moved[:4, :4].any()
    assert not moved[16:].any()
    assert not moved[:, 16:].any()
