"""The bound of laboratory scans: the scatter of fits, and laws."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from mixrd.analysis import ExpectedScan, LaboratoryBound, Measurement, PhaseBound, laboratory_bound
from mixrd.crystal import Crystal
from mixrd.errors import ParameterError
from mixrd.fit import Restraints, refine
from mixrd.mixture import Composition
from mixrd.pattern import ForwardModel, Instrument, Parameters, load_instrument
from mixrd.phases import load_phase

FREED = (
    *("strain", "inverse_size_per_nm", "microstrain", "width", "lorentzian_width"),
    *("zero", "displacement_mm"),
)
FREE, LOOSE = (Restraints(**dict.fromkeys(FREED, sigma)) for sigma in (math.inf, 1.0))
EVEN = Composition(("fluorite", "halite"), (1.0, 1.0))


def state(model: ForwardModel, measurement: Measurement) -> Parameters:
    start = model.reference()
    return dataclasses.replace(
        start,
        inverse_size=torch.full_like(start.inverse_size, 1 / measurement.size_nm),
        microstrain=torch.full_like(start.microstrain, measurement.microstrain),
    )


def patterns(crystals: list[Crystal], instrument: Instrument, measurement: Measurement) -> Tensor:
    """(P, N): unit mass of each phase, as the forward model has it."""
    low, high = instrument.two_theta_range
    model = ForwardModel(crystals, instrument, np.arange(low, high + 0.01, instrument.step))
    return model.columns(state(model, measurement))[0]


def test_scatter_of_unbiased_fits_agrees(crystals: list[Crystal], instrument: Instrument) -> None:
    """Fits of simulated scans cannot scatter less than the bound, and good ones hardly scatter more."""
    instrument = dataclasses.replace(instrument, two_theta_range=(26.0, 58.0))
    fixed = ("profile", "displacement", "microstrain")
    dim = Measurement(peak_counts=200.0, background_counts=20.0, size_nm=40.0)
    expected = ExpectedScan(crystals, EVEN, instrument, dim, restraints=FREE, fixed=fixed)
    sigma = expected.bound(1.0, instrument.two_theta_range).phases[0].sigma_percent / 100

    # The counts by another way than the bound's own rates.
    model = ForwardModel(crystals, instrument, expected.two_theta)
    parameters = state(model, dim)
    signal = model.columns(parameters)[0].sum(0).numpy()
    mean = 200.0 * signal / signal.max() + 20.0
    scans = 120
    counts = np.random.default_rng(5).poisson(mean, (scans, len(mean))).astype(float)
    fits = refine(
        crystals, instrument, expected.two_theta, counts, np.tile(np.sqrt(mean), (scans, 1)),
        start=parameters.flat().repeat(scans, 1), stages_deg=(), restraints=LOOSE, fixed=fixed,
    )  # fmt: skip
    found = np.array([fit.weight_fractions[0] for fit in fits])
    # The relative error of a standard deviation from 120 draws is 6.5 %.
    assert 0.85 < found.std(ddof=1) / sigma < 1.15
    stated = np.mean([math.sqrt(fit.covariance[0, 0]) for fit in fits])
    assert stated == pytest.approx(sigma, rel=0.03)
    assert abs(found.mean() - 0.5) < 4 * sigma / math.sqrt(scans)


def test_counting_without_nuisances_by_hand(crystals: list[Crystal], instrument: Instrument) -> None:
    """Peaks far apart on a high, nearly known background: each mass has the variance of its own peaks."""
    bright = Measurement(peak_counts=100.0, background_counts=1e6)
    expected = ExpectedScan(crystals, EVEN, instrument, bright)
    found = expected.bound(1.0, instrument.two_theta_range).phases[0].counting_sigma_percent
    columns = patterns(crystals, instrument, bright)
    columns = columns * 100.0 / columns.mean(0).max()
    variance = 1e6 / columns.square().sum(-1)
    by_hand = 100 * math.sqrt(0.25 * float(variance.sum()))
    # The free background takes a little of the peaks.
    assert by_hand < found < 1.1 * by_hand


def test_precision_grows_with_the_root_of_time(crystals: list[Crystal], instrument: Instrument) -> None:
    expected = ExpectedScan(crystals, EVEN, instrument, restraints=FREE)
    once, often = (expected.bound(t, (20.0, 60.0)) for t in (1.0, 100.0))
    for a, b in zip(once.phases, often.phases, strict=True):
        assert a.sigma_percent == pytest.approx(10 * b.sigma_percent, rel=0.01)
        assert a.detection_limit_percent == pytest.approx(10 * b.detection_limit_percent, rel=0.01)
    assert once.tvd == pytest.approx(10 * often.tvd, rel=0.01)
    assert often.scan_seconds == 100 * once.scan_seconds == 100 * 1001


def test_order_of_what_is_known_and_how_much_is_seen(crystals: list[Crystal], instrument: Instrument) -> None:
    free = laboratory_bound(crystals, EVEN, instrument, restraints=FREE)
    usual = laboratory_bound(crystals, EVEN, instrument)
    phase = usual.phases[0]
    assert phase.counting_sigma_percent < phase.sigma_percent < free.phases[0].sigma_percent
    shorter = ExpectedScan(crystals, EVEN, instrument).bound(1.0, (25.0, 50.0))
    assert shorter.sigma_percent > usual.sigma_percent
    # In what lies above its lines a phase cannot be seen.
    blind = ExpectedScan(crystals, EVEN, instrument).bound(1.0, (20.0, 25.0))
    assert blind.sigma_percent > 1000
    assert blind.tvd > 10


def test_degenerate_positions_end_what_time_can_do() -> None:
    # Over one line of each phase, cells and zero share a shift: what intensities owe to cells stays open.
    crystals, limits = [load_phase("quartz"), load_phase("calcite")], (20.0, 24.0)
    instrument = dataclasses.replace(load_instrument("lab-cu"), two_theta_range=limits)
    expected = ExpectedScan(crystals, Composition(("quartz", "calcite"), (1.0, 1.0)), instrument)
    long, longer = (expected.bound(t, limits).phases[0] for t in (1e4, 1e6))
    assert longer.counting_sigma_percent == pytest.approx(0.1 * long.counting_sigma_percent, rel=0.01)
    assert longer.sigma_percent > 0.9 * long.sigma_percent
    freer = ExpectedScan(
        crystals,
        Composition(("quartz", "calcite"), (1.0, 1.0)),
        instrument,
        restraints=Restraints(strain=0.01),
    )
    assert freer.bound(1e6, limits).phases[0].sigma_percent > 1.3 * longer.sigma_percent


def test_undetermined_is_null_in_json() -> None:
    phase = PhaseBound("a", 50.0, math.inf, 0.1, math.nan)
    data = LaboratoryBound((phase,), math.inf, (20.0, 60.0), 1.0, 1000.0).plain()
    assert data["tvd"] is None
    assert data["phases"] == [
        {"name": "a", "weight_percent": 50.0, "sigma_percent": None, "counting_sigma_percent": 0.1,
         "detection_limit_percent": None}
    ]  # fmt: skip
    assert data["two_theta_range"] == [20.0, 60.0]


def test_detection_limit_is_that_at_zero_amount(crystals: list[Crystal], instrument: Instrument) -> None:
    # A trace at its detection limit, its lines where they are expected, is 3.97 sigma above nothing.
    nothing = laboratory_bound(crystals, Composition(EVEN.names, (1.0, 0.0)), instrument)
    halite = nothing.phases[1]
    assert halite.detection_limit_percent == pytest.approx(3.971 * halite.sigma_percent, rel=1e-3)
    assert math.isnan(nothing.phases[0].detection_limit_percent), "nothing else is in the sample"
    # At the same brightness of a gram, the limit in a mixture is that in the other phase alone.
    even = laboratory_bound(crystals, EVEN, instrument)
    columns = patterns(crystals, instrument, Measurement())
    ratio = float(columns[0].max() / columns.mean(0).max())
    brighter = laboratory_bound(
        crystals, Composition(EVEN.names, (1.0, 0.0)), instrument, Measurement(peak_counts=10_000.0 * ratio)
    )
    assert even.phases[1].detection_limit_percent == pytest.approx(
        brighter.phases[1].detection_limit_percent, rel=0.02
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [("peak_counts", 0.0), ("background_counts", -1.0), ("size_nm", 1.0), ("microstrain", math.nan)],
)
def test_measurements_that_cannot_be(field: str, value: float) -> None:
    with pytest.raises(ParameterError, match=field):
        Measurement(**{field: value})


@pytest.mark.parametrize(
    ("seconds", "limits"), [(0.0, (20.0, 60.0)), (1.0, (60.0, 20.0)), (1.0, (70.0, 80.0))]
)
def test_scans_that_cannot_be(
    crystals: list[Crystal], instrument: Instrument, seconds: float, limits: tuple[float, float]
) -> None:
    with pytest.raises(ParameterError):
        ExpectedScan(crystals, EVEN, instrument).bound(seconds, limits)
