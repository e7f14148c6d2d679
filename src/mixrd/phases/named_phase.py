"""How a phase that the user names is found: catalog, COD, own phases, CIF files."""

from __future__ import annotations

from pathlib import Path

from mixrd.crystal.cif import read_cif
from mixrd.crystal.structure import Crystal
from mixrd.errors import PhaseNotFoundError
from mixrd.phases.catalog import catalog_entry, nearest_names, shipped_name
from mixrd.phases.cod_phase import cod_phase, is_cod_name
from mixrd.phases.own_phases import own_phase


def load_phase(phase: str | Path) -> Crystal:
    """Crystal of a phase that the user names.

    A name or alias of the catalog, a name of the user's own phases, the number of a structure of COD
    (``cod:9008877``), or the path of a CIF (``FILE.cif#BLOCK``).

    Raises
    ------
    PhaseNotFoundError
        If nothing answers to the name; the message suggests the nearest names.
    CrystalError
        If the CIF cannot be used.
    """
    text = str(phase)
    file, _, block = text.partition("#")
    if (shipped := shipped_name(text)) is not None:
        return catalog_entry(shipped).crystal
    if is_cod_name(text):
        return cod_phase(text)
    if (own := own_phase(text)) is not None:
        return own
    if file.lower().endswith((".cif", ".mcif")) or _is_file(file):
        return read_cif(file, block=block or None)
    names = nearest_names(text)
    hint = f"Did you mean {' or '.join(names)}? " if names else ""
    raise PhaseNotFoundError(
        f"unknown phase {text!r}", remedy=f"{hint}`mixrd phases` lists the catalog; a CIF file works too"
    )


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except OSError:  # longer than a file name can be
        return False
