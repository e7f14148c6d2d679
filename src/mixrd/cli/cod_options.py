"""What `mixrd cod` takes: which structures, and from where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import Group, Parameter

from mixrd.cli.options import Names, Switch

if TYPE_CHECKING:
    from mixrd.paper.pool import LineCriterion
    from mixrd.phases import CodClient, CodMirror, CodQuery


@Parameter(name="*", group=Group("Which structures", sort_key=1))
@dataclass(frozen=True)
class QueryOptions:
    """What to look for; structures must satisfy all that is given."""

    formula: str | None = None
    """Formula, in any notation: CaCO3, Ca(OH)2."""

    elements: Names | None = None
    """Elements that must be there."""

    without: Names | None = None
    """Elements that must not be there."""

    only: Switch = False
    """No other elements than --elements."""

    mineral: str | None = None
    """Name of the mineral."""

    @property
    def given(self) -> bool:
        """Whether there is anything to look for."""
        return bool(self.formula or self.elements or self.without or self.only or self.mineral)

    def query(self) -> CodQuery:
        """The same for `mixrd.crystal`."""
        from mixrd.phases import CodQuery

        return CodQuery(
            self.formula, tuple(self.elements or ()), tuple(self.without or ()), self.only, self.mineral
        )


@Parameter(name="*", group=Group("Source", sort_key=2))
@dataclass(frozen=True)
class SourceOptions:
    """Where structures come from."""

    mirror: Path | None = None
    """Folder of CIF files with COD numbers, used instead of the network."""

    url: str = "https://www.crystallography.net/cod"
    """Address of the database."""

    delay: float = 1.0
    """Least time between two requests in s."""

    timeout: float = 30.0
    """Longest silence of the server in s."""

    def open(self) -> CodMirror | CodClient:
        """The mirror, indexed, or the client."""
        from mixrd.cli.progress import filling_bar
        from mixrd.phases import CodClient, CodMirror
        from mixrd.phases.cod_phase import cod_folder

        folder = cod_folder()
        if self.mirror is None:
            return CodClient(
                folder, base_url=self.url, delay_seconds=self.delay, timeout_seconds=self.timeout
            )
        with filling_bar("indexing the mirror") as update:
            return CodMirror(self.mirror, index_folder=folder, on_progress=update)


@Parameter(name="*", group=Group("Lines", sort_key=3))
@dataclass(frozen=True)
class LineOptions:
    """How many lines the pattern of a structure must have, so that it can be told by them."""

    spare_lines: int = 3
    """Lines beyond one for each strain component (cubic 1 to triclinic 6); 0: any number will do."""

    range: tuple[float, float] = (10.0, 50.0)
    """Range of 2theta in degrees in which lines are counted."""

    wavelength: float = 1.54184
    """Wavelength in angstrom."""

    def criterion(self) -> LineCriterion | None:
        """The same for `mixrd.experiments`; None where any number will do."""
        from mixrd.paper.pool import LineCriterion

        if self.spare_lines == 0:
            return None
        return LineCriterion(self.spare_lines, self.range, self.wavelength)
