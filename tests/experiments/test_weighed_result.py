"""Figures of a benchmark on weighed mixtures, by hand."""

from __future__ import annotations

import pytest

from mixrd.analysis import AnalysisWarning
from mixrd.experiments.weighed_result import WeighedBenchmark, WeighedSample


def test_warnings_are_counted_by_how_far_a_sample_is_off() -> None:
    def sample(off: float, *codes: str) -> WeighedSample:
        return WeighedSample(
            file="x.xy",
            group={},
            truth={"a": 50.0, "b": 50.0},
            network=None,
            refined={"a": 50.0 + off, "b": 50.0 - off},
            seconds={"network": None, "refined": 1.0},
            warnings=tuple(AnalysisWarning(code, "") for code in codes),
        )

    samples = (sample(1.0), sample(1.5, "TEXTURE"), sample(2.0, "POOR_FIT"), sample(4.0, "MICROABSORPTION"))
    assert WeighedBenchmark(samples).doubts() == {
        "within": {"samples": 2, "warned": 1},
        "between": {"samples": 1, "warned": 0},
        "above": {"samples": 1, "warned": 1},
    }


def test_mean_is_over_candidates_then_over_samples() -> None:
    def sample(truth: dict[str, float], found: dict[str, float]) -> WeighedSample:
        return WeighedSample("x", {}, truth, None, found, {"network": None, "refined": 2.0})

    result = WeighedBenchmark(
        (
            sample({"a": 50.0, "b": 50.0}, {"a": 44.0, "b": 56.0}),
            sample({"a": 50.0, "b": 50.0, "c": 0.0}, {"a": 49.0, "b": 49.0, "c": 2.0}),
            WeighedSample("y", {}, {"a": 1.0}, None, None, {"network": None, "refined": None}),
        )
    )
    summary = result.summary("refined")
    assert summary is not None
    assert summary["mae_wt"] == pytest.approx((6.0 + 4 / 3) / 2)
    assert summary["worst_wt"] == pytest.approx(6.0)
    assert summary["tvd"] == pytest.approx((0.06 + 0.02) / 2)
    assert summary["samples"] == 2


def test_coverage_counts_phases_and_scans() -> None:
    def sample(intervals: dict[str, tuple[float, float]] | None) -> WeighedSample:
        seconds = {"network": None, "refined": 2.0}
        found = {"a": 44.0, "b": 57.0}
        return WeighedSample("x", {}, {"a": 50.0, "b": 50.0}, None, found, seconds, intervals)

    result = WeighedBenchmark((sample({"a": (40.0, 52.0), "b": (52.0, 60.0)}), sample(None)))
    found = result.coverage()
    assert found is not None
    assert (found["covered"], found["intervals"]) == (0.5, 2)
    assert found["median_half_width_wt"] == pytest.approx(5.0)
    assert found["median_error_wt"] == pytest.approx(6.5)
    assert WeighedBenchmark((sample(None),)).coverage() is None
