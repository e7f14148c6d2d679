"""Regions that a refinement leaves out."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from mixrd.analysis import Analysis, Preparation, analyze, parse_regions, without_regions
from mixrd.errors import ScanError, UsageError
from mixrd.mixture import Composition, ScanSettings, simulate
from mixrd.pattern import load_instrument
from mixrd.phases import load_phase
from mixrd.scan import Scan


def test_regions_are_read() -> None:
    assert parse_regions(["26.2-27.1", "40-41"]) == ((26.2, 27.1), (40.0, 41.0))
    for text in ("26.2", "27-26", "a-b", "170-190", "-3-5"):
        with pytest.raises(UsageError, match="no region"):
            parse_regions([text])


def test_points_go_and_the_rest_stays() -> None:
    grid = np.arange(10.0, 20.0, 0.5)
    scan = Scan(grid, grid**2, sigma=grid)
    kept = without_regions(scan, [(12.0, 13.0), (19.5, 30.0)])
    assert kept.two_theta.tolist() == [x for x in grid if not (12 <= x <= 13 or x >= 19.5)]
    assert (kept.counts == kept.two_theta**2).all()
    assert kept.sigma is not None and (kept.sigma == kept.two_theta).all()
    assert without_regions(scan, ()) is scan


def test_a_foreign_line_is_left_out() -> None:
    instrument = dataclasses.replace(load_instrument("lab-cu"), two_theta_range=(22.0, 70.0), step=0.03)
    crystals = [load_phase("corundum"), load_phase("zincite")]
    mixture = Composition(("corundum", "zincite"), (60.0, 40.0))
    generator, settings = torch.Generator().manual_seed(4), ScanSettings(peak_counts=20_000)
    scan = simulate(crystals, mixture, instrument, generator=generator, settings=settings).scan
    line = 30_000 * np.exp(-0.5 * ((scan.two_theta - 50.0) / 0.1) ** 2)
    spoiled = dataclasses.replace(scan, counts=np.round(scan.counts + line))
    kept = analyze(spoiled, crystals, instrument, preparation=Preparation(excluded=((49.2, 50.8),)))
    assert "UNEXPLAINED_LINES" in {w.code for w in analyze(spoiled, crystals, instrument).warnings}
    assert "UNEXPLAINED_LINES" not in {w.code for w in kept.warnings}
    assert kept.fractions["corundum"] == pytest.approx(60, abs=1.0)
    assert kept.provenance["preparation"] == {"excluded_deg": [[49.2, 50.8]]}
    assert kept.curves is not None
    assert np.abs(kept.curves.two_theta - 50).min() > 0.8
    # Its diagonal is that of the phases, and fractions that sum to 1 vary against each other.
    covariance = np.array(kept.covariance_percent2)
    assert np.sqrt(np.diag(covariance)) == pytest.approx([p.sigma_percent for p in kept.phases], rel=1e-6)
    assert covariance.sum(axis=0) == pytest.approx(0, abs=1e-6)
    assert Analysis.from_json(kept.to_json()).covariance_percent2 == kept.covariance_percent2
    with pytest.raises(ScanError):
        analyze(spoiled, crystals, instrument, preparation=Preparation(excluded=((10.0, 80.0),)))
