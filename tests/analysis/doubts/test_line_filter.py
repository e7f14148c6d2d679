"""The filter finds a line's height, on any grid, and tells what noise there is."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mixrd.analysis import generic_instrument
from mixrd.analysis.doubts.line_filter import REACH, excess_noise, instrument_fwhm, line_heights
from mixrd.analysis.doubts.wavelength_check import beam_peak
from mixrd.pattern import Instrument

GRID = np.arange(20.0, 120.0, 0.02)


@pytest.fixture(scope="module")
def laboratory() -> Instrument:
    return generic_instrument("CuKa")


def peak(instrument: Instrument, at: float, grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """A line of height 1 over that of the filter's shape."""
    fwhm = np.interp([at], grid, instrument_fwhm(instrument, grid))
    return beam_peak(np.array([at]), ((grid - at) / fwhm)[np.newaxis], fwhm, instrument.radiation)[0]


@pytest.mark.parametrize("at", [27.3, 64.84, 101.5])
def test_a_line_has_its_height(laboratory: Instrument, at: float) -> None:
    fwhm, sigma = instrument_fwhm(laboratory, GRID), np.full_like(GRID, 2.0)
    place = int(np.abs(GRID - at).argmin())
    height, spread, points = line_heights(GRID, 50 * peak(laboratory, at, GRID), sigma, fwhm, laboratory)
    assert height[place] == pytest.approx(50, rel=0.01)
    assert height.argmax() == pytest.approx(place, abs=1)
    window = np.abs(GRID - at) <= REACH * fwhm[place]
    assert points[place] == pytest.approx(peak(laboratory, at, GRID)[window].sum(), rel=0.02)
    assert spread[place] < 3.0


def test_neighbours_share_a_peak_and_hardly_differ_by_it(laboratory: Instrument) -> None:
    """The same scan, on a grid that is not quite even, is fitted point by point."""
    uneven = GRID.copy()
    uneven[0] -= 0.05
    noise = np.random.default_rng(1).normal(0, 2, len(GRID))
    fwhm, sigma = instrument_fwhm(laboratory, GRID), np.full_like(GRID, 2.0)
    blocks = line_heights(GRID, noise, sigma, fwhm, laboratory)
    each = line_heights(uneven, noise, sigma, fwhm, laboratory)
    inside = (each[0] > 0) & (blocks[0] > 0) & (GRID > 21) & (GRID < 119)
    assert inside.sum() > 0.1 * len(GRID)
    # A point at the end of a window is in one and not in the other.
    off = np.abs(blocks[0] - each[0])[inside] / each[1][inside]
    assert np.median(off) < 0.05
    assert off.max() < 0.6
    assert blocks[1][50:-50] == pytest.approx(each[1][50:-50], rel=0.1)


def test_a_dip_and_a_spike_are_no_lines(laboratory: Instrument) -> None:
    fwhm, sigma = instrument_fwhm(laboratory, GRID), np.full_like(GRID, 2.0)
    assert line_heights(GRID, -50 * peak(laboratory, 40.0, GRID), sigma, fwhm, laboratory)[0].max() < 2
    spike = np.zeros_like(GRID)
    spike[2000] = 100.0
    assert line_heights(GRID, spike, sigma, fwhm, laboratory)[0][1995:2006].max() < 6


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_noise_is_as_large_as_it_is(factor: float) -> None:
    residual = np.random.default_rng(2).normal(0, factor * 2.0, 5000)
    sigma = np.full(5000, 2.0)
    found = excess_noise(residual, sigma, np.zeros(5000))
    assert found == pytest.approx(max(factor, 1.0), rel=0.05)
    # What stands on calculated lines says nothing, and too little says nothing at all.
    assert excess_noise(residual, sigma, np.full(5000, 10.0)) == 1.0
    assert excess_noise(residual[:40], sigma[:40], np.zeros(40)) == 1.0
