"""What the free lines above a table of columns, or of counts, say."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mixrd.scan.headers import ScanHeader, element_symbol, number, positive, wavelength

_NUMBER = r"(\d+[.,]\d+|\d+)"
_WAVELENGTHS = (
    rf"wavelength_angstrom\s*[:=]\s*{_NUMBER}",
    rf"k[-_ ]?(?:alpha|a|α)[-_ ]?1\b(?:\s*wave\s*length)?[^\d\n]{{0,20}}{_NUMBER}",
    rf"wave\s*-?length[^\d\n]{{0,30}}{_NUMBER}",
    rf"(?:\blambda\b|λ)[^\d\n]{{0,20}}{_NUMBER}",
)
_UNIT_BEHIND = re.compile(r"[\s\])]*(nm|pm)\b", re.IGNORECASE)
_UNIT = re.compile(r"[\[(](nm|pm)[\])]", re.IGNORECASE)
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


def text_facts(lines: Sequence[str]) -> ScanHeader:
    """Facts from free header lines such as ``# wavelength: 1.5406 A`` or ``Anode: "Cu"``.

    A wavelength must be called one (or K-alpha-1, lambda) and lie within 0.1-5 angstrom; one followed by
    nm or pm is converted. A first line with a single such number is the wavelength too, as several
    refinement programs write it.
    """
    joined = "\n".join(lines)
    found = (pattern.search(joined) for pattern in (_ANODE, _TIME, _RADIUS, _AXIS))
    anode, time, radius, axis = (match[1] if match else None for match in found)
    return ScanHeader(
        wavelength_angstrom=_text_wavelength(lines),
        anode=element_symbol(anode),
        counting_time_s=positive(time),
        goniometer_radius_mm=positive(radius),
        axis=None if axis is None else axis.strip(),
    )


def _text_wavelength(lines: Sequence[str]) -> float | None:
    content = [line.strip() for line in lines if line.strip()]
    for pattern in _WAVELENGTHS:
        for line in content:
            match = re.search(pattern, line, re.IGNORECASE)
            other = _OTHER_LINE.search(line) and not _FIRST_LINE.search(line)
            if match is None or other or "ratio" in line.lower():
                continue
            value = number(match[1])
            unit = _UNIT_BEHIND.match(line, match.end()) or _UNIT.search(line)
            if value is not None and unit:
                value *= 10.0 if unit[1].lower() == "nm" else 0.01
            found = wavelength(None if value is None else repr(value))
            if found is not None:
                return found
    if content and re.fullmatch(r"\d[.,]\d{2,}", content[0]):
        lone = wavelength(content[0])
        return lone if lone is None or lone < _LONGEST_LONE else None
    return None
