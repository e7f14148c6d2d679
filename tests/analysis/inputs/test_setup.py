from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from mixrd.analysis import generic_instrument, overlap, recipe_for
from mixrd.analysis.inputs.setup import edge_warnings, part_of, structure_warnings
from mixrd.crystal import Crystal
from mixrd.errors import ScanError
from mixrd.pattern import Instrument
from mixrd.phases import load_phase
from mixrd.scan import Scan


def test_the_range_begins_below_the_first_reflection(
    scan: Scan, crystals: list[Crystal], instrument: Instrument
) -> None:
    # Halite 111 is the first reflection, at 27.4 deg: three degrees before it are kept.
    low, high = overlap(scan, crystals, instrument)
    assert low == pytest.approx(24.4, abs=0.1)
    assert high == pytest.approx(60.0)


@pytest.mark.parametrize("limits", [(26.0, 50.0), (33.0, 44.0), (56.0, 100.0), (70.0, 120.0), (5.0, 21.0)])
def test_the_instruments_range_cuts_nothing(
    scan: Scan, crystals: list[Crystal], instrument: Instrument, limits: tuple[float, float]
) -> None:
    other = dataclasses.replace(instrument, two_theta_range=limits)
    assert overlap(scan, crystals, other) == overlap(scan, crystals, instrument)


def test_a_scan_too_short_to_fit(scan: Scan, crystals: list[Crystal], instrument: Instrument) -> None:
    part = (scan.two_theta > 45) & (scan.two_theta < 49.9)
    short = dataclasses.replace(scan, two_theta=scan.two_theta[part], counts=scan.counts[part])
    with pytest.raises(ScanError, match="less than 5 deg") as raised:
        overlap(short, crystals, instrument)
    assert raised.value.file == scan.path


def test_a_phase_without_reflections_in_the_scan(scan: Scan, instrument: Instrument) -> None:
    part = (scan.two_theta > 33) & (scan.two_theta < 44)
    short = dataclasses.replace(scan, two_theta=scan.two_theta[part], counts=scan.counts[part])
    with pytest.raises(ScanError, match="halite has no reflection") as raised:
        overlap(short, [load_phase("corundum"), load_phase("halite")], instrument)
    assert raised.value.file == scan.path


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda counts: 0 * counts, "0 everywhere"),
        (lambda counts: 0 * counts + 17, "17 everywhere"),
        (lambda counts: -counts, "above zero"),
        (lambda counts: np.where(np.arange(len(counts)) == 500, np.nan, counts), "not finite"),
        (lambda counts: np.where(np.arange(len(counts)) == 500, np.inf, counts), "not finite"),
    ],
)
def test_scans_that_hold_nothing(
    scan: Scan,
    crystals: list[Crystal],
    instrument: Instrument,
    change: Callable[[np.ndarray], np.ndarray],
    says: str,
) -> None:
    with pytest.raises(ScanError, match=says):
        overlap(dataclasses.replace(scan, counts=change(scan.counts)), crystals, instrument)


def test_a_handful_of_points_is_no_scan(scan: Scan, crystals: list[Crystal], instrument: Instrument) -> None:
    few = dataclasses.replace(scan, two_theta=scan.two_theta[::40], counts=scan.counts[::40])
    with pytest.raises(ScanError, match="too few"):
        overlap(few, crystals, instrument)


def test_the_recipe_covers_what_the_scan_covers(
    scan: Scan, crystals: list[Crystal], instrument: Instrument
) -> None:
    recipe = recipe_for(scan, crystals, instrument, steps=7)
    assert recipe.two_theta_range == (25.0, 60.0)
    assert (recipe.steps, recipe.instrument) == (7, instrument)
    edges = recipe.problem().bin_edges
    assert scan.two_theta[0] <= edges[0] and edges[-1] <= scan.two_theta[-1]
    shifted = dataclasses.replace(scan, two_theta=scan.two_theta + 0.013)
    assert recipe_for(shifted, crystals, instrument, steps=7).sha256 == recipe.sha256


def test_counts_weigh_as_counts(scan: Scan) -> None:
    two_theta, counts, sigma = part_of(scan, (30.0, 40.0))
    assert (two_theta[0], two_theta[-1]) == pytest.approx((30.0, 40.0), abs=0.05)
    pulls = np.diff(counts, 2) / np.sqrt(6) / sigma[1:-1]
    flat = (two_theta[1:-1] > 36) & (two_theta[1:-1] < 39)
    assert pulls[flat].std() == pytest.approx(1, abs=0.25)


def test_uncertainties_of_the_file_are_used(scan: Scan) -> None:
    stated = dataclasses.replace(scan, sigma=np.full(len(scan), 12.0))
    assert (part_of(stated, (30.0, 40.0))[2] == 12).all()
    stated.sigma[700] = 0  # type: ignore[index]
    assert (part_of(stated, (30.0, 60.0))[2] == 12).all(), "a zero would make one point decide everything"


@pytest.mark.parametrize("factor", [1e-9, 1.0 / 20_000, 1.0])
def test_uncertainty_of_what_is_not_counted_follows_its_scatter(scan: Scan, factor: float) -> None:
    """Scaled, and with a background taken off that leaves negative values."""
    made = dataclasses.replace(scan, counts=factor * (scan.counts - 250))
    two_theta, counts, sigma = part_of(made, (24.0, 60.0))
    assert np.isfinite(sigma).all() and (sigma > 0).all()
    flat = (two_theta > 36) & (two_theta < 39)
    noise = np.diff(counts[flat], 2).std() / np.sqrt(6)
    assert np.median(sigma[flat]) == pytest.approx(noise, rel=0.35)
    assert sigma[counts.argmax()] > 3 * np.median(sigma[flat]), "strong points are less certain"


def test_phases_with_an_element_near_an_edge_are_named() -> None:
    phases = [load_phase(name) for name in ("corundum", "yttrium-oxide", "iron")]
    vanadium = dataclasses.replace(
        phases[1], name="V2O3", sites=tuple(
            dataclasses.replace(s, element="V" if s.element == "Y" else s.element) for s in phases[1].sites
        )
    )  # fmt: skip
    (found,) = edge_warnings([*phases, vanadium], generic_instrument("CrKa"))
    assert (found.code, found.phase) == ("NEAR_ABSORPTION_EDGE", "V2O3")
    assert "edge of V," in found.message
    assert edge_warnings([*phases, vanadium], generic_instrument("CuKa")) == []


def test_a_cif_that_contradicts_itself_is_a_warning_of_its_phase() -> None:
    salt = load_phase("halite")
    doubtful = dataclasses.replace(
        salt, notes=("the file contradicts itself: so and so", "U given by default")
    )
    warnings = structure_warnings([salt, doubtful])
    assert [(w.code, w.message, w.phase) for w in warnings] == [
        ("STRUCTURE_FILE", "the file contradicts itself: so and so", "halite")
    ]
