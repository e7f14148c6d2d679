"""Phases whose lines are each lost in noise, and nothing where nothing is missing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mixrd.analysis import generic_instrument
from mixrd.analysis.doubts.faint_phase import LEAST_LOG_ODDS, FaintEvidence, FaintPhase, faint_phase
from mixrd.analysis.doubts.unexplained import LEAST_SHARE, find_unexplained, unexplained_warnings
from mixrd.analysis.result.parts import Curves
from mixrd.crystal import Crystal
from mixrd.pattern import ForwardModel, Instrument
from mixrd.phases import load_phase

GRID = np.arange(15.0, 80.0, 0.02)
BASE = ("fluorite", "periclase")


@pytest.fixture(scope="module")
def laboratory() -> Instrument:
    return dataclasses.replace(generic_instrument("CuKa"), two_theta_range=(15.0, 80.0), step=0.02)


def patterns(instrument: Instrument, *names: str, strain: float = 0.0) -> NDArray[np.float64]:
    """(P, N) of equal mass, cells of all wider by `strain`."""
    model = ForwardModel([load_phase(name) for name in names], instrument, GRID)
    start = model.reference()
    basis = torch.cat([t.strain_basis.diagonal(dim1=-2, dim2=-1).sum(-1) for t in model.tables])
    wider = strain * basis / 3
    found: NDArray[np.float64] = model.columns(dataclasses.replace(start, strain=wider[None]))[0].numpy()
    return found


def scan(
    instrument: Instrument, hidden: NDArray[np.float64] | float, seed: int, peak: float = 3000.0
) -> tuple[Curves, NDArray[np.float64]]:
    """A perfect fit of `BASE` but for what is hidden."""
    parts = patterns(instrument, *BASE)
    parts *= peak / parts.sum(0).max()
    floor = np.full_like(GRID, 0.02 * peak)
    expected = parts.sum(0) + floor + hidden
    observed = np.random.default_rng(seed).poisson(expected).astype(float)
    return Curves(GRID, observed, parts.sum(0) + floor, floor, parts, ()), np.sqrt(np.maximum(observed, 1))


def candidates() -> list[Crystal]:
    return [load_phase(name) for name in BASE]


@pytest.mark.parametrize("name", ["barite", "celestine", "aragonite"])
def test_many_faint_lines_are_a_phase(laboratory: Instrument, name: str) -> None:
    """Its strongest line is 22 counts high on 60: three standard deviations of a point."""
    (lines,) = patterns(laboratory, name, strain=0.002)
    curves, sigma = scan(laboratory, 22 * lines / lines.max(), seed=1)
    found = find_unexplained(curves, sigma, laboratory, candidates=candidates())
    assert found.share_of_counts < LEAST_SHARE
    assert found.faint is not None and found.faint.name == name
    assert found.faint.log_odds > LEAST_LOG_ODDS
    net = float((curves.observed - curves.background).sum())
    assert found.faint.share_of_counts == pytest.approx(
        22 * float((lines / lines.max()).sum()) / net, rel=0.5
    )
    (warning,) = unexplained_warnings(found)
    assert warning.code == "UNEXPLAINED_LINES"
    assert f"{name} would explain faint lines" in warning.message
    assert found.told == (str(found.faint),)


def test_nothing_is_nothing(laboratory: Instrument) -> None:
    for seed in range(10):
        curves, sigma = scan(laboratory, 0.0, seed)
        assert find_unexplained(curves, sigma, laboratory, candidates=candidates()).faint is None


def test_candidates_are_not_told_of_under_another_name(laboratory: Instrument) -> None:
    (lines,) = patterns(laboratory, "barite")
    curves, sigma = scan(laboratory, 22 * lines / lines.max(), seed=1)
    mine = dataclasses.replace(load_phase("barite"), name="heavy spar")
    found = find_unexplained(curves, sigma, laboratory, candidates=[*candidates(), mine])
    assert found.faint is None or found.faint.name != "barite"


def evidence(area: NDArray[np.float64], sigma: NDArray[np.float64] | float = 1.0) -> FaintEvidence:
    whole = np.full_like(GRID, 1.0) * sigma
    return FaintEvidence(GRID, area, whole, np.full_like(GRID, 0.1), 1e4)


def test_what_lies_near_known_lines_counts_for_nothing(laboratory: Instrument) -> None:
    (lines,) = patterns(laboratory, "barite")
    area = 8 * lines / lines.max()
    assert (found := faint_phase(evidence(area), laboratory, [])) is not None and found.name == "barite"
    assert faint_phase(evidence(area, np.inf), laboratory, []) is None
    assert faint_phase(evidence(-area), laboratory, []) is None


def test_a_sentence() -> None:
    said = str(FaintPhase("brucite", 9.0, 0.0123))
    assert said == (
        "brucite would explain faint lines that together hold about 1.2 % of the counts above background"
    )
