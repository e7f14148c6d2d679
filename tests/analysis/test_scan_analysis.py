from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mixrd.analysis import Analysis, Preparation, analyze, analyze_many, recipe_for
from mixrd.crystal import Crystal
from mixrd.errors import CrystalError, InputError, ModelError, RadiationError, UsageError
from mixrd.network import Model
from mixrd.pattern import Instrument, load_instrument
from mixrd.phases import load_phase
from mixrd.scan import Scan, write_scan

MakeScan = Callable[..., Scan]
#: The powders of simulated scans: too fine to absorb, so that nothing is to be said of their particles.
FINE = Preparation(particle_size_um=0.0)


def numbers_in(data: Any) -> list[float]:
    if isinstance(data, dict):
        return [x for value in data.values() for x in numbers_in(value)]
    if isinstance(data, list):
        return [x for value in data for x in numbers_in(value)]
    return [float(data)] if isinstance(data, (int, float)) else []


def assert_sound(result: Analysis) -> None:
    assert result.status == "ok" and result.error is None
    assert result.statement.kind == "amounts"
    assert sum(result.fractions.values()) == pytest.approx(100, abs=1e-4)
    assert all(p.weight_percent is not None and p.weight_percent >= 0 for p in result.phases)
    assert_plain(result)


def assert_plain(result: Analysis) -> None:
    """It survives as JSON, and holds finite numbers alone."""
    again = Analysis.from_json(result.to_json())
    assert {k: v for k, v in vars(again).items() if k != "curves"} == {
        k: v for k, v in vars(result).items() if k != "curves"
    }
    assert all(math.isfinite(x) for x in numbers_in(json.loads(result.to_json())))


def test_refined_without_a_network(scan: Scan, crystals: list[Crystal], instrument: Instrument) -> None:
    result = analyze(scan, crystals, instrument, preparation=FINE)
    assert_sound(result)
    assert result.fractions == pytest.approx({"fluorite": 30, "halite": 70}, abs=1.0)
    fluorite = result.phases[0]
    assert (fluorite.name, fluorite.formula) == ("fluorite", "CaF2")
    assert fluorite.network_percent is None
    assert fluorite.refined_percent == fluorite.weight_percent
    assert fluorite.sigma_percent is not None and 0 < fluorite.sigma_percent < 1.5
    assert fluorite.cell is not None
    assert fluorite.cell[0] == pytest.approx(crystals[0].cell[0] * 1.001, rel=4e-4)
    assert fluorite.cell[3:] == pytest.approx((90, 90, 90))
    assert result.file == "made.xy"
    assert set(result.seconds) == {"refined"}
    assert result.provenance["model_sha256"] is None
    assert result.provenance["radiation"] == "CuKa"
    assert result.warnings == ()


def test_network_and_refinement(
    scan: Scan, crystals: list[Crystal], instrument: Instrument, model: Model
) -> None:
    result = analyze(scan, crystals, instrument, model=model)
    assert_sound(result)
    assert result.fractions == pytest.approx({"fluorite": 30, "halite": 70}, abs=1.0)
    network = [p.network_percent for p in result.phases]
    assert all(x is not None for x in network) and sum(x or 0 for x in network) == pytest.approx(
        100, abs=1e-3
    )
    assert set(result.seconds) == {"network", "refined"}
    assert result.provenance["model_sha256"] == model.sha256
    assert result.provenance["seed"] == 0


def test_the_network_only_chooses_the_start(
    scan: Scan, crystals: list[Crystal], instrument: Instrument, model: Model
) -> None:
    without, with_model = (
        analyze(scan, crystals, instrument),
        analyze(scan, crystals, instrument, model=model),
    )
    for one, other in zip(without.phases, with_model.phases, strict=True):
        assert one.sigma_percent is not None
        assert one.weight_percent == pytest.approx(other.weight_percent, abs=0.2 * one.sigma_percent)


