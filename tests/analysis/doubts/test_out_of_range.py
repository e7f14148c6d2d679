from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from mixrd.analysis.doubts.out_of_range import out_of_range_warnings, trained_ranges
from mixrd.analysis.inputs.setup import part_of
from mixrd.analysis.interval_calibration import simulated
from mixrd.analysis.result.intervals import quantities
from mixrd.crystal import Crystal
from mixrd.errors import ModelError
from mixrd.fit.refinement import Refinement
from mixrd.fit.staging import SampleRefinement, refine_sample
from mixrd.mixture import MixtureSampler, SampleRanges
from mixrd.network import Model
from mixrd.pattern import ImpurityRanges, Instrument
from mixrd.scan import Scan

MakeScan = Callable[..., Scan]
BOTH = np.array([True, True])


def refined_sample(scan: Scan, crystals: list[Crystal], instrument: Instrument) -> SampleRefinement:
    part = part_of(scan, (float(scan.two_theta[0]), float(scan.two_theta[-1])))
    return refine_sample(crystals, instrument, *part, counted=True)


def fitted(scan: Scan, crystals: list[Crystal], instrument: Instrument) -> Refinement:
    return refined_sample(scan, crystals, instrument).refinement


@pytest.fixture(scope="module")
def refined(scan: Scan, crystals: list[Crystal], instrument: Instrument) -> Refinement:
    return fitted(scan, crystals, instrument)


def found(
    crystals: list[Crystal], refined: Refinement, model: Model, detected: np.ndarray = BOTH
) -> list[tuple[str | None, str]]:
    warnings = out_of_range_warnings(crystals, refined, detected, model)
    assert {w.code for w in warnings} <= {"OUT_OF_RANGE"}
    assert all(w.message.endswith("do not trust its estimate") for w in warnings)
    return [(w.phase, w.message) for w in warnings]


def test_ranges_come_back_from_the_model(model: Model) -> None:
    assert trained_ranges(model) == SampleRanges()
    other = SampleRanges(max_strain=0.02, size_nm=(5.0, 50.0), impurities=ImpurityRanges(count=(0, 1)))
    plain = json.loads(json.dumps({"ranges": dataclasses.asdict(other)}))
    assert trained_ranges(dataclasses.replace(model, recipe=plain)) == other


@pytest.mark.parametrize("recipe", [{}, {"ranges": None}, {"ranges": {}}, {"ranges": {"spikes": 3}}])
def test_a_model_that_does_not_say(model: Model, recipe: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="does not say"):
        trained_ranges(dataclasses.replace(model, recipe=recipe))


def test_a_scan_within_is_silent(crystals: list[Crystal], refined: Refinement, model: Model) -> None:
    assert found(crystals, refined, model) == []


def test_scans_drawn_from_the_ranges_are_silent(
    crystals: list[Crystal], instrument: Instrument, model: Model
) -> None:
    grid = model.problem.two_theta
    sampler = MixtureSampler(crystals, instrument, grid, SampleRanges(), precision="refinement")
    patterns, _ = simulated(sampler, 2, generator=torch.Generator().manual_seed(3))
    for pattern in patterns:
        one = refined_sample(Scan(grid, np.round(pattern.numpy())), crystals, instrument)
        detected = quantities(one.refinement, one.presence).detected
        assert found(crystals, one.refinement, model, detected) == []


# What is said of a refinement with this changed: the first phase's, or the scan's.
STRAIN = [np.array([0.02]), np.array([0.0])]
SIGMA = [np.array([0.001]), np.array([0.001])]
OUTSIDE = {
    "strain": ({"strain": STRAIN, "strain_sigma": SIGMA}, "fluorite", "differs by 2.00 % .* up to 1 %"),
    "size": (
        {"inverse_size_per_nm": np.array([0.125, 0.01]), "inverse_size_sigma": np.array([0.005, 0.005])},
        "fluorite",
        "are 8 nm in size, .* 20 to 1000 nm",
    ),
    "microstrain": ({"microstrain": np.array([0.003, 0.0])}, "fluorite", "is 0.30 %, .* up to 0.1 %"),
    "zero": ({"zero_deg": 0.3, "displacement_mm": 0.0}, None, "by 0.300 deg"),
    "displacement": ({"zero_deg": 0.0, "displacement_mm": -0.9}, None, "by 0.5.. deg"),
    "roughness": (
        {"corrections": {"roughness": (0.8, 0.8), "overspill": (0.0,)}},
        None,
        "rough surface takes .* %",
    ),
    "overspill": (
        {"corrections": {"roughness": (0.0, 0.0), "overspill": (0.8,)}},
        None,
        "beam is longer than the sample and loses .* %",
    ),
}


