"""Rigaku's text of the 1990s (.dat, .asc): lines ``*KEY = value``, groups from ``*BEGIN`` to ``*END``.

Layout as in xylib's description of the format. Each group has its own *START, *STOP, *STEP and *COUNT; keys
above the groups hold for all.
"""

from __future__ import annotations

import re
from os import PathLike

from mixrd.errors import ScanError
from mixrd.scan.axes import judge_axis
from mixrd.scan.headers import ScanHeader, chosen, number, positive, wavelength
from mixrd.scan.opened_file import OpenedFile
from mixrd.scan.scan_format import TEXT, ScanFormat, register_format
from mixrd.scan.stepped import anode_of, listed_counts, stepped_scan
from mixrd.scan.vendor import Arrays

NAME = "Rigaku DAT"

_KEY = re.compile(r"\*(\w+)\s*(?:=\s*(.*?))?\s*")


def rigaku_dat_scans(text: str, file: str | PathLike[str]) -> list[tuple[Arrays, ScanHeader]]:
    """Arrays and header of each group.

    Raises
    ------
    ScanError
        If there is no group, fewer than the header declares, or a group's counts are not as many as declared.
    """
    common: dict[str, str] = {}
    groups: list[tuple[dict[str, str], list[str]]] = []
    ended = 0
    for line in text.splitlines():
        match = _KEY.fullmatch(line.strip())
        if match is None:
            if groups and line.strip() and not line.lstrip().startswith("#"):
                groups[-1][1].append(line)
            continue
        key, value = match[1].upper(), match[2] or ""
        if key == "BEGIN":
            groups.append((dict(common), []))
        elif key == "END":
            ended += 1
        elif key == "EOF":
            break
        else:
            (groups[-1][0] if groups else common)[key] = value
    declared = number(common.get("GROUP_COUNT"))
    if not groups or ended < len(groups) or (declared is not None and len(groups) != round(declared)):
        raise ScanError(
            f"this {NAME} file holds {ended} whole groups of data"
            + (f" of the {declared:g} that it declares" if declared is not None else ""),
            remedy="It was cut off or damaged: copy or export it again.",
            file=file,
        )
    return [_group(keys, lines, file) for keys, lines in groups]


def _group(keys: dict[str, str], lines: list[str], file: str | PathLike[str]) -> tuple[Arrays, ScanHeader]:
    unit = (keys.get("XUNIT") or "deg").strip().lower()
    if not unit.startswith("deg"):
        raise ScanError(
            f"the axis of this {NAME} file is in {unit}, not in degrees",
            remedy="Export the scan over 2-theta in degrees.",
            file=file,
        )
    start, stop, step = (number(keys.get(key)) for key in ("START", "STOP", "STEP"))
    count = number(keys.get("COUNT"))
    arrays = stepped_scan(
        start,
        stop,
        step,
        listed_counts("\n".join(lines), NAME, file),
        name=NAME,
        file=file,
        declared=None if count is None else round(count),
    )
    axis = keys.get("SCAN_AXIS") or None
    return arrays, ScanHeader(
        axis=axis,
        first=start,
        last=stop,
        wavelength_angstrom=wavelength(keys.get("WAVE_LENGTH1")),
        anode=anode_of(keys.get("TARGET")),
        counting_time_s=_time_per_step(keys, step),
        goniometer_radius_mm=positive(keys.get("RADIUS")),
        rate=(keys.get("YUNIT") or "counts").strip().lower() in ("cps", "counts/s", "counts/sec"),
        warnings=judge_axis(axis, file=file),
    )


def _time_per_step(keys: dict[str, str], step: float | None) -> float | None:
    """Seconds per step where the unit of the speed is stated."""
    speed, unit = (
        positive(keys.get("SPEED")),
        keys.get("SPEED_DIM", "").lower().replace(" ", "").replace(".", ""),
    )
    if speed is None or step is None:
        return None
    if unit in ("deg/min", "degree/min"):
        return float(f"{60.0 * step / speed:.6g}")
    return speed if unit in ("sec", "sec/step", "s") else None


def _matches(opened: OpenedFile) -> bool:
    return all(re.search(mark, opened.head, re.MULTILINE) for mark in (r"^\*BEGIN\s*$", r"^\*COUNT\s*="))


def _read(opened: OpenedFile, scan: int | None) -> tuple[Arrays, ScanHeader]:
    return chosen(rigaku_dat_scans(opened.text, opened.file), scan, opened.file)


register_format(ScanFormat(NAME, _matches, _read, other_endings=(".dat", ".asc"), order=TEXT + 50))