def test_network_alone(scan: Scan, crystals: list[Crystal], instrument: Instrument, model: Model) -> None:
    result = analyze(scan, crystals, instrument, model=model, refine=False)
    assert_sound(result)
    assert result.curves is None and result.r_wp is None
    for phase in result.phases:
        assert phase.weight_percent == phase.network_percent
        assert phase.sigma_percent is None and phase.refined_percent is None and phase.cell is None
    # A hasty training, but not a guess.
    assert result.fractions["fluorite"] == pytest.approx(30, abs=25)


def test_the_models_phases_and_instrument_are_the_default(scan: Scan, model: Model) -> None:
    bare = dataclasses.replace(scan, wavelength_angstrom=None)
    result = analyze(bare, [], model=model, refine=False)
    assert set(result.fractions) == {"fluorite", "halite"}
    assert result.provenance["instrument"] == model.problem.instrument.name


def test_phases_in_another_order_than_the_models(
    scan: Scan, crystals: list[Crystal], instrument: Instrument, model: Model
) -> None:
    reversed_phases = crystals[::-1]
    result = analyze(scan, reversed_phases, instrument, model=model)
    assert result.fractions == pytest.approx({"fluorite": 30, "halite": 70}, abs=1.0)
    straight = analyze(scan, crystals, instrument, model=model, refine=False)
    other = analyze(scan, reversed_phases, instrument, model=model, refine=False)
    assert other.fractions == straight.fractions
    assert [c.name for c in reversed_phases] == ["halite", "fluorite"], "the caller's list is left alone"


def test_curves_are_for_plots(scan: Scan, crystals: list[Crystal], instrument: Instrument) -> None:
    curves = analyze(scan, crystals, instrument).curves
    assert curves is not None
    assert curves.contributions.shape == (2, len(curves.two_theta))
    inside = (scan.two_theta >= curves.two_theta[0]) & (scan.two_theta <= curves.two_theta[-1])
    assert np.array_equal(curves.observed, scan.counts[inside])
    assert curves.background + curves.contributions.sum(0) == pytest.approx(curves.calculated)
    for marks, contribution in zip(curves.marks, curves.contributions, strict=True):
        assert np.all(np.diff(marks) >= 0)
        strongest = curves.two_theta[contribution.argmax()]
        assert np.abs(marks - strongest).min() < instrument.step


@pytest.mark.parametrize("moved", [{"zero": 0.15}, {"displacement": 0.5}, {"strain": (0.006, 0.006)}])
def test_marks_stand_at_refined_positions(
    make_scan: MakeScan, crystals: list[Crystal], instrument: Instrument, moved: dict[str, Any]
) -> None:
    curves = analyze(make_scan(crystals, (50, 50), **moved), crystals, instrument).curves
    assert curves is not None
    for marks, contribution in zip(curves.marks, curves.contributions, strict=True):
        # The marks are those of K alpha1, so the peak's top is there or a little above.
        strongest = curves.two_theta[contribution.argmax()]
        assert np.abs(marks - strongest).min() < 0.75 * instrument.step


def assert_without_amounts(result: Analysis) -> None:
    assert result.fractions == {}
    assert result.interval_level is None and result.covariance_percent2 is None
    for phase in result.phases:
        assert phase.weight_percent is phase.sigma_percent is phase.interval_percent is None
        assert phase.refined_percent is phase.apparent_percent is phase.network_percent is None
        assert phase.detection_limit_percent is phase.quantification_limit_percent is None
    assert_plain(result)


def test_one_candidate_alone(make_scan: MakeScan, instrument: Instrument) -> None:
    """It is all of itself however little there is: only whether it is there is stated."""
    phase = [load_phase("corundum")]
    result = analyze(make_scan(phase, (1,)), phase, instrument)
    assert (result.statement.kind, result.phases[0].detected) == ("presence", True)
    assert "corundum is the only candidate" in result.statement.sentence
    assert_without_amounts(result)
    assert result.r_wp == pytest.approx(result.r_exp, rel=0.1)


