"""Numbers that no diffractometer records are refused, or warned of where they may be true."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mixrd.errors import ScanError
from mixrd.scan import read_scan

Save = Callable[..., Path]

_X = np.round(np.arange(10.0, 40.001, 0.02), 3)
_TRUE = 150.0 + 5000.0 * np.exp(-0.5 * ((_X - 26.6) / 0.06) ** 2)
_COUNTS = np.random.default_rng(7).poisson(_TRUE)

_UNKNOWABLE = {
    "scan-1641e974.dat",  # an angle moved by eight millionths of a degree
    "scan-77c78b3f.dat",  # the first five lines are gone; what is left is whole
    "scan-e08aea81.xrdml",  # the wavelength is gone: it is asked for
    "scan-301de00a.rasx",
    "scan-4d0d3a1d.xrdml",  # another attenuation factor: another, likely, scan
}


def _text(x: np.ndarray = _X, *columns: np.ndarray, head: str = "") -> str:
    rows = zip(x, *(columns or (_COUNTS,)), strict=True)
    return head + "\n".join(" ".join(f"{value:.10g}" for value in row) for row in rows) + "\n"


def _with(place: int, value: float) -> np.ndarray:
    counts = _COUNTS.astype(float)
    counts[place] = value
    return counts


def _codes(path: Path) -> set[str]:
    return {code for code, _ in read_scan(path).warnings}


def test_a_sound_scan_has_no_doubts(save: Save) -> None:
    assert _codes(save(_text())) == set()


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        (1e97, "no detector"),
        (1e-320, "no detector"),
        (-1e-30, "no detector"),
        (2147483647.0, "alone has the intensity"),
        (-2147483648.0, "where the strongest has"),
        (-1e30, "where the strongest has"),
    ],
)
def test_impossible_counts(save: Save, value: float, cause: str) -> None:
    with pytest.raises(ScanError, match=cause):
        read_scan(save(_text(_X, _with(700, value))))


def test_tails_of_a_calculated_pattern_are_possible(save: Save) -> None:
    assert len(read_scan(save(_text(_X, 1000.0 * np.exp(-0.5 * ((_X - 26.6) / 0.5) ** 2))))) == _X.size


@pytest.mark.parametrize(
    ("counts", "code"),
    [
        (_with(700, 0), "DEAD_POINTS"),
        (_with(700, -1), "DEAD_POINTS"),
        (np.where((_X > 20) & (_X < 20.05), 0, _COUNTS), "DEAD_POINTS"),
        (_with(200, 20000), "SPIKES"),
        (np.minimum(_COUNTS, 2000), "SATURATED"),
        (np.round(np.convolve(_COUNTS, np.ones(9) / 9, mode="same"))[5:-5], "SMOOTHED"),
        (1000 * _COUNTS, "NOT_COUNTS"),
    ],
    ids=["zero", "minus one", "zeros", "spike", "saturated", "smoothed", "multiplied"],
)
def test_doubtful_counts(save: Save, counts: np.ndarray, code: str) -> None:
    assert code in _codes(save(_text(_X[: counts.size], counts)))


def test_low_counts_are_no_dead_points(save: Save) -> None:
    counts = np.random.default_rng(1).poisson(_TRUE / 60)
    assert _codes(save(_text(_X, counts))) == set()


@pytest.mark.parametrize(("value", "refused"), [(1e-9, True), (1e20, False)])
def test_uncertainty_of_one_point(save: Save, value: float, refused: bool) -> None:
    sigma = np.sqrt(_COUNTS)
    sigma[300] = value
    path = save(_text(_X, _COUNTS, sigma))
    if refused:
        with pytest.raises(ScanError, match="outweigh"):
            read_scan(path)
    else:
        assert "SIGMA_HUGE" in _codes(path)


def test_rates_that_scatter_as_counts(save: Save) -> None:
    head = "# Time per step: 4\n2Theta Intensity[cps]\n"
    scan = read_scan(save(_text(head=head)))
    np.testing.assert_array_equal(scan.counts, _COUNTS)
    assert "COUNTS_NOT_RATE" in dict(scan.warnings)
    rates = np.random.default_rng(2).poisson(4 * _TRUE) / 4
    scan = read_scan(save(_text(_X, rates, head=head)))
    np.testing.assert_allclose(scan.counts, 4 * rates)
    assert "RATE_TO_COUNTS" in dict(scan.warnings)


def test_damaged_copies_are_refused_or_doubted(data_dir: Path) -> None:
    """The doubt must be one that the undamaged file does not have."""
    usual = {"SHORT_RANGE", "SEVERAL_SCANS", "NOT_POWDER_GEOMETRY", "ATTENUATED", "RATE_TO_COUNTS"}
    folder = data_dir / "hostile"
    with (folder / "cases.csv").open(encoding="utf-8") as file:
        names = [row[0] for row in csv.reader(file) if row and row[0].startswith("scan-")]
    assert len(names) > 75
    silent = set()
    for name in names:
        try:
            if not _codes(folder / name) - usual:
                silent.add(name)
        except ScanError:
            continue
    assert silent <= _UNKNOWABLE
