import torch

from pipeline.learning.lifting.architecture import LiftingArchitecture
from pipeline.learning.lifting.inputs import N_FEATURES
from pipeline.learning.lifting.networks import LiftingNetwork


def _network(*, root_branch: bool) -> LiftingNetwork:
    torch.manual_seed(0)
    return LiftingNetwork(LiftingArchitecture("martinez2017", 1, 16, 0.0, root_branch))


def test_the_root_branch_starts_at_zero_and_shares_no_weights():
    network = _network(root_branch=True)
    _, root = network(torch.randn(5, 2, 1, N_FEATURES))
    assert root.shape == (5, 2, 3)
    assert not root.any()
    assert {id(p) for p in network.pose.parameters()}.isdisjoint({id(p) for p in network.root.parameters()})
    assert _network(root_branch=False)(torch.randn(5, 2, 1, N_FEATURES))[1] is None


def test_views_without_a_person_do_not_enter_the_batch_statistics():
    features = torch.randn(6, 2, 1, N_FEATURES)
    features[3:, 1] = 0
    mixed, detected = _network(root_branch=False), _network(root_branch=False)
    poses, _ = mixed(features)
    detected(features.flatten(0, 1)[features.flatten(0, 1).flatten(1).any(1)][:, None])
    assert not poses[3:, 1].any()
    for name, value in detected.state_dict().items():
        torch.testing.assert_close(mixed.state_dict()[name], value)


def test_a_network_is_built_again_from_its_architectures_values():
    network = _network(root_branch=True)
    assert LiftingNetwork.from_dict(network.architecture.as_dict()).architecture == network.architecture
