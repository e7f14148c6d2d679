"""Whether a phase is there, by what each of its lines shows of it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from mixrd.fit.presence import (
    LEAST_LOG_ODDS,
    LINE_SCATTER,
    MOST_LINES,
    LineAmounts,
    Presence,
    least_amount,
    line_amounts,
    presence,
)

FloatArray = NDArray[np.float64]

GRID = np.arange(10.0, 90.0, 0.02)
#: Lines of two phases: position, height for unit mass.
FIRST = [(20.0, 100.0), (30.0, 60.0), (41.0, 80.0), (55.0, 30.0), (67.0, 20.0), (78.0, 10.0)]
SECOND = [(25.0, 90.0), (35.0, 70.0), (47.0, 50.0), (61.0, 40.0), (72.0, 15.0)]
BACKGROUND = 100.0


def lines(rows: Sequence[tuple[float, float]], fwhm: float = 0.15) -> FloatArray:
    """Gaussian lines on the grid."""
    pattern = np.zeros_like(GRID)
    for at, height in rows:
        pattern += height * np.exp(-4 * math.log(2) * ((GRID - at) / fwhm) ** 2)
    return pattern


def seen(
    patterns: Sequence[FloatArray],
    masses: Sequence[float],
    signal: FloatArray,
    *,
    seed: int = 1,
    scale: float = 1.0,
) -> Presence:
    """Presence of phases fitted with these masses to counts of this signal, in units of `scale`."""
    expected = signal + BACKGROUND
    counts = np.random.default_rng(seed).poisson(expected).astype(float)
    return presence(
        np.array(patterns),
        scale * np.array(masses),
        scale * (counts - BACKGROUND),
        scale * np.sqrt(expected),
    )


def test_a_phase_with_all_its_lines_is_there() -> None:
    a, b = lines(FIRST), lines(SECOND)
    found = seen([a, b], [10.0, 1.0], 10 * a + b)
    assert found.seen.tolist() == [True, True]
    assert [len(one.amount) for one in found.lines] == [6, 5]
    for one in found.lines:
        pulls = (one.amount - 1) / np.sqrt(one.variance)
        assert np.abs(pulls).max() < 3.5
    # As much of it as this has to be there, and no more.
    assert found.least_seen[1] < 0.5
    assert found.line_scatter < 0.05


def test_a_single_foreign_line_is_no_phase() -> None:
    """The fit gives the mass that its line at 35 deg asks for; the four others are missing."""
    a, b = lines(FIRST), lines(SECOND)
    signal = 10 * a + lines([(35.0, 700.0)])
    found = seen([a, b], [10.0, 3.0], signal)
    assert found.seen.tolist() == [True, False]
    assert found.log_odds[1] < 0


@pytest.mark.parametrize("missing", range(3))
def test_one_line_less_does_not_speak_against_it(missing: int) -> None:
    """Texture may take a line away."""
    a, b = lines(FIRST), lines(SECOND)
    left = lines([row for n, row in enumerate(SECOND) if n != missing])
    assert seen([a, b], [10.0, 2.0], 10 * a + 2 * left).seen[1]


def test_noise_alone_is_no_phase() -> None:
    a, b = lines(FIRST), lines(SECOND)
    # A twentieth of the noise of a point in its strongest line.
    odds = [seen([a, b], [10.0, 0.01], 10 * a, seed=seed).log_odds[1] for seed in range(20)]
    assert max(odds) < LEAST_LOG_ODDS


def test_lines_below_those_of_others_tell_little() -> None:
    """The other phase's intensity may be wrong by a fifth: what is less than that below it is not seen."""
    b = lines(SECOND)
    covered = lines([(at, 1000.0) for at, _ in SECOND])
    beside = lines([(at + 0.6, 1000.0) for at, _ in SECOND])
    hidden = seen([covered, b], [1.0, 1.0], covered + b)
    free = seen([beside, b], [1.0, 1.0], beside + b)
    assert not hidden.seen[1]
    assert free.seen[1]
    assert hidden.least_seen[1] > 5 * free.least_seen[1]
    assert (hidden.lines[1].own_share < 0.2).all() and not hidden.lines[1].clean.any()


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1e6])
def test_the_unit_of_intensity_changes_nothing(scale: float) -> None:
    a, b, c = lines(FIRST), lines(SECOND), lines([(23.0, 50.0), (44.0, 40.0)])
    signal = 10 * a + b
    plain = seen([a, b, c], [10.0, 1.0, 0.0], signal)
    other = seen([a, b, c], [10.0, 1.0, 0.0], signal, scale=scale)
    assert other.log_odds == pytest.approx(plain.log_odds)
    assert other.least_seen == pytest.approx(scale * plain.least_seen)
    assert other.line_scatter == pytest.approx(plain.line_scatter)


