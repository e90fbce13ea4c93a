"""Training in several processes, started by torch's own launcher (`torchrun`); without it, one process trains.

Each process takes its shard of every batch. Means over a batch are computed over the shards of all processes, so that
the result equals a training in one process with the same batches, up to the order of summation.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel


@contextmanager
def process_group() -> Iterator[None]:
    """Join the process group of `torchrun` for the duration of the block; outside `torchrun`, do nothing."""
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
    """The number of this process, from 0, and the number of processes."""
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


def mean_over_processes(value: Tensor) -> Tensor:
    """The mean of a tensor over the processes, without a gradient."""
    value = value.detach().clone()
    if dist.is_initialized():
        dist.all_reduce(value)
    return value / rank_and_world_size()[1]


def wrap_ddp(network: nn.Module) -> nn.Module:
    """The network to compute the loss with; in a process group, its gradients are averaged over the processes.

    Batch normalisation then uses the statistics of the whole batch. The network's modules are changed in place; the
    names of its weights are unchanged.
    """
    if not dist.is_initialized():
        return network
    if next(network.parameters()).is_cuda:
        network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
    else:
        _synchronise_batch_norms(network)
    return DistributedDataParallel(network)


def _synchronise_batch_norms(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            module.__class__ = _SYNCHRONISED[type(module)]


class _SumOverProcesses(torch.autograd.Function):
    """The sum of a tensor over the processes; its gradient is the sum of their gradients."""

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


def _sum_over_processes(value: Tensor) -> Tensor:
    total: Tensor = _SumOverProcesses.apply(value)  # type: ignore[no-untyped-call]
    return total


class _CpuSyncBatchNorm(_BatchNorm):
    """Batch normalisation over the shards of all processes; torch's SyncBatchNorm refuses tensors on a CPU.

    The variance is the mean of squared distances from the mean. The mean of squares minus the squared mean would
    be shorter, but can be negative in float32 if the spread is a small share of the mean.
    """

    num_batches_tracked: Tensor
    running_mean: Tensor
    running_var: Tensor
    momentum: float

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the shard (B, C, ...) of this process."""
        if not self.training:
            return super().forward(x)
        axes = [axis for axis in range(x.ndim) if axis != 1]
        shape = [1, -1, *[1] * (x.ndim - 2)]
        values = x.float()
        own_count = values.new_tensor([x.numel() / x.shape[1]])
        totals = _sum_over_processes(torch.cat([values.sum(axes), own_count]))
        mean, count = totals[:-1] / totals[-1], totals[-1]
        centred = values - mean.view(shape)
        variance = _sum_over_processes(centred.square().sum(axes)) / count
        with torch.no_grad():
            self.num_batches_tracked.add_(1)
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1).clamp(min=1), self.momentum)
        gain: Tensor = self.weight * torch.rsqrt(variance + self.eps)
        return (centred * gain.view(shape) + self.bias.view(shape)).to(x.dtype)


class _CpuSyncBatchNorm1d(_CpuSyncBatchNorm, nn.BatchNorm1d):
    pass


class _CpuSyncBatchNorm2d(_CpuSyncBatchNorm, nn.BatchNorm2d):
    pass


_SYNCHRONISED: dict[type, type] = {nn.BatchNorm1d: _CpuSyncBatchNorm1d, nn.BatchNorm2d: _CpuSyncBatchNorm2d}
