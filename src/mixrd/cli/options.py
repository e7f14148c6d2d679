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
    from mixrd.scan import Scan

#: One option, several values: `--phases corundum fluorite`.
Names = Annotated[list[str], Parameter(consume_multiple=(1, None), allow_repeating=True)]

#: A switch: off unless given.
Switch = Annotated[bool, Parameter(show_default=False)]

_GROUP = Group("Instrument", sort_key=1)


@Parameter(name="*", group=_GROUP)
@dataclass(frozen=True)
class InstrumentOptions:
    """The diffractometer: a file or preset, or what is needed to describe a generic one."""

    instrument: str | None = None
    """TOML file from `mixrd calibrate`, or a preset of `mixrd instruments`."""

    radiation: str | None = None
    """CuKa, CoKa, MoKa1, ... or a wavelength in angstrom, where there is no instrument file. For the number
    of a tube's Kα1 (1.5406) the scan says whether Kα2 is there."""

    monochromator: float | None = None
    """Diffraction angle 2theta of the monochromator in degrees (graphite and Cu: 26.6), 0 for none; else the
    header's or none."""

    radius: float | None = None
    """Goniometer radius in mm, else the header's or 200."""

    @property
    def stands_alone(self) -> bool:
        """Whether these options describe an instrument without a scan's header."""
        return self.instrument is not None or self.radiation is not None

    def load(self, scan: Scan | None = None) -> Instrument | None:
        """The instrument that was named or described; None where nothing was said.

        Parameters
        ----------
        scan : Scan, optional
            Its header says what the options leave open.

        Raises
        ------
        UsageError
            If both a file and a description were given, or a part of a description without radiation.
        RadiationError
            If there is a part of a description only, and the scan's header does not name the tube.
        """
        from mixrd.analysis import described_instrument, instrument_for
        from mixrd.pattern import load_instrument

        parts = {
            "radiation": self.radiation,
            "monochromator": self.monochromator,
            "radius": self.radius,
        }
        given = [f"--{name}" for name, value in parts.items() if value is not None]
        if self.instrument is not None:
            if given:
                raise UsageError(
                    f"--instrument and {given[0]} exclude each other",
                    remedy="The instrument's file holds radiation, monochromator and radius",
                )
            return load_instrument(self.instrument)
        if not given:
            return None
        if self.radiation is not None:
            return described_instrument(
                self.radiation,
                scan,
                monochromator_two_theta=self.monochromator,
                goniometer_radius_mm=self.radius,
            )
        if scan is None:
            raise UsageError(f"{given[0]} needs --radiation", remedy="Add for example --radiation CuKa")
        return self._completed(instrument_for(scan, None))

    def required(self, two_theta_range: tuple[float, float] | None = None) -> Instrument:
        """The instrument, where there is no scan whose header could say; optionally with another range.

        Raises
        ------
        UsageError
            As `load`, or if nothing was said.
        """
        from dataclasses import replace

        instrument = self.load()
        if instrument is None:
            raise UsageError(
                "no instrument is given",
                remedy="Give --instrument (`mixrd instruments` lists those that ship) or --radiation",
            )
        return replace(instrument, two_theta_range=two_theta_range) if two_theta_range else instrument

    def _completed(self, instrument: Instrument) -> Instrument:
        from dataclasses import replace

        if self.monochromator is not None:
            instrument = replace(instrument, monochromator_two_theta=self.monochromator)
        if self.radius is not None:
            instrument = replace(instrument, goniometer_radius_mm=self.radius)
        return instrument


def load_phases(names: Sequence[str]) -> list[Crystal]:
    """Crystals of catalog names and CIF files; no two the same.

    Raises
    ------
    CrystalError
        If one is unknown, cannot be used, or two are the same structure.
    """
    from mixrd.phases import check_distinct, load_phase

    crystals = [load_phase(name) for name in names]
    check_distinct(crystals)
    return crystals