def test_a_mass_of_none_is_not_there_but_has_a_limit() -> None:
    a, b = lines(FIRST), lines(SECOND)
    found = seen([a, b], [10.0, 0.0], 10 * a)
    assert found.log_odds[1] == -math.inf
    limit = found.least_seen[1]
    assert 0 < limit < 1

    # What is really there at that limit is seen as often as not, at four times it nearly always.
    def times(mass: float) -> int:
        return sum(
            bool(seen([a, b], [10.0, mass], 10 * a + mass * b, seed=seed).seen[1]) for seed in range(20)
        )

    assert times(0.4 * limit) < 10 < 15 <= times(4 * limit)


def test_nothing_at_all() -> None:
    a, b = lines(FIRST), lines(SECOND)
    found = seen([a, b], [0.0, 0.0], 0 * a)
    assert not found.seen.any() and not np.isnan(found.least_seen).any()
    flat = presence(np.zeros((1, len(GRID))), np.array([1.0]), 0 * GRID, np.ones_like(GRID))
    assert flat.least_seen.tolist() == [math.inf] and not flat.seen.any()
    assert flat.line_scatter == 0.0


@pytest.mark.parametrize("scatter", [0.1, 0.3])
def test_scatter_of_lines_is_that_of_the_ten_largest(scatter: float) -> None:
    rng = np.random.default_rng(5)
    a = lines(FIRST + SECOND)
    wrong = 1 + scatter * rng.choice([-1.0, 1.0], len(FIRST + SECOND))
    signal = 100 * lines([(at, h * w) for (at, h), w in zip(FIRST + SECOND, wrong, strict=True)])
    assert seen([a], [100.0], signal).line_scatter == pytest.approx(scatter, rel=0.1)
    # Poorly measured lines scatter by noise: they are not asked.
    assert seen([a], [0.02], 0.02 * a).line_scatter == 0.0


def test_a_phase_that_was_not_found_scatters_nothing() -> None:
    """All its lines are missing, by as much as they were asked for."""
    a, b = lines(FIRST), lines(SECOND)
    found = seen([a, b], [100.0, 0.0], 100 * a)
    assert found.lines[1].clean.any()
    assert found.line_scatter == pytest.approx(seen([a], [100.0], 100 * a).line_scatter)
    assert found.line_scatter < 0.05


def test_lines_that_lie_together_are_one() -> None:
    together = lines([(20.0, 100.0), (20.08, 80.0), (40.0, 50.0)])
    others = np.zeros_like(GRID)
    found = line_amounts(together, others, 3 * together, np.ones_like(GRID), 3.0)
    assert len(found.amount) == 2
    assert found.amount == pytest.approx(1.0)
    many = lines([(12 + 1.5 * n, 100.0 - n) for n in range(50)])
    assert len(line_amounts(many, others, many, np.ones_like(GRID), 1.0).amount) == MOST_LINES


def test_a_slope_below_a_line_is_no_line() -> None:
    pattern = lines(FIRST)
    slope = 20 * (GRID - 50)
    found = line_amounts(pattern, 0 * GRID, slope, np.ones_like(GRID), 1.0)
    assert found.amount == pytest.approx(0.0, abs=1e-6)


def test_least_amount_of_equal_lines() -> None:
    """Each measured to a tenth of what is asked for."""

    def of(count: int) -> LineAmounts:
        return LineAmounts(
            np.ones(count), np.full(count, 0.01), np.arange(count, dtype=np.int64), np.ones(count)
        )

    least = [least_amount(of(count)) for count in (2, 4, 8)]
    assert least == sorted(least, reverse=True)
    assert 0.1 < least[2] < least[0] < 0.3
    for count, amount in zip((2, 4, 8), least, strict=True):
        assert of(count).expected_log_odds(amount) == pytest.approx(LEAST_LOG_ODDS, abs=0.15)
    # A line alone may be anything's: one foreign line in twenty is no odds of 150 : 1, however strong it is.
    assert math.isinf(least_amount(of(1)))
    assert math.isinf(least_amount(of(0)))
    assert least_amount(of(4), 2.0) < least_amount(of(4))


def test_odds_of_lines_that_scatter_as_usual() -> None:
    usual = 1 + LINE_SCATTER * np.array([1, -1, 0.5, -0.5, 1, -1.0])
    lines_of = LineAmounts(usual, np.full(6, 1e-4), np.arange(6, dtype=np.int64), np.ones(6))
    assert lines_of.log_odds() > 2 * LEAST_LOG_ODDS
    # The strength of one line alone, all others missing.
    alone = np.array([6.0, 0, 0, 0, 0, 0])
    assert LineAmounts(alone, np.full(6, 1e-4), np.arange(6, dtype=np.int64), np.ones(6)).log_odds() < -10
