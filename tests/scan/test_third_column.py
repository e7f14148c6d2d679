"""A third column is the uncertainty only if it behaves like one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mixrd.scan import read_scan
from mixrd.scan.third_column import judge_uncertainty

_X = np.arange(10.0, 60.0, 0.02)
_RNG = np.random.default_rng(11)


def _pattern(level: float) -> np.ndarray:
    lines = sum(
        h * np.exp(-0.5 * ((_X - p) / 0.06) ** 2) for p, h in ((21, 5), (26.6, 30), (36, 4), (50.1, 6))
    )
    return np.asarray(level * (1.0 + 0.5 * np.exp(-(_X - 10) / 15) + np.asarray(lines)))


def _background(level: float) -> np.ndarray:
    return np.asarray(level * (1.0 + 0.5 * np.exp(-(_X - 10) / 15)))


@pytest.mark.parametrize("level", [3.0, 40.0, 150.0, 4000.0])
@pytest.mark.parametrize("factor", [1.0, 1e-4, 7.3])
@pytest.mark.parametrize("kind", ["root", "rounded", "error floor", "mean of frames"])
def test_uncertainties_are_used(level: float, factor: float, kind: str) -> None:
    counts = _RNG.poisson(_pattern(level)).astype(float)
    sigma = np.sqrt(np.maximum(counts, 1.0))
    if kind == "rounded":
        sigma = np.round(sigma, 2)
    elif kind == "error floor":
        sigma = np.hypot(sigma, 0.01 * counts)
    elif kind == "mean of frames":
        counts = _RNG.poisson(8 * _pattern(level)) / 8
        sigma = np.sqrt(np.maximum(counts, 1 / 8) / 8) * np.sqrt(_RNG.chisquare(30, counts.size) / 30)
    used, doubts = judge_uncertainty(sigma * factor, counts * factor, named=False)
    assert used is not None and doubts == ()


def test_uncertainties_of_net_intensities_are_used() -> None:
    counts = _RNG.poisson(_pattern(150.0))
    used, _ = judge_uncertainty(np.sqrt(counts), counts - _background(150.0), named=False)
    assert used is not None


@pytest.mark.parametrize("level", [3.0, 40.0, 150.0, 4000.0])
@pytest.mark.parametrize("factor", [1.0, 1e-4])
@pytest.mark.parametrize(
    "kind", ["background", "whole", "calculated", "difference", "time", "ramp", "monitor"]
)
def test_other_columns_are_left_out(level: float, factor: float, kind: str) -> None:
    true = _pattern(level)
    counts = _RNG.poisson(true).astype(float)
    column = {
        "background": _background(level) * factor,
        "whole": np.round(_background(level)) * factor,
        "calculated": true * factor,
        "difference": np.abs(counts - true) * factor,
        "time": np.where(_X < 30, 1.0, 3.0),
        "ramp": 1.0 + _X / 50,
        "monitor": _RNG.poisson(1e5, _X.size).astype(float),
    }[kind]
    used, doubts = judge_uncertainty(column, counts * factor, named=False)
    assert used is None
    assert doubts[0][0] == "COLUMN_IGNORED"


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("factor", [0.05, 20.0])
def test_counts_that_scatter_by_their_root_have_no_other_uncertainty(factor: float, named: bool) -> None:
    counts = _RNG.poisson(_pattern(150.0)).astype(float)
    used, doubts = judge_uncertainty(factor * np.sqrt(counts), counts, named=named)
    assert used is None
    assert "counts" in doubts[0][1]


def test_the_background_of_the_case_is_left_out(data_dir: Path) -> None:
    scan = read_scan(data_dir / "cases/10-background-as-third-column/Mn2O3+LiF.xy")
    assert scan.sigma is None
    assert "COLUMN_IGNORED" in dict(scan.warnings)
    assert len(scan) == 9001


def test_every_sample_file_keeps_its_uncertainties(data_dir: Path) -> None:
    with_sigma = [p for p in (data_dir / "formats/xye").iterdir() if p.stem not in ("xylib_with_sigma",)]
    with_sigma = [p for p in with_sigma if p.name != "datalab_example_mythen.xye"]
    assert len(with_sigma) == 8
    for path in with_sigma:
        assert read_scan(path).sigma is not None, path.name
