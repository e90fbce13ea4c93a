import pytest
import torch

from pipeline.learning.images.losses import masked_smooth_l1
from pipeline.learning.images.networks import Architecture, PoseNetwork, expectation, start_from_detector


def test_expectation_of_one_certain_cell_is_its_centre():
    scores = torch.full((1, 2, 4, 5, 6), -1e4)
    scores[0, 0, 3, 1, 2] = 0
    scores[0, 1, 0, 4, 5] = 0
    expected = torch.tensor([[[2.5 / 6, 1.5 / 5, 3.5 / 4], [5.5 / 6, 4.5 / 5, 0.5 / 4]]])
    torch.testing.assert_close(expectation(scores), expected)


def test_expectation_of_two_cells_weighs_them():
    scores = torch.full((2, 2, 2), -1e4)
    scores[0, 0, 0], scores[1, 0, 1] = torch.log(torch.tensor(3.0)), 0.0
    torch.testing.assert_close(expectation(scores), torch.tensor([0.375, 0.25, 0.375]))


def test_expectation_has_the_gradient_of_its_definition():
    scores = torch.randn(1, 1, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda s: expectation(s), scores)


def _networks(depth_bins: int) -> tuple[PoseNetwork, PoseNetwork]:
    torch.manual_seed(0)
    detector = PoseNetwork(Architecture("slim", 8, 1)).train()
    torch.nn.init.normal_(detector.head.weight, std=10.0)
    with torch.no_grad():
        for _ in range(20):  # batch statistics, without which an untrained network sees nothing
            detector(torch.randn(4, 3, 64, 64))
    return PoseNetwork(Architecture("slim", 8, depth_bins)).eval(), detector.eval()


def test_a_network_started_from_the_detector_sees_the_same_x_and_y():
    network, detector = _networks(16)
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert not torch.allclose(expectation(network(images))[..., :2], expectation(detector(images))[..., :2])
        start_from_detector(network, detector)
        flat, deep = expectation(detector(images)), expectation(network(images))
    assert flat[..., :2].std() > 0.01
    torch.testing.assert_close(deep[..., :2], flat[..., :2])
    torch.testing.assert_close(deep[..., 2], torch.full_like(deep[..., 2], 0.5))


@pytest.mark.parametrize("other", [Architecture("slim", 16, 1), Architecture("slim", 8, 4)])
def test_starting_from_another_architecture_is_refused(other):
    network, _ = _networks(16)
    with pytest.raises(ValueError, match="cannot start from another architecture"):
        start_from_detector(network, PoseNetwork(other))


def test_a_cell_is_four_pixels_at_every_size():
    network = PoseNetwork(Architecture("slim", 8, 6)).eval()
    with torch.no_grad():
        assert network(torch.zeros(1, 3, 64, 96)).shape == (1, 17, 6, 16, 24)


def test_a_shallow_resnet_gives_volumes_too():
    network = PoseNetwork(Architecture("resnet18", 0, 8)).eval()
    with torch.no_grad():
        assert network(torch.zeros(1, 3, 64, 64)).shape == (1, 17, 8, 16, 16)


def test_a_step_at_the_papers_size():
    """ResNet-50, 256 px, 17 volumes of 64 cells cubed: forward, backward, step; every weight moves."""
    torch.manual_seed(0)
    network = PoseNetwork(Architecture("resnet50", 0, 64)).train()
    optimizer = torch.optim.SGD(network.parameters(), 1.0)
    scores = network(torch.randn(2, 3, 256, 256)[:1])
    assert scores.shape == (1, 17, 64, 64, 64)
    before = network.backbone.conv1.weight.detach().clone()
    head = network.head.weight.detach().clone()
    masked_smooth_l1(expectation(scores), torch.rand(1, 17, 3)).backward()
    optimizer.step()
    assert torch.isfinite(network.head.weight).all()
    assert not torch.equal(network.head.weight, head)
    assert not torch.equal(network.backbone.conv1.weight, before)
