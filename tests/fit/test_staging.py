"""What a refinement of a real scan frees, and what that gives."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
import torch

from mixrd.crystal import Crystal
from mixrd.fit.staging import SampleRefinement, refine_sample
from mixrd.mixture import Composition, ScanSettings, simulate
from mixrd.pattern import ForwardModel, Instrument, load_instrument
from mixrd.phases import load_phase

WEIGHTS = (0.4, 0.6)


@pytest.fixture(scope="module")
def phases() -> list[Crystal]:
    return [load_phase("corundum"), load_phase("halite")]


@pytest.fixture(scope="module")
def machine() -> Instrument:
    return dataclasses.replace(load_instrument("lab-cu"), two_theta_range=(20.0, 80.0), step=0.03)


def scan_of(
    phases: Sequence[Crystal],
    machine: Instrument,
    *,
    texture: float = 1.0,
    axis: tuple[int, int, int] = (0, 0, 1),
    roughness: tuple[float, float] = (0.0, 0.0),
    overspill: float = 0.0,
    b_offset: float = 0.0,
    waves: float = 0.0,
    peak: float = 20_000.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Angles and counts of 40 wt% corundum, which may be textured, 60 wt% halite."""
    two_theta = np.arange(20.0, 80.0, 0.03)
    model = ForwardModel(phases, machine, two_theta, texture_axes={"corundum": axis})
    start = model.reference()
    parameters = dataclasses.replace(
        start,
        texture=torch.tensor([[texture, 1.0]], dtype=torch.float64),
        roughness=torch.tensor([roughness], dtype=torch.float64),
        overspill=torch.full_like(start.overspill, overspill),
        b_offset=torch.full_like(start.b_offset, b_offset),
        inverse_size=start.inverse_size + 1 / 200,
    )
    signal = (torch.tensor(WEIGHTS, dtype=torch.float64) @ model.columns(parameters)[0]).numpy()
    x = (two_theta - 50) / 30
    background = 300 * (1.5 - 0.4 * x + waves * np.cos(9 * x))
    expected = peak * signal / signal.max() + background
    return two_theta, np.random.default_rng(3).poisson(expected).astype(float)


def refined(
    phases: Sequence[Crystal], machine: Instrument, scan: tuple[np.ndarray, np.ndarray]
) -> SampleRefinement:
    two_theta, counts = scan
    sigma = np.sqrt(np.maximum(counts, 1.0))
    return refine_sample(phases, machine, two_theta, counts, sigma, counted=True)


def test_nothing_is_freed_that_is_not_asked_for(phases: list[Crystal], machine: Instrument) -> None:
    found = refined(phases, machine, scan_of(phases, machine))
    assert not found.freed.losses and not found.freed.texture_axes
    assert np.abs(found.shift).max() < 0.002
    assert found.refinement.converged
    assert found.refinement.weight_fractions[0] == pytest.approx(0.4, abs=0.005)
    assert found.refinement.r_wp == pytest.approx(found.refinement.r_exp, rel=0.05)


@pytest.mark.parametrize("r", [0.5, 0.75, 1.3, 1.6])
def test_texture_is_found_with_its_axis(phases: list[Crystal], machine: Instrument, r: float) -> None:
    scan = scan_of(phases, machine, texture=r)
    found = refined(phases, machine, scan)
    assert list(found.freed.texture_axes) == ["corundum"]
    assert found.freed.texture_axes["corundum"] == (0, 0, 1)
    assert found.refinement.texture[0] == pytest.approx(r, abs=0.03)
    assert found.refinement.texture_sigma[0] < 0.05
    assert found.refinement.texture[1] == 1.0
    assert abs(found.shift.sum()) < 1e-9
    # What freeing it moved is what leaving it out costs.
    assert abs(found.shift[0]) > 0.003
    assert found.refinement.weight_fractions[0] == pytest.approx(0.4, abs=0.01)


def test_a_rough_surface_is_found(phases: list[Crystal], machine: Instrument) -> None:
    scan = scan_of(phases, machine, roughness=(0.5, 0.3))
    found = refined(phases, machine, scan)
    assert found.freed.losses == ("roughness",)
    assert found.refinement.weight_fractions[0] == pytest.approx(0.4, abs=0.015)