@pytest.mark.parametrize("what", OUTSIDE)
def test_each_quantity_is_named(
    crystals: list[Crystal], refined: Refinement, model: Model, what: str
) -> None:
    change, phase, message = OUTSIDE[what]
    ((where, said),) = found(crystals, dataclasses.replace(refined, **change), model)
    assert where == phase
    assert re.search(message, said)


def test_what_is_not_sure_is_not_said(crystals: list[Crystal], refined: Refinement, model: Model) -> None:
    unsure = dataclasses.replace(
        refined,
        strain=STRAIN,
        strain_sigma=[np.array([0.006]), np.array([0.001])],
        inverse_size_per_nm=np.array([0.125, 0.01]),
        inverse_size_sigma=np.array([0.05, 0.005]),
    )
    assert found(crystals, unsure, model) == []


def test_phases_that_are_not_there_say_nothing(
    crystals: list[Crystal], refined: Refinement, model: Model
) -> None:
    wild = dataclasses.replace(refined, strain=STRAIN, strain_sigma=SIGMA, microstrain=np.array([0.01, 0.0]))
    assert found(crystals, wild, model, np.array([False, True])) == []
    nothing = dataclasses.replace(wild, zero_deg=0.5)
    assert found(crystals, nothing, model, np.array([False, False])) == []


@pytest.mark.parametrize("factor", [0.4, 2.2])
def test_width_of_the_instrument(
    crystals: list[Crystal], refined: Refinement, model: Model, factor: float
) -> None:
    p = model.problem.instrument.profile
    profile = np.array(
        [factor**2 * p.u, factor**2 * p.v, factor**2 * p.w, factor * p.x, factor * p.y, p.sh_l]
    )
    ((phase, said),) = found(crystals, dataclasses.replace(refined, profile=profile), model)
    assert phase is None
    assert f"are {factor:.2f} times as wide as stated, the network was trained on 0.77 to 1.30 times" in said


def test_few_counts_whatever_their_unit(
    crystals: list[Crystal], instrument: Instrument, make_scan: MakeScan, model: Model
) -> None:
    poor = fitted(make_scan(crystals, (30, 70), peak=250.0, background=20.0), crystals, instrument)
    ((phase, said),) = found(crystals, poor, model)
    # Two points of the scan fall into one of the network's grid.
    counts = float(said.split(" counts")[0].split()[-1])
    assert phase is None and counts == pytest.approx(500, rel=0.15)
    scaled = dataclasses.replace(
        poor, **{k: 7 * getattr(poor, k) for k in ("contributions", "calculated", "background", "masses")}
    )
    assert found(crystals, scaled, model) == [(phase, said)]


def test_a_high_background(
    crystals: list[Crystal], instrument: Instrument, make_scan: MakeScan, model: Model
) -> None:
    high = fitted(make_scan(crystals, (30, 70), peak=5000.0, background=4000.0), crystals, instrument)
    ((phase, said),) = found(crystals, high, model)
    assert phase is None and "background reaches 1.0" in said and "trained on 0.003 to 0.3" in said


def test_many_counts_without_background_are_no_harm(
    crystals: list[Crystal], instrument: Instrument, make_scan: MakeScan, model: Model
) -> None:
    clean = fitted(make_scan(crystals, (30, 70), peak=1e6, background=1.0), crystals, instrument)
    assert found(crystals, clean, model) == []
