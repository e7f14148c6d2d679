"""What a perfect powder of one crystal diffracts: positions and absolute intensities of its lines."""

from mixrd.diffraction.attenuation import (
    brindley_factor,
    contrast_warning_limit,
    edges_near,
    linear_attenuation_per_mm,
    mass_attenuation_cm2_g,
    near_edge,
    powder_class,
)
from mixrd.diffraction.corrections import (
    beam_overspill,
    divergence_slit,
    lorentz,
    polarization,
    surface_roughness,
    thermal_factor,
    thin_sample_absorption,
    transparency_shift,
)
from mixrd.diffraction.line_table import Lines, LineTable
from mixrd.diffraction.radiation import EmissionLine, Radiation, radiation, tube_of, with_contamination
from mixrd.diffraction.reflections import Reflections, Scattering, reflections
from mixrd.diffraction.sticks import (
    Sticks,
    lorentz_polarization,
    strained_sticks,
)
from mixrd.diffraction.texture import axis_cosines, march_dollase

__all__ = [
    "EmissionLine",
    "LineTable",
    "Lines",
    "Radiation",
    "Reflections",
    "Scattering",
    "Sticks",
    "axis_cosines",
    "beam_overspill",
    "brindley_factor",
    "contrast_warning_limit",
    "divergence_slit",
    "edges_near",
    "linear_attenuation_per_mm",
    "lorentz",
    "lorentz_polarization",
    "march_dollase",
    "mass_attenuation_cm2_g",
    "near_edge",
    "polarization",
    "powder_class",
    "radiation",
    "reflections",
    "strained_sticks",
    "surface_roughness",
    "thermal_factor",
    "thin_sample_absorption",
    "transparency_shift",
    "tube_of",
    "with_contamination",
]
