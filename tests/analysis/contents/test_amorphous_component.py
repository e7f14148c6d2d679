"""Amorphous substances as components of a fit: shapes measured and drawn, and what they weigh."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from mixrd.analysis import calibrate, generic_instrument
from mixrd.analysis.contents.amorphous_component import (
    AmorphousComponent,
    DrawnHump,
    columns_of,
    component_of_humps,
    component_of_scan,
    parse_humps,
)
from mixrd.analysis.inputs.setup import part_of
from mixrd.crystal import Crystal
from mixrd.errors import ParameterError, ScanError
from mixrd.fit import refine
from mixrd.fit.linear_part import solve_linear
from mixrd.pattern import ForwardModel, Instrument, background_basis
from mixrd.phases import load_phase
from mixrd.scan import Scan, read_scan

WAVELENGTH = 1.5406
GRID = np.arange(10.0, 100.0, 0.05)


def hump(two_theta: NDArray[np.float64]) -> NDArray[np.float64]:
    return 800 * np.exp(-4 * np.log(2) * ((two_theta - 22) / 8) ** 2) + 150 * np.exp(
        -4 * np.log(2) * ((two_theta - 45) / 20) ** 2
    )


def fitted(
    columns: Tensor, counts: NDArray[np.float64], two_theta: NDArray[np.float64], degree: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coefficients of non-negative columns beside a background, and their covariance."""
    observed = torch.tensor(counts).unsqueeze(0)
    basis = background_basis(torch.tensor(two_theta), degree=degree)
    linear = solve_linear(columns.unsqueeze(0), basis, observed, observed.clamp_min(1).sqrt())
    count = len(columns)
    spread = torch.linalg.inv(linear.design[0] @ linear.design[0].T)[:count, :count]
    return linear.coefficients[0, :count].numpy(), spread.numpy()


def test_a_measured_shape_without_the_instrument() -> None:
    expected = hump(GRID) + 40 + 2000 / GRID
    counts = np.random.default_rng(0).poisson(expected).astype(float)
    component = component_of_scan(Scan(GRID, counts), "glass")
    assert component.scan_area == pytest.approx(np.trapezoid(hump(GRID), GRID), rel=0.05)
    assert np.trapezoid(component.shape, component.two_theta) == pytest.approx(1)
    measured = component.column(GRID) * component.scan_area
    assert np.abs(measured - hump(GRID)).max() < 40
    kept = component_of_scan(Scan(GRID, counts), instrument_background="keep")
    assert kept.scan_area == pytest.approx(counts.sum() * 0.05, rel=0.01)


@settings(max_examples=15)
@given(st.floats(1e-3, 1e6))
def test_a_shape_has_no_unit(scale: float) -> None:
    one = component_of_scan(Scan(GRID, hump(GRID) + 20))
    other = component_of_scan(Scan(GRID, scale * (hump(GRID) + 20)))
    assert other.column(GRID) == pytest.approx(one.column(GRID), abs=1e-6)
    assert other.scan_area == pytest.approx(scale * (one.scan_area or 0), rel=1e-4)


def test_lines_are_not_amorphous(crystals: list[Crystal], instrument: Instrument) -> None:
    model = ForwardModel(crystals, instrument, GRID)
    lines = model.columns(model.reference())[0, 0].numpy()
    with pytest.raises(ScanError, match="sharp lines") as raised:
        component_of_scan(Scan(GRID, hump(GRID) + 3000 * lines / lines.max() + 20, path="x.xy"))
    assert raised.value.file == "x.xy"


@pytest.mark.parametrize(
    ("counts", "message"),
    [(30 + 100 / GRID, "nothing"), (np.zeros_like(GRID), "nothing"), (np.full_like(GRID, np.nan), "finite")],
)
def test_scans_that_hold_no_hump(counts: NDArray[np.float64], message: str) -> None:
    with pytest.raises(ScanError, match=message):
        component_of_scan(Scan(GRID, counts))


def test_short_scans_and_odd_widths() -> None:
    with pytest.raises(ScanError, match="too few"):
        component_of_scan(Scan(GRID[:60], hump(GRID[:60])))
    with pytest.raises(ParameterError, match="smoothing_deg"):
        component_of_scan(Scan(GRID, hump(GRID)), smoothing_deg=50)


