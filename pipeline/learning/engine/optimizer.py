"""Settings of the optimiser: parameter groups with their learning rates, and gradient clipping."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn


def parameter_groups(network: nn.Module, lr_multipliers: Mapping[str, float]) -> list[dict[str, Any]]:
    """The network's parameters, grouped by the learning rate multiplier of the child module that contains them."""
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        groups.setdefault(lr_multipliers.get(name.split(".")[0], 1.0), []).append(parameter)
    return [{"params": parameters, "lr_multiplier": multiplier} for multiplier, parameters in groups.items()]


def set_learning_rate(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Set the learning rate of all parameter groups, each times its multiplier."""
    for group in optimizer.param_groups:
        group["lr"] = lr * group.get("lr_multiplier", 1.0)


def clip_gradients(parameters: Iterable[nn.Parameter], norm: float) -> None:
    """Scale the gradients down if their norm over all parameters is larger than `norm`; 0: never."""
    if norm:
        nn.utils.clip_grad_norm_(parameters, norm)
