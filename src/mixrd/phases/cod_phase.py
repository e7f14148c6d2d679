"""A structure of the Crystallography Open Database by its number, as a phase: ``cod:9008877``."""

from __future__ import annotations

import os
import re
from pathlib import Path

import platformdirs

from mixrd.crystal.cif import read_cif
from mixrd.crystal.structure import Crystal
from mixrd.errors import PhaseNotFoundError
from mixrd.phases.cod import COD_URL, CodClient
from mixrd.phases.phase_source import PhaseSource, register_phase_source

_NAME = re.compile(r"cod:\s*(\d{7})", flags=re.IGNORECASE)


def cod_folder() -> Path:
    """Folder of structures from COD and indices of mirrors: in MIXRD_CACHE, else the user's cache folder."""
    return Path(os.environ.get("MIXRD_CACHE") or platformdirs.user_cache_dir("mixrd")) / "cod"


def cod_phase(text: str, *, client: CodClient | None = None) -> Crystal:
    """The crystal of ``cod:NUMBER``, asked for once and then kept.

    Parameters
    ----------
    text : str
    client : CodClient, optional
        Default COD itself, or the address in MIXRD_COD_URL.

    Raises
    ------
    PhaseNotFoundError
        If that is no number of COD, or COD has no such structure.
    DatabaseError
        If COD does not answer.
    CrystalError
        If the structure cannot be used.
    """
    match = _NAME.fullmatch(text.strip())
    if match is None:
        raise PhaseNotFoundError(
            f"{text!r} is no structure of COD", remedy="Its numbers have seven digits: cod:9008877"
        )
    if client is None:
        client = CodClient(cod_folder(), base_url=os.environ.get("MIXRD_COD_URL") or COD_URL)
    return read_cif(client.cif(int(match[1])))


register_phase_source(PhaseSource("cod", lambda number: cod_phase(f"cod:{number}"), named_only=True))
