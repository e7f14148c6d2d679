"""Whether K alpha2 is in the data: seen from isolated lines, without any candidate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import leastsq
from scipy.signal import find_peaks, peak_widths

FloatArray = NDArray[np.float64]

#: Lines that are fitted at most, the best ones for it.
MOST_LINES = 8
#: Fewest lines that an answer rests on.
LEAST_LINES = 3
#: Separation of the doublet, in widths of a line, from which on a fit tells both apart.
_LEAST_SEPARATION = 0.8
#: Ratio of K alpha2 to K alpha1: above it, both are there; below, the first alone. A tube sends 0.5.
_BOTH, _ALONE = 0.33, 0.17
#: So large (one standard deviation, of the ratio) is the uncertainty of a line that says something, at most.
_SURE = 0.1
_TOLERANCES = {"ftol": 1e-8, "xtol": 1e-8, "gtol": 1e-8}
#: Part of the lines that must say the same.
_AGREE = 0.75
#: A line must be so many standard deviations high.
_SIGNIFICANT = 12.0
_LN16 = float(4 * np.log(2))
#: Free space, in widths, that a line needs on both sides.
_FREE = 3.5


@dataclass(frozen=True)
class Doublet:
    """What the lines of a scan say of K alpha2.

    Attributes
    ----------
    answer : {"both", "alone", "unclear"}
        K alpha1 and 2, K alpha1 alone, or the scan does not tell.
    ratio : float
        Median of K alpha2 over K alpha1; nan without lines.
    lines : int
        Isolated lines it was taken from.
    """

    answer: Literal["both", "alone", "unclear"]
    ratio: float
    lines: int


def kalpha2_seen(
    two_theta: FloatArray, counts: FloatArray, sigma: FloatArray, wavelengths_angstrom: tuple[float, float]
) -> Doublet:
    """Whether the lines of a scan are doublets of K alpha1 and K alpha2.

    Isolated lines, at angles where the doublet is apart by most of a line's width, are fitted one by one by
    two peaks of one shape at the distance that Bragg's law gives; the ratio of their heights is free.

    Parameters
    ----------
    two_theta : (N,) array
        In degrees.
    counts, sigma : (N,) array
        Intensity and its standard uncertainty.
    wavelengths_angstrom : (float, float)
        Of K alpha1 and K alpha2.
    """
    split = 2 * np.degrees(wavelengths_angstrom[1] / wavelengths_angstrom[0] - 1)
    ratios: list[float] = []
    for place, width, apart in _isolated(two_theta, counts, sigma, split):
        if len(ratios) == MOST_LINES:
            break
        low, high = place - _FREE * width, place + apart + _FREE * width
        inside = slice(*np.searchsorted(two_theta, (low, high)))
        found = _ratio(two_theta[inside], counts[inside], sigma[inside], place, width, split)
        if found is not None:
            ratios.append(found)
    if not ratios:
        return Doublet("unclear", float("nan"), 0)
    values = np.array(ratios)
    answer: Literal["both", "alone", "unclear"] = "unclear"
    if len(values) >= LEAST_LINES:
        if np.mean(values > _BOTH) >= _AGREE:
            answer = "both"
        elif np.mean(values < _ALONE) >= _AGREE:
            answer = "alone"
    return Doublet(answer, float(np.median(values)), len(values))


def _isolated(
    two_theta: FloatArray, counts: FloatArray, sigma: FloatArray, split: float
) -> list[tuple[float, float, float]]:
    """Angle, width and doublet's separation (degrees) of lines with nothing beside them, the best first."""
    step = np.gradient(two_theta)
    smooth = gaussian_filter1d(counts, 1.5)
    tops, about = find_peaks(smooth, prominence=3 * sigma)
    if not len(tops):
        return []
    height = about["prominences"]
    left = peak_widths(smooth, tops, rel_height=0.5)[2]
    width = 2 * (tops - left) * step[tops]
    place = two_theta[tops]
    apart = split * np.tan(np.radians(place / 2))
    significance = height / sigma[tops]
    found = []
    for i in np.flatnonzero((significance > _SIGNIFICANT) & (apart > _LEAST_SEPARATION * width)):
        if width[i] < 2.5 * step[tops[i]] or place[i] - _FREE * width[i] < two_theta[0]:
            continue
        if place[i] + apart[i] + _FREE * width[i] > two_theta[-1]:
            continue
        beside = place - place[i]
        near = (beside > -_FREE * width[i]) & (beside < apart[i] + _FREE * width[i])
        near &= (height > 0.04 * height[i]) & (np.abs(beside) > 0.0)
        near &= np.abs(beside - apart[i]) > 0.5 * width[i]
        if not near.any():
            found.append((significance[i], float(place[i]), float(width[i]), float(apart[i])))
    found.sort(key=lambda row: -row[0] * min(row[3] / row[2], 2.0))
    return [row[1:] for row in found]


