"""What a user knows of the sample's preparation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cyclopts import Group, Parameter

from mixrd.cli.options import Names, load_phases
from mixrd.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection

    from mixrd.analysis import AmorphousComponent, ExternalConstant, Preparation
    from mixrd.pattern import Instrument

_GROUP = Group("Sample", sort_key=2)


@Parameter(name="*", group=_GROUP)
@dataclass(frozen=True)
class SampleOptions:
    """What the scan itself does not tell; all of it needs the refinement."""

    particle_size: float | None = None
    """Diameter of the particles in micrometres: corrects for microabsorption (Brindley)."""

    grinding: Literal["by-hand", "mccrone", "as-received"] | None = None
    """How the powder was ground, where the size of its particles is not known: fractions are the mean over
    the sizes that this makes likely (5-20, 1-4, 4-60 um), and the intervals allow for them."""

    standard: str | None = None
    """Internal standard and its wt% in the mixture that was measured, e.g. corundum:20: tells the amorphous
    content."""

    external_standard: str | None = None
    """Phase and scan of a pure standard on the same instrument, e.g. corundum:standard.xy: likewise."""

    amorphous_formula: str | None = None
    """What the amorphous part is made of, e.g. SiO2, with --external-standard: without it, it is taken to
    absorb as the crystalline phases do."""

    amorphous: Names | None = None
    """Amorphous humps to fit: a scan of the pure material, or POSITION:WIDTH in degrees 2theta, e.g. 22:8."""

    exclude: Names | None = None
    """Regions in degrees 2theta that the refinement leaves out, e.g. 26.2-27.1 (a line of the holder)."""

    @property
    def given(self) -> bool:
        """Whether anything is said."""
        return any(value is not None for value in vars(self).values())

    def check(self, phases: Collection[str]) -> None:
        """Refuse what contradicts itself, or the candidates of these names, before any scan is read.

        Raises
        ------
        InputError
            If options exclude each other, or cannot be read.
        """
        if self.standard is not None and self.external_standard is not None:
            raise UsageError(
                "--standard and --external-standard exclude each other", remedy="Leave one of the two out"
            )
        if self.particle_size is not None and self.grinding is not None:
            raise UsageError(
                "--particle-size and --grinding exclude each other",
                remedy="Give the size where it is known, else how the powder was ground",
            )
        if self.amorphous_formula is not None:
            from mixrd.crystal import atoms_of_formula

            atoms_of_formula(self.amorphous_formula)
            if self.external_standard is None:
                raise UsageError(
                    "--amorphous-formula says nothing without --external-standard",
                    remedy="Give --external-standard PHASE:FILE too; an internal standard needs no formula",
                )
        if self.standard is not None:
            from mixrd.analysis import parse_standard

            name = parse_standard(self.standard).name
            if name not in phases:
                raise UsageError(
                    f"the internal standard {name} is not among the phases {', '.join(phases)}",
                    remedy=f"Add it to --phases, under this name: {name}",
                )

    def load(self, instrument: Instrument) -> Preparation:
        """What an analysis takes.

        Raises
        ------
        InputError
            If an option cannot be read.
        """
        from mixrd.analysis import Preparation, parse_regions, parse_standard

        wavelength = instrument.radiation.wavelength_angstrom
        external = self.external_standard
        return Preparation(
            particle_size_um=self.particle_size,
            standard=None if self.standard is None else parse_standard(self.standard),
            external=None if external is None else _constant(external, instrument),
            humps=tuple(_component(text, wavelength) for text in self.amorphous or ()),
            excluded=parse_regions(self.exclude or ()),
            grinding=self.grinding,
            amorphous_formula=self.amorphous_formula,
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
