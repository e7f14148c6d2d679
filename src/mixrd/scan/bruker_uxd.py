"""Bruker UXD: text with keys and one or several ranges; arrays by geddes."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mixrd.errors import ScanError
from mixrd.scan.axis_names import axis_key
from mixrd.scan.headers import (
    EXPORT_AGAIN,
    Arrays,
    ScanHeader,
    element_symbol,
    number,
    positive,
    refuse_map,
    share,
    wavelength,
)
from mixrd.scan.opened_file import OpenedFile
from mixrd.scan.optics import Optics, beta_filter, primary_monochromator, secondary_monochromator
from mixrd.scan.scan_format import TEXT, ScanFormat, register_format
from mixrd.scan.vendor import through_geddes

_KEY = re.compile(r"^\s*_(\w+)\s*(?:=\s*(.*?)\s*)?$")
_DATA = re.compile(r"^(2THETA)?(COUNTS|CPS)(TIME)?$")
_POSITIONS = ("THETA", "KHI", "PHI")
_MARK = re.compile(r"^\s*_(FILEVERSION|DRIVE|STEPSIZE|2THETA(COUNTS|CPS))\b", re.MULTILINE)


def _matches(opened: OpenedFile) -> bool:
    return _MARK.search(opened.head) is not None


def _read(opened: OpenedFile, scan: int | None) -> tuple[Arrays, ScanHeader]:
    return through_geddes(opened, uxd_headers(opened.text), ".uxd", scan)


register_format(ScanFormat("Bruker UXD", _matches, _read, (".uxd",), order=TEXT))


def uxd_headers(text: str) -> list[ScanHeader]:
    """One header for each range of a UXD file.

    Raises
    ------
    ScanError
        If no range holds data, or the ranges differ in a tilt or turn of the sample (a map).
    """
    ranges: list[dict[str, str]] = []
    keys: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        match = _KEY.match(line)
        if match is None:
            # below a code stands what it means, as a comment
            if name and line.lstrip().startswith(";"):
                keys[f"{name}_NAME"] = line.strip(" \t;")
            name = ""
            continue
        name, value = match[1].upper(), (match[2] or "").strip("'\"")
        if match[2] is None and _DATA.match(name):
            ranges.append({**keys, "data": name})
        else:
            keys[name] = value
    if not ranges:
        raise ScanError("the UXD file holds no range of data", remedy=EXPORT_AGAIN)
    drives = {axis_key(one.get("DRIVE", "")) for one in ranges}
    if len(ranges) > 1 and drives == {"2theta"}:
        for name in _POSITIONS:
            if len({one.get(name) for one in ranges}) > 1:
                raise refuse_map(name, len(ranges))
    return [_range(one) for one in ranges]


def _range(keys: dict[str, str]) -> ScanHeader:
    angstrom = keys.get("WL_UNIT", "A").upper() == "A"
    first, step, count = (number(keys.get(name)) for name in ("START", "STEPSIZE", "STEPCOUNT"))
    return ScanHeader(
        axis=keys.get("DRIVE"),
        detector_only=True,
        first=first,
        last=first + step * (count - 1) if first is not None and step and count else None,
        wavelength_angstrom=wavelength(keys.get("WL1")) if angstrom else None,
        anode=element_symbol(keys.get("ANODE")),
        points=None if count is None or count < 1 else round(count),
        step=positive(keys.get("STEPSIZE")),
        counting_time_s=positive(keys.get("STEPTIME")),
        goniometer_radius_mm=positive(keys.get("GONIOMETER_RADIUS")),
        optics=uxd_optics(keys),
        rate="CPS" in keys["data"],
    )


def uxd_optics(keys: Mapping[str, str]) -> Optics:
    """What the keys of a UXD file say of the beam.

    Parameters
    ----------
    keys : mapping
        Values by key in capitals without underscore; what stands in a comment below a code has the key of
        the code and "_NAME".
    """
    ratio = share(keys.get("WLRATIO"))
    if ratio == 0 and number(keys.get("WL2")):
        ratio = None  # a line that is named and has no intensity: one of the two was never filled in
    return Optics(
        kalpha2_ratio=ratio,
        primary=primary_monochromator(_coded(keys, "MONOCHROMATOR")),
        secondary=secondary_monochromator(_coded(keys, "ANALYZER_CODE")),
        beta_filter=beta_filter(keys.get("BETA_FILTER"), "of the file's header"),
        divergence_deg=positive(keys.get("FIXED_DIVSLIT")),
    )


def _coded(keys: Mapping[str, str], key: str) -> str | None:
    """The name that stands below a code, None where the code is 0 or has no name."""
    return None if number(keys.get(key)) in (None, 0.0) else keys.get(f"{key}_NAME")
