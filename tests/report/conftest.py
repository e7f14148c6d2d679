"""A made-up result with everything in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from mixrd.analysis import Analysis, AnalysisWarning, Curves, PhaseResult


def _curves(phases: int) -> Curves:
    two_theta = np.linspace(20, 80, 1201)
    centres = np.linspace(25, 75, phases)
    contributions = np.array([900 * np.exp(-(((two_theta - c) / 0.3) ** 2)) for c in centres])
    background = 40 + 20 * np.exp(-(two_theta - 20) / 20)
    calculated = background + contributions.sum(axis=0)
    observed = np.random.default_rng(1).poisson(calculated).astype(float)
    marks = tuple(np.array([c, c + 3]) for c in centres)
    return Curves(two_theta, observed, calculated, background, contributions, marks)


def _phase(index: int, count: int) -> PhaseResult:
    return PhaseResult(
        name=f"phase-{index}",
        formula="Al2O3",
        weight_percent=100 / count,
        sigma_percent=0.123,
        network_percent=100 / count + 1.5,
        refined_percent=100 / count,
        cell=(4.7592, 4.7592, 12.9925, 90.0, 90.0, 120.0),
        crystallite_size_nm=None if index else 151.6,
        microstrain=2e-4,
        density_g_cm3=3.98,
    )


@pytest.fixture
def make_analysis() -> Callable[..., Analysis]:
    """Results of so many phases; further arguments replace fields."""

    def make(phases: int = 3, **changes: object) -> Analysis:
        analysis = Analysis(
            status="ok",
            file="made-up.xy",
            phases=tuple(_phase(i, phases) for i in range(phases)),
            r_wp=0.0912,
            r_exp=0.0776,
            zero_deg=0.0123,
            displacement_mm=-0.05,
            seconds={"network": 0.012, "refined": 0.83},
            warnings=(AnalysisWarning("POOR_FIT", "the fit misses more than noise"),),
            error=None,
            provenance={"mixrd": "0"},
            curves=_curves(phases),
        )
        return dataclasses.replace(analysis, **changes)

    return make


@pytest.fixture
def failed_analysis() -> Analysis:
    return Analysis("failed", "broken.xy", (), None, None, None, None, {}, (), "no data. Export it again", {})
