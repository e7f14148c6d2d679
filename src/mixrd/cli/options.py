"""Options that several commands share, and what they stand for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Group, Parameter

from mixrd.errors import RequestError, UsageError

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

#: Options that have another name than the entry of the request that they stand for.
OPTION_OF_FIELD = {
    "network": "no_network",
    "refine": "no_refine",
    "second_opinion": "check",
    "particle_size_um": "particle_size",
    "monochromator_two_theta": "monochromator",
    "goniometer_radius_mm": "radius",
}


def request_fields(options: object) -> dict[str, Any]:
    """Options as entries of a request."""
    field_of = {option: field for field, option in OPTION_OF_FIELD.items()}
    return {field_of.get(name, name): value for name, value in vars(options).items()}


@contextmanager
def told_by_option() -> Iterator[None]:
    """What is wrong with a request is told with the names of the options."""
    try:
        yield
    except RequestError as problem:
        names = [OPTION_OF_FIELD.get(name, name).replace("_", "-") for name in problem.fields]
        options = " and ".join(f"--{name}" for name in names)
        cause = f"{options}: {problem.cause}" if options else problem.cause
        raise UsageError(cause, remedy=problem.remedy) from None


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

    def load(self, scan: Scan | None = None) -> Instrument | None:
        """The instrument that was named or described; None where nothing was said.

        Raises
        ------
        InputError
            As `mixrd.analysis.InstrumentChoice` and its `chosen_instrument` say.
        """
        from mixrd.analysis import InstrumentChoice

        with told_by_option():
            return InstrumentChoice(**request_fields(self)).chosen_instrument(scan)

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
