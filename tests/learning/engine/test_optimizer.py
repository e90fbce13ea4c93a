import pytest
import torch
from torch import nn

from pipeline.learning.engine.optimizer import clip_gradients, parameter_groups, set_learning_rate


def test_each_child_has_its_multiplier():
    network = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    optimizer = torch.optim.SGD(parameter_groups(network, {"1": 0.1}), 1.0)
    set_learning_rate(optimizer, 2.0)
    rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    assert [rates[id(p)] for p in network.parameters()] == pytest.approx([2.0, 2.0, 0.2, 0.2])


@pytest.mark.parametrize(("norm", "expected"), [(1.0, 1.0), (10.0, 5.0), (0.0, 5.0)])
def test_large_gradients_are_scaled_down_but_with_no_limit(norm, expected):
    weight = nn.Parameter(torch.zeros(2))
    weight.grad = torch.tensor([3.0, 4.0])
    clip_gradients([weight], norm)
    assert weight.grad.norm().item() == pytest.approx(expected, rel=1e-5)