def test_a_phase_that_is_not_there(
    make_scan: MakeScan, crystals: list[Crystal], instrument: Instrument
) -> None:
    scan = make_scan(crystals[:1], (1,))
    result = analyze(scan, [*crystals, load_phase("corundum")], instrument)
    assert_sound(result)
    assert result.fractions["fluorite"] > 99.5
    for phase in result.phases[1:]:
        assert phase.sigma_percent is not None and phase.interval_percent is not None
        assert phase.detected is False and phase.crystallite_size_nm is None
        assert (phase.weight_percent or 0.0) <= 4 * phase.sigma_percent + 1e-6
        assert phase.interval_percent[0] == 0
        # A limit that says something, and is kept.
        assert (phase.weight_percent or 0.0) <= phase.interval_percent[1] < 2.0


def test_nothing_but_noise(scan: Scan, crystals: list[Crystal], instrument: Instrument) -> None:
    counts = np.random.default_rng(0).poisson(200.0, len(scan)).astype(float)
    result = analyze(dataclasses.replace(scan, counts=counts), crystals, instrument)
    assert result.statement.kind == "none"
    assert "stands out from background and noise" in result.statement.reason
    assert "NO_PHASE_FOUND" in {w.code for w in result.warnings}
    assert not any(phase.detected for phase in result.phases)
    assert_without_amounts(result)


def test_no_phase_found_is_said(scan: Scan, crystals: list[Crystal], instrument: Instrument) -> None:
    """A scan that turns its lines upside down: every phase would need a negative mass."""
    upside_down = dataclasses.replace(scan, counts=scan.counts.max() + 1000 - scan.counts)
    result = analyze(upside_down, crystals, instrument)
    assert result.statement.kind == "none"
    assert "NO_PHASE_FOUND" in {w.code for w in result.warnings}
    assert_without_amounts(result)


def test_a_result_without_amounts_argues_about_none(
    make_scan: MakeScan, crystals: list[Crystal], instrument: Instrument, model: Model
) -> None:
    """Where no number is stated, no warning says what the two estimates are."""
    result = analyze(make_scan(crystals, (2, 98), strain=(0.03, 0.03)), crystals, instrument, model=model)
    assert result.statement.kind == "none"
    assert_without_amounts(result)
    assert not {"ESTIMATES_DISAGREE", "MICROABSORPTION"} & {w.code for w in result.warnings}
    assert not any("wt%" in w.message for w in result.warnings)


@pytest.mark.parametrize("factor", [1e-9, 1 / 20_000, 1e-2])
def test_intensities_that_are_no_counts(
    scan: Scan, crystals: list[Crystal], instrument: Instrument, factor: float
) -> None:
    result = analyze(dataclasses.replace(scan, counts=factor * scan.counts), crystals, instrument)
    assert_sound(result)
    assert result.fractions["fluorite"] == pytest.approx(30, abs=1.0)
    # 0.15 of noise, 0.3 because intensities are calculated to 1 % for each phase, 0.3 because halite absorbs
    # less and the size of the particles is not known.
    assert result.phases[0].sigma_percent == pytest.approx(0.44, rel=0.15)
    counted = analyze(scan, crystals, instrument)
    assert result.fractions["fluorite"] == pytest.approx(counted.fractions["fluorite"], abs=0.2)
    assert [p.detected for p in result.phases] == [True, True]
    limits = [[p.detection_limit_percent for p in one.phases] for one in (result, counted)]
    assert limits[0] == pytest.approx(limits[1], rel=0.3)


def test_negative_intensities_after_background_subtraction(
    scan: Scan, crystals: list[Crystal], instrument: Instrument, model: Model
) -> None:
    subtracted = dataclasses.replace(scan, counts=scan.counts - 250.0)
    for result in (
        analyze(subtracted, crystals, instrument),
        analyze(subtracted, crystals, instrument, model=model),
    ):
        assert_sound(result)
        assert result.fractions["fluorite"] == pytest.approx(30, abs=1.5)


