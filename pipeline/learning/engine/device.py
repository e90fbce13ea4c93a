"""Device and precision of networks: the GPU if there is one, bfloat16 if the hardware supports it."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)

# Approximate mean and standard deviation of the channels of natural images; the first layer compensates for the
# difference.
CHANNEL_MEAN, CHANNEL_STD = 0.45 * 255, 0.25 * 255


def choose_device() -> torch.device:
    """The GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def to_device(network: Network, device: torch.device) -> Network:
    """Move a network to a device, in channels-last memory order, in which convolutions are fastest."""
    network.to(device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def precision(device: torch.device) -> Callable[[], AbstractContextManager[None]]:
    """A context in which networks compute in the fastest precision of the device.

    A CPU without bfloat16 instructions uses float32, because emulated bfloat16 is half as fast.
    """
    if device.type == "cuda" or torch.cpu._is_avx512_bf16_supported():
        return partial(torch.autocast, device.type, torch.bfloat16)
    return nullcontext


def as_input(
    images: UInt8[np.ndarray, "batch side side 3"], device: torch.device
) -> Float[Tensor, "batch 3 side side"]:
    """Convert images to the networks' normalised input."""
    pixels = torch.from_numpy(images).to(device, non_blocking=True)
    # A view of the same memory, which stays channels-last.
    return pixels.permute(0, 3, 1, 2).float().sub_(CHANNEL_MEAN).div_(CHANNEL_STD)


def generator_states() -> dict[str, Tensor]:
    """The states of torch's random generators, which dropout draws from: the CPU's and, if there is one, the GPU's."""
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def set_generator_states(states: dict[str, Tensor]) -> None:
    """Set torch's random generators to the states that `generator_states` gave on the same kind of device."""
    torch.set_rng_state(states["cpu"])
    if torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])
