"""Scans changed, each in one way."""

from __future__ import annotations

import numpy as np
import pytest

from mixrd.scan import Scan
from wrong_premises import wrong_scans as wrong
from wrong_premises.premise import d_angstrom, q_per_angstrom

X = np.round(np.arange(10.0, 80.0, 0.02), 6)


def gauss(at: float, height: float, x: np.ndarray = X) -> np.ndarray:
    return height * np.exp(-0.5 * ((x - at) / 0.06) ** 2)


@pytest.fixture
def scan() -> Scan:
    return Scan(X, np.round(100 + gauss(30, 5000) + gauss(50, 2000)), anode="Cu")


@pytest.fixture
def chance() -> np.random.Generator:
    return np.random.default_rng(1)


def test_axes(scan: Scan, chance: np.random.Generator) -> None:
    assert wrong.stretched(1.01)(scan, chance).two_theta[-1] == pytest.approx(1.01 * X[-1])
    assert wrong.shifted(-0.6)(scan, chance).two_theta[0] == pytest.approx(9.4)
    # Bragg: Q = 2 pi / d.
    assert q_per_angstrom(X) * d_angstrom(X) == pytest.approx(2 * np.pi)


def test_detectors(scan: Scan, chance: np.random.Generator) -> None:
    assert wrong.clipped(0.3)(scan, chance).counts.max() == round(0.3 * scan.counts.max())
    lost = wrong.dead_time(0.4)(scan, chance).counts
    assert lost.max() == pytest.approx(0.6 * scan.counts.max(), abs=1)
    # Few counts lose little: 100 of 5100 behind 1 / (1 + 2/3 / 51).
    assert lost[0] == pytest.approx(100 / (1 + 100 / 5100 * 2 / 3), abs=0.6)


def test_what_programs_do_to_counts(scan: Scan, chance: np.random.Generator) -> None:
    smooth = wrong.smoothed(9, whole=False)(scan, chance).counts
    assert smooth.sum() == pytest.approx(scan.counts.sum(), rel=1e-6)
    assert smooth.max() < scan.counts.max()
    flat = wrong.on_counts(wrong.background_subtracted)(scan, chance).counts
    assert np.median(flat) < 2
    assert flat.max() == pytest.approx(5000, rel=0.02)
    few = wrong.thinned(100)(scan, chance).counts
    assert 60 < few.max() < 140
    assert wrong.scaled(0.05, digits=0)(scan, chance).counts.max() == round(0.05 * 5100)
    assert wrong.scaled(7.3)(scan, chance).counts.max() == pytest.approx(7.3 * 5100)
    half = wrong.second_half(2.5)(scan, chance).counts
    assert (half[0], half[-1]) == (100, 250)


def test_kalpha2_is_stripped(chance: np.random.Generator) -> None:
    first, second = 1.5405929, 1.5444274
    places = [60.0, 2 * np.degrees(np.arcsin(np.sin(np.radians(30.0)) * second / first))]
    scan = Scan(X, gauss(places[0], 6000) + gauss(places[1], 3000))
    left = wrong.kalpha2_stripped((first, second))(scan, chance).counts
    assert left[np.argmin(abs(X - places[0]))] == pytest.approx(6000, rel=0.01)
    # What is left there is the tail of the first line: 6000 exp(-(0.166 / 0.06)^2 / 2) = 130.
    assert left[np.argmin(abs(X - places[1]))] < 250


def test_ranges(scan: Scan, chance: np.random.Generator) -> None:
    gap = wrong.on_points(lambda x: (x < 33) | (x > 41))(scan, chance)
    assert np.diff(gap.two_theta).max() == pytest.approx(8, abs=0.05)
    assert len(gap) == len(gap.counts)
    assert np.median(np.diff(wrong.coarse(0.1)(scan, chance).two_theta)) == pytest.approx(0.1)


def test_what_else_is_in_the_beam(scan: Scan, chance: np.random.Generator) -> None:
    other = Scan(X, gauss(38.5, 1000))
    more = wrong.with_added(other, 0.25)(scan, chance).counts
    assert more[np.argmin(abs(X - 38.5))] == pytest.approx(100 + 0.25 * 5100, rel=0.1)
    assert more[np.argmin(abs(X - 30))] == scan.counts[np.argmin(abs(X - 30))]
    two = wrong.joined(other)(scan, chance).counts
    assert two[: len(X) // 3] == pytest.approx(scan.counts[: len(X) // 3])
    assert two[-1] == 0


@pytest.mark.parametrize("change", [wrong.noise(3), wrong.hump(3000), wrong.on_counts(wrong.one_line)])
def test_nothing_of_the_sample_is_left(change: wrong.Change, scan: Scan, chance: np.random.Generator) -> None:
    counts = change(scan, chance).counts
    assert abs(np.corrcoef(counts, scan.counts)[0, 1]) < 0.2
    assert (counts == np.round(counts)).all()


def test_the_same_generator_gives_the_same_scan(scan: Scan) -> None:
    one, other = (wrong.spikes(8)(scan, np.random.default_rng(3)).counts for _ in range(2))
    assert (one == other).all()
    assert (one != scan.counts).sum() == 8
