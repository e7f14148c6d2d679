"""The refined model in full: what another program needs to go on where this refinement ended."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mixrd.crystal import Crystal
from mixrd.errors import InstrumentError
from mixrd.fit.refinement import Refinement
from mixrd.pattern import Instrument, Profile, instrument_from_dict, instrument_to_dict

#: Points that hold the background: it is smooth, so they are far closer than its waves.
BACKGROUND_POINTS = 61
#: Range of (S + H) / L that an instrument may have.
_SH_L = (0.0, 0.2)


@dataclass(frozen=True)
class RefinedModel:
    """Structures, instrument and amounts as refined; cells, texture and shifts are the result's own.

    Attributes
    ----------
    crystals : tuple of Crystal
        As given, before their cells were refined.
    instrument : Instrument
        With the refined profile.
    masses : tuple of float
        Of the phases, in the unit of the scan times that of the forward model's patterns of unit mass.
    inverse_size_per_nm : tuple of float
        Of the phases, whether or not it stands out from the instrument's width.
    two_theta_range : (low, high)
        What was fitted, in degrees.
    background : tuple of (two_theta, intensity)
        In degrees and the unit of the scan, amorphous humps included.
    """

    crystals: tuple[Crystal, ...]
    instrument: Instrument
    masses: tuple[float, ...]
    inverse_size_per_nm: tuple[float, ...]
    two_theta_range: tuple[float, float]
    background: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, crystals: Sequence[Crystal], instrument: Instrument, refined: Refinement) -> RefinedModel:
        """What a refinement of `crystals` on `instrument` ended at."""
        low, high = float(refined.two_theta[0]), float(refined.two_theta[-1])
        angles = np.linspace(low, high, BACKGROUND_POINTS)
        levels = np.interp(angles, refined.two_theta, refined.background)
        return cls(
            crystals=tuple(crystals),
            instrument=_as_refined(instrument, refined),
            masses=tuple(float(x) for x in refined.masses),
            inverse_size_per_nm=tuple(float(x) for x in refined.inverse_size_per_nm),
            two_theta_range=(low, high),
            background=tuple((float(x), float(y)) for x, y in zip(angles, levels, strict=True)),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data that `from_dict` takes back."""
        return {
            "crystals": [crystal.to_dict() for crystal in self.crystals],
            "instrument": instrument_to_dict(self.instrument),
            "masses": list(self.masses),
            "inverse_size_per_nm": list(self.inverse_size_per_nm),
            "two_theta_range": list(self.two_theta_range),
            "background": [list(point) for point in self.background],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> RefinedModel:
        """Model from what `to_dict` gave (or its JSON)."""
        low, high = data["two_theta_range"]
        return cls(
            crystals=tuple(Crystal.from_dict(crystal) for crystal in data["crystals"]),
            instrument=instrument_from_dict(data["instrument"]),
            masses=tuple(data["masses"]),
            inverse_size_per_nm=tuple(data["inverse_size_per_nm"]),
            two_theta_range=(low, high),
            background=tuple((x, y) for x, y in data["background"]),
        )


def _as_refined(instrument: Instrument, refined: Refinement) -> Instrument:
    u, v, w, x, y, sh_l = (float(value) for value in refined.profile)
    profile = Profile(u, v, w, x, y, min(max(sh_l, _SH_L[0]), _SH_L[1]))
    try:
        return dataclasses.replace(instrument, profile=profile)
    except InstrumentError:
        # All width went to the phases: the instrument's own is the better start.
        return instrument
