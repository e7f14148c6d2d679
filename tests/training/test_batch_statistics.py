from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch
from torch import nn

from mixrd.training.batch_statistics import measured_statistics


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 4), nn.BatchNorm1d(4))


def test_statistics_are_those_of_the_patterns_and_only_within() -> None:
    layers = network()
    before = {key: value.clone() for key, value in layers.state_dict().items()}
    batches = [5 + 2 * torch.randn(50, 3) for _ in range(4)]
    with measured_statistics(layers, batches, nullcontext):
        norm = layers[0]
        assert isinstance(norm, nn.BatchNorm1d) and not layers.training
        assert norm.running_mean is not None and norm.running_var is not None
        assert torch.allclose(norm.running_mean, torch.stack([b.mean(0) for b in batches]).mean(0), atol=1e-5)
        assert torch.allclose(norm.running_var, torch.stack([b.var(0) for b in batches]).mean(0), atol=1e-5)
    after = layers.state_dict()
    assert all(torch.equal(after[key], value) for key, value in before.items())
    assert {m.momentum for m in layers if isinstance(m, nn.BatchNorm1d)} == {0.1}


def test_without_patterns_the_averages_stay() -> None:
    layers = network()
    layers(torch.rand(9, 3))
    expected = layers[0].state_dict()["running_mean"].clone()
    with measured_statistics(layers, [], nullcontext):
        assert torch.equal(layers[0].state_dict()["running_mean"], expected) and not layers.training


def test_they_come_back_after_a_failure() -> None:
    layers = network()
    with pytest.raises(KeyError), measured_statistics(layers, [torch.rand(9, 3)], nullcontext):
        raise KeyError
    assert layers[0].state_dict()["running_mean"].abs().sum() == 0