def test_stated_uncertainties_set_those_of_the_result(
    scan: Scan, crystals: list[Crystal], instrument: Instrument
) -> None:
    # Counts over ten seconds in counts per second: the same scan, the same information.
    rate = dataclasses.replace(scan, counts=scan.counts / 10, sigma=np.sqrt(np.maximum(scan.counts, 1)) / 10)
    result, counted = analyze(rate, crystals, instrument), analyze(scan, crystals, instrument)
    assert result.fractions["fluorite"] == pytest.approx(counted.fractions["fluorite"], abs=0.2)
    assert result.phases[0].sigma_percent == pytest.approx(counted.phases[0].sigma_percent, rel=0.1)


def test_uneven_steps_and_a_gap(scan: Scan, crystals: list[Crystal], instrument: Instrument) -> None:
    keep = np.random.default_rng(0).uniform(size=len(scan)) < 0.6
    keep[(scan.two_theta > 34) & (scan.two_theta < 38)] = False
    result = analyze(
        dataclasses.replace(scan, two_theta=scan.two_theta[keep], counts=scan.counts[keep]),
        crystals,
        instrument,
    )
    assert_sound(result)
    assert result.fractions["fluorite"] == pytest.approx(30, abs=1.5)


def test_estimates_that_disagree_are_named(
    make_scan: MakeScan, crystals: list[Crystal], instrument: Instrument, model: Model
) -> None:
    # Not what the network was trained for: the cells are 2 % too large.
    for strain, disagree in ((0.02, {"fluorite", "halite"}), (0.0, set())):
        scan = make_scan(crystals, (90, 10), strain=(strain, strain))
        result = analyze(scan, crystals, instrument, model=model)
        assert_sound(result)
        assert result.fractions["fluorite"] == pytest.approx(90, abs=1)
        # A network knows nothing of the sizes of particles: it is compared before these are allowed for.
        network = {p.name: p.network_percent or 0.0 for p in result.phases}
        refined = {p.name: p.apparent_percent or 0.0 for p in result.phases}
        named = {w.phase for w in result.warnings if w.code == "ESTIMATES_DISAGREE"}
        assert named == {name for name in network if abs(network[name] - refined[name]) > 10} == disagree


def test_a_poor_fit_is_named(make_scan: MakeScan, crystals: list[Crystal], instrument: Instrument) -> None:
    scan = make_scan([*crystals, load_phase("corundum")], (30, 30, 40), peak=100_000)
    result = analyze(scan, crystals, instrument)
    assert "POOR_FIT" in {w.code for w in result.warnings}


def test_the_readers_doubts_are_named(scan: Scan, crystals: list[Crystal], instrument: Instrument) -> None:
    doubtful = dataclasses.replace(scan, warnings=(("NOT_COUNTS", "who knows"),))
    result = analyze(doubtful, crystals, instrument, preparation=FINE)
    assert [w.code for w in result.warnings] == ["NOT_COUNTS"]


@pytest.mark.parametrize("limits", [(20.0, 50.0), (70.0, 120.0)])
def test_the_instruments_range_cuts_nothing(
    scan: Scan, crystals: list[Crystal], instrument: Instrument, limits: tuple[float, float]
) -> None:
    """What was measured counts, also where an instrument was calibrated for another range."""
    other = dataclasses.replace(instrument, two_theta_range=limits)
    result = analyze(scan, crystals, other, preparation=FINE)
    plain = analyze(scan, crystals, instrument, preparation=FINE)
    assert result.curves is not None and np.array_equal(result.curves.two_theta, scan.two_theta)
    assert result.fractions == plain.fractions
    assert result.warnings == ()