def _ratio(
    x: FloatArray, counts: FloatArray, sigma: FloatArray, place: float, width: float, split: float
) -> float | None:
    """K alpha2 over K alpha1 of one line, None where the fit does not tell."""
    if len(x) < 12:
        return None
    weight = 1 / np.maximum(sigma, 1e-9)
    ramp = (x - place) / (x[-1] - x[0])
    base = min(counts[:3].mean(), counts[-3:].mean())
    height = max(float(counts.max() - base), 1e-9)

    last: list[tuple[FloatArray, tuple[FloatArray, FloatArray]]] = []

    def doublet(values: FloatArray) -> tuple[FloatArray, FloatArray]:
        # Its derivatives are asked for where its values just were.
        if not last or not np.array_equal(values, last[0][0]):
            last[:] = [(values.copy(), _doublet(values, x, ramp, split))]
        return last[0][1]

    def left(values: FloatArray) -> FloatArray:
        rest: FloatArray = (doublet(values)[0] - counts) * weight
        return rest

    def slopes(values: FloatArray) -> FloatArray:
        rest: FloatArray = doublet(values)[1] * weight[:, np.newaxis]
        return rest

    start = np.array([base, 0.0, height, 0.25 * height, place, width, 0.5])
    scale = np.array([height, height, height, height, width, width, 1.0])
    # `least_squares` does the same, and as much again around it.
    found = leastsq(left, start, Dfun=slopes, full_output=True, diag=1 / scale, maxfev=60, **_TOLERANCES)[0]
    _, _, first, second, centre, fwhm, eta = found
    sane = abs(centre - place) < width and 0.4 < fwhm / width < 2.2 and -0.3 < eta < 1.5
    if first <= 0.2 * height or not sane:
        return None
    # What the fit misses is taken for noise.
    noise = max(float(np.sum(left(found) ** 2)) / max(len(x) - len(start), 1), 1.0)
    covariance = noise * np.linalg.pinv(slopes(found).T @ slopes(found))
    ratio = second / first
    variance = (covariance[3, 3] - 2 * ratio * covariance[2, 3] + ratio**2 * covariance[2, 2]) / first**2
    if not variance <= _SURE**2:
        return None
    return float(ratio)


def _doublet(
    values: FloatArray, x: FloatArray, ramp: FloatArray, split: float
) -> tuple[FloatArray, FloatArray]:
    """Two peaks on a sloping background (W,), and its derivatives (W, 7).

    Terms: background, its slope, both heights, place of the first peak, width, share of the Lorentzian.
    """
    base, slope, first, second, centre, fwhm, eta = values
    apart = split * np.tan(np.radians(centre / 2))
    one, by_place, by_width, by_share = _peak(x - centre, fwhm, eta)
    two, by_place_2, by_width_2, by_share_2 = _peak(x - centre - apart, fwhm, eta)
    columns = (
        np.ones_like(x),
        ramp,
        one,
        two,
        first * by_place + second * by_place_2,
        first * by_width + second * by_width_2,
        first * by_share + second * by_share_2,
    )
    return base + slope * ramp + first * one + second * two, np.stack(columns, axis=1)


def _peak(
    distance: FloatArray, fwhm: float, eta: float
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Pseudo-Voigt of height 1, and its derivatives by place, width and Lorentzian share."""
    u = distance / fwhm
    lorentzian = 1 / (1 + 4 * u * u)
    gaussian = np.exp(-_LN16 * u * u)
    by_u = -8 * eta * u * lorentzian**2 - 2 * _LN16 * (1 - eta) * u * gaussian
    value = eta * lorentzian + (1 - eta) * gaussian
    return value, -by_u / fwhm, -by_u * u / fwhm, lorentzian - gaussian
