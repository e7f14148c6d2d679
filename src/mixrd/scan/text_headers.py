"""Headers of the text formats: Bruker UXD, Rigaku RAS, and the lines above a table of columns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from os import PathLike

from mixrd.errors import ScanError
from mixrd.scan.axes import axis_key
from mixrd.scan.headers import ScanHeader, element_symbol, number, positive, refuse_map, wavelength
from mixrd.scan.optics_text import uxd_optics

_UXD_KEY = re.compile(r"^\s*_(\w+)\s*(?:=\s*(.*?)\s*)?$")
_UXD_DATA = re.compile(r"^(2THETA)?(COUNTS|CPS)(TIME)?$")
_UXD_POSITIONS = ("THETA", "KHI", "PHI")

_NUMBER = r"(\d+[.,]\d+|\d+)"
_WAVELENGTHS = (
    rf"wavelength_angstrom\s*[:=]\s*{_NUMBER}",
    rf"k[-_ ]?(?:alpha|a|α)[-_ ]?1\b(?:\s*wave\s*length)?[^\d\n]{{0,20}}{_NUMBER}",
    rf"wave\s*-?length[^\d\n]{{0,30}}{_NUMBER}",
    rf"(?:\blambda\b|λ)[^\d\n]{{0,20}}{_NUMBER}",
)
_LONGEST_LONE = 2.8
"""Longest wavelength in angstrom that a lone number is taken for: titanium's K-alpha has 2.75."""

_FIRST_LINE = re.compile(r"k[-_ ]?(?:alpha|a|α)[-_ ]?1", re.IGNORECASE)
_OTHER_LINE = re.compile(r"k[-_ ]?(?:alpha|a|α)[-_ ]?2|beta|β", re.IGNORECASE)
_ANODE = re.compile(r"\banode(?:[ _]material)?[\"']?[\s:=,;\"']{1,6}([A-Za-z]{1,2})\b", re.IGNORECASE)
_TIME = re.compile(
    r"\b(?:time[ _]?per[ _]?step|count(?:ing)?[ _]time(?:[ _]s)?|step[ _]?time)\b"
    rf"[^\d\n]{{0,12}}{_NUMBER}",
    re.IGNORECASE,
)
_RADIUS = re.compile(rf"goniometer[ _]radius[^\d\n]{{0,12}}{_NUMBER}", re.IGNORECASE)
_AXIS = re.compile(r"\bscan[ _]?(?:type|axis)[\"']?[ \t]*[:=,;\t][ \t]*[\"']?([^\"',;\t\n]+)", re.IGNORECASE)


def uxd_headers(text: str, file: str | PathLike[str]) -> list[ScanHeader]:
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
        match = _UXD_KEY.match(line)
        if match is None:
            # below a code stands what it means, as a comment
            if name and line.lstrip().startswith(";"):
                keys[f"{name}_NAME"] = line.strip(" \t;")
            name = ""
            continue
        name, value = match[1].upper(), (match[2] or "").strip("'\"")
        if match[2] is None and _UXD_DATA.match(name):
            ranges.append({**keys, "data": name})
        else:
            keys[name] = value
    if not ranges:
        raise ScanError("the UXD file holds no range of data", remedy="Export the scan again.", file=file)
    drives = {axis_key(one.get("DRIVE", "")) for one in ranges}
    if len(ranges) > 1 and drives == {"2theta"}:
        for name in _UXD_POSITIONS:
            if len({one.get(name) for one in ranges}) > 1:
                raise refuse_map(name, len(ranges), file)
    return [_uxd_range(one) for one in ranges]


def _uxd_range(keys: dict[str, str]) -> ScanHeader:
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


def ras_headers(data: bytes) -> list[ScanHeader]:
    """What rietx leaves out of the header of each scan in a RAS file: axis, radius, declared points and step.

    The axis has a language-free name (the plain one is Shift-JIS). Of the eight distances of the goniometer
    the fourth is that of source and sample (0 on a MiniFlex) and the sixth that of sample and receiving
    slit; both are the radius.
    """
    found = []
    for part in re.split(rb"^\*RAS_HEADER_START", data, flags=re.MULTILINE)[1:]:
        keys = {
            key.decode("ascii", "replace"): value.decode("ascii", "replace")
            for key, value in re.findall(rb'^\*([A-Z0-9_-]+)\s+"([^"\r\n]*)"', part, re.MULTILINE)
        }
        radius = positive(keys.get("HW_GONIOMETER_RADIUS-3")) or positive(keys.get("HW_GONIOMETER_RADIUS-5"))
        count = number(keys.get("MEAS_DATA_COUNT"))
        uneven = keys.get("MEAS_SCAN_UNEQUALY_SPACED", "0").lower() not in ("0", "false", "")
        found.append(
            ScanHeader(
                axis=keys.get("MEAS_SCAN_AXIS_X_INTERNAL"),
                goniometer_radius_mm=radius,
                points=None if count is None else round(count),
                step=None if uneven else positive(keys.get("MEAS_SCAN_STEP")),
            )
        )
    return found


@dataclass(frozen=True)
class TextFacts:
    """What the lines above a table of columns say."""

    wavelength_angstrom: float | None
    anode: str | None
    counting_time_s: float | None
    goniometer_radius_mm: float | None
    scan_axis: str | None


def text_facts(lines: list[str]) -> TextFacts:
    """Facts from free header lines such as ``# wavelength: 1.5406 A`` or ``Anode: "Cu"``.

    A wavelength must be called one (or K-alpha-1, lambda) and lie within 0.1-5 angstrom; one followed by
    nm or pm is converted. A first line with a single such number is the wavelength too, as several
    refinement programs write it.
    """
    joined = "\n".join(lines)
    anode = _ANODE.search(joined)
    time, radius, axis = _TIME.search(joined), _RADIUS.search(joined), _AXIS.search(joined)
    return TextFacts(
        wavelength_angstrom=_text_wavelength(lines),
        anode=element_symbol(anode[1]) if anode else None,
        counting_time_s=positive(time[1]) if time else None,
        goniometer_radius_mm=positive(radius[1]) if radius else None,
        scan_axis=axis[1].strip() if axis else None,
    )


def _text_wavelength(lines: list[str]) -> float | None:
    content = [line.strip() for line in lines if line.strip()]
    for pattern in _WAVELENGTHS:
        for line in content:
            match = re.search(pattern, line, re.IGNORECASE)
            other = _OTHER_LINE.search(line) and not _FIRST_LINE.search(line)
            if match is None or other or "ratio" in line.lower():
                continue
            value = number(match[1])
            unit = re.match(r"[\s\])]*(nm|pm)\b", line[match.end() :], re.IGNORECASE) or re.search(
                r"[\[(](nm|pm)[\])]", line, re.IGNORECASE
            )
            if value is not None and unit:
                value *= 10.0 if unit[1].lower() == "nm" else 0.01
            found = wavelength(None if value is None else repr(value))
            if found is not None:
                return found
    if content and re.fullmatch(r"\d[.,]\d{2,}", content[0]):
        lone = wavelength(content[0])
        return lone if lone is None or lone < _LONGEST_LONE else None
    return None
