"""Whether a phase is there: each of its lines is asked, by itself, how much of the phase it shows.

A phase that is there shows the same amount in all its lines, within what texture and grains do to them. One
that is not takes up what others leave over at some of its lines, and is missing at the rest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks, peak_widths

FloatArray = NDArray[np.float64]

#: ln of the odds (there : not there) by the lines alone from which a phase counts as found: 150 : 1, since
#: candidates are many.
LEAST_LOG_ODDS = 5.0
#: What a line shows is off by this much of it (standard deviation): texture, grains, structure.
LINE_SCATTER = 0.3
#: Other phases' calculated intensity below a line is off by this part of it.
OTHERS_SCATTER = 0.2
#: What cells of phases that are there differ from their structures by (relative, standard deviation), and the
#: least that this leaves of the odds (ln): what moved its cell far to find its lines found others'.
USUAL_STRAIN, MOST_SURPRISED = 0.005, -10.0
#: Share of the lines that show something else altogether, foreign lines and spikes among it, and the standard
#: deviation of what they show, in the amount that is asked for.
FOREIGN, FOREIGN_SPREAD = 0.05, 2.0
#: Lines that are asked, and the least height of one relative to the phase's highest.
MOST_LINES, LEAST_HEIGHT = 24, 0.02
#: Lines whose deviations tell how far intensities can be trusted: how many, and which are clean: by their own
#: share of the intensity there, and by their standard deviation.
SCATTERED_LINES, CLEAN_SHARE, CLEAN_SIGMA = 10, 0.8, 0.1
#: Half a line's window in its widths, and its least number of points.
_REACH, _LEAST_POINTS = 1.75, 5


@dataclass(frozen=True, eq=False)
class Presence:
    """Whether each of P phases is there.

    Attributes
    ----------
    log_odds : (P,) array
        ln of the odds that it is, by the lines alone; -inf where no mass was found.
    least_seen : (P,) array
        Mass from which its lines would show it, whatever else is misfitted; infinite where they never would.
    lines : tuple of LineAmounts
        Of each phase, in units of the mass that was found (of a hundredth of all, where none was).
    """

    log_odds: FloatArray
    least_seen: FloatArray
    lines: tuple[LineAmounts, ...]

    @property
    def seen(self) -> NDArray[np.bool_]:
        """(P,) phases whose lines say that they are there."""
        return np.asarray(self.log_odds >= LEAST_LOG_ODDS)

    @property
    def line_scatter(self) -> float:
        """Root mean square of the `SCATTERED_LINES` largest relative deviations of lines from their phase.

        Of lines that are the phase's own and well measured. Grains, texture and wrong structures make them
        deviate; noise hardly does. Phases that were not found have no lines. 0 where there is no such line.
        """
        found = [one for one, odds in zip(self.lines, self.log_odds, strict=True) if odds > -math.inf]
        deviations = [one.amount[one.clean] - 1 for one in found]
        largest = np.sort(np.abs(np.concatenate([np.empty(0), *deviations])))[-SCATTERED_LINES:]
        return float(np.sqrt(np.square(largest).mean())) if len(largest) else 0.0


def presence(
    patterns: FloatArray,
    masses: FloatArray,
    net: FloatArray,
    sigma: FloatArray,
    strains: Sequence[FloatArray] | None = None,
) -> Presence:
    """Whether the phases of a fit are there.

    Parameters
    ----------
    patterns : (P, N) array
        Of unit mass each, as fitted.
    masses : (P,) array
    net : (N,) array
        Observed less background.
    sigma : (N,) array
        Standard uncertainties of the observed intensities.
    strains : sequence of arrays, optional
        Of each phase, along its strain basis.
    """
    contributions = masses[:, np.newaxis] * patterns
    whole = contributions.sum(axis=0)
    odds, least, lines = [], [], []
    for pattern, mass, own in zip(patterns, masses, contributions, strict=True):
        # Of a phase that was not found, a hundredth of all is asked for.
        asked = float(mass) if mass > 0 else 0.01 * max(float(masses.sum()), 1e-300)
        others = whole - own
        one = line_amounts(pattern, others, net - others, sigma, asked)
        odds.append(one.log_odds() if mass > 0 else -math.inf)
        least.append(asked * least_amount(one))
        lines.append(one)
    surprise = np.zeros(len(odds))
    if strains is not None:
        far = np.array([float(np.max(np.abs(strain), initial=0.0)) for strain in strains])
        surprise = np.maximum(-0.5 * (far / USUAL_STRAIN) ** 2, MOST_SURPRISED)
    return Presence(np.array(odds) + surprise, np.array(least), tuple(lines))


@dataclass(frozen=True, eq=False)
class LineAmounts:
    """What each line of a phase shows of it, L lines.

    Attributes
    ----------
    amount : (L,) array
        Mass by this line alone, over a mass that is asked for.
    variance : (L,) array
        By noise and by what other phases' lines may be wrong by.
    place : (L,) int array
        Index of its top on the grid.
    own_share : (L,) array
        Part of the calculated intensity in its window that is the phase's own at that mass, 0-1.
    """

    amount: FloatArray
    variance: FloatArray
    place: NDArray[np.int64]
    own_share: FloatArray

    @property
    def clean(self) -> NDArray[np.bool_]:
        """(L,) lines that are the phase's own and well measured."""
        return np.asarray((self.own_share > CLEAN_SHARE) & (self.variance < CLEAN_SIGMA**2))

    def log_odds(self, times: float = 1.0) -> float:
        """Ln of the odds that there is `times` the mass asked for rather than nothing."""
        amount, variance = self.amount / times, self.variance / times**2
        there = log_density(amount - 1, variance + LINE_SCATTER**2, amount)
        return float((there - log_density(amount, variance, amount)).sum())

    def expected_log_odds(self, times: float) -> float:
        """The same, where there is `times` the mass and each line shows just that."""
        variance, one = self.variance / times**2, np.ones_like(self.variance)
        there = log_density(0 * one, variance + LINE_SCATTER**2, one)
        return float((there - log_density(one, variance, one)).sum())


