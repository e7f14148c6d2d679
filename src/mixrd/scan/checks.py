"""From raw arrays to a `Scan`: what every reader's output must pass."""

from __future__ import annotations

import hashlib

import numpy as np

from mixrd.errors import ScanError
from mixrd.scan.counting import are_whole, dispersion
from mixrd.scan.damage import doubts_of_counts, refuse_impossible_counts, refuse_impossible_sigma
from mixrd.scan.declared import refuse_other_number
from mixrd.scan.headers import DAMAGED_EXPORT, EXPORT_AGAIN, Arrays, Floats, ScanHeader
from mixrd.scan.measurement import Scan
from mixrd.scan.opened_file import OpenedFile
from mixrd.scan.step_checks import judge_steps

MIN_POINTS = 20
"""Fewest points that are taken for a powder scan."""

MIN_RANGE_DEG = 0.3
"""Shortest range in degrees 2-theta that is taken for a powder scan."""

SHORT_RANGE_DEG = 5.0
"""Ranges below this are read with the warning SHORT_RANGE."""

_RATES_BROKEN = 0.25
"""Share of broken numbers from which counts over a time are rates: three in four at 4 s, none of counts."""

_SEVERAL = "If several scans stand in one file, save each in its own."
_NOT_WHOLE = "Check that this is the whole scan."


def make_scan(arrays: Arrays, header: ScanHeader, opened: OpenedFile, format_name: str) -> Scan:
    """Check arrays, turn rates into counts, and put a scan together.

    Raises
    ------
    ScanError
        If the arrays are no powder scan: lengths, numbers, order, range, constant intensity.
    """
    doubts = list(header.warnings)
    refuse_other_number(arrays.two_theta.size, header.points)
    x, y, sigma = _ordered(arrays, doubts)
    _refuse_bad_axis(x)
    _refuse_bad_intensity(y)
    refuse_impossible_counts(y)
    y, sigma = _as_counts(y, sigma, header, doubts)
    if sigma is not None and (sigma := _usable_sigma(sigma, doubts)) is not None:
        doubts += refuse_impossible_sigma(sigma, y)
    doubts += [*_doubts(x, y, sigma), *judge_steps(x, header.step)]
    # the lines of a single crystal are one point wide
    single_crystal = any(code == "NOT_POWDER_GEOMETRY" for code, _ in doubts)
    of_counts = doubts_of_counts(y, sigma is not None)
    doubts += [one for one in of_counts if one[0] != "SPIKES" or not single_crystal]
    return Scan(
        two_theta=x,
        counts=y,
        sigma=sigma,
        path=str(opened.file),
        sha256=hashlib.sha256(opened.whole).hexdigest(),
        format=format_name,
        reader=arrays.reader,
        wavelength_angstrom=header.wavelength_angstrom,
        anode=header.anode,
        counting_time_s=header.counting_time_s,
        scan_axis=header.axis or None,
        goniometer_radius_mm=header.goniometer_radius_mm,
        optics=header.optics,
        warnings=tuple(doubts),
    )


def _ordered(arrays: Arrays, doubts: list[tuple[str, str]]) -> tuple[Floats, Floats, Floats | None]:
    """Arrays of equal length, finite, with strictly increasing angles."""
    x, y, sigma = arrays.two_theta, arrays.intensity, arrays.sigma
    if x.size != y.size or (sigma is not None and sigma.size != x.size):
        raise ScanError(f"{x.size} angles but {y.size} intensities", remedy=DAMAGED_EXPORT)
    bad = ~(np.isfinite(x) & np.isfinite(y))
    if bad.any():
        raise ScanError(
            f"{int(bad.sum())} of {x.size} points are not numbers (first: point {int(np.argmax(bad)) + 1})",
            remedy="Remove these points or export the scan again.",
        )
    if x.size > 1 and np.all(np.diff(x) <= 0) and x[0] > x[-1]:
        x, y, sigma = x[::-1], y[::-1], None if sigma is None else sigma[::-1]
        doubts.append(("REVERSED", "the scan runs from high to low angles and was turned round"))
    step = np.diff(x)
    if np.any(step < 0):
        i = int(np.argmax(step < 0))
        raise ScanError(
            f"the angles do not increase: after point {i + 1} they go from {x[i]:g} to {x[i + 1]:g} deg",
            remedy=_SEVERAL,
        )
    same = np.flatnonzero(step == 0)
    if same.size:
        if np.any(y[same] != y[same + 1]):
            raise ScanError(
                f"{same.size} angles stand twice with different intensities (first: {x[same[0]]:g} deg)",
                remedy=_SEVERAL,
            )
        x, y = np.delete(x, same + 1), np.delete(y, same + 1)
        sigma = None if sigma is None else np.delete(sigma, same + 1)
        doubts.append(("DUPLICATES", f"{same.size} points that stood twice were dropped"))
    return np.ascontiguousarray(x), np.ascontiguousarray(y), sigma


