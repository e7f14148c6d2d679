"""Candidates that are not in the sample are left out, and only they."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from mixrd.analysis.inputs.setup import part_of
from mixrd.analysis.result.intervals import quantities
from mixrd.crystal import Crystal
from mixrd.fit import absent_phases
from mixrd.fit.absent_phases import LARGEST_COST, refine_candidates
from mixrd.fit.lockstep import Steps
from mixrd.fit.staging import SampleRefinement, refine_sample
from mixrd.pattern import Instrument
from mixrd.phases import load_phase
from mixrd.scan import Scan

MakeScan = Callable[..., Scan]


@pytest.fixture(scope="module")
def absent() -> list[Crystal]:
    return [load_phase(name) for name in ("corundum", "quartz")]


def refined(scan: Scan, crystals: list[Crystal], instrument: Instrument) -> SampleRefinement:
    part = part_of(scan, (0.0, 180.0))
    return refine_candidates(crystals, instrument, *part, counted=True)


def with_all(scan: Scan, crystals: list[Crystal], instrument: Instrument) -> SampleRefinement:
    return refine_sample(crystals, instrument, *part_of(scan, (0.0, 180.0)), counted=True)


def test_absent_candidates_are_left_out(
    make_scan: MakeScan, crystals: list[Crystal], absent: list[Crystal], instrument: Instrument
) -> None:
    """Stated as nothing with a limit, whatever their place in the list; the others as without them."""
    # In other noise a trace of them stays, far below what is said to be seen.
    scan = make_scan(crystals, (30, 70), strain=(0.001, -0.0005), size_nm=(80.0, 150.0), seed=1)
    order = [absent[0], crystals[0], absent[1], crystals[1]]
    found = refined(scan, order, instrument)
    fit = found.refinement
    assert (fit.masses > 0).tolist() == [False, True, False, True]
    assert fit.weight_fractions == pytest.approx([0, 0.3, 0, 0.7], abs=0.006)
    alone = with_all(scan, crystals, instrument).refinement
    assert fit.weight_fractions[[1, 3]] == pytest.approx(alone.weight_fractions, abs=0.002)
    assert fit.r_wp == pytest.approx(alone.r_wp, rel=0.01)
    # All that is said of phases has a place for each, in the order of the candidates.
    assert [len(strain) for strain in fit.strain] == [2, 1, 2, 1]
    assert fit.strain[1][0] == pytest.approx(0.001, abs=3e-4)
    assert fit.contributions.shape[0] == len(fit.noise_sigma) == len(found.shift) == 4
    assert fit.contributions[[0, 2]].max() == 0
    assert fit.background + fit.contributions.sum(0) == pytest.approx(fit.calculated)
    assert (fit.mass_covariance[[0, 2]] == 0).all() and (np.diag(fit.mass_covariance)[[1, 3]] > 0).all()
    assert (fit.texture == 1).all()

    amounts = quantities(fit, found.presence)
    assert amounts.detected.tolist() == [False, True, False, True]
    for p in (0, 2):
        assert (amounts.fractions[p], amounts.low[p]) == (0.0, 0.0)
        assert amounts.high[p] == pytest.approx(amounts.detection_limit[p])
        assert 0.0005 < amounts.detection_limit[p] < 0.02
    # What is there is as sure as without them, but for what may be missed.
    plain = quantities(alone, with_all(scan, crystals, instrument).presence)
    assert amounts.sigma[[1, 3]] == pytest.approx(plain.sigma, rel=0.2)
    assert found.presence.line_scatter < 0.05


@pytest.mark.parametrize("seed", range(4))
def test_whatever_the_noise_absent_candidates_change_nothing(
    make_scan: MakeScan, crystals: list[Crystal], absent: list[Crystal], instrument: Instrument, seed: int
) -> None:
    scan = make_scan(crystals, (30, 70), seed=seed)
    found = quantities(*parts(refined(scan, [*crystals, *absent], instrument)))
    alone = quantities(*parts(refined(scan, crystals, instrument)))
    assert found.detected.tolist() == [True, True, False, False]
    assert found.fractions[:2] == pytest.approx(alone.fractions, abs=0.003)
    assert found.sigma[:2] == pytest.approx(alone.sigma, rel=0.3)
    assert (found.fractions[2:] < found.detection_limit[2:]).all() and (found.high[2:] < 0.01).all()


def test_a_limit_is_one(
    make_scan: MakeScan, crystals: list[Crystal], absent: list[Crystal], instrument: Instrument
) -> None:
    """What is there at three times the stated limit is detected, at a tenth of it is not."""
    names = [*crystals, absent[1]]
    limit = quantities(*parts(refined(make_scan(crystals, (30, 70)), names, instrument))).detection_limit[2]
    for times, detected in ((3.0, True), (0.1, False)):
        share = 100 * times * limit
        weights = (0.3 * (100 - share), 0.7 * (100 - share), share)
        found = quantities(*parts(refined(make_scan(names, weights), names, instrument)))
        assert bool(found.detected[2]) is detected
        assert found.low[2] <= share / 100 <= found.high[2]


def parts(sample: SampleRefinement) -> tuple:
    return sample.refinement, sample.presence


@pytest.mark.parametrize("seed", range(3))
def test_one_percent_stays(
    make_scan: MakeScan, crystals: list[Crystal], absent: list[Crystal], instrument: Instrument, seed: int
) -> None:
    names = [*crystals, absent[0]]
    found = refined(make_scan(names, (30, 69, 1), seed=seed), names, instrument)
    assert found.refinement.masses[2] > 0
    amounts = quantities(found.refinement, found.presence)
    assert amounts.detected[2]
    assert amounts.fractions[2] == pytest.approx(0.01, abs=0.003)
    assert amounts.low[2] < 0.01 < amounts.high[2]


def test_what_an_absent_phase_took_is_given_back(
    make_scan: MakeScan, crystals: list[Crystal], instrument: Instrument
) -> None:
    """Lines that are too strong tempt a candidate that has lines nearby."""
    scan = make_scan(crystals, (30, 70))
    near = dataclasses.replace(
        load_phase("periclase"), name="near", cell=(5.47, 5.47, 5.47, 90.0, 90.0, 90.0)
    )
    # Fluorite's cell, and halite's kind of structure: it lies on half the lines of what is there.
    found = refined(scan, [*crystals, near], instrument)
    amounts = quantities(found.refinement, found.presence)
    assert not amounts.detected[2]
    assert amounts.low[2] == 0.0
    assert (amounts.low <= [0.3, 0.7, 0.0]).all() and (amounts.high >= [0.3, 0.7, 0.0]).all()


def test_a_removal_that_costs_too_much_is_refused(
    make_scan: MakeScan,
    crystals: list[Crystal],
    absent: list[Crystal],
    instrument: Instrument,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Lines may speak against a phase without which the fit is much worse: then it stays, and is unsure."""
    names = [*crystals, absent[0]]
    scan = make_scan(names, (30, 50, 20))
    monkeypatch.setattr(absent_phases, "DOUBTED_LOG_ODDS", 1e9)
    original = absent_phases.sample_steps
    calls: list[int] = []

    def doubting(phases: list[Crystal], *arguments: object, **more: object) -> Steps[SampleRefinement]:
        """As if the lines of the third spoke against it, whatever they say, and only against it."""
        found = yield from original(phases, *arguments, **more)
        calls.append(len(phases))
        if len(phases) < 3:
            return found
        odds = np.array([np.inf, np.inf, 0.0])
        return dataclasses.replace(found, presence=dataclasses.replace(found.presence, log_odds=odds))

    monkeypatch.setattr(absent_phases, "sample_steps", doubting)
    found = refined(scan, names, instrument)
    assert calls == [3, 2], "it was tried"
    assert found.refinement.weight_fractions == pytest.approx([0.3, 0.5, 0.2], abs=0.01)
    cost = with_all(scan, crystals, instrument).refinement.r_wp / found.refinement.r_wp - 1
    assert cost > LARGEST_COST
    # The same with as little of it that nothing is lost.
    trace = refined(make_scan(names, (30, 69.98, 0.02)), names, instrument)
    assert calls[2:] == [3, 2]
    assert trace.refinement.masses[2] == 0


def test_noise_alone_is_refined_once(
    scan: Scan, crystals: list[Crystal], instrument: Instrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = np.random.default_rng(0).poisson(200.0, len(scan)).astype(float)
    calls = []
    original = absent_phases.sample_steps

    def counted(phases: list[Crystal], *arguments: object, **more: object) -> Steps[SampleRefinement]:
        calls.append(len(phases))
        return original(phases, *arguments, **more)

    monkeypatch.setattr(absent_phases, "sample_steps", counted)
    refined(dataclasses.replace(scan, counts=counts), crystals, instrument)
    assert calls == [2]
