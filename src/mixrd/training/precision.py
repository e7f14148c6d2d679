"""Where and in which arithmetic a network is trained."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from types import TracebackType

import torch
from torch import Tensor, nn

from mixrd.errors import RecipeError
from mixrd.training.settings import Precision, TrainingSettings

_HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}


def fastest_precision(device: str | torch.device) -> Precision:
    """The fastest arithmetic that trains as well as float32: bf16 where it is there, else fp16 on a GPU."""
    if has_bfloat16(device):
        return "bf16"
    return "fp16" if torch.device(device).type == "cuda" else "float32"


def has_bfloat16(device: str | torch.device) -> bool:
    """Whether a device multiplies in bf16 itself: GPUs from Ampere on, processors with AVX512_BF16 or AMX.

    Elsewhere bf16 is emulated, and slower than float32. False where torch cannot tell of a processor.
    """
    kind = torch.device(device).type
    if kind == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if kind != "cpu" or not hasattr(torch.cpu, "get_capabilities"):
        return False
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16"))


def best_device() -> str:
    """Name of the device to train on: "cuda" where a GPU is found, else "cpu"."""
    return "cuda" if torch.cuda.is_available() else "cpu"


@contextmanager
def half_the_processors() -> Iterator[None]:
    """As many threads as there are physical cores, at most those allowed before.

    Two threads on one core bring nothing, and where another program runs they wait for each other: a
    training then takes ten times as long.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, min(threads, (os.cpu_count() or 2) // 2)))
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class Arithmetic:
    """Precision, loss scaling and compilation of one training; entered for as long as it runs.

    Parameters
    ----------
    settings : TrainingSettings
    device : device

    Raises
    ------
    RecipeError
        If the device does not have the precision.
    """

    def __init__(self, settings: TrainingSettings, device: torch.device) -> None:
        if device.type != "cuda" and settings.precision in ("fp16", "tf32"):
            raise RecipeError(
                f"precision = {settings.precision} needs a GPU, the device is {device}",
                remedy="Allowed here: float32, bf16",
            )
        self.settings, self.device = settings, device
        self.half = _HALF.get(settings.precision)
        self.scaler = torch.amp.GradScaler(device.type, enabled=settings.precision == "fp16")
        self._stack = ExitStack()

    def __enter__(self) -> Arithmetic:
        if self.device.type == "cuda":
            self._stack.enter_context(_cuda_kernels(tf32=self.settings.precision != "float32"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def autocast(self) -> AbstractContextManager[None]:
        """Where networks are called."""
        return torch.autocast(self.device.type, dtype=self.half, enabled=self.half is not None)

    def compiled(self, network: nn.Module) -> nn.Module:
        """`network`, compiled where the settings say so; parameters stay the same objects."""
        if not self.settings.compile:
            return network
        result: nn.Module = torch.compile(network)  # type: ignore[assignment]
        return result

    def descend(
        self, loss: Tensor, optimizer: torch.optim.Optimizer, network: nn.Module, largest: float | None
    ) -> None:
        """Gradients of the loss, cut to a norm of `largest`, and one step of the optimizer."""
        self.scaler.scale(loss).backward()
        if largest is not None:
            self.scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(network.parameters(), largest)
        self.scaler.step(optimizer)
        self.scaler.update()

    def state(self) -> Tensor:
        """(2,) scale and steps since it grew; zeros where losses are not scaled."""
        kept = self.scaler.state_dict()
        values = [kept["scale"], kept["_growth_tracker"]] if kept else [0.0, 0.0]
        return torch.tensor(values, dtype=torch.float64)

    def restore(self, state: Tensor) -> None:
        """Go on from what `state` gave."""
        scale, tracker = state.tolist()
        if self.scaler.is_enabled() and scale > 0:
            kept = {**self.scaler.state_dict(), "scale": scale, "_growth_tracker": int(tracker)}
            self.scaler.load_state_dict(kept)


@contextmanager
def _cuda_kernels(*, tf32: bool) -> Iterator[None]:
    """Kernels chosen by measuring, since all batches have one shape; TF32 only where it is asked for.

    torch computes convolutions in TF32 unless told otherwise, which "float32" does not say.
    """
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    former = cudnn.benchmark, cudnn.allow_tf32, matmul.allow_tf32
    cudnn.benchmark, cudnn.allow_tf32, matmul.allow_tf32 = True, tf32, tf32
    try:
        yield
    finally:
        cudnn.benchmark, cudnn.allow_tf32, matmul.allow_tf32 = former
