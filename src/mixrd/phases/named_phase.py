"""How a phase that the user names is found: every source is asked."""

from __future__ import annotations

from pathlib import Path

from mixrd.crystal.structure import Crystal
from mixrd.errors import PhaseNotFoundError
from mixrd.phases.catalog import nearest_names
from mixrd.phases.phase_source import phase_sources


def load_phase(phase: str | Path) -> Crystal:
    """Crystal of a phase that the user names.

    A name or alias of the catalog, a name of the user's own phases or of another package's, the number of a
    structure of COD (``cod:9008877``), or the path of a CIF (``FILE.cif#BLOCK``). With the name of a source
    before it (``own:ettringite``) that source alone is asked.

    Raises
    ------
    PhaseNotFoundError
        If nothing answers to the name; the message suggests the nearest names.
    CrystalError
        If the structure cannot be used.
    """
    text = str(phase)
    sources = phase_sources()
    prefix, colon, name = text.partition(":")
    if asked := [source for source in sources if colon and source.name == prefix.lower()]:
        sources, text = asked, name.strip()
    for source in sources:
        if (asked or not source.named_only) and (found := source.find(text)) is not None:
            return found
    names = nearest_names(text)
    hint = f"Did you mean {' or '.join(names)}? " if names else ""
    raise PhaseNotFoundError(
        f"unknown phase {str(phase)!r}",
        remedy=f"{hint}`mixrd phases` lists the catalog; a CIF file works too",
    )
