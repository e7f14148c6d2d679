"""The forward model: derivatives for every parameter, precision, and what moves a line where."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from mixrd.crystal import StrainMode
from mixrd.diffraction import EmissionLine, Radiation, radiation, reflections, strained_sticks
from mixrd.errors import CrystalError, ParameterError
from mixrd.pattern import (
    ForwardModel,
    Instrument,
    Parameters,
    Precision,
    Profile,
    load_instrument,
)
from mixrd.phases import load_phase

GRID = np.arange(20.0, 60.0, 0.04)
PHASES = ("corundum", "zincite", "gypsum")


def model_of(
    *names: str, instrument: Instrument | None = None, precision: Precision = "refinement"
) -> ForwardModel:
    machine = instrument or load_instrument("lab-cu")
    return ForwardModel([load_phase(name) for name in names], machine, GRID, precision=precision)


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
        aspect=0.6 + 0.8 * p.aspect,
        profile=model.reference(batch).profile * (0.8 + 0.4 * p.profile),
        zero=0.1 * (p.zero - 0.5),
        displacement=0.2 * (p.displacement - 0.5),
        thinness=0.5 + p.thinness,
        penetration=0.05 + 0.1 * p.penetration,
        roughness=0.2 + 0.4 * p.roughness,
        overspill=0.1 + 0.3 * p.overspill,
        b_offset=0.6 * (p.b_offset - 0.5),
    )


@pytest.fixture(scope="module")
def mixture() -> ForwardModel:
    return model_of(*PHASES)


def test_flat_parameters_round_trip(mixture: ForwardModel) -> None:
    parameters = somewhere(mixture)
    back = mixture.from_flat(parameters.flat())
    assert list(back.values) == list(parameters.values)
    for name, value in parameters.values.items():
        assert torch.equal(back.values[name], value)


def test_tangents_are_derivatives_of_the_pattern() -> None:
    grid = np.arange(25.0, 40.0, 0.04)
    phases = [load_phase("zincite"), load_phase("gypsum")]
    machine = load_instrument("lab-cu")
    # Asymmetric, K beta beside the doublet, one textured phase, one of flat crystallites, automatic slit.
    beam = Radiation("CuKa", (*machine.radiation.lines, EmissionLine(1.392234, 0.02)))
    machine = replace(
        machine, radiation=beam, profile=replace(machine.profile, sh_l=0.05), divergence_slit="automatic"
    )
    mixture = ForwardModel(
        phases, machine, grid, texture_axes={"gypsum": (0, 1, 0)}, size_axes={"zincite": (0, 0, 1)}
    )
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
        aspect=1e-6 * steps.aspect,
        profile=1e-7 * steps.profile,
        zero=1e-5 * steps.zero,
        displacement=1e-5 * steps.displacement,
        thinness=1e-6 * steps.thinness,
        penetration=1e-5 * steps.penetration,
        roughness=1e-6 * steps.roughness,
        overspill=1e-6 * steps.overspill,
        b_offset=1e-6 * steps.b_offset,
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


def test_held_parameters_have_no_tangent_and_the_others_keep_theirs(mixture: ForwardModel) -> None:
    parameters = somewhere(mixture, 1)
    scales = torch.ones(1, 3, dtype=torch.float64)
    whole = mixture.tangents(parameters, scales)
    free = torch.arange(whole.shape[-1]) % 3 == 0
    some = mixture.tangents(parameters, scales, free)
    torch.testing.assert_close(some[..., free], whole[..., free])
    assert float(some[..., ~free].abs().max()) == 0


@pytest.mark.parametrize("strain", ["symmetry", "general"])
def test_gradients_of_every_refinable_parameter(strain: StrainMode) -> None:
    machine = load_instrument("lab-cu")
    machine = replace(machine, profile=replace(machine.profile, u=0.01, v=-0.002, x=0.01, y=0.01, sh_l=0.04))
    model = ForwardModel(
        [load_phase("zincite")],
        machine,
        np.linspace(31.0, 35.0, 9),
        texture_axes={"zincite": (0, 0, 1)},
        size_axes={"zincite": (0, 0, 1)},
        strain=strain,
        precision="exact",
    )
    start = somewhere(model, 1)
    for field, old in start.values.items():
        value = old.clone().requires_grad_()
        if value.numel():
            assert torch.autograd.gradcheck(
                lambda x, name=field: model.columns(start.replace(**{name: x})) / 1e3, (value,)
            ), field


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
    single = model_of(*PHASES, precision="training")
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
    size = torch.rad2deg(0.9 * model.peak_table.wavelength_angstrom / (50.0 * theta.cos()))
    assert float(((broad.fwhm - size) / size).min()) > 0
    assert float((broad.eta - peaks.eta).min()) > 0


def test_area_does_not_depend_on_width() -> None:
    model = model_of("silicon")
    start = model.reference()
    narrow = model.peaks(start).area
    wide = model.peaks(replace(start, inverse_size=start.inverse_size + 0.05)).area
    torch.testing.assert_close(narrow, wide)


def test_thin_rough_and_transparent_samples_change_lines_as_stated(mixture: ForwardModel) -> None:
    start = mixture.reference()
    before = mixture.peaks(start)
    two_theta = torch.deg2rad(before.position)
    sine = torch.sin(two_theta / 2)
    thin = mixture.peaks(replace(start, thinness=start.thinness + 2.0))
    torch.testing.assert_close(thin.area, before.area * (1 - torch.exp(-2 * 0.5 / sine)))
    rough = mixture.peaks(replace(start, roughness=start.roughness + torch.tensor([[0.4, 0.1]])))
    loss = (0.6 + 0.4 * torch.exp(-0.1 / sine)) / (0.6 + 0.4 * math.exp(-0.1))
    torch.testing.assert_close(rough.area, before.area * loss)
    deep = mixture.peaks(replace(start, penetration=start.penetration + 0.2))
    radius = mixture.instrument.goniometer_radius_mm
    shift = -torch.rad2deg(torch.sin(two_theta) * 0.2 / (2 * radius))
    torch.testing.assert_close(deep.position - before.position, shift)
    torch.testing.assert_close(deep.area, before.area)


def test_flat_crystallites_broaden_lines_along_their_axis_alone() -> None:
    model = ForwardModel(
        [load_phase("zincite")], load_instrument("lab-cu"), GRID, size_axes={"zincite": (0, 0, 1)}
    )
    start = model.reference()
    start = replace(start, inverse_size=start.inverse_size + 0.02)
    flat = replace(start, aspect=start.aspect * 3)
    thin = replace(start, inverse_size=start.inverse_size * 3)
    hkl = model.tables[0].hkl[model.peak_table.reflection]
    basal, prism = (hkl[:, :2] == 0).all(1), hkl[:, 2] == 0
    widths = [model.peaks(p).fwhm[0] for p in (start, flat, thin)]
    torch.testing.assert_close(widths[1][prism], widths[0][prism])
    torch.testing.assert_close(widths[1][basal], widths[2][basal])
    assert bool((widths[1][~basal & ~prism] > widths[0][~basal & ~prism]).all())


def test_polarized_beam_keeps_lines_that_an_unpolarized_one_weakens() -> None:
    tube = replace(load_instrument("lab-cu"), radiation=radiation(1.5406))
    ring = replace(tube, polarized_fraction=1.0)
    peaks = [model_of("silicon", instrument=i) for i in (tube, ring)]
    first, second = (model.peaks(model.reference()) for model in peaks)
    two_theta = torch.deg2rad(first.position)
    torch.testing.assert_close(second.area / first.area, 2 / (1 + torch.cos(two_theta) ** 2))


@pytest.mark.parametrize(
    ("grid", "what"),
    [([20.0], "rising"), ([30.0, 20.0], "rising"), ([20.0, np.nan], "rising"), ([-1.0, 20.0], "180"),
     ([100.0, 181.0], "180"), ([], "rising")],
)  # fmt: skip
def test_grids_that_are_none(grid: list[float], what: str) -> None:
    with pytest.raises(ParameterError, match=what):
        ForwardModel([load_phase("silicon")], load_instrument("lab-cu"), np.array(grid))


@pytest.mark.parametrize("width", [0.0, -1.0, math.inf, math.nan])
def test_widths_that_are_none(width: float) -> None:
    with pytest.raises(ParameterError, match="widest_fwhm"):
        ForwardModel([load_phase("silicon")], load_instrument("lab-cu"), GRID, widest_fwhm=width)


def test_no_phase_and_unknown_precision() -> None:
    with pytest.raises(ParameterError, match="no phase"):
        ForwardModel([], load_instrument("lab-cu"), GRID)
    with pytest.raises(ParameterError, match="precision"):
        model_of("silicon", precision="quick")  # type: ignore[arg-type]


def test_axis_of_a_phase_that_is_not_there() -> None:
    with pytest.raises(CrystalError, match="quartz"):
        ForwardModel(
            [load_phase("silicon")], load_instrument("lab-cu"), GRID, texture_axes={"quartz": (1, 0, 0)}
        )


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
