from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from mixrd.crystal import Crystal, load_phase
from mixrd.diffraction import radiation, reflections, strained_sticks
from mixrd.export.symmetry import (
    cell_parameters,
    in_p1,
    multiplicities,
    special_positions,
    spellable,
    unique_labels,
)


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


def test_origin_choice_1_becomes_p1_where_it_cannot_be_told() -> None:
    anatase = load_phase("anatase")
    assert spellable(anatase)[1].xhm().startswith("I 41/a m d")
    if anatase.space_group.endswith(":1"):
        crystal, group = spellable(anatase, origin_choice_1=False)
        assert group.xhm() == "P 1" and len(crystal.sites) == 12


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
