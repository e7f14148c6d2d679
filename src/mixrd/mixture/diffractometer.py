"""The virtual diffractometer: a scan of a mixture of known composition."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mixrd.crystal import Crystal
from mixrd.diffraction import tube_of, with_contamination
from mixrd.errors import UsageError
from mixrd.mixture.composition import Composition
from mixrd.mixture.grains import scatter_intensities
from mixrd.mixture.microabsorption import (
    brindley_factors,
    mean_attenuation_per_mm,
    powder_classes,
)
from mixrd.mixture.scan_settings import ScanSettings
from mixrd.mixture.truth import Drawn, Sample, truth_of
from mixrd.pattern import (
    Detector,
    Fluorescence,
    ForwardModel,
    HumpRanges,
    ImpurityRanges,
    Instrument,
    Parameters,
    SpikeRanges,
    apply_background,
    apply_counting_noise,
    apply_detector,
    apply_fluorescence,
    apply_humps,
    apply_impurities,
    apply_spikes,
    draw_background_parts,
    draw_humps,
    draw_impurities,
    draw_spikes,
)
from mixrd.scan import Scan

#: What is drawn, each from random numbers of its own: an effect that is added leaves the others as they were.
_STREAMS = ("sample", "grains", "background", "hump", "impurities", "spikes", "noise")
#: Peaks times points up to which all peaks are summed exactly (about a second).
_MOST_EXACT = 30_000_000
_HIGHEST_SEED = 2**63 - 1
#: Where an amorphous hump lies and how broad it is, as fractions of the range.
_HUMP = HumpRanges(
    share=1.0, count=(1, 1), height=(1.0, 1.0), centre=(0.05, 0.4), fwhm=(0.08, 0.2), eta=(0.0, 0.3)
)


@dataclass(frozen=True, eq=False)
class SimulatedScan:
    """A scan and the truth about it.

    Attributes
    ----------
    scan : Scan
    expected : (N,) array
        Mean counts of which the scan's are a random draw, as the detector would show them.
    truth : mapping
        Composition in wt%, cells, sizes, instrument state and all else that was drawn; plain data for JSON.
    """

    scan: Scan
    expected: NDArray[np.float64]
    truth: Mapping[str, object]


def simulate(
    crystals: Sequence[Crystal],
    composition: Composition,
    instrument: Instrument,
    *,
    generator: torch.Generator,
    settings: ScanSettings | None = None,
) -> SimulatedScan:
    """Measure a mixture with the virtual diffractometer.

    Phases come first, each in proportion to its mass and its microabsorption; then lines of no phase,
    background, spikes, counting noise and the detector's losses.

    Parameters
    ----------
    crystals : sequence of Crystal
        In the order of the composition.
    composition : Composition
        Weight, volume or mole fractions.
    instrument : Instrument
        Its range and step are scanned.
    generator : torch.Generator
    settings : ScanSettings, optional

    Returns
    -------
    SimulatedScan

    Raises
    ------
    UsageError
        If the settings name a phase that is not in the sample.
    RadiationError, ParameterError, CompositionError
        If beam, particle sizes or composition cannot be used.
    """
    settings = settings or ScanSettings()
    weights = composition.to("weight", crystals)
    _check_named(settings, weights.names)
    beam = with_contamination(instrument.radiation, kbeta=settings.kbeta, tungsten=settings.tungsten)
    instrument = dataclasses.replace(instrument, radiation=beam)
    streams = _streams(generator)
    sizes = [settings.phase_particle_size_um.get(n, settings.particle_size_um or 0.0) for n in weights.names]
    factors = brindley_factors(crystals, weights.fractions, beam, sizes)
    mu = settings.packing_fraction * mean_attenuation_per_mm(crystals, weights.fractions, beam)
    model, parameters = _prepare(crystals, instrument, settings, mu, streams["sample"])
    masses = torch.tensor(np.array(weights.fractions) * factors, dtype=torch.float64)
    signal = _signal(model, parameters, masses, settings.graininess, streams["grains"])
    events, drawn = _events(signal, model.two_theta, settings, streams)
    detector = _detector(settings)
    # Counts are whole, also after the detector's losses.
    counts = apply_detector(apply_counting_noise(events, generator=streams["noise"]), detector).round()
    classes = powder_classes(crystals, beam, sizes)
    sample = Sample(crystals, weights, model.strain_sizes, parameters, sizes, classes, factors, mu)
    expected = apply_detector(events, detector)[0].numpy()
    scan = _scan(model.two_theta, counts[0], instrument, settings.seconds_per_step)
    return SimulatedScan(scan, expected, truth_of(sample, drawn, settings, instrument))


def _scan(two_theta: Tensor, counts: Tensor, instrument: Instrument, seconds_per_step: float) -> Scan:
    wavelength = instrument.radiation.wavelength_angstrom
    return Scan(
        two_theta=two_theta.numpy(),
        counts=counts.numpy(),
        format="simulated",
        reader="mixrd",
        wavelength_angstrom=wavelength,
        anode=tube_of(wavelength),
        counting_time_s=seconds_per_step,
        goniometer_radius_mm=instrument.goniometer_radius_mm,
    )


def _check_named(settings: ScanSettings, names: Sequence[str]) -> None:
    for setting, phases in settings.named_phases.items():
        if unknown := sorted(set(phases) - set(names)):
            raise UsageError(
                f"{setting} is given for {', '.join(unknown)}, which is not in the sample",
                remedy=f"Name phases of the composition: {', '.join(names)}",
            )


def _streams(generator: torch.Generator) -> dict[str, torch.Generator]:
    seeds = torch.randint(_HIGHEST_SEED, (len(_STREAMS),), generator=generator).tolist()
    return {name: torch.Generator().manual_seed(s) for name, s in zip(_STREAMS, seeds, strict=True)}


def _grid(instrument: Instrument) -> NDArray[np.float64]:
    low, high = instrument.two_theta_range
    count = round((high - low) / instrument.step) + 1
    return np.round(low + instrument.step * np.arange(count), 6)


def _prepare(
    crystals: Sequence[Crystal],
    instrument: Instrument,
    settings: ScanSettings,
    mu_per_mm: float,
    generator: torch.Generator,
) -> tuple[ForwardModel, Parameters]:
    """The forward model, exact unless that takes too long, and what was drawn for it."""
    two_theta = _grid(instrument)
    build = partial(
        ForwardModel,
        crystals,
        instrument,
        two_theta,
        texture_axes={name: axis for name, (axis, _) in settings.texture.items()},
        size_axes={name: axis for name, (axis, _) in settings.aspect.items()},
    )
    model = build(precision="exact")
    parameters = _draw(model, settings, mu_per_mm, generator)
    if len(model.peak_table.phase) * len(two_theta) > _MOST_EXACT:
        widest = float(model.peaks(parameters).fwhm.max())
        model = build(precision="refinement", widest_fwhm=max(0.5, widest))
    return model, parameters


def _draw(
    model: ForwardModel, settings: ScanSettings, mu_per_mm: float, generator: torch.Generator
) -> Parameters:
    reference = model.reference()

    def uniform(like: Tensor) -> Tensor:
        return torch.rand(like.shape, generator=generator, dtype=like.dtype)

    def chosen(drawn: Tensor, of_all: float | None, of_phase: Mapping[str, float]) -> Tensor:
        usual = drawn if of_all is None else torch.full_like(drawn, of_all)
        values = [of_phase.get(name, float(usual[0, p])) for p, name in enumerate(model.names)]
        return torch.tensor([values], dtype=drawn.dtype)

    strain = settings.max_strain * (2 * uniform(reference.strain) - 1)
    size = chosen(50.0 * 10.0 ** uniform(reference.inverse_size), settings.size_nm, settings.phase_size_nm)
    microstrain = chosen(
        5e-4 * uniform(reference.microstrain), settings.microstrain, settings.phase_microstrain
    )
    flat = reference.replace(
        strain=strain,
        inverse_size=1 / size,
        microstrain=microstrain,
        texture=chosen(reference.texture, None, {name: r for name, (_, r) in settings.texture.items()}),
        aspect=chosen(reference.aspect, None, {name: a for name, (_, a) in settings.aspect.items()}),
    ).flat()
    thinness = 1 / settings.mu_t if settings.mu_t else 0.0
    penetration = 1 / mu_per_mm if settings.transparency else 0.0
    for name, value in {**settings.of_scan, "thinness": thinness, "penetration": penetration}.items():
        flat[:, model.columns_of(name)] = value
    return model.from_flat(flat)


def _signal(
    model: ForwardModel,
    parameters: Parameters,
    masses: Tensor,
    graininess: float,
    generator: torch.Generator,
) -> Tensor:
    """(1, N): peaks of all phases, of these masses (P,)."""
    peaks = model.peaks(parameters)
    spread = torch.full_like(peaks.area[:, :1], graininess)
    peaks = scatter_intensities(model, peaks, spread, generator=generator)
    area = peaks.area * masses[model.peak_table.phase]
    return model.renderer.render(dataclasses.replace(peaks, area=area))[:, 0]


def _events(
    signal: Tensor, two_theta: Tensor, settings: ScanSettings, streams: Mapping[str, torch.Generator]
) -> tuple[Tensor, Drawn]:
    """(1, N) expected events at the detector, and what was drawn for that."""
    strength = settings.impurity_strength
    lines = ImpurityRanges(
        count=(settings.impurities, settings.impurities), relative_intensity=(strength / 10, strength)
    )
    impurities = draw_impurities(two_theta, 1, lines, generator=streams["impurities"])
    rate = apply_impurities(settings.peak_counts * signal / signal.max(), two_theta, impurities)

    parts = draw_background_parts(two_theta, 1, generator=streams["background"])
    background = apply_background(torch.zeros_like(rate), two_theta, parts)
    scale = settings.background_counts / background.max()
    rate = rate + scale * background

    hump = draw_humps(two_theta, 1, _HUMP, generator=streams["hump"])
    hump = dataclasses.replace(hump, height=settings.hump_counts * hump.height)
    rate = apply_humps(rate, two_theta, hump)
    level = rate.new_full((1, 1), settings.fluorescence_counts)
    rate = apply_fluorescence(rate, Fluorescence(level))

    count = (settings.spikes, settings.spikes)
    spikes = draw_spikes(1, len(two_theta), SpikeRanges(count=count), generator=streams["spikes"])
    events = apply_spikes(settings.seconds_per_step * rate, spikes)
    return events, Drawn(two_theta, impurities, parts, float(scale), hump, spikes)


def _detector(settings: ScanSettings) -> Detector:
    """The detector of one scan; an infinite highest rate where it does not saturate."""

    def one(value: float) -> Tensor:
        return torch.tensor([[value]], dtype=torch.float64)

    highest = float("inf") if settings.saturation_cps is None else settings.saturation_cps
    return Detector(one(1e-6 * settings.dead_time_us), one(settings.seconds_per_step), one(highest))
