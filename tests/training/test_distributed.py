"""What `test_loop` tests with two processes, piece by piece in one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import distributed, nn

from mixrd.errors import RecipeError
from mixrd.training.distributed import Ranks, SynchronisedBatchNorm, check_batch, joined, shared

CPU = torch.device("cpu")


@pytest.fixture
def group() -> Iterator[None]:
    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


@pytest.mark.parametrize("shape", [(8, 3), (8, 3, 5), (2, 3, 1)])
def test_synchronised_statistics_are_those_of_torch(group: None, shape: tuple[int, ...]) -> None:
    """Output, gradients and running statistics, in training and in evaluation."""
    generator = torch.Generator().manual_seed(0)
    ours, torchs = SynchronisedBatchNorm(3).double(), nn.BatchNorm1d(3).double()
    with torch.no_grad():
        for module in (ours, torchs):
            module.weight.copy_(torch.tensor([0.5, 2.0, -1.0]))
            module.bias.copy_(torch.tensor([0.1, 0.0, 3.0]))
    for _ in range(3):
        given = 4 + 2 * torch.randn(shape, generator=generator, dtype=torch.float64)
        aim = torch.randn(shape, generator=generator, dtype=torch.float64)
        results = []
        for module in (ours, torchs):
            x = given.clone().requires_grad_(True)
            module.zero_grad()
            output = module(x)
            ((output - aim) ** 2).sum().backward()
            results.append((output, x.grad, module.weight.grad, module.bias.grad))
        for one, other in zip(*results, strict=True):
            assert one is not None and other is not None
            assert torch.allclose(one, other, atol=1e-9)
    for key, value in torchs.state_dict().items():
        assert torch.allclose(ours.state_dict()[key], value), key
    assert torch.allclose(ours.eval()(given), torchs.eval()(given))


def test_statistics_of_samples_in_half_precision_stay_in_full(group: None) -> None:
    """As torch's: bfloat16 in and out, and no sum over the batch in bfloat16."""
    given = 5 + torch.randn((64, 3, 50), generator=torch.Generator().manual_seed(0)).bfloat16()
    ours, torchs = SynchronisedBatchNorm(3), nn.BatchNorm1d(3)
    output, wanted = ours(given), torchs(given)
    assert output.dtype == wanted.dtype == torch.bfloat16
    assert torch.allclose(output.float(), wanted.float(), atol=0.05)
    for key, value in torchs.state_dict().items():
        assert torch.allclose(ours.state_dict()[key], value, rtol=2e-3), key


def test_alone_the_network_stays_as_it_is() -> None:
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    assert shared(network, Ranks(0, 1, CPU)) is network
    assert type(network[1]) is nn.BatchNorm1d


def test_without_torchrun_there_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined(CPU) as ranks:
        assert (ranks.rank, ranks.world, ranks.is_first) == (0, 1, True)
        assert ranks.agree(3) and ranks.any(True) and not ranks.any(False)
    assert not distributed.is_initialized()


def test_a_group_that_is_there_is_used_and_left(group: None) -> None:
    with joined(CPU) as ranks:
        assert ranks.world == 1
    assert distributed.is_initialized()


def test_a_batch_that_cannot_be_shared() -> None:
    check_batch(12, Ranks(0, 3, CPU))
    with pytest.raises(RecipeError, match="multiples of 5"):
        check_batch(12, Ranks(0, 5, CPU))
