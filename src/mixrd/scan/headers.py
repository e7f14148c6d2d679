"""What a scan's own header says: one record per scan, whatever the format."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mixrd.errors import ScanError
from mixrd.scan.optics import Optics

#: (N,) values, one for each point.
Floats = NDArray[np.float64]
#: Codes and messages of what does not forbid reading.
Doubts = tuple[tuple[str, str], ...]
#: What to do about files that are damaged, or of something else.
DAMAGED = "The file is damaged: copy or export it again."
CUT_OFF = "The file was cut off or damaged: copy or export it again."
DAMAGED_EXPORT = "The file is damaged: export it again."
EXPORT_AGAIN = "Export the scan again."
X_RAYS_ONLY = "mixrd analyses X-ray powder scans only."


@dataclass(frozen=True, eq=False)
class Arrays:
    """Angles and intensities as a reader gave them, with its name."""

    two_theta: Floats
    intensity: Floats
    sigma: Floats | None
    reader: str


@dataclass(frozen=True, eq=False)
class ScanHeader:
    """Facts that a file's header states about one of its scans; None where it says nothing.

    Attributes
    ----------
    axis : str or None
        Scanned axis as named in the file.
    detector_only : bool
        The axis name means that the detector alone moved.
    first, last : float or None
        Range in degrees 2-theta.
    points : int or None
        Number of points that the file declares.
    step : float or None
        Step in degrees 2-theta that the file declares for angles that it lists.
    wavelength_angstrom, anode, counting_time_s, goniometer_radius_mm
        As in `mixrd.scan.Scan`.
    rate : bool
        Intensities are counts per second.
    times_s : (N,) array or None
        Seconds per point where they differ.
    attenuation : (N,) array or None
        Factor by which each intensity was multiplied to undo a beam attenuator.
    optics : Optics or None
        Monochromators, filter and slits.
    warnings : tuple of (code, message)
    """

    axis: str | None = None
    detector_only: bool = False
    first: float | None = None
    last: float | None = None
    points: int | None = None
    step: float | None = None
    wavelength_angstrom: float | None = None
    anode: str | None = None
    counting_time_s: float | None = None
    goniometer_radius_mm: float | None = None
    rate: bool = False
    times_s: Floats | None = None
    attenuation: Floats | None = None
    optics: Optics | None = None
    warnings: Doubts = ()


def number(text: str | None) -> float | None:
    """A finite number written with point or comma, else None."""
    if text is None or not re.fullmatch(r"\s*[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?\s*", text):
        return None
    value = float(text.replace(",", "."))
    return value if math.isfinite(value) else None


def positive(text: str | None) -> float | None:
    """A number above zero, else None."""
    value = number(text)
    return value if value is not None and value > 0 else None


def whole(text: str | None) -> int | None:
    """A number, rounded to a whole one, else None."""
    value = number(text)
    return None if value is None else round(value)


def share(text: str | None) -> float | None:
    """A number of 0 to 1, else None."""
    value = number(text)
    return value if value is not None and 0 <= value <= 1 else None


def wavelength(text: str | None) -> float | None:
    """A wavelength in angstrom that a diffractometer can have (0.1-5), else None."""
    value = number(text)
    return value if value is not None and 0.1 < value < 5.0 else None


def element_symbol(text: str | None) -> str | None:
    """An element symbol in its usual spelling ("CU" gives "Cu"), None if it is none."""
    letters = (text or "").strip(" '\"\0")
    return letters.capitalize() if re.fullmatch(r"[A-Za-z]{1,2}", letters) else None


def soller_opening(text: str | None, *, unit: str = "deg") -> float | None:
    """Opening in radians from a value or a name such as "Soller_slit_5.0deg" or "0.04 rad.".

    Parameters
    ----------
    text : str or None
    unit : {"deg", "rad"}
        Of a number that stands alone.

    Returns
    -------
    float or None
        None where it says nothing or that they are out, or no opening that Soller slits have (0.1-15 deg).
    """
    if text is None:
        return None
    match = re.search(r"(\d*[.,]?\d+)\s*(rad|deg|°)", text, re.IGNORECASE)
    value = number(match[1] if match else text)
    if value is None:
        return None
    if match:
        unit = "rad" if match[2].lower() == "rad" else "deg"
    opening = value if unit == "rad" else math.radians(value)
    return opening if math.radians(0.1) <= opening <= math.radians(15.0) else None


def numbers(text: str | None, what: str) -> Floats | None:
    """A blank-separated list of numbers.

    Raises
    ------
    ScanError
        If something in the list is no number.
    """
    if not text:
        return None
    try:
        return np.array(text.split(), dtype=np.float64)
    except ValueError as problem:
        raise ScanError(f"<{what}> holds something that is not a number", remedy=DAMAGED) from problem


def chosen(found: Sequence[tuple[Arrays, ScanHeader]], scan: int | None) -> tuple[Arrays, ScanHeader]:
    """The scan to read of all that a file holds, each with its header.

    Raises
    ------
    ScanError
        As `choose_scan`.
    """
    headers = [header for _, header in found]
    index = choose_scan(headers, scan)
    return found[index][0], noted(headers, headers[index], scan)


def choose_scan(headers: Sequence[ScanHeader], scan: int | None) -> int:
    """Index (from 0) of the scan to read.

    A file whose scans cover successive ranges (each begins above the one before) is one measurement in
    pieces: without a choice its first piece is read. Scans that repeat a range must be chosen.

    Parameters
    ----------
    headers : sequence of ScanHeader
        One for each scan in the file.
    scan : int or None
        The user's choice, counted from 1.

    Raises
    ------
    ScanError
        If there is no such scan, or several and none was chosen; the message lists them.
    """
    count = len(headers)
    if scan is not None:
        if 1 <= scan <= count:
            return scan - 1
        held = f"{count} ({_ranges(headers)})" if count > 1 else f"{count}"
        raise ScanError(f"there is no scan {scan}: the file holds {held}", remedy="Scans are counted from 1.")
    known = [header.first for header in headers if header.first is not None]
    successive = len(known) == count and all(a < b for a, b in itertools.pairwise(known))
    if count > 1 and not successive:
        raise ScanError(
            f"the file holds {count} scans: {_ranges(headers)}",
            remedy="Choose one with --scan N on the command line or scan=N in Python, counted from 1.",
        )
    return 0


def noted(headers: Sequence[ScanHeader], header: ScanHeader, scan: int | None) -> ScanHeader:
    """The header with a warning where the first of several successive ranges was taken without a choice."""
    if len(headers) < 2 or scan is not None:
        return header
    held = f"the file holds {len(headers)} scans ({_ranges(headers)}) and the first was read"
    several = ("SEVERAL_SCANS", f"{held}; choose another with --scan N or scan=N")
    return replace(header, warnings=(several, *header.warnings))


def _ranges(headers: Sequence[ScanHeader]) -> str:
    """Numbered ranges for a message: "1: 10-20, 2: 30-35 deg"."""
    shown = [
        f"{i}: " + (f"{h.first:g}-{h.last:g}" if h.first is not None and h.last is not None else "?")
        for i, h in enumerate(headers[:12], start=1)
    ]
    return ", ".join(shown) + (" deg" if len(headers) <= 12 else " deg, ...")


def refuse_map(axis: str | None, count: int) -> ScanError:
    """Error for a stack of scans that only means something together."""
    moved = f", with {axis} moved between them" if axis else ""
    what = f"this is a reciprocal-space map (area or mesh measurement) of {count} scans{moved}"
    return ScanError(f"{what}, not a powder scan", remedy="Measure or export a single theta/2-theta scan.")
