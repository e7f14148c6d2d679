"""What the free lines above a table of columns, or of counts, say."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mixrd.scan.headers import element_symbol, number, positive, wavelength

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
