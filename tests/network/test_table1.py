"""The network against Table 1 and Fig. 2 of Hoefer et al. 2024."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from mixrd.errors import ParameterError
from mixrd.network import Table1Network
from mixrd.network.table1 import reduced_shapes

#: Output (channels, points) of each convolution at 2667 points, worked out by hand: n - kernel + 1, and
#: half of it, rounded down, where the table says "yes" to pooling.
SHAPES = {
    "blocks.0.0": (64, 1330),
    "blocks.0.1": (64, 662),
    "blocks.0.2": (128, 328),
    "reductions.0": (4, 160),
    "blocks.1.0": (256, 161),
    "blocks.1.1": (512, 77),
    "reductions.1": (20, 36),
    "blocks.2.0": (1024, 35),
    "blocks.2.1": (1024, 29),
    "blocks.2.2": (1024, 23),
    "reductions.2": (64, 20),
    "hidden": (3800,),
    "scores": (10,),
}


@pytest.fixture(scope="module")
def network() -> Table1Network:
    torch.manual_seed(0)
    return Table1Network(points=2667, materials=10)


@pytest.fixture(scope="module")
def shapes(network: Table1Network) -> dict[str, tuple[int, ...]]:
    seen: dict[str, tuple[int, ...]] = {}
    handles = []
    for name, module in network.named_modules():
        if name in SHAPES:

            def keep(_module: nn.Module, _given: object, output: Tensor, name: str = name) -> None:
                seen[name] = tuple(output.shape[1:])

            handles.append(module.register_forward_hook(keep))
    with torch.no_grad():
        network.eval()(torch.rand(2, 2667))
    for handle in handles:
        handle.remove()
    return seen


def test_shape_of_each_layer(shapes: dict[str, tuple[int, ...]]) -> None:
    assert shapes == SHAPES


def test_reductions_concatenate_to_2640_features(network: Table1Network) -> None:
    assert [a * b for a, b in reduced_shapes(2667)] == [640, 720, 1280]
    assert network.hidden[0].num_features == 2640


def test_parameter_count(network: Table1Network) -> None:
    """Weights and biases of each kind of layer, from the table's numbers alone."""

    def convolutions(rows: list[tuple[int, int, int]]) -> int:
        return sum((inputs * kernel + 1) * filters for inputs, filters, kernel in rows)

    blocks = convolutions(
        [(1, 64, 7), (64, 64, 7), (64, 128, 7), (128, 256, 7), (256, 512, 7), (512, 1024, 7)]
        + 2 * [(1024, 1024, 7)]
    )
    reductions = convolutions([(128, 4, 9), (512, 20, 5), (1024, 64, 4)])
    fully = 2640 * 3800 + 3800 + 3800 * 10 + 10
    normalised = 2 * (64 + 64 + 128 + 256 + 512 + 1024 + 1024 + 128 + 512 + 1024 + 2640 + 3800)
    assert (blocks, reductions) == (19_587_520, 318_040)

    def count(module: nn.Module, kind: type[nn.Module]) -> int:
        return sum(p.numel() for m in module.modules() if isinstance(m, kind) for p in m.parameters(False))

    assert count(network.blocks, nn.Conv1d) == blocks
    assert count(network.reductions, nn.Conv1d) == reductions
    assert count(network, nn.Linear) == fully
    assert count(network, nn.BatchNorm1d) == normalised
    total = sum(p.numel() for p in network.parameters())
    assert total == blocks + reductions + fully + normalised == 30_001_722


def test_layers_are_those_that_the_paper_names(network: Table1Network) -> None:
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv1d)]
    assert {(m.stride, m.padding, m.dilation) for m in convolutions} == {((1,), (0,), (1,))}
    pools = [m for m in network.modules() if isinstance(m, nn.MaxPool1d)]
    assert len(pools) == 8 and {(m.kernel_size, m.stride) for m in pools} == {(2, 2)}
    units = [m for m in network.modules() if isinstance(m, nn.LeakyReLU)]
    # One behind each of 11 convolutions and the hidden layer, none behind the last.
    assert len(units) == 12 and {m.negative_slope for m in units} == {0.01}
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm1d)]
    assert len(norms) == len(convolutions) + 2 - 1
    assert isinstance(network.blocks[0][0][0], nn.Conv1d)
    for module in network.modules():
        if isinstance(module, nn.Sequential) and isinstance(module[0], nn.BatchNorm1d):
            assert isinstance(module[1], nn.Conv1d | nn.Linear)


def test_a_reduction_reads_a_copy_of_its_block(network: Table1Network) -> None:
    """The features are the reductions of the three blocks, one after the other."""
    network.eval()
    patterns = torch.rand(2, 2667)
    with torch.no_grad():
        one = network.blocks[0](patterns.unsqueeze(1))
        two = network.blocks[1](one)
        three = network.blocks[2](two)
        reduced = [r(x).flatten(1) for r, x in zip(network.reductions, (one, two, three), strict=True)]
        by_hand = network.scores(network.hidden(torch.cat(reduced, 1)))
        assert torch.allclose(network(patterns), by_hand, atol=1e-6)


def test_shortest_pattern() -> None:
    assert [length for _, length in reduced_shapes(1402)][-1] == 1
    with pytest.raises(ParameterError, match="1402"):
        Table1Network(points=1401, materials=3)
