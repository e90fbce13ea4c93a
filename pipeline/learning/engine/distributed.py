"""One training run shared by several processes, as torch's own launcher starts them (`torchrun`); one is the rule.

Each process works on its share of every batch. What is a mean over a batch is taken over all of it, so that the run
is that of one process with the same batches, up to the order of sums.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel


@contextmanager
def process_group() -> Iterator[None]:
    """The processes of `torchrun` brought together for as long as the block lasts; alone, nothing happens."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()


def rank_and_world_size() -> tuple[int, int]:
    """The number of this process, from 0, and how many there are."""
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


def mean_over_processes(value: Tensor) -> Tensor:
    """The mean of a tensor over the processes; no gradient passes."""
    value = value.detach().clone()
    if dist.is_initialized():
        dist.all_reduce(value)
    return value / rank_and_world_size()[1]


def wrap_ddp(network: nn.Module) -> nn.Module:
    """The network to train with: the same in all processes, its gradients their mean."""
    if not dist.is_initialized():
        return network
    _synchronise_norms(network)
    return DistributedDataParallel(network)


def _synchronise_norms(network: nn.Module) -> None:
    """Make batch normalisation see the whole batch; the modules and the names of their weights stay."""
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.__class__ = _SHARED[type(module)]


class _SumOverProcesses(torch.autograd.Function):
    """The sum of a tensor over the processes; gradients add up in the same way."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        total = value.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].contiguous().clone()
        dist.all_reduce(total)
        return total


class _SyncNorm(nn.modules.batchnorm._BatchNorm):
    """Batch normalisation over the parts of all processes; torch's own has no version for CPUs."""

    num_batches_tracked: Tensor
    running_mean: Tensor
    running_var: Tensor
    momentum: float

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        others = [axis for axis in range(x.ndim) if axis != 1]
        values = x.float()
        part = torch.cat([values.sum(others), (values**2).sum(others), values.new_tensor([x.numel() / x.shape[1]])])
        sums, squares, count = _SumOverProcesses.apply(part).split([x.shape[1], x.shape[1], 1])  # type: ignore[no-untyped-call]
        mean = sums / count
        variance = squares / count - mean**2
        with torch.no_grad():
            self.num_batches_tracked.add_(1)
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
        shape = [1, -1, *[1] * (x.ndim - 2)]
        gain = self.weight * torch.rsqrt(variance + self.eps)
        return (values * gain.view(shape) + (self.bias - mean * gain).view(shape)).to(x.dtype)


class _SyncNorm1d(_SyncNorm, nn.BatchNorm1d):
    pass


class _SyncNorm2d(_SyncNorm, nn.BatchNorm2d):
    pass


_SHARED = {nn.BatchNorm1d: _SyncNorm1d, nn.BatchNorm2d: _SyncNorm2d}
