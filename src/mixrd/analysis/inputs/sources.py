"""Where the names of a request are looked up: phases, scans and instruments."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mixrd.crystal import Crystal
from mixrd.phases import load_phase
from mixrd.scan import Scan, read_scan

if TYPE_CHECKING:
    from mixrd.pattern import Instrument


class Sources:
    """Names of the catalog and of files; a server has sources of its own. Goes to other processes."""

    def crystal(self, name: str) -> Crystal:
        """The structure of this name, see `mixrd.phases.load_phase`."""
        return load_phase(name)

    def scan(self, name: str, number: int | None = None) -> Scan:
        """The scan of this name, or one (counted from 1) of several in its file."""
        return read_scan(name, scan=number)

    def has_scan(self, name: str) -> bool:
        """Whether there is a scan of this name."""
        return Path(name).is_file()

    def instrument(self, name: str) -> Instrument:
        """The instrument of this name, see `mixrd.pattern.load_instrument`."""
        from mixrd.pattern import load_instrument

        return load_instrument(name)
