"""Strains that a scan pays for are freed, others stay tight."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from mixrd.crystal import Crystal, strained_cell
from mixrd.fit.cell_release import LEAST_COST, earned_room
from mixrd.fit.least_squares import Priors
from mixrd.fit.linear_part import LinearPart
from mixrd.fit.pattern_fit import Fit
from mixrd.fit.staging import refine_sample
from mixrd.pattern import ForwardModel, Instrument, load_instrument
from mixrd.phases import load_phase

POINTS, SIGMA = 1000, 0.001


def fit_of(values: list[float], precision: list[float], residual: float = 1.0) -> Fit:
    """Parameters at these values, each told by its own points with this precision (1/standard deviation)."""
    count = len(values)
    jacobian = torch.zeros(1, POINTS, count, dtype=torch.float64)
    for n, one in enumerate(precision):
        jacobian[0, n, n] = one
    design = torch.zeros(1, 1, POINTS, dtype=torch.float64)
    design[0, 0, -1] = 1.0
    linear = LinearPart(
        torch.ones(1, 1, dtype=torch.float64),
        torch.ones(1, 1, dtype=torch.bool),
        design,
        torch.full((1, POINTS), residual, dtype=torch.float64),
    )
    flat = torch.tensor([values], dtype=torch.float64)
    return Fit(flat, linear, jacobian, flat.sum(1), flat.sum(1).long(), 1)


def priors(sigma: list[float]) -> Priors:
    s = torch.tensor(sigma, dtype=torch.float64)
    return Priors(0 * s, s, 0 * s - 1, 0 * s + 1)


def earned(
    values: list[float], precision: list[float], sigma: list[float], residual: float = 1.0
) -> list[bool]:
    found: list[bool] = earned_room(
        fit_of(values, precision, residual), priors(sigma), slice(0, len(values)), SIGMA
    ).tolist()
    return found


def test_what_a_restraint_costs_by_hand() -> None:
    """Told to d, held at x by s, the free value is x (1 + d^2/s^2): the cost is its square over s^2 + d^2."""
    for deviation in (1e-5, 1e-4, 1e-3):
        for cost, expected in ((0.9 * LEAST_COST, False), (1.1 * LEAST_COST, True)):
            free = np.sqrt(cost * (SIGMA**2 + deviation**2))
            held = free / (1 + deviation**2 / SIGMA**2)
            assert earned([held], [1 / deviation], [SIGMA]) == [expected]


def test_what_has_room_is_judged_as_if_it_had_none() -> None:
    """The same free value, with a restraint a hundred times wider."""
    for cost, expected in ((0.9 * LEAST_COST, False), (1.1 * LEAST_COST, True)):
        free = np.sqrt(cost * (SIGMA**2 + 1e-10))
        assert earned([free], [1e5], [100 * SIGMA]) == [expected]


def test_each_component_is_judged_by_itself() -> None:
    assert earned([0.005, 0.0002, -0.005], [1e5] * 3, [SIGMA] * 3) == [True, False, True]
    # What is not free earns nothing.
    assert earned([0.005, 0.005], [1e5] * 2, [SIGMA, 0.0]) == [True, False]


def test_what_misfit_may_bring_by_chance_earns_nothing() -> None:
    values, precision, sigma = [0.005], [1e5], [SIGMA]
    assert earned(values, precision, sigma, residual=1.0) == [True]
    assert earned(values, precision, sigma, residual=2.0) == [False]
    # Better than noise is luck, and lowers nothing.
    assert earned([0.0025], precision, sigma, residual=0.1) == [False]


@pytest.fixture(scope="module")
def instrument() -> Instrument:
    return dataclasses.replace(load_instrument("lab-cu"), two_theta_range=(20.0, 80.0), step=0.03)


def cell_after(strain: tuple[float, ...], instrument: Instrument) -> tuple[np.ndarray, np.ndarray, Crystal]:
    """Refined and true strains of quartz beside halite whose cell is as it was given."""
    crystals = [load_phase("quartz"), load_phase("halite")]
    two_theta = np.arange(20.0, 80.0, 0.03)
    model = ForwardModel(crystals, instrument, two_theta)
    start = model.reference()
    parameters = dataclasses.replace(start, strain=torch.tensor([[*strain, 0.0]], dtype=torch.float64))
    signal = (torch.tensor([0.6, 0.4], dtype=torch.float64) @ model.columns(parameters)[0]).numpy()
    counts = np.random.default_rng(2).poisson(2e4 * signal / signal.max() + 100).astype(float)
    found = refine_sample(
        crystals, instrument, two_theta, counts, np.sqrt(np.maximum(counts, 1)), counted=True
    )
    return found.refinement.strain[0], np.array(strain), crystals[0]


@pytest.mark.parametrize("strain", [(0.0, 0.0), (0.006, -0.004), (0.0, 0.008)])
def test_cells_come_out_where_they_are(strain: tuple[float, ...], instrument: Instrument) -> None:
    """Eight times the tight restraint, and the data say so: nothing holds the cell back."""
    found, true, quartz = cell_after(strain, instrument)
    assert strained_cell(quartz, found) == pytest.approx(strained_cell(quartz, true), rel=2e-4)