def test_lines_below_the_first_of_all_candidates_are_seen(
    scan: Scan, crystals: list[Crystal], instrument: Instrument
) -> None:
    line = 2000 * np.exp(-0.5 * ((scan.two_theta - 21.5) / 0.06) ** 2)
    more = np.random.default_rng(8).poisson(line)
    both = dataclasses.replace(scan, counts=scan.counts + more)
    result = analyze(both, crystals, instrument, preparation=FINE)
    plain = analyze(scan, crystals, instrument, preparation=FINE)
    assert [w.code for w in result.warnings] == ["UNEXPLAINED_LINES"]
    assert result.unexplained is not None
    assert result.unexplained.lines[0]["two_theta_deg"] == pytest.approx(21.5, abs=0.05)
    assert result.fractions == pytest.approx(plain.fractions, abs=0.01)
    curves = result.curves
    assert curves is not None
    # Nobody explains the line, the background below it least.
    below = curves.two_theta < 24
    assert curves.calculated[below] == pytest.approx(curves.background[below])
    assert curves.background[below] == pytest.approx(200 * (1.5 - curves.two_theta[below] / 120), rel=0.1)


def test_wrong_requests(scan: Scan, crystals: list[Crystal], instrument: Instrument) -> None:
    with pytest.raises(UsageError, match="no candidate"):
        analyze(scan, [], instrument)
    with pytest.raises(UsageError, match="neither"):
        analyze(scan, crystals, instrument, refine=False)
    twin = dataclasses.replace(crystals[0], name="fluorspar")
    with pytest.raises(CrystalError, match="same structure"):
        analyze(scan, [*crystals, twin], instrument)
    with pytest.raises(CrystalError, match="same structure"):
        analyze(scan, [crystals[0], crystals[0]], instrument)


def test_radiation_that_is_missing_or_contradicts(
    scan: Scan, crystals: list[Crystal], instrument: Instrument
) -> None:
    with pytest.raises(RadiationError, match="does not say") as raised:
        analyze(dataclasses.replace(scan, wavelength_angstrom=None), crystals)
    assert "--radiation" in raised.value.remedy
    with pytest.raises(RadiationError, match="the file says"):
        analyze(dataclasses.replace(scan, wavelength_angstrom=1.78897), crystals, instrument)


def test_a_model_for_other_phases(
    scan: Scan, crystals: list[Crystal], instrument: Instrument, model: Model
) -> None:
    for phases in (crystals[:1], [crystals[0], load_phase("corundum")], [*crystals, load_phase("corundum")]):
        with pytest.raises(ModelError, match="the model is for fluorite, halite"):
            analyze(scan, phases, instrument, model=model)


@pytest.mark.parametrize("refine", [True, False])
def test_a_model_for_other_structures_of_these_names(
    scan: Scan, crystals: list[Crystal], instrument: Instrument, model: Model, refine: bool
) -> None:
    larger = dataclasses.replace(crystals[0], cell=(5.8, 5.8, 5.8, 90.0, 90.0, 90.0))
    other = dataclasses.replace(load_phase("periclase"), name="fluorite")
    for wrong in (larger, other):
        with pytest.raises(ModelError, match="another structure"):
            analyze(scan, [wrong, crystals[1]], instrument, model=model, refine=refine)
    # A cell within what the network was trained for is the same phase.
    near = dataclasses.replace(crystals[0], cell=(5.47, 5.47, 5.47, 90.0, 90.0, 90.0))
    assert analyze(scan, [near, crystals[1]], instrument, model=model, refine=False).status == "ok"


def test_a_model_for_other_radiation(scan: Scan, crystals: list[Crystal], model: Model) -> None:
    cobalt = dataclasses.replace(load_instrument("lab-co"), two_theta_range=(20.0, 60.0))
    bare = dataclasses.replace(scan, wavelength_angstrom=None)
    with pytest.raises(ModelError, match=r"trained for 1\.5405"):
        analyze(bare, crystals, cobalt, model=model, refine=False)


