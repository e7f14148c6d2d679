from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import nn

from mixrd.errors import RecipeError
from mixrd.training import TrainingSettings, fastest_precision
from mixrd.training.precision import Arithmetic, has_bfloat16

SETTINGS = TrainingSettings(samples=100)
CPU = torch.device("cpu")


def layer() -> tuple[nn.Linear, torch.optim.Optimizer]:
    network = nn.Linear(4, 2)
    nn.init.constant_(network.weight, 0.5)
    return network, torch.optim.SGD(network.parameters(), lr=1.0)


@pytest.mark.parametrize("precision", ["fp16", "tf32"])
def test_what_a_cpu_does_not_have(precision: str) -> None:
    settings = dataclasses.replace(SETTINGS, precision=precision)  # type: ignore[arg-type]
    with pytest.raises(RecipeError, match="float32, bf16"):
        Arithmetic(settings, CPU)


@pytest.mark.parametrize(("precision", "dtype"), [("float32", torch.float32), ("bf16", torch.bfloat16)])
def test_autocast(precision: str, dtype: torch.dtype) -> None:
    network, _ = layer()
    with Arithmetic(dataclasses.replace(SETTINGS, precision=precision), CPU) as arithmetic:  # type: ignore[arg-type]
        with arithmetic.autocast():
            assert network(torch.rand(3, 4)).dtype == dtype
        assert arithmetic.state().tolist() == [0.0, 0.0]


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("largest", [None, 0.5, 100.0])
def test_a_step_is_the_gradient_cut_to_its_largest_norm(scaled: bool, largest: float | None) -> None:
    """Scaling the loss changes nothing, and the norm is that of the gradient without it."""
    network, optimizer = layer()
    arithmetic = Arithmetic(SETTINGS, CPU)
    arithmetic.scaler = torch.amp.GradScaler("cpu", enabled=scaled)
    before = network.weight.detach().clone()
    loss = 2 * network.weight.sum() + 0 * network.bias.sum()
    arithmetic.descend(loss, optimizer, network, largest)
    gradient = torch.full((2, 4), 2.0)
    norm = float(gradient.norm())
    factor = min(1.0, (largest or norm) / norm)
    assert torch.allclose(network.weight.detach(), before - factor * gradient, atol=1e-5)


def test_the_scale_of_losses_survives_a_checkpoint() -> None:
    one, two = Arithmetic(SETTINGS, CPU), Arithmetic(SETTINGS, CPU)
    one.scaler, two.scaler = torch.amp.GradScaler("cpu"), torch.amp.GradScaler("cpu")
    network, optimizer = layer()
    one.descend(network.weight.sum() * float("inf"), optimizer, network, None)
    optimizer.zero_grad()
    one.descend(network.weight.sum() + network.bias.sum(), optimizer, network, None)
    assert torch.isfinite(network.weight).all(), "a step of infinite gradients is left out"
    scale, steps = one.state().tolist()
    assert (scale, steps) == (32768.0, 1.0)
    two.restore(one.state())
    for arithmetic in (one, two):
        arithmetic.descend(network.weight.sum() + network.bias.sum(), optimizer, network, None)
    assert two.state().tolist() == one.state().tolist() == [32768.0, 2.0]


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"avx512_bf16": True}, True),
        ({"amx_bf16": True, "avx512_bf16": False}, True),
        ({"avx2": True}, False),
    ],
)
def test_bfloat16_of_a_processor(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool], expected: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert has_bfloat16("cpu") is expected
    assert fastest_precision("cpu") == ("bf16" if expected else "float32")


def test_bfloat16_where_torch_cannot_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert not has_bfloat16(CPU)
    assert not has_bfloat16("meta")
