"""What networks with heads are told of a cell, against its line lists and settings."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from mixrd.crystal import strain_basis
from mixrd.mixture import line_lists
from mixrd.network import HeadedNetwork, build_trainable
from mixrd.network.candidate_lines import CandidateLines
from mixrd.paper import grid, paper_materials
from mixrd.paper.figure1 import Figure1Sampler
from mixrd.paper.network_options import candidate_lines, network_options
from mixrd.paper.simulators import mixrd_lines

CRYSTALS = paper_materials().crystals[:8]
(CELL,) = grid(CRYSTALS, n=[8], k=[3], architectures=["matched"], seeds=[0])


@pytest.mark.parametrize("architecture", ["matched", "compact-heads"])
def test_the_options_build_the_network(architecture: str) -> None:
    (cell,) = grid(CRYSTALS, n=[8], k=[3], architectures=[architecture], seeds=[0])
    options = json.loads(json.dumps(network_options(cell)))
    built = build_trainable(architecture, points=2667, materials=8, **options)
    assert isinstance(built, HeadedNetwork)
    assert list(built.strain_components) == [len(strain_basis(c)) for c in CRYSTALS]


def test_networks_of_fractions_need_none() -> None:
    for architecture in ("table1", "compact", "mlp"):
        (cell,) = grid(CRYSTALS, n=[8], k=[3], architectures=[architecture], seeds=[0])
        assert network_options(cell) == {}


def test_shapes_cover_their_ranges() -> None:
    """Shapes of many draws fill -1 to 1."""
    net = build_trainable("matched", points=2667, materials=8, **network_options(CELL))
    assert isinstance(net, HeadedNetwork)
    lines = line_lists(
        [c.name for c in CRYSTALS], [(np.array([20.0]), np.ones(1, dtype=np.float32))] * 8, np.arange(8)
    )
    sampler = Figure1Sampler(lines, CELL.figure1())
    drawn = sampler.draw(400, generator=torch.Generator().manual_seed(0))
    relative = net.relative_shape(drawn.shape)
    assert relative.abs().max() <= 1.0001
    assert relative.amax(0).min() > 0.97 and relative.amin(0).max() < -0.97


@pytest.mark.parametrize("number", range(8))
def test_candidate_lines_are_the_strongest_of_the_line_list(number: int) -> None:
    crystal, recipe = CRYSTALS[number], CELL.protocol.dataset(CRYSTALS)
    lines, basis = candidate_lines(recipe, number), strain_basis(crystal)
    assert 2 <= len(lines) <= 16
    assert [line[3] for line in lines] == sorted((line[3] for line in lines), reverse=True)
    amplitudes = recipe.amplitudes(crystal, "test")[:5]
    listed = mixrd_lines(crystal, amplitudes, "symmetry", 1.54184, (10.0, 50.0))
    table = CandidateLines([lines], [basis.tolist()], 1.54184)
    place = table.at(torch.from_numpy(amplitudes).float(), torch.zeros(5, dtype=torch.long))
    degrees = torch.rad2deg(2 * torch.arcsin(place.exp())).numpy()
    for found, (positions, areas) in zip(degrees, listed, strict=True):
        strong = positions[areas > 30.0]
        inside = strong[(strong > 10.5) & (strong < 49.5)]
        if len(lines) < 16:
            assert len(inside) and np.abs(inside[:, None] - found).min(1).max() < 0.01
        within = found[(found > 10.0) & (found < 50.0)]
        assert np.abs(within[:, None] - positions).min(1).max() < 0.01


def test_strengths_are_those_of_the_line_list() -> None:
    crystal, recipe = CRYSTALS[0], CELL.protocol.dataset(CRYSTALS)
    lines = candidate_lines(recipe, recipe.crystals.index(crystal))
    ((positions, areas),) = mixrd_lines(crystal, np.zeros((1, 2)), "symmetry", 1.54184, (10.0, 50.0))
    table = CandidateLines([lines], [strain_basis(crystal).tolist()], 1.54184)
    place = table.at(torch.zeros(1, 2), torch.zeros(1, dtype=torch.long))[0]
    degrees = torch.rad2deg(2 * torch.arcsin(place.exp())).numpy()
    for angle, line in zip(degrees, lines, strict=True):
        if 10.0 < angle < 50.0:
            nearest = np.abs(positions - angle).argmin()
            assert line[3] == pytest.approx(areas[nearest] / 100, rel=1e-3)