@pytest.mark.parametrize("refine", [True, False])
def test_a_model_whose_range_the_scan_does_not_cover(
    scan: Scan, crystals: list[Crystal], instrument: Instrument, model: Model, refine: bool
) -> None:
    part = scan.two_theta < 50
    short = dataclasses.replace(scan, two_theta=scan.two_theta[part], counts=scan.counts[part])
    with pytest.raises(ModelError, match="the model reads") as raised:
        analyze(short, crystals, instrument, model=model, refine=refine)
    assert raised.value.file == scan.path


def test_many_scans_go_on_after_bad_ones(
    scan: Scan, crystals: list[Crystal], instrument: Instrument, model: Model, tmp_path: Path
) -> None:
    good = tmp_path / "good.xy"
    write_scan(scan, good)
    (tmp_path / "bad.xy").write_text("this is\nno scan\n", encoding="utf-8")
    dark = dataclasses.replace(scan, counts=0 * scan.counts, path="dark.xy")
    seen: list[Analysis] = []
    scans = [tmp_path / "bad.xy", str(good), tmp_path / "none.xy", dark, scan]
    results = analyze_many(scans, crystals, instrument, model=model, on_scan=seen.append)
    assert [r.status for r in results] == ["failed", "ok", "failed", "failed", "ok"]
    assert [r.file for r in results] == ["bad.xy", "good.xy", "none.xy", "dark.xy", "made.xy"]
    assert seen == results
    for result in results:
        assert (result.error is None) == (result.status == "ok")
        assert Analysis.from_json(result.to_json()).status == result.status
        if result.status == "failed":
            assert result.fractions == {} and result.error and result.file in result.error
    assert results[1].fractions == pytest.approx(results[4].fractions, abs=0.05)


def test_many_with_a_request_that_cannot_be_fail_all(
    scan: Scan, crystals: list[Crystal], model: Model
) -> None:
    results = analyze_many([scan, scan], crystals[:1], model=model)
    assert [r.status for r in results] == ["failed", "failed"]
    assert all("the model is for" in (r.error or "") for r in results)


def test_failures_of_our_own_are_not_hidden(
    scan: Scan, crystals: list[Crystal], instrument: Instrument
) -> None:
    broken = dataclasses.replace(scan, counts=None)
    with pytest.raises((TypeError, AttributeError)):
        analyze_many([broken], crystals, instrument)


def test_the_recipe_of_a_scan_makes_a_model_that_reads_it(
    scan: Scan,
    crystals: list[Crystal],
    instrument: Instrument,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from mixrd.training import train

    monkeypatch.setenv("MIXRD_CACHE", str(tmp_path))
    model = train(recipe_for(scan, crystals, instrument, steps=2, batch=8), device="cpu")
    assert analyze(scan, crystals, instrument, model=model, refine=False).status == "ok"


@pytest.mark.parametrize("architecture", ["mlp", "compact-heads"])
def test_a_network_that_knows_no_sizes(
    scan: Scan,
    crystals: list[Crystal],
    instrument: Instrument,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    architecture: str,
) -> None:
    """One of fractions alone leaves the refinement as it is without; one of strains still begins it."""
    from mixrd.training import train

    monkeypatch.setenv("MIXRD_CACHE", str(tmp_path))
    recipe = recipe_for(scan, crystals, instrument, steps=2, batch=8, architecture=architecture)
    found = analyze(scan, crystals, instrument, model=train(recipe, device="cpu"))
    alone = analyze(scan, crystals, instrument)
    for one, other in zip(found.phases, alone.phases, strict=True):
        assert one.network_percent is not None and other.network_percent is None
        assert one.refined_percent is not None
        if architecture == "mlp":
            assert one.refined_percent == other.refined_percent


def test_errors_are_input_errors(scan: Scan, crystals: list[Crystal]) -> None:
    with pytest.raises(InputError) as raised:
        analyze(dataclasses.replace(scan, wavelength_angstrom=None), crystals)
    assert raised.value.exit_code == 2
