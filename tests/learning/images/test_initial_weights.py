import pytest
import torch

from pipeline.errors import UserError
from pipeline.learning.engine.checkpoints import load_network
from pipeline.learning.images.initial_weights import initial_network
from pipeline.learning.images.networks import Architecture, PoseNetwork


def test_from_the_detector(world, params):
    network = initial_network(params, world.paths.detector)
    detector, _ = load_network(world.paths.detector, PoseNetwork)
    assert network.architecture == Architecture("slim", 8, 16)
    weights, frozen = network.backbone.state_dict(), detector.backbone.state_dict()
    assert all(torch.equal(weights[name], frozen[name]) for name in frozen)


def test_at_random_it_follows_the_seed_and_needs_no_weights(world, params):
    params = params.model_copy(update={"init": "random"})
    world.paths.detector.unlink()
    one, same = (initial_network(params, world.paths.detector).head.weight for _ in range(2))
    other = initial_network(params.model_copy(update={"seed": 9}), world.paths.detector).head.weight
    assert one.shape == (17 * 16, 16, 1, 1)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_a_detector_of_another_architecture_is_refused_naming_both(world, params):
    params = params.model_copy(update={"backbone": "resnet50"})
    with pytest.raises(UserError, match=r"resnet50, volumes 16 deep, but .*detector\.pt is slim of width 8"):
        initial_network(params, world.paths.detector)


def test_a_detector_of_another_width_is_refused_naming_both(world, params):
    with pytest.raises(UserError, match=r"slim of width 16, .* but .*detector\.pt is slim of width 8"):
        initial_network(params.model_copy(update={"width": 16}), world.paths.detector)


def test_resnet50_from_a_classifiers_checkpoint(world, params, tmp_path):
    weights = PoseNetwork(Architecture("resnet50", 0, 1)).backbone.state_dict()
    path = tmp_path / "resnet50.pth"
    torch.save({**weights, "fc.weight": torch.zeros(1000, 2048), "fc.bias": torch.zeros(1000)}, path)
    params = params.model_copy(update={"backbone": "resnet50"})
    network = initial_network(params, path)
    assert torch.equal(network.backbone.conv1.weight, weights["conv1.weight"])
    slim = params.model_copy(update={"backbone": "slim"})
    with pytest.raises(UserError, match=r"resnet50\.pth does not fit the backbone slim of width 8"):
        initial_network(slim, path)


@pytest.mark.parametrize("content", [{"conv1.weight": torch.zeros(3)}, [1, 2], {"state_dict": {}}])
def test_a_checkpoint_of_something_else(world, params, tmp_path, content):
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(UserError, match="does not fit the backbone"):
        initial_network(params, tmp_path / "other.pth")


def test_a_missing_checkpoint(params, tmp_path):
    with pytest.raises(UserError, match="nowhere does not exist"):
        initial_network(params, tmp_path / "nowhere")


def test_a_checkpoint_of_other_joints_or_version(world):
    content = torch.load(world.paths.detector, weights_only=True)
    torch.save({**content, "joints": ["nose"]}, world.paths.detector)
    with pytest.raises(UserError, match=r"predicts the joints \['nose'\], this code has \['pelvis'"):
        load_network(world.paths.detector, PoseNetwork)
    torch.save({**content, "version": 0}, world.paths.detector)
    with pytest.raises(UserError, match="has version 0, this code reads version 3"):
        load_network(world.paths.detector, PoseNetwork)
