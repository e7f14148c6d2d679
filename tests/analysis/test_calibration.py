from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from mixrd.analysis import calibrate
from mixrd.crystal import Crystal
from mixrd.errors import ScanError
from mixrd.pattern import Instrument, Profile, load_instrument, save_instrument
from mixrd.phases import load_phase
from mixrd.scan import Scan

MakeScan = Callable[..., Scan]


def fwhm(profile: Profile, two_theta: float) -> tuple[float, float]:
    """Gaussian and Lorentzian width in degrees."""
    theta = np.radians(two_theta / 2)
    gauss = np.sqrt(profile.u * np.tan(theta) ** 2 + profile.v * np.tan(theta) + profile.w)
    return float(gauss), float(profile.x / np.cos(theta) + profile.y * np.tan(theta))


@pytest.fixture
def standard(make_scan: MakeScan) -> Scan:
    return make_scan([load_phase("corundum")], (1,), size_nm=1e6, peak=100_000, zero=0.02, displacement=0.05)


def test_the_profile_of_the_standard_comes_back(standard: Scan, instrument: Instrument) -> None:
    start = dataclasses.replace(instrument, profile=Profile(u=0.0, v=0.0, w=0.012, x=0.03, y=0.0))
    result = calibrate(standard, load_phase("corundum"), start, name="mine")
    for angle in (26.0, 40.0, 58.0):
        found, truth = fwhm(result.instrument.profile, angle), fwhm(instrument.profile, angle)
        assert found == pytest.approx(truth, abs=0.004)
        assert fwhm(start.profile, angle) != pytest.approx(truth, abs=0.02)
    assert result.r_wp == pytest.approx(result.r_exp, rel=0.15)


def test_everything_but_the_profile_is_kept(standard: Scan, instrument: Instrument) -> None:
    result = calibrate(standard, load_phase("corundum"), instrument, name="mine").instrument
    assert result.name == "mine"
    assert result.radiation == instrument.radiation
    assert result.goniometer_radius_mm == instrument.goniometer_radius_mm
    assert result.monochromator_two_theta == instrument.monochromator_two_theta
    assert result.two_theta_range == pytest.approx((20.0, 60.0))
    assert result.step == pytest.approx(0.04)
    assert "corundum" in result.note


def test_the_calibrated_instrument_survives_its_file(
    standard: Scan, instrument: Instrument, tmp_path: pytest.TempPathFactory
) -> None:
    result = calibrate(standard, load_phase("corundum"), instrument, name="mine").instrument
    save_instrument(result, tmp_path / "mine.toml")  # type: ignore[operator]
    assert load_instrument(tmp_path / "mine.toml") == result  # type: ignore[operator]


def test_curves_are_those_of_the_fit(standard: Scan, instrument: Instrument) -> None:
    curves = calibrate(standard, load_phase("corundum"), instrument, name="mine").curves
    assert len(curves.two_theta) == len(curves.observed) == len(curves.calculated)
    assert curves.contributions.shape == (1, len(curves.two_theta))
    assert np.abs(curves.observed - curves.calculated).max() < 6 * np.sqrt(curves.observed.max())
    # The strongest line of corundum is 113 at 43.35 deg.
    strongest = curves.two_theta[curves.observed.argmax()]
    assert np.abs(curves.marks[0] - strongest).min() < 0.05


@pytest.mark.parametrize("background", [200.0, 20_000.0])
def test_a_wrong_phase_is_refused(standard: Scan, instrument: Instrument, background: float) -> None:
    high = dataclasses.replace(standard, counts=standard.counts + background)
    for name in ("fluorite", "zincite", "halite"):
        with pytest.raises(ScanError, match=f"{name} does not explain") as raised:
            calibrate(high, load_phase(name), instrument, name="x")
        assert raised.value.file == standard.path


def test_a_scan_of_nothing_is_refused(standard: Scan, instrument: Instrument) -> None:
    """On a high background R_wp is small although the phase is not there at all."""
    noise = np.random.default_rng(0).poisson(1000.0, len(standard)).astype(float)
    with pytest.raises(ScanError, match="does not explain"):
        calibrate(dataclasses.replace(standard, counts=noise), load_phase("corundum"), instrument, name="x")


def test_a_weak_standard_on_a_high_background_is_taken(make_scan: MakeScan, instrument: Instrument) -> None:
    weak = make_scan([load_phase("corundum")], (1,), size_nm=1e6, peak=2_000, background=1_000)
    assert calibrate(weak, load_phase("corundum"), instrument, name="x").r_wp < 0.1


def test_the_wrong_wavelength_is_refused(
    standard: Scan, crystals: list[Crystal], instrument: Instrument
) -> None:
    cobalt = dataclasses.replace(load_instrument("lab-co"), two_theta_range=(20.0, 60.0))
    with pytest.raises(ScanError, match="does not explain"):
        calibrate(standard, load_phase("corundum"), cobalt, name="x")
