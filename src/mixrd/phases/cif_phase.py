"""A CIF file as a phase: ``FILE.cif``, or ``FILE.cif#BLOCK``."""

from __future__ import annotations

from pathlib import Path

from mixrd.crystal.cif import read_cif
from mixrd.crystal.structure import Crystal
from mixrd.phases.phase_source import PhaseSource, register_phase_source


def cif_phase(text: str) -> Crystal | None:
    """The crystal of a file, None where `text` is not the name of one.

    Raises
    ------
    CrystalError
        If it cannot be used.
    """
    file, _, block = text.partition("#")
    if file.lower().endswith((".cif", ".mcif")) or _is_file(file):
        return read_cif(file, block=block or None)
    return None


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except OSError:  # longer than a file name can be
        return False


register_phase_source(PhaseSource("cif", cif_phase, order=90))