def line_amounts(
    pattern: FloatArray, others: FloatArray, left: FloatArray, sigma: FloatArray, mass: float
) -> LineAmounts:
    """What each line of a phase shows of it, on a straight line below.

    Parameters
    ----------
    pattern : (N,) array
        Of unit mass of the phase, as fitted.
    others : (N,) array
        Sum of the other phases' contributions.
    left : (N,) array
        Observed less background and others.
    sigma : (N,) array
        Standard uncertainties of the observed intensities.
    mass : float
        In whose unit amounts are given; positive.
    """
    tops, first, last = _windows(pattern)
    if not len(tops):
        none = np.empty(0)
        return LineAmounts(none, none, tops, none)
    # All windows side by side; what is missing in the shorter ones has no weight.
    number = np.arange(int((last - first).max()))
    inside = number < (last - first)[:, np.newaxis]
    at = np.minimum(first[:, np.newaxis] + number, len(pattern) - 1)
    x = (2 * number / (last - first - 1)[:, np.newaxis] - 1) * inside
    weight = inside / sigma[at] ** 2
    own, foreign, seen = mass * pattern[at], others[at], left[at]
    # What of the line a straight one below cannot make.
    s0, s1, s2 = weight.sum(1), (weight * x).sum(1), (weight * x * x).sum(1)
    p0, p1 = (weight * own).sum(1), (weight * own * x).sum(1)
    determinant = s0 * s2 - s1 * s1
    level, slope = (s2 * p0 - s1 * p1) / determinant, (s0 * p1 - s1 * p0) / determinant
    rest = weight * (own - level[:, np.newaxis] - slope[:, np.newaxis] * x)
    information = np.maximum((rest * (own - level[:, np.newaxis] - slope[:, np.newaxis] * x)).sum(1), 1e-300)
    wrong = np.maximum(np.abs((rest * foreign).sum(1)), 0.5 * (np.abs(rest) * foreign).sum(1)) / information
    variance = 1 / information + (OTHERS_SCATTER * wrong) ** 2
    whole = ((own + foreign) * inside).sum(1)
    share = (own * inside).sum(1) / np.maximum(whole, 1e-300)
    return LineAmounts((rest * seen).sum(1) / information, variance, tops, share)


def least_amount(lines: LineAmounts, log_odds: float = LEAST_LOG_ODDS) -> float:
    """Mass, in that asked for, from which the lines would show the phase; infinite if they never would."""
    low, high = 1e-6, 1e6
    if not len(lines.amount) or lines.expected_log_odds(high) < log_odds:
        return math.inf
    while high / low > 1.01:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if lines.expected_log_odds(middle) >= log_odds else (middle, high)
    return high


def _windows(pattern: FloatArray) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Tops of the highest lines and the grid's points around them; lines that lie together are one."""
    top = float(pattern.max(initial=0.0))
    none = np.empty(0, dtype=np.int64)
    if top <= 0:
        return none, none, none
    tops, _ = find_peaks(pattern, height=LEAST_HEIGHT * top, prominence=0.3 * LEAST_HEIGHT * top)
    if not len(tops):
        tops = np.array([int(pattern.argmax())])
    order = tops[np.argsort(-pattern[tops], kind="stable")]
    wide = dict(zip(tops.tolist(), peak_widths(pattern, tops)[0].tolist(), strict=True))
    taken = np.zeros(len(pattern), dtype=bool)
    rows = []
    for at in order.tolist():
        reach = max(int(_REACH * wide[at]) + 1, _LEAST_POINTS // 2 + 1)
        a, b = max(at - reach, 0), min(at + reach + 1, len(pattern))
        if b - a < _LEAST_POINTS or taken[at]:
            continue
        taken[a:b] = True
        rows.append((at, a, b))
        if len(rows) == MOST_LINES:
            break
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]


def log_density(offset: FloatArray, variance: FloatArray, amount: FloatArray) -> FloatArray:
    """Ln of the density of what a line shows, `offset` from what it should: as a rule, or something else."""
    wide = variance + FOREIGN_SPREAD**2
    regular = math.log(1 - FOREIGN) - 0.5 * (offset**2 / variance + np.log(2 * np.pi * variance))
    foreign = math.log(FOREIGN) - 0.5 * (amount**2 / wide + np.log(2 * np.pi * wide))
    return np.asarray(np.logaddexp(regular, foreign))
