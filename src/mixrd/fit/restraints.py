"""What is believed of a sample before its scan is seen, as restraints of a refinement."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from mixrd.errors import ParameterError
from mixrd.fit.least_squares import Priors
from mixrd.pattern import ForwardModel


@dataclass(frozen=True)
class Restraints:
    """What is believed of a sample before the scan is seen: standard deviations of Gaussian restraints.

    They are wide against what a strong phase's data say and keep a trace phase from wandering.

    Attributes
    ----------
    strain : float
        Of each strain component, relative.
    inverse_size_per_nm : float
        Of 1/L around 0 (0.02: crystallites mostly above 50 nm).
    microstrain : float
    width : float
        Of the Gaussian terms u, v, w around the instrument's, in deg^2.
    lorentzian_width : float
        Of x and y around the instrument's, in degrees.
    sh_l : float
        Of the axial divergence around the instrument's; 0 holds it (only a standard tells it well).
    texture : float
        Of March-Dollase r around 1; 0 holds it.
    aspect : float
        Of the crystallites' aspect along their size axis around 1; 0 holds it.
    zero : float
        In degrees 2theta.
    displacement_mm : float
    thinness, penetration_mm : float
        Of 1/(mu t) and 1/mu around 0; 0 holds them.
    roughness : float
        Of both terms of the surface roughness around 0; 0 holds them.
    overspill : float
        Of the beam's overspill around 0; 0 holds it.
    b_offset : float
        Of what is added to all displacement factors, in square angstroms; 0 holds it.
    """

    strain: float = 0.005
    inverse_size_per_nm: float = 0.02
    microstrain: float = 0.001
    width: float = 0.002
    lorentzian_width: float = 0.01
    sh_l: float = 0.0
    texture: float = 0.0
    aspect: float = 0.0
    zero: float = 0.03
    displacement_mm: float = 0.1
    thinness: float = 0.0
    penetration_mm: float = 0.0
    roughness: float = 0.0
    overspill: float = 0.0
    b_offset: float = 0.0


def make_priors(model: ForwardModel, restraints: Restraints, fixed: Sequence[str]) -> Priors:
    """Restraints and bounds in the order of the flat parameters."""
    reference = model.reference()
    if unknown := set(fixed) - {field.name for field in dataclasses.fields(reference)}:
        raise ParameterError(
            f"fixed names {', '.join(sorted(unknown))}",
            remedy=f"Allowed: {', '.join(field.name for field in dataclasses.fields(reference))}",
        )
    r = restraints
    settings = {  # sigma, lower, upper
        "strain": (r.strain, -0.06, 0.06),
        "inverse_size": (r.inverse_size_per_nm, 0.0, 1.0),
        "microstrain": (r.microstrain, 0.0, 0.02),
        "texture": (r.texture, 0.2, 3.0),
        "aspect": (r.aspect, 0.05, 20.0),
        "thinness": (r.thinness, 0.0, 100.0),
        "penetration": (r.penetration_mm, 0.0, 10.0),
        "roughness": (r.roughness, 0.0, 1.0),
        "overspill": (r.overspill, 0.0, 0.9),
        # No further down: a structure that states no displacement gets B = 0.47, and none is below zero.
        "b_offset": (r.b_offset, -0.35, 0.5),
        "zero": (r.zero, -0.5, 0.5),
        "displacement": (r.displacement_mm, -1.5, 1.5),
    }
    mean, sigma, lower, upper = [], [], [], []
    for field in dataclasses.fields(reference):
        value = getattr(reference, field.name)[0]
        mean.append(value)
        if field.name == "profile":
            width, lorentz = r.width, r.lorentzian_width
            rows = (
                [width, width, width, lorentz, lorentz, r.sh_l if model.instrument.profile.sh_l > 0 else 0.0],
                [-1.0, -1.0, 1e-5, 0.0, 0.0, 0.0],
                [1.0, 1.0, 1.0, 0.5, 0.5, 0.15],
            )
            spread, low, high = (value.new_tensor(row) for row in rows)
        else:
            spread, low, high = (torch.full_like(value, x) for x in settings[field.name])
        sigma.append(torch.zeros_like(spread) if field.name in fixed else spread)
        lower.append(low)
        upper.append(high)
    return Priors(*(torch.cat(x) for x in (mean, sigma, lower, upper)))
