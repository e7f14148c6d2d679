"""Conservative resampling."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixrd.errors import ScanError
from mixrd.scan import read_scan, rebin
from mixrd.scan.resample import cell_edges

_steps = st.lists(st.floats(0.005, 0.5), min_size=2, max_size=80)


@settings(max_examples=100, deadline=None)
@given(_steps, st.integers(1, 200), st.randoms(use_true_random=False))
def test_counts_and_variance_are_conserved(steps: list[float], bins: int, random: object) -> None:
    x = 10.0 + np.cumsum(steps)
    rng = np.random.default_rng(random.randrange(2**32))  # type: ignore[attr-defined]
    y, sigma = rng.poisson(50, x.size).astype(float), rng.uniform(1, 9, x.size)
    limits = cell_edges(x)
    inner = np.sort(rng.uniform(limits[0], limits[-1], bins))
    edges = np.unique(np.concatenate((limits[:1], inner, limits[-1:])))
    counts, variance = rebin(x, y, edges, sigma=sigma)
    assert counts.sum() == pytest.approx(y.sum(), rel=1e-9)
    assert variance.sum() == pytest.approx(np.sum(sigma**2), rel=1e-9)
    assert np.all(counts >= -1e-9)


@settings(max_examples=50, deadline=None)
@given(_steps)
def test_identity_when_bins_are_the_steps(steps: list[float]) -> None:
    x = 10.0 + np.cumsum(steps)
    y = np.arange(x.size) ** 2 % 23 + 0.0
    counts, variance = rebin(x, y, cell_edges(x))
    np.testing.assert_allclose(counts, y, atol=1e-9 * max(y.sum(), 1))
    np.testing.assert_allclose(variance, np.maximum(y, 1.0), atol=1e-8 * max(y.sum(), 1))


def test_rebinning_in_two_stages_is_rebinning_once() -> None:
    x = np.linspace(10, 20, 501)
    y = np.random.default_rng(1).poisson(100, x.size).astype(float)
    fine = cell_edges(x)
    middle = fine[::3]
    coarse = middle[::4]
    first = rebin(x, y, middle)
    np.testing.assert_allclose(
        np.add.reduceat(first.counts, np.arange(0, 4 * (coarse.size - 1), 4))[:-1],
        rebin(x, y, coarse).counts[:-1],
    )


def test_variance_is_that_of_counted_noise() -> None:
    """Bins of several whole cells: the scatter of many noisy scans is the variance given."""
    x = np.linspace(10, 12, 201)
    edges = cell_edges(x)[::5]
    rng = np.random.default_rng(0)
    drawn = np.array([rebin(x, rng.poisson(40.0, x.size), edges).counts for _ in range(4000)])
    expected = rebin(x, np.full(x.size, 40.0), edges).variance
    np.testing.assert_allclose(drawn.var(axis=0), expected, rtol=0.12)


def test_nothing_is_extrapolated() -> None:
    x = np.linspace(10, 20, 101)
    for edges in ([9.9, 12.0], [12.0, 20.06], [9.0, 30.0]):
        with pytest.raises(ScanError, match="beyond the scan"):
            rebin(x, np.ones(101), edges)
    assert rebin(x, np.ones(101), [9.95, 20.05]).counts[0] == pytest.approx(101)


@pytest.mark.parametrize(
    ("x", "y", "edges", "sigma"),
    [
        ([1, 2, 2], [1, 1, 1], [1, 2], None),
        ([1, 2, 3], [1, 1], [1, 2], None),
        ([1, 2, 3], [1, 1, 1], [2, 1], None),
        ([1, 2, 3], [1, 1, 1], [2], None),
        ([1, 2, 3], [1, 1, 1], [1, 2], [1, 1]),
        ([1], [1], [1, 2], None),
    ],
)
def test_arrays_that_do_not_fit(
    x: list[float], y: list[float], edges: list[float], sigma: list[float]
) -> None:
    with pytest.raises(ScanError):
        rebin(x, y, edges, sigma=sigma)


def test_scans_of_different_step_have_one_shape(data_dir: Path) -> None:
    """The two scans of one mixture, steps 0.0109 and 0.0435 deg, agree within their noise after rebinning."""
    stem = "measured/dara/ZnO_0p4006-In2O3_0p6008--"
    coarse, fine = (read_scan(data_dir / f"{stem}{time}min.xrdml") for time in (2, 8))
    edges = np.arange(20.0, 95.0, 0.2)
    a, b = (rebin(s.two_theta, s.counts, edges) for s in (coarse, fine))
    steps = [float(np.median(np.diff(s.two_theta))) for s in (coarse, fine)]
    assert steps == pytest.approx([0.0435, 0.0109], abs=2e-4)
    ratio = b.counts.sum() / a.counts.sum()
    pull = (b.counts - ratio * a.counts) / np.sqrt(b.variance + ratio**2 * a.variance)
    assert np.median(np.abs(pull)) < 1.5
    assert np.corrcoef(a.counts, b.counts)[0, 1] > 0.995