def test_a_beam_longer_than_the_sample_is_found(phases: list[Crystal], machine: Instrument) -> None:
    scan = scan_of(phases, machine, overspill=0.36, b_offset=-0.2)
    found = refined(phases, machine, scan)
    assert found.freed.losses == ("overspill",)
    assert found.refinement.corrections["overspill"] == pytest.approx((0.36,), abs=0.02)
    assert found.refinement.corrections["b_offset"] == pytest.approx((-0.2,), abs=0.08)
    assert found.refinement.weight_fractions[0] == pytest.approx(0.4, abs=0.01)


def test_an_automatic_slit_never_spills(phases: list[Crystal], machine: Instrument) -> None:
    automatic = dataclasses.replace(machine, divergence_slit="automatic")
    found = refined(phases, automatic, scan_of(phases, automatic, overspill=0.36))
    assert "overspill" not in found.freed.losses


def test_the_background_is_as_wavy_as_the_data(phases: list[Crystal], machine: Instrument) -> None:
    plain = refined(phases, machine, scan_of(phases, machine))
    wavy = refined(phases, machine, scan_of(phases, machine, waves=0.3))
    assert plain.freed.background_degree <= 8
    assert wavy.freed.background_degree > 8
    assert wavy.refinement.r_wp == pytest.approx(wavy.refinement.r_exp, rel=0.05)


def test_an_absent_phase_has_an_uncertainty(phases: list[Crystal], machine: Instrument) -> None:
    scan = scan_of(phases, machine)
    found = refined([*phases, load_phase("quartz")], machine, scan).refinement
    assert found.weight_fractions[2] < 0.002
    assert 0 < found.mass_covariance[2, 2] ** 0.5 < 0.005 * found.masses.sum()
    assert 0 < found.noise_sigma[2] < 0.002 * found.masses.sum()


def test_a_hump_is_fitted_beside_the_background(phases: list[Crystal], machine: Instrument) -> None:
    two_theta, counts = scan_of(phases, machine)
    hump = np.exp(-(((two_theta - 35) / 6) ** 2))
    more = np.random.default_rng(5).poisson(400 * hump).astype(float)
    found = refine_sample(
        phases,
        machine,
        two_theta,
        counts + more,
        np.sqrt(np.maximum(counts + more, 1.0)),
        counted=True,
        humps=torch.tensor(hump)[None],
    )
    assert found.hump_amounts[0] == pytest.approx(400, abs=4 * found.hump_sigma[0])
    assert 0 < found.hump_sigma[0] < 20
    assert found.refinement.weight_fractions[0] == pytest.approx(0.4, abs=0.005)


@pytest.mark.parametrize(
    ("small", "size_nm", "tolerance"), [("pyrite", 2.0, 6.0), ("copper", 2.0, 3.0), ("copper", 40.0, 2.0)]
)
def test_crystallites_of_any_size(small: str, size_nm: float, tolerance: float) -> None:
    """A phase of 2 nm is not left to the background, and one of usual size not made small."""
    names = [small, "fluorite"]
    crystals = [load_phase(name) for name in names]
    machine = dataclasses.replace(load_instrument("lab-cu"), two_theta_range=(15.0, 90.0))
    composition = Composition(tuple(names), (0.4, 0.6), "weight")
    settings = ScanSettings(peak_counts=10_000.0, phase_size_nm={small: size_nm})
    generator = torch.Generator().manual_seed(3)
    scan = simulate(crystals, composition, machine, generator=generator, settings=settings).scan
    sigma = np.sqrt(np.maximum(scan.counts, 1.0))
    found = refine_sample(crystals, machine, scan.two_theta, scan.counts, sigma, counted=True).refinement
    assert 100 * found.weight_fractions[0] == pytest.approx(40.0, abs=tolerance)
    assert 1 / found.inverse_size_per_nm[0] == pytest.approx(size_nm, rel=0.25)
