"""A correction of the intensities that someone adds from outside: refined, freed on demand, said."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from mixrd.analysis import Analysis, analyze
from mixrd.crystal import Crystal
from mixrd.errors import UsageError
from mixrd.fit import Restraints, refine
from mixrd.fit.staging import refine_sample
from mixrd.mixture import Composition, ScanSettings, simulate
from mixrd.pattern import (
    Correction,
    ForwardModel,
    Instrument,
    Loss,
    OnDemand,
    Quantity,
    load_instrument,
    register_correction,
    remove_correction,
)
from mixrd.pattern.quantity import Allowed
from mixrd.phases import load_phase
from mixrd.report.sentences import methods
from mixrd.scan import Scan

DEPTH = 0.12


def film_absorption(theta: Tensor, wavelength_angstrom: Tensor, depth: Tensor) -> Tensor:
    """What a film on the sample leaves of a line, over what it leaves at 90 deg: exp(-k (1/sin - 1))."""
    return torch.exp(-depth * (1 / torch.sin(theta) - 1))


FILM = Correction(
    (
        Quantity(
            "film_depth", "optical depth of the film", "dimensionless", 0.0, 2.0,
            on_demand=OnDemand(0.3, Loss("film", "a film on the sample"), (0.05, 0.1, 0.2, 0.4)),
        ),
    ),
    film_absorption,
)  # fmt: skip


@pytest.fixture
def film() -> Iterator[Correction]:
    register_correction(FILM)
    yield FILM
    remove_correction(FILM)


@pytest.fixture(scope="module")
def phases() -> list[Crystal]:
    return [load_phase("corundum"), load_phase("halite")]


@pytest.fixture(scope="module")
def machine() -> Instrument:
    return dataclasses.replace(load_instrument("lab-cu"), two_theta_range=(20.0, 80.0), step=0.03)


def scan_of(phases: list[Crystal], machine: Instrument, depth: float) -> tuple[np.ndarray, np.ndarray]:
    """Angles and counts of 40 wt% corundum, 60 wt% halite below a film of this depth."""
    settings = ScanSettings(
        peak_counts=20_000, max_strain=0.0, size_nm=200.0, graininess=0.0, corrections={"film_depth": depth}
    )
    made = simulate(
        phases,
        Composition(("corundum", "halite"), (0.4, 0.6)),
        machine,
        generator=torch.Generator().manual_seed(3),
        settings=settings,
    )
    assert made.truth["film_depth"] == depth
    return made.scan.two_theta, made.scan.counts


def test_lines_lose_what_the_film_takes(film: Correction, phases: list[Crystal], machine: Instrument) -> None:
    model = ForwardModel(phases, machine, np.arange(20.0, 80.0, 0.03))
    bare = model.reference()
    covered = bare.replace(film_depth=bare.film_depth + DEPTH)
    before, after = model.peaks(bare), model.peaks(covered)
    sine = torch.sin(torch.deg2rad(before.position / 2))
    assert torch.equal(before.position, after.position)
    assert torch.allclose(after.area / before.area, torch.exp(-DEPTH * (1 / sine - 1)), rtol=1e-6)


def test_it_is_refined_where_it_has_a_restraint(
    film: Correction, phases: list[Crystal], machine: Instrument
) -> None:
    two_theta, counts = scan_of(phases, machine, DEPTH)
    sigma = np.sqrt(np.maximum(counts, 1.0))
    held, freed = (
        refine(phases, machine, two_theta, counts[None], sigma[None], restraints=restraints)[0]
        for restraints in (Restraints(), Restraints(film_depth=1.0))
    )
    assert held.corrections["film_depth"] == (0.0,)
    (depth,), (spread,) = freed.corrections["film_depth"], freed.corrections_sigma["film_depth"]
    assert 0 < spread < 0.02
    assert depth == pytest.approx(DEPTH, abs=3 * spread)
    assert abs(freed.weight_fractions[0] - 0.4) < 0.005 < abs(held.weight_fractions[0] - 0.4)


def test_an_analysis_frees_it_where_the_residual_asks_for_it(
    film: Correction, phases: list[Crystal], machine: Instrument
) -> None:
    def freed(depth: float) -> tuple[str, ...]:
        two_theta, counts = scan_of(phases, machine, depth)
        sigma = np.sqrt(np.maximum(counts, 1.0))
        return refine_sample(phases, machine, two_theta, counts, sigma, counted=True).freed.losses

    assert freed(DEPTH) == ("film",)
    assert freed(0.0) == ()


def test_the_result_says_so(film: Correction, phases: list[Crystal], machine: Instrument) -> None:
    found = analyze(Scan(*scan_of(phases, machine, DEPTH)), phases, machine)
    back = Analysis.from_json(found.to_json())
    assert back.provenance["corrections"]["film_depth"] == pytest.approx(DEPTH, abs=0.03)
    ((label, said),) = back.losses.items()
    assert label == "a film on the sample"
    assert said == f"a film on the sample, refined: {back.provenance['corrections']['film_depth']:.3g}"
    assert label in methods(back)


def test_without_it_nothing_is_known_of_it(phases: list[Crystal], machine: Instrument) -> None:
    with pytest.raises(UsageError, match="film_depth"):
        ScanSettings(corrections={"film_depth": DEPTH})
    assert "film_depth" not in ForwardModel(phases, machine, np.arange(20.0, 80.0, 0.1)).reference().values


@pytest.mark.parametrize(
    ("quantities", "factor", "message"),
    [
        ((), film_absorption, "needs quantities"),
        ((Quantity("a", "a", "mm", 0.0, 1.0, scope="phase"),), film_absorption, "needs quantities"),
        (
            (Quantity("a", "a", "mm", 0.0, 1.0), Quantity("b", "b", "mm", 0.0, 1.0)),
            film_absorption,
            "several fields",
        ),
        ((Quantity("a", "a", "mm", 0.0, 1.0, stated=Allowed("a", 0, 1)),), film_absorption, "no setting"),
        ((Quantity("a", "a", "mm", 0.0, 1.0),), lambda theta, _, a: 0 * theta + 0.5, "is not 1"),
        ((Quantity("zero", "a", "mm", 0.0, 1.0),), film_absorption, "stands in the parameter table"),
    ],
)
def test_what_is_no_correction(quantities: tuple[Quantity, ...], factor: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        register_correction(Correction(quantities, factor))
