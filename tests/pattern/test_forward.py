"""The forward model: derivatives for every parameter, precision, and what moves a line where."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from mixrd.crystal import load_phase
from mixrd.diffraction import EmissionLine, Radiation, radiation, reflections, strained_sticks
from mixrd.pattern import ForwardModel, Instrument, Parameters, Profile, load_instrument

GRID = np.arange(20.0, 60.0, 0.04)
PHASES = ("corundum", "zincite", "gypsum")


def model_of(
    *names: str, instrument: Instrument | None = None, dtype: torch.dtype = torch.float64
) -> ForwardModel:
    machine = instrument or load_instrument("lab-cu")
    return ForwardModel([load_phase(name) for name in names], machine, GRID, dtype=dtype)


def somewhere(model: ForwardModel, batch: int = 2) -> Parameters:
    """Parameters with nothing at zero or at a bound."""
    generator = torch.Generator().manual_seed(0)
    flat = model.reference(batch).flat()
    noise = torch.rand(flat.shape, generator=generator, dtype=flat.dtype)
    p = model.from_flat(noise)
    return Parameters(
        strain=0.01 * (p.strain - 0.5),
        inverse_size=0.005 + 0.02 * p.inverse_size,
        microstrain=0.0002 + 0.001 * p.microstrain,
        texture=0.7 + 0.6 * p.texture,
        profile=model.reference(batch).profile * (0.8 + 0.4 * p.profile),
        zero=0.1 * (p.zero - 0.5),
        displacement=0.2 * (p.displacement - 0.5),
    )


@pytest.fixture(scope="module")
def mixture() -> ForwardModel:
    return model_of(*PHASES)


def test_flat_parameters_round_trip(mixture: ForwardModel) -> None:
    parameters = somewhere(mixture)
    back = mixture.from_flat(parameters.flat())
    for field in dataclasses.fields(parameters):
        assert torch.equal(getattr(back, field.name), getattr(parameters, field.name))


def test_tangents_are_derivatives_of_the_pattern() -> None:
    grid = np.arange(25.0, 40.0, 0.04)
    phases = [load_phase("zincite"), load_phase("gypsum")]
    machine = load_instrument("lab-cu")
    # Asymmetric, K beta beside the doublet, one textured phase, automatic slit: every branch at once.
    beam = Radiation("CuKa", (*machine.radiation.lines, EmissionLine(1.392234, 0.02)))
    machine = replace(
        machine, radiation=beam, profile=replace(machine.profile, sh_l=0.05), divergence_slit="automatic"
    )
    mixture = ForwardModel(phases, machine, grid, texture_axes={"gypsum": (0, 1, 0)})
    parameters = somewhere(mixture)
    scales = torch.tensor([[3.0, 1.0], [0.5, 2.0]], dtype=torch.float64)
    tangents = mixture.tangents(parameters, scales)
    flat = parameters.flat()
    assert tangents.shape == (2, len(grid), flat.shape[1])
    steps = mixture.from_flat(torch.ones_like(flat))
    steps = Parameters(
        strain=1e-6 * steps.strain,
        inverse_size=1e-6 * steps.inverse_size,
        microstrain=1e-7 * steps.microstrain,
        texture=1e-6 * steps.texture,
        profile=1e-7 * steps.profile,
        zero=1e-5 * steps.zero,
        displacement=1e-5 * steps.displacement,
    ).flat()

    def pattern(at: torch.Tensor) -> torch.Tensor:
        return torch.einsum("bp,bpn->bn", scales, mixture.columns(mixture.from_flat(at)))

    for k in range(flat.shape[1]):
        shift = torch.zeros_like(flat)
        shift[:, k] = steps[:, k]
        expected = (pattern(flat + shift) - pattern(flat - shift)) / (2 * steps[:, k : k + 1])
        scale = expected.abs().amax(dim=1).clamp_min(1e-12)
        error = (tangents[..., k] - expected).abs().amax(dim=1) / scale
        assert float(error.max()) < 1e-3, f"parameter {k}"


def test_phase_of_no_mass_has_no_tangent(mixture: ForwardModel) -> None:
    scales = torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64)
    tangents = mixture.from_flat(mixture.tangents(somewhere(mixture, 1), scales)[0])
    first = mixture.strain_sizes[0]
    assert float(tangents.strain[:, :first].abs().max()) > 0
    assert float(tangents.strain[:, first:].abs().max()) == 0
    assert float(tangents.inverse_size[:, 1:].abs().max()) == 0


def test_columns_add_up_to_the_rendered_peaks(mixture: ForwardModel) -> None:
    parameters = somewhere(mixture)
    total = mixture.renderer.render(mixture.peaks(parameters))[:, 0]
    torch.testing.assert_close(mixture.columns(parameters).sum(1), total)


def test_phases_do_not_change_each_other(mixture: ForwardModel) -> None:
    together = mixture.columns(mixture.reference())[0]
    for p, name in enumerate(PHASES):
        alone = model_of(name)
        torch.testing.assert_close(together[p], alone.columns(alone.reference())[0, 0])


def test_single_precision_is_good_to_training(mixture: ForwardModel) -> None:
    parameters = somewhere(mixture)
    exact = mixture.columns(parameters)
    single = model_of(*PHASES, dtype=torch.float32)
    found = single.columns(single.from_flat(parameters.flat().float()))
    assert found.dtype == torch.float32
    error = (found.double() - exact).abs().amax(-1) / exact.amax(-1)
    assert float(error.max()) < 1e-4


def test_lines_stand_where_bragg_says_with_both_wavelengths() -> None:
    model = model_of("silicon")
    peaks = model.peaks(model.reference())
    a = load_phase("silicon").cell[0]
    d = a / math.sqrt(3)
    for wavelength in (1.5405929, 1.5444274):
        angle = 2 * math.degrees(math.asin(wavelength / (2 * d)))
        assert float((peaks.position - angle).abs().min()) < 1e-9
    order = peaks.position[0].argsort()
    first, second = peaks.area[0, order[0]], peaks.area[0, order[1]]
    assert float(second / first) == pytest.approx(0.5, rel=0.01)


def test_area_of_a_line_is_stick_times_polarization_and_weight() -> None:
    beam = replace(load_instrument("lab-cu-monochromator"), radiation=radiation(1.5406))
    model = model_of("silicon", instrument=beam)
    peaks = model.peaks(model.reference())
    table = reflections(load_phase("silicon"), beam.radiation, two_theta_range=(20.0, float(GRID[-1])))
    sticks = strained_sticks(table, torch.zeros(1, 1, dtype=torch.float64))
    two_theta = torch.deg2rad(peaks.position)
    theta = two_theta / 2
    a = math.cos(math.radians(beam.monochromator_two_theta)) ** 2
    factor = (1 + a * torch.cos(two_theta) ** 2) / (1 + a) / torch.sin(theta) ** 2 / torch.cos(theta)
    torch.testing.assert_close(peaks.area, sticks.intensity * factor)


def test_zero_and_displacement_shift_as_stated(mixture: ForwardModel) -> None:
    start = mixture.reference()
    before = mixture.peaks(start).position
    moved = mixture.peaks(replace(start, zero=start.zero + 0.05)).position
    torch.testing.assert_close(moved - before, torch.full_like(before, 0.05))
    moved = mixture.peaks(replace(start, displacement=start.displacement + 0.1)).position
    theta = torch.deg2rad(before / 2)
    expected = torch.rad2deg(-2 * 0.1 / mixture.instrument.goniometer_radius_mm * theta.cos())
    torch.testing.assert_close(moved - before, expected)


def test_widths_follow_caglioti_and_scherrer() -> None:
    machine = replace(load_instrument("lab-cu"), profile=Profile(u=0.02, v=-0.01, w=0.01, x=0.03, y=0.02))
    model = model_of("corundum", instrument=machine)
    start = model.reference()
    peaks = model.peaks(start)
    theta = torch.deg2rad(peaks.position / 2)
    gaussian = (0.02 * theta.tan() ** 2 - 0.01 * theta.tan() + 0.01).sqrt()
    lorentzian = 0.03 / theta.cos() + 0.02 * theta.tan()
    # A pseudo-Voigt is wider than either part and narrower than their sum.
    assert bool((peaks.fwhm > torch.maximum(gaussian, lorentzian)).all())
    assert bool((peaks.fwhm < gaussian + lorentzian).all())
    broad = model.peaks(replace(start, inverse_size=torch.full_like(start.inverse_size, 1 / 5)))
    size = torch.rad2deg(0.9 * model.wavelength_of_peak / (50.0 * theta.cos()))
    assert float(((broad.fwhm - size) / size).min()) > 0
    assert float((broad.eta - peaks.eta).min()) > 0


def test_area_does_not_depend_on_width() -> None:
    model = model_of("silicon")
    start = model.reference()
    narrow = model.peaks(start).area
    wide = model.peaks(replace(start, inverse_size=start.inverse_size + 0.05)).area
    torch.testing.assert_close(narrow, wide)


def test_lines_beyond_180_degrees_are_dark() -> None:
    """A strain that moves a line past backscattering must give nothing, not NaN."""
    machine = replace(load_instrument("lab-cu"), two_theta_range=(100.0, 179.0))
    model = ForwardModel([load_phase("corundum")], machine, np.arange(100.0, 179.0, 0.05))
    start = model.reference()
    pattern = model.columns(replace(start, strain=start.strain - 0.05))
    assert bool(torch.isfinite(pattern).all())
    tangents = model.tangents(
        replace(start, strain=start.strain - 0.05), torch.ones(1, 1, dtype=torch.float64)
    )
    assert bool(torch.isfinite(tangents).all())
