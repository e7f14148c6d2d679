"""Background below the candidates' first lines."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mixrd.analysis.curves import background_below

GRID = np.arange(4.0, 60.0, 0.02)
JOINT = 20.0
FloatArray = NDArray[np.float64]


def smooth(two_theta: FloatArray) -> FloatArray:
    """As air scatter and a glass slide make it."""
    return np.asarray(80 + 3000 / two_theta + 60 * np.exp(-(((two_theta - 16) / 5) ** 2)))


def below(extra: FloatArray | float = 0.0, *, seed: int = 1) -> tuple[FloatArray, FloatArray]:
    """Background that is found below the joint, and the true one."""
    true = smooth(GRID)
    counts = np.random.default_rng(seed).poisson(true + extra).astype(float)
    inside = GRID < JOINT
    sigma = np.sqrt(np.maximum(true + extra, 1))[inside]
    return background_below(GRID, counts[inside], sigma, true[~inside]), true[inside]


def test_the_background_is_followed() -> None:
    found, true = below()
    assert found.shape == true.shape
    # Noise of a point is 5-9 %.
    assert found == pytest.approx(true, rel=0.05)
    assert found[-1] == pytest.approx(true[-1], rel=0.02), "the two parts meet"


@pytest.mark.parametrize("height", [200.0, 5000.0, 60_000.0])
def test_lines_are_no_part_of_it(height: float) -> None:
    extra = sum(height * np.exp(-0.5 * ((GRID - at) / 0.06) ** 2) for at in (7.0, 12.3, 19.0))
    found, true = below(extra)
    assert found == pytest.approx(true, rel=0.07)


def test_the_unit_changes_nothing() -> None:
    true = smooth(GRID)
    counts = np.random.default_rng(3).poisson(true).astype(float)
    inside = GRID < JOINT
    parts = counts[inside], np.sqrt(true[inside]), true[~inside]
    plain = background_below(GRID, *parts)
    other = background_below(GRID, *(1e-6 * part for part in parts))
    assert other == pytest.approx(1e-6 * plain)


def test_a_few_points_are_enough() -> None:
    part = GRID >= JOINT - 0.1
    grid, true = GRID[part], smooth(GRID[part])
    inside = grid < JOINT
    found = background_below(grid, true[inside], np.sqrt(true[inside]), true[~inside])
    assert found == pytest.approx(true[inside], rel=0.01)
