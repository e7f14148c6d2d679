"""Sources of phases: each answers to names and lists what it has; other packages add theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mixrd.crystal.structure import Crystal
from mixrd.extensions import Registry
from mixrd.phases.phase_name import name_key


def _nothing() -> Iterable[Crystal]:
    return ()


@dataclass(frozen=True)
class PhaseSource:
    """Where phases come from.

    Attributes
    ----------
    name : str
        Written before a name (``lab:quartz``), it asks this source alone.
    find : callable
        The crystal that answers to a name, None where none does.
    listed : callable
        Crystals that it has, by the names that find them; none where they cannot be listed.
    order : int
        Sources are asked from the lowest to the highest: the catalog (10), the user's own phases (20), those
        of other packages, CIF files (90).
    named_only : bool
        Asked only where its name is written.
    """

    name: str
    find: Callable[[str], Crystal | None]
    listed: Callable[[], Iterable[Crystal]] = _nothing
    order: int = 50
    named_only: bool = False

    def search(self, text: str = "") -> list[Crystal]:
        """Listed crystals of which name or formula, or the source's own name, contains `text`."""
        wanted = name_key(text)
        return [
            c for c in self.listed() if any(wanted in name_key(x) for x in (c.name, c.formula, self.name))
        ]


_REGISTRY: Registry[PhaseSource] = Registry(
    "source of phases", group="mixrd.phase_sources", room="mixrd.phases"
)


def register_phase_source(source: PhaseSource) -> None:
    """Add a source of phases.

    Raises
    ------
    ParameterError
        If there is one of that name.
    """
    _REGISTRY.add(source.name, source)


def phase_sources() -> list[PhaseSource]:
    """All sources, in the order in which they are asked."""
    return sorted(_REGISTRY.all().values(), key=lambda source: source.order)
