"""What a user knows of the sample's preparation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from cyclopts import Group, Parameter

from mixrd.cli.options import Names, request_fields
from mixrd.errors import UsageError

if TYPE_CHECKING:
    from mixrd.analysis import StandardScan

_GROUP = Group("Sample", sort_key=2)


@Parameter(name="*", group=_GROUP)
@dataclass(frozen=True)
class PreparationOptions:
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

    def fields(self) -> dict[str, Any]:
        """The entries of a request.

        Raises
        ------
        InputError
            If an option cannot be read.
        """
        from mixrd.analysis import parse_regions, parse_standard

        return {
            **request_fields(self),
            "standard": None if self.standard is None else parse_standard(self.standard),
            "external_standard": _external(self.external_standard),
            "amorphous": tuple(self.amorphous or ()),
            "exclude": parse_regions(self.exclude or ()),
        }


def _external(text: str | None) -> StandardScan | None:
    """PHASE:FILE."""
    from mixrd.analysis import StandardScan

    if text is None:
        return None
    name, _, file = text.partition(":")
    if not name or not file:
        raise UsageError(
            f"--external-standard {text!r} names no scan", remedy="Write PHASE:FILE: corundum:standard.xy"
        )
    return StandardScan(name, file)
