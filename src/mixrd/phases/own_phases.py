"""The user's own catalog: structures kept by name in the user's data folder, beside the one that ships."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import platformdirs

from mixrd.crystal.structure import Crystal
from mixrd.errors import CrystalError, InputError, PhaseNotFoundError, UsageError
from mixrd.files import write_whole, writing
from mixrd.phases.catalog import shipped_name
from mixrd.phases.phase_name import name_key
from mixrd.phases.phase_source import PhaseSource, register_phase_source

_FORMAT = 1


def own_folder() -> Path:
    """Folder of the user's phases: MIXRD_PHASES, else in the user's data folder."""
    return Path(os.environ.get("MIXRD_PHASES") or Path(platformdirs.user_data_dir("mixrd")) / "phases")


def own_names() -> tuple[str, ...]:
    """Names of the user's phases, sorted."""
    folder = own_folder()
    return tuple(sorted(path.stem for path in folder.glob("*.json"))) if folder.is_dir() else ()


def own_phases() -> Iterator[Crystal]:
    """The user's phases, by their names.

    Raises
    ------
    CrystalError
        If the file of one is damaged.
    """
    return (_kept(name) for name in own_names())


def own_phase(name: str) -> Crystal | None:
    """The user's phase of this name (case, spaces and hyphens do not matter), None where there is none.

    Raises
    ------
    CrystalError
        If its file is damaged.
    """
    found = {name_key(known): known for known in own_names()}.get(name_key(name))
    return None if found is None else _kept(found)


def _kept(name: str) -> Crystal:
    path = own_folder() / f"{name}.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["format"] != _FORMAT:
            raise ValueError("format")
        return Crystal.from_dict(data["crystal"])
    except (OSError, ValueError, KeyError, TypeError, InputError):
        raise CrystalError(
            "it is not a phase that this mixrd kept", remedy=f"mixrd phases remove {name}", file=path
        ) from None


def keep_phase(crystal: Crystal, name: str, *, force: bool = False) -> Path:
    """Keep a crystal under a name.

    Parameters
    ----------
    crystal : Crystal
    name : str
        Letters, digits, spaces, hyphens, underscores and dots.
    force : bool
        Replace the user's phase of this name. A name or alias that ships is never taken.

    Raises
    ------
    UsageError
        If the name cannot be used or is taken, or the folder cannot be written.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 ._+-]*", name) or name.lower().endswith(".cif"):
        raise UsageError(
            f"{name!r} cannot be the name of a phase", remedy="Use letters, digits, spaces, '-', '_' and '.'"
        )
    shipped = shipped_name(name)
    if shipped is not None:
        raise UsageError(
            f"{name} is {shipped} of the catalog that ships", remedy="Give another name with --name"
        )
    if own_phase(name) is not None and not force:
        raise UsageError(f"there is a phase {name} already", remedy="Give another name, or --force")
    path = own_folder() / f"{name}.json"
    data = {"format": _FORMAT, "crystal": replace(crystal, name=name).to_dict()}
    with writing(path, remedy="Set MIXRD_PHASES to a folder that can be written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(data, indent=1) + "\n")
        # What it replaces, in other letters, goes only now that the new one is there.
        for other in _files_of(name):
            if not other.samefile(path):
                other.unlink()
    return path


def remove_phase(name: str) -> None:
    """Forget the user's phase of this name.

    Raises
    ------
    PhaseNotFoundError
        If there is none.
    """
    found = _files_of(name)
    if not found:
        raise PhaseNotFoundError(
            f"there is no phase {name!r} of your own", remedy="`mixrd phases list` shows them"
        )
    for path in found:
        path.unlink()


def _files_of(name: str) -> list[Path]:
    """Files of the phases that answer to this name."""
    return [own_folder() / f"{known}.json" for known in own_names() if name_key(known) == name_key(name)]


register_phase_source(PhaseSource("own", own_phase, own_phases, order=20))