def _refuse_bad_axis(x: Floats) -> None:
    if x.size < MIN_POINTS:
        cause = f"{x.size} points are too few for a powder scan (at least {MIN_POINTS})"
        raise ScanError(cause, remedy=_NOT_WHOLE)
    if x[0] < 0.0 or x[-1] > 180.0:
        hint = " (hundredths of a degree?)" if x[-1] > 360.0 else ""
        raise ScanError(
            f"angles from {x[0]:g} to {x[-1]:g} are not 2-theta in degrees, which lies within 0-180{hint}",
            remedy="Export the scan over 2-theta in degrees.",
        )
    if x[-1] - x[0] < MIN_RANGE_DEG:
        cause = f"a stretch of {x[-1] - x[0]:.3f} deg is too short for a powder scan (least: {MIN_RANGE_DEG})"
        raise ScanError(cause, remedy=_NOT_WHOLE)


def _as_counts(
    y: Floats, sigma: Floats | None, header: ScanHeader, doubts: list[tuple[str, str]]
) -> tuple[Floats, Floats | None]:
    """Counts from counts per second, and the uncertainty behind a beam attenuator."""
    factor = header.attenuation
    if factor is not None and factor.size != y.size:
        raise ScanError(f"{factor.size} attenuation factors for {y.size} points", remedy=DAMAGED_EXPORT)
    if header.rate:
        times = header.times_s if header.times_s is not None else header.counting_time_s
        if times is None or np.size(times) not in (1, y.size):
            text = "intensities are counts per second and the file gives no counting time"
            doubts.append(("NOT_COUNTS", text))
        elif _scatters_as_counts(y, times):
            text = (
                "intensities are called counts per second, but are whole numbers that scatter as "
                "counts do: they were taken for counts"
            )
            doubts.append(("COUNTS_NOT_RATE", text))
        else:
            y = y * times
            sigma = None if sigma is None or factor is None else sigma * times
            doubts.append(("RATE_TO_COUNTS", "counts per second were multiplied by the counting time"))
    elif sigma is not None and (time := header.counting_time_s) and not are_whole(y) and are_whole(y * time):
        sigma = None  # the reader made it from the same guess
        if np.mean(np.abs(y - np.round(y)) > 1e-3) > _RATES_BROKEN:
            y = y * time
            text = "intensities are counts over the counting time and were multiplied by it"
            doubts.append(("RATE_TO_COUNTS", text))
    if factor is not None:
        if np.any(factor <= 0) or not np.all(np.isfinite(factor)):
            raise ScanError("a beam attenuation factor is not positive", remedy=EXPORT_AGAIN)
        sigma = np.sqrt(np.maximum(y / factor, 1.0)) * factor
        span = f"{int(np.sum(factor != 1.0))} points, up to {factor.max():g} times"
        doubts.append(("ATTENUATED", f"an attenuator was in the beam ({span}); intensities are corrected"))
    return y, sigma


def _scatters_as_counts(y: Floats, times: Floats | float) -> bool:
    """Whole numbers that scatter as counts do, not as counts over a time of two seconds or more."""
    scatter = dispersion(y) if are_whole(y) and np.min(times) >= 2.0 else None
    return scatter is not None and 0.7 < scatter < 1.5


def _refuse_bad_intensity(y: Floats) -> None:
    if np.ptp(y) == 0.0:
        cause = f"the intensity is {y[0]:g} everywhere: nothing was recorded"
        raise ScanError(cause, remedy="Check that the second column holds the counts.")
    if y.max() <= 0.0:
        raise ScanError("no intensity is above zero", remedy="Check the second column.")


def _usable_sigma(sigma: Floats, doubts: list[tuple[str, str]]) -> Floats | None:
    """Uncertainties without zeros: a point of no counts is as uncertain as the least uncertain other."""
    if not np.all(np.isfinite(sigma)) or np.any(sigma < 0):
        raise ScanError("an uncertainty is negative or not a number", remedy=EXPORT_AGAIN)
    zero = sigma == 0
    if zero.all():
        return None
    if zero.any():
        least = float(sigma[~zero].min())
        text = f"{int(zero.sum())} points have uncertainty 0; {least:g}, the smallest other, was used"
        doubts.append(("SIGMA_ZERO", text))
        sigma = np.where(zero, least, sigma)
    return np.ascontiguousarray(sigma)


def _doubts(x: Floats, y: Floats, sigma: Floats | None) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    span = float(x[-1] - x[0])
    if span < SHORT_RANGE_DEG:
        found.append(("SHORT_RANGE", f"the scan covers {span:.2f} deg only"))
    if negative := int(np.sum(y < 0)):
        text = f"{negative} intensities are negative: background or a line was taken off"
        found.append(("NEGATIVE_COUNTS", text))
    if sigma is None and not are_whole(y):
        text = (
            "intensities are not whole counts and the file gives no uncertainties: counting statistics "
            "do not hold"
        )
        found.append(("NOT_COUNTS", text))
    return found
