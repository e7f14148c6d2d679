"""What each effect of the virtual diffractometer does to the expected counts, against its own law."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mixrd.crystal import Crystal
from mixrd.diffraction import beam_overspill, linear_attenuation_per_mm, radiation
from mixrd.errors import RadiationError
from mixrd.mixture import Composition, ScanSettings, SimulatedScan, brindley_factors, diffractometer, simulate
from mixrd.pattern import Instrument
from mixrd.phases import load_phase

#: A sample without anything that is drawn.
PLAIN = ScanSettings(
    background_counts=0.0, max_strain=0.0, size_nm=500.0, microstrain=0.0, graininess=0.0, peak_counts=1e5
)
#: Edges of the cubic cells in angstrom.
FLUORITE_A, HALITE_A = 5.4631, 5.6402
Array = NDArray[np.float64]


def made(
    crystals: list[Crystal], instrument: Instrument, amounts: tuple[float, ...] = (), **changes: object
) -> SimulatedScan:
    composition = Composition(tuple(c.name for c in crystals), amounts or (1.0,) * len(crystals))
    settings = dataclasses.replace(PLAIN, **changes)  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(3)
    return simulate(crystals, composition, instrument, generator=generator, settings=settings)


def two_theta_of(a: float, hkl: tuple[int, int, int], wavelength: float = 1.5405929) -> float:
    return float(2 * np.degrees(np.arcsin(wavelength * np.sqrt(sum(i * i for i in hkl)) / (2 * a))))


def area(scan: SimulatedScan, angle: float, width: float = 0.7, values: Array | None = None) -> float:
    near = np.abs(scan.scan.two_theta - angle) < width
    return float((scan.expected if values is None else values)[near].sum())


def lorentz_polarization(two_theta: float) -> float:
    theta = np.radians(two_theta) / 2
    return float((1 + np.cos(2 * theta) ** 2) / 2 / (np.sin(theta) ** 2 * np.cos(theta)))


@pytest.fixture(scope="module")
def fluorite(crystals: list[Crystal]) -> list[Crystal]:
    return crystals[:1]


@pytest.fixture(scope="module")
def plain(fluorite: list[Crystal], instrument: Instrument) -> SimulatedScan:
    return made(fluorite, instrument)


@pytest.mark.parametrize(
    ("name", "wavelength", "relative"),
    # With W L alpha1 comes W L alpha2, 11 % of it and 0.35 deg away.
    [("kbeta", 1.392234, 0.1), ("tungsten", 1.47639, 0.111)],
)
def test_a_weak_line_stands_at_its_angle_with_its_share(
    name: str,
    wavelength: float,
    relative: float,
    plain: SimulatedScan,
    fluorite: list[Crystal],
    instrument: Instrument,
) -> None:
    with_line = made(fluorite, instrument, **{name: 0.1})
    added = with_line.expected - plain.expected
    angle, usual = two_theta_of(FLUORITE_A, (2, 2, 0), wavelength), two_theta_of(FLUORITE_A, (2, 2, 0))
    near = np.abs(plain.scan.two_theta - angle) < 0.4
    peak = plain.scan.two_theta[near][added[near].argmax()]
    assert peak == pytest.approx(angle, abs=instrument.step)
    # K alpha2 is half of K alpha1; f' and f'' of another wavelength change the structure factor a little.
    expected = relative / 1.5 * lorentz_polarization(angle) / lorentz_polarization(usual)
    found = area(plain, angle + 0.15, 0.7, added) / area(plain, usual + 0.06)
    assert found == pytest.approx(expected, rel=0.05)
    assert len(with_line.truth["radiation_lines"]) > 2  # type: ignore[arg-type]


def test_a_synchrotron_has_no_k_beta(fluorite: list[Crystal], instrument: Instrument) -> None:
    beam = radiation(0.8)
    with pytest.raises(RadiationError, match="known tube"):
        made(fluorite, dataclasses.replace(instrument, radiation=beam), kbeta=0.01)
    with pytest.raises(RadiationError, match=r"kbeta = 0\.9"):
        made(fluorite, instrument, kbeta=0.9)


@pytest.mark.parametrize("mu_t", [0.05, 0.5, 2.0])
def test_a_thin_sample_loses_at_high_angles(
    mu_t: float, plain: SimulatedScan, fluorite: list[Crystal], instrument: Instrument
) -> None:
    thin = made(fluorite, instrument, mu_t=mu_t)

    def left(two_theta: float) -> float:
        return float(1 - np.exp(-2 * mu_t / np.sin(np.radians(two_theta) / 2)))

    low, high = (two_theta_of(FLUORITE_A, hkl) for hkl in ((1, 1, 1), (3, 1, 1)))
    found = area(thin, high) / area(thin, low) / (area(plain, high) / area(plain, low))
    assert found == pytest.approx(left(high) / left(low), rel=1e-3)
    assert found < 1


def test_a_rough_surface_loses_at_low_angles(
    plain: SimulatedScan, fluorite: list[Crystal], instrument: Instrument
) -> None:
    rough = made(fluorite, instrument, roughness=(0.3, 0.1))

    def left(two_theta: float) -> float:
        return float(0.7 + 0.3 * np.exp(-0.1 / np.sin(np.radians(two_theta) / 2)))

    low, high = (two_theta_of(FLUORITE_A, hkl) for hkl in ((1, 1, 1), (3, 1, 1)))
    found = area(rough, low) / area(rough, high) / (area(plain, low) / area(plain, high))
    assert found == pytest.approx(left(low) / left(high), rel=1e-3)
    assert found < 0.97


def test_a_beam_longer_than_the_sample_loses_at_low_angles(
    plain: SimulatedScan, fluorite: list[Crystal], instrument: Instrument
) -> None:
    short = made(fluorite, instrument, overspill=0.4)

    def left(two_theta: float) -> float:
        theta = torch.tensor(np.radians(two_theta) / 2)
        return float(beam_overspill(theta, 0.4))

    low, high = (two_theta_of(FLUORITE_A, hkl) for hkl in ((1, 1, 1), (3, 1, 1)))
    found = area(short, low) / area(short, high) / (area(plain, low) / area(plain, high))
    assert found == pytest.approx(left(low) / left(high), rel=1e-3)
    assert found < 0.9


def test_a_transparent_sample_shifts_lines_by_its_composition(
    plain: SimulatedScan, fluorite: list[Crystal], instrument: Instrument
) -> None:
    clear = made(fluorite, instrument, transparency=True, packing_fraction=0.3)
    mu = 0.3 * linear_attenuation_per_mm(fluorite[0], 1.5405929)
    assert clear.truth["penetration_mm"] == pytest.approx(1 / mu)
    angle = two_theta_of(FLUORITE_A, (2, 2, 0))
    near = np.abs(plain.scan.two_theta - angle) < 0.7
    x = plain.scan.two_theta[near]
    moved = np.average(x, weights=clear.expected[near]) - np.average(x, weights=plain.expected[near])
    expected = -np.degrees(np.sin(np.radians(angle)) / (2 * mu * instrument.goniometer_radius_mm))
    assert moved == pytest.approx(expected, rel=0.05)


def test_dead_time_lowers_the_strongest_points_most(
    plain: SimulatedScan, fluorite: list[Crystal], instrument: Instrument
) -> None:
    for seconds in (1.0, 4.0):
        slow = made(fluorite, instrument, dead_time_us=3.0, seconds_per_step=seconds)
        # The rate matters, not the counts: the same share is lost in a longer time.
        assert slow.expected == pytest.approx(seconds * plain.expected / (1 + plain.expected * 3e-6))
    assert slow.expected.max() / seconds == pytest.approx(1e5 / 1.3)


def test_saturation_cuts_off(plain: SimulatedScan, fluorite: list[Crystal], instrument: Instrument) -> None:
    full = made(fluorite, instrument, saturation_cps=2e4, seconds_per_step=2.0)
    assert full.expected == pytest.approx(2 * np.minimum(plain.expected, 2e4))
    assert full.scan.counts.max() == 4e4


def test_counts_follow_their_expectation(fluorite: list[Crystal], instrument: Instrument) -> None:
    scan = made(fluorite, instrument, background_counts=500.0, seconds_per_step=3.0, hump_counts=200.0)
    chi_squared = ((scan.scan.counts - scan.expected) ** 2 / scan.expected).mean()
    assert chi_squared == pytest.approx(1.0, abs=5 * np.sqrt(2 / len(scan.expected)))
    assert scan.scan.counting_time_s == 3.0


def test_microabsorption_changes_the_ratio(crystals: list[Crystal], instrument: Instrument) -> None:
    amounts = (40.0, 60.0)
    fine = made(crystals, instrument, amounts)
    own = {"halite": 5.0}
    coarse = made(crystals, instrument, amounts, particle_size_um=20.0, phase_particle_size_um=own)
    tau = brindley_factors(crystals, amounts, instrument.radiation, [20.0, 5.0])
    lines = (two_theta_of(FLUORITE_A, (2, 2, 0)), two_theta_of(HALITE_A, (2, 0, 0)))
    ratios = [area(scan, lines[0]) / area(scan, lines[1]) for scan in (fine, coarse)]
    # Each window holds a little of the other phase's tails.
    assert ratios[1] / ratios[0] == pytest.approx(tau[0] / tau[1], rel=2e-3)
    assert abs(tau[0] / tau[1] - 1) > 0.02
    apparent = np.array(amounts) * tau
    found = coarse.truth["apparent_weight_percent"]
    assert list(found.values()) == pytest.approx((100 * apparent / apparent.sum()).tolist())  # type: ignore[attr-defined]
    assert coarse.truth["weight_percent"] == pytest.approx({"fluorite": 40, "halite": 60})


def test_platelets_are_broad_along_their_thin_direction(instrument: Instrument) -> None:
    zincite = [load_phase("zincite")]

    def widths(**changes: object) -> tuple[float, ...]:
        scan = made(zincite, instrument, phase_size_nm={"zincite": 20.0}, **changes)
        return tuple(area(scan, angle, 0.4) / scan.expected[peak(scan, angle)] for angle in (31.8, 34.43))

    def peak(scan: SimulatedScan, angle: float) -> NDArray[np.bool_]:
        near = np.abs(scan.scan.two_theta - angle) < 0.4
        return near & (scan.expected == scan.expected[near].max())

    even, platelets, needles = widths(), *(widths(aspect={"zincite": ((0, 0, 1), a)}) for a in (3.0, 0.3))
    # (100) lies across the axis and keeps its width; (002) lies along it.
    assert platelets[0] == pytest.approx(even[0], rel=0.02)
    assert platelets[1] > 1.3 * even[1]
    assert needles[1] < 0.9 * even[1]


def test_microstrain_broadens(fluorite: list[Crystal], instrument: Instrument, plain: SimulatedScan) -> None:
    broad = made(fluorite, instrument, phase_microstrain={"fluorite": 0.003})
    assert broad.truth["phases"]["fluorite"]["microstrain"] == 0.003  # type: ignore[index]
    above = [(scan.expected > 0.5 * scan.expected.max()).sum() for scan in (plain, broad)]
    assert above[1] > above[0] + 2


def test_levels_are_those_of_one_second(
    plain: SimulatedScan, fluorite: list[Crystal], instrument: Instrument
) -> None:
    lit = made(fluorite, instrument, fluorescence_counts=30.0, seconds_per_step=2.0)
    assert lit.expected == pytest.approx(2 * (plain.expected + 30.0))
    glass = made(fluorite, instrument, hump_counts=400.0)
    added = glass.expected - plain.expected
    assert added.max() == pytest.approx(400.0, rel=1e-3)
    (hump,) = glass.truth["hump"]  # type: ignore[misc]
    assert plain.scan.two_theta[added.argmax()] == pytest.approx(hump["two_theta_deg"], abs=instrument.step)


def test_impurities_are_where_the_truth_says(
    plain: SimulatedScan, fluorite: list[Crystal], instrument: Instrument
) -> None:
    dirty = made(fluorite, instrument, impurities=3, impurity_strength=0.1)
    added = dirty.expected - plain.expected
    lines = dirty.truth["impurities"]
    assert len(lines) == 3  # type: ignore[arg-type]
    for line in lines:  # type: ignore[attr-defined]
        assert 0.01 <= line["height_over_strongest_peak"] <= 0.1
        nearest = np.abs(plain.scan.two_theta - line["two_theta_deg"]).argmin()
        assert added[nearest] > 0.8 * line["height_over_strongest_peak"] * 1e5
    assert made(fluorite, instrument).truth["impurities"] == []


def test_what_is_added_leaves_the_rest_as_it_was(fluorite: list[Crystal], instrument: Instrument) -> None:
    drawn = {"size_nm": None, "max_strain": 0.002, "graininess": 0.1, "background_counts": 300.0}
    without, with_spikes = (made(fluorite, instrument, spikes=n, **drawn) for n in (0, 2))
    differs = np.flatnonzero(with_spikes.expected != without.expected)
    angles = sorted(spike["two_theta_deg"] for spike in with_spikes.truth["spikes"])  # type: ignore[attr-defined]
    assert without.scan.two_theta[differs].tolist() == pytest.approx(angles)
    assert with_spikes.truth["phases"] == without.truth["phases"]


def test_each_effect_has_random_numbers_of_its_own() -> None:
    streams = diffractometer._streams(torch.Generator().manual_seed(1))
    assert len({stream.initial_seed() for stream in streams.values()}) == len(streams) == 7


def test_few_grains_scatter_intensities(
    plain: SimulatedScan, fluorite: list[Crystal], instrument: Instrument
) -> None:
    grainy = made(fluorite, instrument, graininess=0.3)
    lines = [two_theta_of(FLUORITE_A, hkl) for hkl in ((1, 1, 1), (2, 2, 0), (3, 1, 1))]
    ratios = np.array([area(grainy, angle) / area(plain, angle) for angle in lines])
    assert 0.02 < np.log(ratios).std() < 1.0


def test_sums_too_long_are_taken_fast_and_agree(
    plain: SimulatedScan, fluorite: list[Crystal], instrument: Instrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diffractometer, "_MOST_EXACT", 0)
    fast = made(fluorite, instrument)
    assert not np.array_equal(fast.expected, plain.expected)
    assert np.abs(fast.expected - plain.expected).max() < 2e-4 * plain.expected.max()


def test_the_truth_holds_every_setting_with_its_unit(crystals: list[Crystal], instrument: Instrument) -> None:
    scan = made(
        crystals, instrument, (1.0, 3.0), texture={"halite": ((1, 0, 0), 0.7)},
        aspect={"halite": ((1, 1, 1), 2.0)},
        phase_microstrain={"halite": 0.002}, particle_size_um=3.0, roughness=(0.2, 0.05),
        overspill=0.1, mu_t=2.0,
        transparency=True, graininess=0.05, impurities=2, spikes=1, dead_time_us=2.0, saturation_cps=1e6,
        kbeta=0.01, tungsten=0.005, seconds_per_step=5.0, hump_counts=50.0, fluorescence_counts=10.0,
        zero_deg=0.02, displacement_mm=0.05, background_counts=100.0,
    )  # fmt: skip
    truth = json.loads(json.dumps(scan.truth))
    halite = truth["phases"]["halite"]
    assert (halite["texture_axis_hkl"], halite["march_dollase_r"]) == ([1, 0, 0], 0.7)
    assert (halite["size_axis_hkl"], halite["size_across_over_along_axis"]) == ([1, 1, 1], 2.0)
    assert (halite["microstrain"], halite["particle_size_um"]) == (0.002, 3.0)
    assert halite["powder_class"] == "medium"
    assert truth["phases"]["fluorite"]["texture_axis_hkl"] is None
    expected = {
        "seconds_per_step": 5.0, "peak_counts_per_second": 1e5, "background_counts_per_second": 100.0,
        "fluorescence_counts_per_second": 10.0, "dead_time_us": 2.0, "saturation_counts_per_second": 1e6,
        "kbeta_over_kalpha1": 0.01, "tungsten_lalpha1_over_kalpha1": 0.005, "roughness_share": 0.2,
        "roughness_optical_depth": 0.05,
        "overspill": 0.1, "mu_t": 2.0, "packing_fraction": 0.6, "graininess": 0.05,
        "zero_deg": 0.02, "displacement_mm": 0.05, "divergence_slit": "fixed",
    }  # fmt: skip
    assert {key: truth[key] for key in expected} == expected
    assert len(truth["impurities"]) == 2 and len(truth["spikes"]) == len(truth["hump"]) == 1
    assert truth["penetration_mm"] == pytest.approx(1 / truth["linear_attenuation_per_mm"])
