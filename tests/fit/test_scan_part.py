"""Merged points of a scan."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from mixrd.fit.scan_part import POINTS_PER_FWHM, ScanPart, points_to_merge
from mixrd.pattern import load_instrument


def part(grid: np.ndarray) -> ScanPart:
    counts = torch.arange(float(len(grid)), dtype=torch.float64)[None] + 10
    return ScanPart(torch.tensor(grid), counts, counts.sqrt(), torch.ones(1, len(grid), dtype=torch.float64))


def test_means_have_smaller_errors() -> None:
    merged = part(np.arange(10.0, 20.0, 0.01)).merged(3)
    assert merged.count == 3
    assert float(merged.two_theta[0]) == pytest.approx(10.01)
    assert float(merged.observed[0, 0]) == pytest.approx(11.0)
    assert float(merged.sigma[0, 0]) == pytest.approx((11.0 / 3) ** 0.5)
    assert float(merged.weighed_by(merged.observed).sigma[0, 0]) == pytest.approx((11.0 / 3) ** 0.5)


def test_nothing_is_merged_across_a_gap() -> None:
    grid = np.arange(10.0, 20.0, 0.01)
    kept = grid[(grid < 14.005) | (grid > 15.005)]
    merged = part(kept).merged(4)
    distance = np.abs(merged.two_theta.numpy()[:, None] - kept).min(axis=1)
    assert distance.max() < 0.0051
    assert len(merged.two_theta) == len(kept) // 4 - 1


def test_a_change_of_step_is_no_gap() -> None:
    grid = np.concatenate([np.arange(10.0, 15.0, 0.01), np.arange(15.0, 20.0, 0.04)])
    assert len(part(grid).merged(3).two_theta) == len(grid) // 3


def test_lines_keep_their_shape() -> None:
    instrument = load_instrument("lab-cu")
    fine = torch.arange(20.0, 90.0, 0.002, dtype=torch.float64)
    count = points_to_merge(fine, instrument)
    narrow = dataclasses.replace(
        instrument, profile=dataclasses.replace(instrument.profile, u=0.0, v=0.0, w=0.0026, x=0.0, y=0.0)
    )
    assert points_to_merge(fine, narrow) == int(0.05 / POINTS_PER_FWHM / 0.002)
    assert 5 < count < 40
    assert points_to_merge(torch.arange(20.0, 90.0, 0.05, dtype=torch.float64), instrument) == 1
