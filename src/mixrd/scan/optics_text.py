"""The beam in the headers of UXD, RAS and Bruker RAW files."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping

from mixrd.scan.headers import number, positive, soller_opening
from mixrd.scan.optics import (
    Optics,
    is_nothing,
    primary_monochromator,
    secondary_monochromator,
)

#: What a Bruker RAW v4 header holds where a length or angle is not known.
_UNKNOWN = 9999.0


def uxd_optics(keys: Mapping[str, str]) -> Optics:
    """What the keys of a UXD file say of the beam.

    Parameters
    ----------
    keys : mapping
        Values by key in capitals without underscore; what stands in a comment below a code has the key of
        the code and "_NAME".
    """
    ratio = number(keys.get("WLRATIO"))
    second = number(keys.get("WL2"))
    if ratio == 0 and second:
        ratio = None  # a line that is named and has no intensity: one of the two was never filled in
    beta = keys.get("BETA_FILTER")
    return Optics(
        kalpha2_ratio=ratio if ratio is not None and 0 <= ratio <= 1 else None,
        primary=primary_monochromator(_coded(keys, "MONOCHROMATOR")),
        secondary=secondary_monochromator(_coded(keys, "ANALYZER_CODE")),
        beta_filter=None if beta is None else "none" if is_nothing(beta) else "of the file's header",
        divergence_deg=positive(keys.get("FIXED_DIVSLIT")),
    )


def _coded(keys: Mapping[str, str], key: str) -> str | None:
    """The name that stands below a code, None where the code is 0 or has no name."""
    return None if number(keys.get(key)) in (None, 0.0) else keys.get(f"{key}_NAME")


def ras_optics(data: bytes) -> list[Optics]:
    """What each scan of a RAS file says of the beam, in their order."""
    text = data.decode("latin-1")
    parts = re.split(r"^\*RAS_HEADER_START", text, flags=re.MULTILINE)[1:]
    return [_ras_scan(part.split("*RAS_INT_START", 1)[0]) for part in parts]


def _ras_scan(header: str) -> Optics:
    names = dict(re.findall(r'^\*MEAS_COND_AXIS_NAME_INTERNAL-(\d+)\s+"([^"\n]*)"', header, re.MULTILINE))
    places = dict(re.findall(r'^\*MEAS_COND_AXIS_POSITION-(\d+)\s+"([^"\n]*)"', header, re.MULTILINE))
    axes = {name: places[index] for index, name in names.items() if index in places}
    beta = axes.get("Filter")
    divergence = re.fullmatch(r"\s*(\d*[.,]?\d+)\s*deg\s*", axes.get("IncidentSlitBox", ""))
    return Optics(
        primary=primary_monochromator(axes.get("IncidentMonochromator")),
        secondary=secondary_monochromator(axes.get("CounterMonochromator")),
        beta_filter=None if beta is None else "none" if is_nothing(beta) else beta,
        soller_rad=(
            soller_opening(axes.get("IncidentSollerSlit")),
            soller_opening(axes.get("ReceivingSollerSlit")),
        ),
        divergence_deg=positive(divergence[1]) if divergence else None,
    )


def raw_optics(data: bytes) -> Optics:
    """What the header of a Bruker RAW file of version 3 or 4 says of the beam.

    Version 3 keeps the ratio of the K alpha lines as a double at byte 648; version 4 keeps it into a segment
    of type 30 (see `bruker_tube_lines`), and there the openings of both Soller slits in degrees.
    """
    try:
        if data.startswith(b"RAW1.01"):
            alpha1, alpha2, _, ratio = struct.unpack_from("<4d", data, 624)
            soller: tuple[float | None, float | None] = (None, None)
        else:
            at = _segment(data)
            if at is None:
                return Optics()
            alpha1, alpha2, _, ratio = struct.unpack_from("<4d", data, at + 80)
            first, second = (
                struct.unpack_from("<f", data, at + 44)[0],
                struct.unpack_from("<f", data, at + 60)[0],
            )
            soller = (_known_soller(first), _known_soller(second))
    except struct.error:
        return Optics()
    if not 0.1 < alpha1 < 5.0:
        return Optics(soller_rad=soller)
    if alpha2 == 0.0:
        return Optics(kalpha2_ratio=0.0, soller_rad=soller)
    return Optics(kalpha2_ratio=ratio if 0 < ratio <= 1 else None, soller_rad=soller)


def _segment(data: bytes) -> int | None:
    """Where the segment of the tube begins in a file of version 4."""
    at = 61
    while True:
        kind, length = struct.unpack_from("<II", data, at)
        if kind == 30:
            return at
        if kind in (0, 160):
            return None
        at += max(length, 8)


def _known_soller(degrees: float) -> float | None:
    return soller_opening(f"{degrees:g}") if math.isfinite(degrees) and degrees != _UNKNOWN else None
