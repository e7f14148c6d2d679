"""Rigaku's text of the 1990s (.dat, .asc): lines ``*KEY = value``, groups from ``*BEGIN`` to ``*END``.

Layout as in xylib's description of the format. Each group has its own *START, *STOP, *STEP and *COUNT; keys
above the groups hold for all.
"""

from __future__ import annotations

import re

from mixrd.errors import ScanError
from mixrd.scan.axis_names import judge_axis
from mixrd.scan.headers import ScanHeader, number, positive, wavelength, whole
from mixrd.scan.opened_file import OpenedFile
from mixrd.scan.scan_format import TEXT, Found, ScanFormat, one_of, register_format
from mixrd.scan.stepped import anode_of, listed_counts, stepped_scan

_NAME = "Rigaku DAT"
_KEY = re.compile(r"\*(\w+)\s*(?:=\s*(.*?))?\s*")


def _matches(opened: OpenedFile) -> bool:
    return all(re.search(mark, opened.head, re.MULTILINE) for mark in (r"^\*BEGIN\s*$", r"^\*COUNT\s*="))


def _scans(opened: OpenedFile) -> list[Found]:
    common: dict[str, str] = {}
    groups: list[tuple[dict[str, str], list[str]]] = []
    ended = 0
    for line in opened.text.splitlines():
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
        of = f" of the {declared:g} that it declares" if declared is not None else ""
        raise ScanError(
            f"this {_NAME} file holds {ended} whole groups of data{of}",
            remedy="It was cut off or damaged: copy or export it again.",
        )
    return [_group(keys, lines) for keys, lines in groups]


def _group(keys: dict[str, str], lines: list[str]) -> Found:
    unit = (keys.get("XUNIT") or "deg").strip().lower()
    if not unit.startswith("deg"):
        cause = f"the axis of this {_NAME} file is in {unit}, not in degrees"
        raise ScanError(cause, remedy="Export the scan over 2-theta in degrees.")
    start, stop, step = (number(keys.get(key)) for key in ("START", "STOP", "STEP"))
    counts, declared = listed_counts(lines, _NAME), whole(keys.get("COUNT"))
    arrays = stepped_scan(start, stop, step, counts, name=_NAME, declared=declared)
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
        warnings=judge_axis(axis),
    )


def _time_per_step(keys: dict[str, str], step: float | None) -> float | None:
    """Seconds per step where the unit of the speed is stated."""
    speed = positive(keys.get("SPEED"))
    unit = keys.get("SPEED_DIM", "").lower().replace(" ", "").replace(".", "")
    if speed is None or step is None:
        return None
    if unit in ("deg/min", "degree/min"):
        return float(f"{60.0 * step / speed:.6g}")
    return speed if unit in ("sec", "sec/step", "s") else None


register_format(ScanFormat(_NAME, _matches, one_of(_scans), other_endings=(".dat", ".asc"), order=TEXT + 50))
