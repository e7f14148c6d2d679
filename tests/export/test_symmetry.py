from __future__ import annotations

import dataclasses

import gemmi
import numpy as np
import pytest
import torch

from mixrd.crystal import Crystal, Site
from mixrd.diffraction import radiation, reflections, strained_sticks
from mixrd.export.symmetry import (
    cell_parameters,
    in_p1,
    multiplicities,
    special_positions,
    spellable,
    unique_labels,
)
from mixrd.phases import load_phase


@pytest.mark.parametrize(
    ("name", "ties"),
    [
        ("fluorite", [0, 0, 0, None, None, None]),
        ("corundum", [0, 0, 2, None, None, None]),
        ("rutile", [0, 0, 2, None, None, None]),
        ("barite", [0, 1, 2, None, None, None]),
        ("gypsum", [0, 1, 2, None, 4, None]),
        ("albite", [0, 1, 2, 3, 4, 5]),
    ],
)
def test_what_symmetry_ties(name: str, ties: list[int | None]) -> None:
    assert cell_parameters(load_phase(name)) == ties


def test_the_metric_holds_in_p1() -> None:
    assert cell_parameters(in_p1(load_phase("corundum"))) == [0, 0, 2, None, None, None]


def test_p1_diffracts_the_same() -> None:
    crystal = load_phase("fluorite")
    beam = radiation("CuKa1")

    def whole(one: Crystal) -> float:
        table = reflections(one, beam, two_theta_range=(20.0, 60.0), margin=0.0)

        sticks = strained_sticks(table, torch.zeros(1, len(table.strain_basis), dtype=torch.float64))
        return float(sticks.intensity.sum())

    assert whole(in_p1(crystal)) == pytest.approx(whole(crystal), rel=1e-6)


@pytest.mark.parametrize(
    ("symbol", "plain"),
    [("F d -3 m:1", False), ("F d -3 m:2", True), ("R -3 m:R", False), ("R -3 m:H", True)],
)
def test_settings_that_cannot_be_told_become_others(symbol: str, plain: bool) -> None:
    group = gemmi.find_spacegroup_by_name(symbol)
    cell = (5.0, 5.0, 12.0, 90.0, 90.0, 120.0)
    if symbol.startswith("F"):
        cell = (5.43, 5.43, 5.43, 90.0, 90.0, 90.0)
    elif symbol.endswith("R"):
        cell = (5.0, 5.0, 5.0, 60.0, 60.0, 60.0)
    crystal = Crystal(
        "x",
        cell,
        group.xhm(),
        tuple(op.triplet() for op in group.operations()),
        (
            Site(
                "A",
                "Si",
                (0.125, 0.125, 0.125) if plain and symbol[0] == "F" else (0.0, 0.0, 0.0),
                1.0,
                0.006,
            ),
        ),
    )
    assert spellable(crystal) == (crystal, group)
    found, told = spellable(crystal, suffixes=False)
    assert told.xhm() == (symbol if plain else "F d -3 m:2" if symbol.startswith("F") else "P 1")
    assert found.density_g_cm3 == pytest.approx(crystal.density_g_cm3)
    if symbol.endswith("R"):
        assert cell_parameters(crystal) == [0, 0, 0, 3, 3, 3]
        assert cell_parameters(found)[:3] == [0, 0, 0]


@pytest.mark.parametrize("name", ["anatase", "cuprite", "silicon"])
def test_origin_choice_2_diffracts_the_same(name: str) -> None:
    crystal, beam = load_phase(name), radiation("CuKa1")
    moved, group = spellable(crystal, suffixes=False)
    assert crystal.space_group.endswith(":1") and group.xhm().endswith(":2")
    lines = []
    for one in (crystal, moved):
        table = reflections(one, beam, two_theta_range=(10.0, 90.0), margin=0.0)
        sticks = strained_sticks(table, torch.zeros(1, len(table.strain_basis), dtype=torch.float64))
        lines.append(np.sort(sticks.intensity.numpy()[0]))
    assert lines[1] == pytest.approx(lines[0], rel=1e-9, abs=1e-12)


def test_rounded_coordinates_and_tensors_are_mended() -> None:
    corundum = load_phase("corundum")
    found = special_positions(corundum)
    tensor = found[0].u_aniso
    assert tensor is not None
    # On the threefold axis: U11 = U22 = 2 U12.
    assert tensor[0] == pytest.approx(tensor[1], rel=1e-9)
    assert tensor[3] == pytest.approx(tensor[0] / 2, rel=1e-9)
    zincite = load_phase("zincite")
    rounded = dataclasses.replace(
        zincite,
        sites=tuple(dataclasses.replace(s, fract=(0.3333, 0.6667, s.fract[2])) for s in zincite.sites),
    )
    assert np.array(special_positions(rounded)[0].fract)[:2] == pytest.approx([1 / 3, 2 / 3], abs=1e-9)


def test_multiplicities_of_fluorite() -> None:
    assert multiplicities(load_phase("fluorite")) == [4, 8]


def test_labels_are_unique_and_plain() -> None:
    fluorite = load_phase("fluorite")
    twice = dataclasses.replace(
        fluorite, sites=tuple(dataclasses.replace(s, label="X 1'") for s in fluorite.sites)
    )
    assert unique_labels(twice) == ["Ca1", "F2"]
    assert unique_labels(fluorite) == ["Ca", "F"]
