"""Where and how precisely networks compute: the GPU if there is one, bfloat16 where the hardware has it."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)

# Mean and spread of the channels of natural images, near enough: the network's first layer learns the rest.
CHANNEL_MEAN, CHANNEL_SPREAD = 0.45 * 255, 0.25 * 255


def choose_device() -> torch.device:
    """The GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def to_device(network: Network, device: torch.device) -> Network:
    """Move a network to a device, in the channels-last order that convolutions like best."""
    network.to(device)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def precision(device: torch.device) -> Callable[[], AbstractContextManager[Any]]:
    """A context in which networks run fastest on the device.

    A CPU without bfloat16 instructions emulates them at half the speed of float32, so it stays with float32.
    """
    if device.type == "cuda" or torch.cpu._is_avx512_bf16_supported():
        return partial(torch.autocast, device.type, torch.bfloat16)
    return nullcontext


def as_input(images: np.ndarray, device: torch.device) -> Tensor:
    """Images (B, S, S, 3) uint8 as the networks' input (B, 3, S, S)."""
    pixels = torch.from_numpy(images).to(device, non_blocking=True)
    # A view: the memory stays channels-last.
    return pixels.permute(0, 3, 1, 2).float().sub_(CHANNEL_MEAN).div_(CHANNEL_SPREAD)
