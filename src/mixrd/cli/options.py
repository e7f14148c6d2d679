"""Options that several commands share, and what they stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter

from mixrd.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixrd.crystal import Crystal
    from mixrd.pattern import Instrument

#: One option, several values: `--phases corundum fluorite`.
Names = Annotated[list[str], Parameter(consume_multiple=(1, None), allow_repeating=True)]

_GROUP = Group("Instrument", sort_key=1)


@Parameter(name="*", group=_GROUP)
@dataclass(frozen=True)
class InstrumentOptions:
    """The diffractometer: a file or preset, or what is needed to describe a generic one."""

    instrument: str | None = None
    """TOML file from `mixrd calibrate`, or a preset of `mixrd instruments`."""

    radiation: str | None = None
    """CuKa, CoKa, MoKa1, ... or a wavelength in angstrom; instead of an instrument."""

    monochromator: float | None = None
    """Diffraction angle 2theta of the monochromator in degrees (graphite, Cu: 26.6); goes with --radiation."""

    radius: float | None = None
    """Goniometer radius in mm; goes with --radiation."""

    def load(self) -> Instrument | None:
        """The instrument that was named or described; None where nothing was said.

        Raises
        ------
        UsageError
            If both a file and a description were given, or a part of a description without radiation.
        """
        from mixrd.pattern import load_instrument

        parts = {
            "--radiation": self.radiation,
            "--monochromator": self.monochromator,
            "--radius": self.radius,
        }
        given = [name for name, value in parts.items() if value is not None]
        if self.instrument is not None:
            if given:
                raise UsageError(
                    f"--instrument and {given[0]} exclude each other",
                    remedy="The instrument's file holds radiation, monochromator and radius",
                )
            return load_instrument(self.instrument)
        if self.radiation is None:
            if given:
                raise UsageError(f"{given[0]} needs --radiation", remedy="Add for example --radiation CuKa")
            return None
        return self._generic()

    def _generic(self) -> Instrument:
        """The generic laboratory machine with this beam."""
        from dataclasses import replace

        from mixrd.diffraction import radiation
        from mixrd.pattern import load_instrument

        start = load_instrument("lab-cu")
        beam = radiation(self.radiation or "")
        return replace(
            start,
            name=f"laboratory Bragg-Brentano, {beam.name}",
            note="generic widths",
            radiation=beam,
            monochromator_two_theta=self.monochromator or 0.0,
            goniometer_radius_mm=start.goniometer_radius_mm if self.radius is None else self.radius,
        )


def load_phases(names: Sequence[str]) -> list[Crystal]:
    """Crystals of catalog names and CIF files; no two the same.

    Raises
    ------
    CrystalError
        If one is unknown, cannot be used, or two are the same structure.
    """
    from mixrd.crystal import check_distinct, load_phase

    crystals = [load_phase(name) for name in names]
    check_distinct(crystals)
    return crystals
