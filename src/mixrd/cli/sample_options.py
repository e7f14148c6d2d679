"""What a user knows of the sample's preparation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import Group, Parameter

from mixrd.cli.options import Names, load_phases
from mixrd.errors import UsageError

if TYPE_CHECKING:
    from mixrd.analysis import AmorphousComponent, ExternalConstant, Preparation
    from mixrd.pattern import Instrument

_GROUP = Group("Sample", sort_key=2)


@Parameter(name="*", group=_GROUP)
@dataclass(frozen=True)
class SampleOptions:
    """What the scan itself does not tell; all of it needs the refinement."""

    particle_size: float | None = None
    """Diameter of the particles in micrometres: corrects for microabsorption (Brindley)."""

    standard: str | None = None
    """Internal standard and its wt% in the mixture that was measured, e.g. corundum:20: tells the amorphous
    content."""

    external_standard: str | None = None
    """Phase and scan of a pure standard on the same instrument, e.g. corundum:standard.xy: likewise."""

    amorphous: Names | None = None
    """Amorphous humps to fit: a scan of the pure material, or POSITION:WIDTH in degrees 2theta, e.g. 22:8."""

    exclude: Names | None = None
    """Regions in degrees 2theta that the refinement leaves out, e.g. 26.2-27.1 (a line of the holder)."""

    @property
    def given(self) -> bool:
        """Whether anything is said."""
        return any(value is not None for value in vars(self).values())

    def load(self, instrument: Instrument) -> Preparation:
        """What an analysis takes.

        Raises
        ------
        InputError
            If an option cannot be read.
        """
        from mixrd.analysis import Preparation, parse_regions, parse_standard

        if self.standard is not None and self.external_standard is not None:
            raise UsageError(
                "--standard and --external-standard exclude each other", remedy="Leave one of the two out"
            )
        wavelength = instrument.radiation.wavelength_angstrom
        external = self.external_standard
        return Preparation(
            particle_size_um=self.particle_size,
            standard=None if self.standard is None else parse_standard(self.standard),
            external=None if external is None else _constant(external, instrument),
            humps=tuple(_component(text, wavelength) for text in self.amorphous or ()),
            excluded=parse_regions(self.exclude or ()),
        )


def _constant(text: str, instrument: Instrument) -> ExternalConstant:
    """The instrument's constant from PHASE:FILE."""
    from mixrd.analysis import external_constant_of
    from mixrd.scan import read_scan

    name, _, file = text.partition(":")
    if not name or not file:
        raise UsageError(
            f"--external-standard {text!r} names no scan", remedy="Write PHASE:FILE: corundum:standard.xy"
        )
    (crystal,) = load_phases([name])
    return external_constant_of(read_scan(Path(file)), crystal, instrument)


def _component(text: str, wavelength_angstrom: float) -> AmorphousComponent:
    from mixrd.analysis import component_of_humps, component_of_scan, parse_humps
    from mixrd.scan import read_scan

    path = Path(text)
    if path.is_file():
        return component_of_scan(read_scan(path), path.stem)
    return component_of_humps(parse_humps(text), wavelength_angstrom, f"amorphous {text}")
