"""One training on several processes, as `torchrun` starts them."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed, nn

from mixrd.errors import RecipeError


@dataclass(frozen=True)
class Ranks:
    """The processes of a training.

    Attributes
    ----------
    rank, world : int
        This process and their number.
    device : device
        Of this process.
    """

    rank: int
    world: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Whether this process writes files."""
        return self.rank == 0

    def agree(self, value: int) -> bool:
        """Whether all processes give the same value. A point where all wait for all."""
        if self.world == 1:
            return True
        ends = torch.tensor([value, -value], device=self.device, dtype=torch.int64)
        distributed.all_reduce(ends, op=distributed.ReduceOp.MAX)
        return int(ends[0]) == -int(ends[1])

    def any(self, condition: bool) -> bool:
        """Whether the condition holds in any process. A point where all wait for all."""
        if self.world == 1:
            return condition
        found = torch.tensor(int(condition), device=self.device)
        distributed.all_reduce(found, op=distributed.ReduceOp.MAX)
        return bool(found)

    def mean(self, values: Tensor) -> Tensor:
        """Mean over all processes."""
        if self.world == 1:
            return values
        total = values.clone()
        distributed.all_reduce(total)
        return total / self.world


@contextmanager
def joined(device: torch.device) -> Iterator[Ranks]:
    """The processes that `torchrun` started, or this one alone.

    Speaks nccl between GPUs and gloo between CPUs. With several GPUs on a node each process takes the
    one of its local rank, whatever index `device` has.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1 and not distributed.is_initialized():
        yield Ranks(0, 1, device)
        return
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    started = not distributed.is_initialized()
    if started:
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Ranks(distributed.get_rank(), distributed.get_world_size(), device)
    finally:
        if started:
            distributed.destroy_process_group()


def check_batch(batch: int, ranks: Ranks) -> None:
    """Refuse a batch that the processes cannot share alike.

    Raises
    ------
    RecipeError
        If the batch is no multiple of the number of processes.
    """
    if batch % ranks.world:
        raise RecipeError(
            f"batch = {batch} cannot be shared by {ranks.world} processes",
            remedy=f"Allowed: multiples of {ranks.world}",
        )


class _SumOverProcesses(torch.autograd.Function):
    """The sum over all processes; every process's result hangs on every process's value, with slope 1."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        total = value.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        total = gradient.clone()
        distributed.all_reduce(total)
        return total


def _summed(value: Tensor) -> Tensor:
    result: Tensor = _SumOverProcesses.apply(value)  # type: ignore[no-untyped-call]
    return result


class SynchronisedBatchNorm(nn.BatchNorm1d):
    """Batch normalization with the statistics of the batches of all processes together.

    torch's own runs on GPUs only; this one is for processes on the CPU. Each has as many samples. Statistics
    are in the precision of the parameters whatever that of the samples is, as torch's are.
    """

    def forward(self, input: Tensor) -> Tensor:
        """(B, C) or (B, C, N) to the same shape."""
        if not self.training:
            return super().forward(input)
        over = [0] if input.ndim == 2 else [0, 2]
        count = input.numel() // input.shape[1] * distributed.get_world_size()
        mean = _summed(input.sum(over, dtype=self.weight.dtype)) / count
        shape = (1, -1) if input.ndim == 2 else (1, -1, 1)
        centred = input - mean.view(shape)
        variance = _summed(centred.square().sum(over)) / count
        with torch.no_grad():
            self._keep(mean, variance * count / max(count - 1, 1))
        scale = self.weight * (variance + self.eps).rsqrt()
        result: Tensor = centred * scale.view(shape) + self.bias.view(shape)
        return result.to(input.dtype)

    def _keep(self, mean: Tensor, variance: Tensor) -> None:
        assert self.running_mean is not None and self.running_var is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked += 1
        share = 1 / int(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance, share)


def shared(network: nn.Module, ranks: Ranks) -> nn.Module:
    """`network` with gradients and batch statistics of all processes; itself where there is one.

    The parameters are those of `network`; names in its state stay as they are.
    """
    if ranks.world == 1:
        return network
    parallel = nn.parallel.DistributedDataParallel
    # Batch statistics are the same everywhere. Newer versions of torch warn of the older name.
    newer = "forward_sync_buffers" in inspect.signature(parallel).parameters
    own_buffers: dict[str, Any] = {"forward_sync_buffers" if newer else "broadcast_buffers": False}
    if ranks.device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(network)
        device_ids = [ranks.device.index]
        return parallel(network, device_ids=device_ids, gradient_as_bucket_view=True, **own_buffers)
    _synchronise(network)
    return parallel(network, **own_buffers)


def _synchronise(network: nn.Module) -> None:
    for module in network.modules():
        if type(module) is nn.BatchNorm1d:
            # The same state and another forward: nothing has to be copied.
            module.__class__ = SynchronisedBatchNorm
