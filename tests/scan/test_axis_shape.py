"""First columns without a name, recognised by their numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mixrd.errors import ScanError
from mixrd.scan import Scan, read_scan

Save = Callable[..., Path]

_WAVELENGTH = 1.5406
_TWO_THETA = np.round(np.arange(10.0, 60.001, 0.05), 3)
_SINE = np.sin(np.radians(_TWO_THETA / 2))
_COUNTS = np.random.default_rng(3).poisson(200 + 3000 * np.exp(-(((_TWO_THETA - 26.6) / 0.2) ** 2)))
_WITH_WAVELENGTH = f"# wavelength: {_WAVELENGTH}\n"


def _read(save: Save, *columns: np.ndarray, head: str = "") -> Scan:
    rows = "\n".join(" ".join(f"{value:.8g}" for value in row) for row in zip(*columns, strict=True))
    return read_scan(save(head + rows + "\n"))


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("count", [150, 1001])
def test_numbered_points_are_no_angles(save: Save, first: int, count: int) -> None:
    with pytest.raises(ScanError, match="numbers the points"):
        _read(save, np.arange(count) + first, _COUNTS[:count])


def test_angles_behind_a_column_of_numbers(save: Save) -> None:
    scan = _read(save, np.arange(_COUNTS.size) + 1, _TWO_THETA, _COUNTS)
    np.testing.assert_array_equal(scan.two_theta, _TWO_THETA)
    np.testing.assert_array_equal(scan.counts, _COUNTS)
    assert "COLUMN_IGNORED" in dict(scan.warnings)


@pytest.mark.parametrize("head", ["", "Counts 2Theta\n"])
def test_columns_in_the_wrong_order(save: Save, head: str) -> None:
    scan = _read(save, _COUNTS, _TWO_THETA, head=head)
    np.testing.assert_array_equal(scan.two_theta, _TWO_THETA)
    assert "COLUMNS_SWAPPED" in dict(scan.warnings)


@pytest.mark.parametrize(
    "axis",
    [
        _WAVELENGTH / 2 / _SINE,
        np.round(_WAVELENGTH / 2 / _SINE, 4),
        4 * np.pi * _SINE / _WAVELENGTH,
        40 * np.pi * _SINE / _WAVELENGTH,
    ],
    ids=["d", "d rounded", "Q", "Q in 1/nm"],
)
def test_bent_axes(save: Save, axis: np.ndarray) -> None:
    scan = _read(save, axis, _COUNTS, head=_WITH_WAVELENGTH)
    np.testing.assert_allclose(scan.two_theta, _TWO_THETA, atol=0.01)
    assert "by its numbers" in dict(scan.warnings)["AXIS_CONVERTED"]
    with pytest.raises(ScanError, match="states no wavelength"):
        _read(save, axis, _COUNTS)


def test_d_spacings_in_rising_order(save: Save) -> None:
    scan = _read(save, (_WAVELENGTH / 2 / _SINE)[::-1], _COUNTS[::-1], head=_WITH_WAVELENGTH)
    np.testing.assert_allclose(scan.two_theta, _TWO_THETA, atol=1e-3)
    np.testing.assert_array_equal(scan.counts, _COUNTS)


def test_radians(save: Save) -> None:
    scan = _read(save, np.radians(_TWO_THETA), _COUNTS)
    np.testing.assert_allclose(scan.two_theta, _TWO_THETA, atol=1e-5)
    assert "AXIS_CONVERTED" in dict(scan.warnings)


def test_steps_that_grow_from_nearly_zero_are_small_angle_data(save: Save) -> None:
    with pytest.raises(ScanError, match="small-angle"):
        _read(save, np.geomspace(0.003, 0.7, 300), _COUNTS[:300])


@pytest.mark.parametrize(
    "axis",
    [
        _TWO_THETA,
        np.concatenate([_TWO_THETA[:500], _TWO_THETA[499] + 0.1 * np.arange(1, 502)]),
        _TWO_THETA + 0.02 * np.sin(np.arange(_TWO_THETA.size) / 50),
    ],
    ids=["even", "two steps", "wavy"],
)
def test_angles_stay_as_they_are(save: Save, axis: np.ndarray) -> None:
    axis = np.round(axis, 5)
    scan = _read(save, axis, _COUNTS, head=_WITH_WAVELENGTH)
    np.testing.assert_allclose(scan.two_theta, axis, rtol=1e-7)