def test_nothing_is_extrapolated() -> None:
    component = component_of_scan(Scan(GRID, hump(GRID) + 20), "glass")
    with pytest.raises(ScanError, match=r"glass covers 10-99.95 deg, the scan 5-60 deg"):
        component.column(np.linspace(5, 60, 100))


def test_drawn_humps() -> None:
    component = component_of_humps(parse_humps("4.1A:8, 45:20:0.25"), WAVELENGTH)
    column = component.column(GRID)
    assert GRID[column.argmax()] == pytest.approx(21.66, abs=0.1)
    assert np.interp(45, GRID, column) / column.max() == pytest.approx(0.25, abs=0.01)
    above = GRID[column > column.max() / 2]
    assert above[-1] - above[0] == pytest.approx(8, abs=0.8)
    assert np.trapezoid(component.shape, component.two_theta) == pytest.approx(1)
    assert component.scan_area is None


@pytest.mark.parametrize("text", ["", "22", "22:8:1:1", "a:8", "22:8,,", "4.1nm:8"])
def test_words_that_are_no_humps(text: str) -> None:
    with pytest.raises(ParameterError, match="no amorphous hump"):
        parse_humps(text)


@pytest.mark.parametrize("text", ["22:0.1", "200:8", "22:8:0", "0.01A:8"])
def test_humps_out_of_range(text: str) -> None:
    with pytest.raises(ParameterError, match="of an amorphous hump"):
        parse_humps(text)


def test_humps_beyond_the_sphere_and_none() -> None:
    with pytest.raises(ParameterError, match="beyond 180 deg"):
        component_of_humps([DrawnHump(0.7, 8.0, unit="d")], WAVELENGTH)
    with pytest.raises(ParameterError, match="no amorphous hump"):
        component_of_humps([], WAVELENGTH)


def test_no_component_is_no_column() -> None:
    assert columns_of([], GRID).shape == (0, len(GRID))


def test_glass_added_to_a_round_robin_sample_is_found(data_dir: Path) -> None:
    """No weighed mixture with glass exists: counts of the pure glass are added to those of sample 1g."""
    cpd = data_dir / "measured" / "cpd"
    start = generic_instrument("CuKa", monochromator_two_theta=26.6, goniometer_radius_mm=173)
    corundum = load_phase("corundum")
    instrument = calibrate(read_scan(cpd / "corundum-pure.prn"), corundum, start, name="cpd").instrument
    phases = [corundum, load_phase("fluorite"), load_phase("zincite")]
    # From below the hump of the glass on; an analysis of crystals alone begins at 22.6 deg.
    two_theta, counts, sigma = part_of(read_scan(cpd / "CPD-1G.xye"), (14.0, 150.0))
    refined = refine(phases, instrument, two_theta, counts[np.newaxis], sigma[np.newaxis])[0]
    glass = component_of_scan(read_scan(cpd / "silica-glass-pure.prn"), "glass")
    whole = component_of_scan(read_scan(cpd / "silica-glass-pure.prn"), instrument_background="keep")
    assert glass.scan_area is not None and whole.scan_area is not None
    rng = np.random.default_rng(7)
    contributions = torch.tensor(refined.contributions)
    columns = torch.cat([contributions, columns_of([glass], two_theta)])
    for share in (0.0, 0.05, 0.5):
        # All counts of the pure scan, those of the instrument too: the background takes these.
        added = rng.poisson(share * whole.scan_area * whole.column(two_theta))
        found, spread = fitted(columns, counts + added, two_theta, 4)
        assert found[:3] == pytest.approx(1, abs=0.01)
        assert found[3] / glass.scan_area == pytest.approx(share, abs=0.02)
        assert np.sqrt(spread[3, 3]) / glass.scan_area < 0.01


def test_components_are_immutable() -> None:
    component = component_of_humps([DrawnHump(22, 8)], WAVELENGTH)
    with pytest.raises(dataclasses.FrozenInstanceError):
        component.name = "x"  # type: ignore[misc]
    assert isinstance(component, AmorphousComponent)
