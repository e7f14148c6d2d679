"""What a simulated scan was made from, as plain data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from mixrd.crystal import Crystal, strain_basis
from mixrd.mixture.composition import Composition
from mixrd.mixture.scan_settings import ScanSettings
from mixrd.pattern import Background, Humps, Impurities, Instrument, Parameters, Spikes

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

#: Keys of quantities of the scan that are not called as in the parameter table.
_KEYS = {
    "zero": "zero_deg",
    "displacement": "displacement_mm",
    "roughness_depth": "roughness_optical_depth",
}


@dataclass(frozen=True, eq=False)
class Sample:
    """The sample of one scan. P phases.

    Attributes
    ----------
    crystals : sequence of Crystal
    weights : Composition
        Weight fractions.
    strain_sizes : sequence of int
        Strain components of each phase.
    parameters : Parameters
        Of one scan.
    particle_sizes_um : (P,) sequence
        0 for a fine powder.
    powder_classes : (P,) sequence of str
        "fine", "medium", "coarse" or "very coarse".
    absorption_factors : (P,) array
        Of microabsorption.
    attenuation_per_mm : float
        Of the powder as packed.
    """

    crystals: Sequence[Crystal]
    weights: Composition
    strain_sizes: Sequence[int]
    parameters: Parameters
    particle_sizes_um: Sequence[float]
    powder_classes: Sequence[str]
    absorption_factors: NDArray[np.float64]
    attenuation_per_mm: float


@dataclass(frozen=True, eq=False)
class Drawn:
    """What was drawn beside the phases, for one scan on the grid `two_theta` (N,)."""

    two_theta: Float[Tensor, " N"]
    impurities: Impurities
    background: Background
    background_scale: float
    hump: Humps
    spikes: Spikes


def truth_of(
    sample: Sample, drawn: Drawn, settings: ScanSettings, instrument: Instrument
) -> dict[str, object]:
    """All of it, as plain data for JSON with units in the keys."""
    masses = np.array(sample.weights.fractions) * sample.absorption_factors
    names = sample.weights.names
    return {
        "synthetic": True,
        "weight_percent": dict(zip(names, (100 * f for f in sample.weights.fractions), strict=True)),
        "apparent_weight_percent": dict(zip(names, (100 * masses / masses.sum()).tolist(), strict=True)),
        "phases": _phases(sample, settings),
        **_measurement(settings, instrument),
        **_surface(sample, settings),
        **_additions(drawn, settings),
    }


def _phases(sample: Sample, settings: ScanSettings) -> dict[str, object]:
    p = sample.parameters
    strains = p.strain[0].split(list(sample.strain_sizes))
    texture_axes = {name: list(axis) for name, (axis, _) in settings.texture.items()}
    size_axes = {name: list(axis) for name, (axis, _) in settings.aspect.items()}
    return {
        c.name: {
            "source": c.source,
            "strain": strains[i].tolist(),
            "strain_components": strain_basis(c).tolist(),
            "crystallite_size_nm": float(1 / p.inverse_size[0, i]),
            "size_axis_hkl": size_axes.get(c.name),
            "size_across_over_along_axis": float(p.aspect[0, i]),
            "microstrain": float(p.microstrain[0, i]),
            "texture_axis_hkl": texture_axes.get(c.name),
            "march_dollase_r": float(p.texture[0, i]),
            "particle_size_um": float(sample.particle_sizes_um[i]) or None,
            "powder_class": sample.powder_classes[i],
            "microabsorption_factor": float(sample.absorption_factors[i]),
        }
        for i, c in enumerate(sample.crystals)
    }


def _measurement(settings: ScanSettings, instrument: Instrument) -> dict[str, object]:
    return {
        "instrument": instrument.name,
        "radiation": instrument.radiation.name,
        "radiation_lines": [
            {"wavelength_angstrom": line.wavelength_angstrom, "share": line.weight}
            for line in instrument.radiation.lines
        ],
        "kbeta_over_kalpha1": settings.kbeta,
        "tungsten_lalpha1_over_kalpha1": settings.tungsten,
        "divergence_slit": instrument.divergence_slit,
        "monochromator_two_theta_deg": instrument.monochromator_two_theta,
        "goniometer_radius_mm": instrument.goniometer_radius_mm,
        "profile": dataclasses.asdict(instrument.profile),
        "seconds_per_step": settings.seconds_per_step,
        "dead_time_us": settings.dead_time_us,
        "saturation_counts_per_second": settings.saturation_cps,
        "peak_counts_per_second": settings.peak_counts,
        "background_counts_per_second": settings.background_counts,
        "fluorescence_counts_per_second": settings.fluorescence_counts,
    }


def _surface(sample: Sample, settings: ScanSettings) -> dict[str, object]:
    return {
        "linear_attenuation_per_mm": sample.attenuation_per_mm,
        "packing_fraction": settings.packing_fraction,
        "penetration_mm": float(sample.parameters.penetration[0, 0]),
        "mu_t": settings.mu_t,
        **{_KEYS.get(name, name): value for name, value in settings.of_scan.items()},
        "graininess": settings.graininess,
    }


def _additions(drawn: Drawn, settings: ScanSettings) -> dict[str, object]:
    spikes = drawn.spikes
    where = drawn.two_theta[spikes.index[0]].tolist()
    return {
        "impurities": _rows("height_over_strongest_peak", drawn.impurities),
        "hump": _rows("height_counts_per_second", drawn.hump) if settings.hump_counts else [],
        "spikes": [
            {"two_theta_deg": angle, "height_over_maximum": height}
            for angle, height in zip(where, spikes.height[0].tolist(), strict=True)
        ],
        "background": {
            "counts_per_second_per_unit": drawn.background_scale,
            "parts": _plain(drawn.background),
        },
    }


def _rows(height_key: str, peaks: Humps) -> list[dict[str, float]]:
    """One entry for each of the first pattern's peaks."""
    columns = (peaks.centre, peaks.height, peaks.fwhm, peaks.eta)
    rows = zip(*(column[0].tolist() for column in columns), strict=True)
    return [
        dict(zip(("two_theta_deg", height_key, "fwhm_deg", "lorentzian_share"), row, strict=True))
        for row in rows
    ]


def _plain(drawn: DataclassInstance) -> Mapping[str, object]:
    """The first pattern's parameters, nested as they are."""
    values = {field.name: getattr(drawn, field.name) for field in dataclasses.fields(drawn)}
    return {
        name: value[0].tolist() if isinstance(value, Tensor) else _plain(value)
        for name, value in values.items()
    }
