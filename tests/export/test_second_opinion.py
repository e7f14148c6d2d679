from __future__ import annotations

import dataclasses

import pytest

from mixrd.analysis import Analysis
from mixrd.analysis.result.second_opinion import SecondOpinion, in_sigmas, second_opinion_warnings
from mixrd.errors import UsageError
from mixrd.export import with_second_opinion
from mixrd.scan import Scan

OURS = {"corundum": 40.0, "fluorite": 60.0}


def opinion(corundum: float, distance: float) -> SecondOpinion:
    values = {"corundum": corundum, "fluorite": 100 - corundum}
    return SecondOpinion("rietx", "1", values, {}, {"corundum": distance, "fluorite": -distance}, 0.1, 1.0)


@pytest.mark.slow
def test_rietx_agrees_on_a_clean_scan(analysis: Analysis, scan: Scan) -> None:
    found = with_second_opinion(analysis, scan)
    assert found.second_opinion is not None
    assert found.second_opinion.weight_percent == pytest.approx(
        {p.name: p.apparent_percent for p in analysis.phases}, abs=1.0
    )
    assert found.second_opinion.r_wp is not None and found.second_opinion.r_wp < 0.2
    assert vars(Analysis.from_json(found.to_json()))["second_opinion"] == found.second_opinion
    assert not [w for w in found.warnings if w.code.startswith("SECOND_OPINION")]


def test_a_fit_that_dies_is_no_opinion(
    analysis: Analysis, scan: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    import rietx

    def dies(*_: object, **__: object) -> None:
        raise RuntimeError("singular")

    monkeypatch.setattr(rietx.Refinement, "fit", dies)
    found = with_second_opinion(analysis, scan)
    assert found.second_opinion is not None and found.second_opinion.weight_percent == {}
    assert [w.code for w in found.warnings if w.code.startswith("SECOND")] == ["SECOND_OPINION_MISSING"]
    assert "singular" in found.warnings[-1].message
    assert found.fractions == analysis.fractions


def test_distance_in_combined_uncertainties() -> None:
    assert in_sigmas(33.0, 0.3, 32.0, 0.4) == pytest.approx(2.0)
    assert in_sigmas(33.0, None, 32.0, 0.5) == pytest.approx(2.0)
    assert abs(in_sigmas(33.0, 0.0, 32.0, 0.0)) < 1000


@pytest.mark.parametrize(
    ("corundum", "distance", "warned"),
    [(45.0, 5.0, True), (45.0, 2.0, False), (40.5, 5.0, False), (35.0, -5.0, True)],
)
def test_when_it_warns(corundum: float, distance: float, warned: bool) -> None:
    found = second_opinion_warnings(opinion(corundum, distance), OURS)
    assert [w.code for w in found] == ["SECOND_OPINION_DISAGREES"] * 2 * warned
    assert {w.phase for w in found} == (set(OURS) if warned else set())


def test_only_what_can_be_asked(analysis: Analysis, scan: Scan) -> None:
    with pytest.raises(UsageError, match="rietx"):
        with_second_opinion(analysis, scan, "word")
    with pytest.raises(UsageError, match="no refinement"):
        with_second_opinion(dataclasses.replace(analysis, refined_model=None), scan)
