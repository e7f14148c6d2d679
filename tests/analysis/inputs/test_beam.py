"""Which instrument measured a scan, and which of the tube's lines are in its beam."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from mixrd.analysis import analyze, described_instrument, generic_instrument, instrument_for
from mixrd.analysis.inputs.beam import ESTIMATED_AXIAL_NODES, axial_divergence, bare_number_of, beam_warnings
from mixrd.diffraction import radiation
from mixrd.errors import RadiationError
from mixrd.pattern import ForwardModel, Instrument, load_instrument, save_instrument
from mixrd.phases import load_phase
from mixrd.scan import Scan, read_scan
from mixrd.scan.optics import Monochromator, Optics


def with_header(scan: Scan, **header: object) -> Scan:
    return dataclasses.replace(scan, **({"wavelength_angstrom": None} | header))


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ({"anode": "Cu"}, "CuKa"),
        ({"anode": "Co"}, "CoKa"),
        ({"wavelength_angstrom": 1.5406}, "CuKa"),
        ({"wavelength_angstrom": 1.54184}, "CuKa"),
        ({"wavelength_angstrom": 1.5444}, "CuKa"),
        ({"anode": "Cu", "wavelength_angstrom": 1.5406}, "CuKa"),
    ],
)
def test_the_header_names_the_tube_not_a_single_line(
    scan: Scan, header: dict[str, object], name: str
) -> None:
    found = instrument_for(with_header(scan, **header), None)
    assert found.radiation == radiation(name)
    assert len(found.radiation.lines) == 2
    assert beam_warnings(with_header(scan, **header), found, None) == []


def test_the_header_gives_the_radius(scan: Scan) -> None:
    assert (
        instrument_for(with_header(scan, anode="Cu", goniometer_radius_mm=145.0), None).goniometer_radius_mm
        == 145
    )


@pytest.mark.parametrize(
    ("header", "says"),
    [({}, "does not say"), ({"wavelength_angstrom": 0.4132}, "0.4132"), ({"anode": "W"}, "anode W")],
)
def test_no_radiation_is_never_assumed(scan: Scan, header: dict[str, object], says: str) -> None:
    with pytest.raises(RadiationError, match=says) as raised:
        instrument_for(with_header(scan, **header), None)
    assert "--radiation" in raised.value.remedy
    assert raised.value.file == scan.path


@pytest.mark.parametrize(
    "header",
    [{"wavelength_angstrom": 1.78897}, {"anode": "Co"}, {"wavelength_angstrom": 0.4132}, {"anode": "Mo"}],
)
def test_a_header_that_contradicts_the_instrument(
    scan: Scan, instrument: Instrument, header: dict[str, object]
) -> None:
    with pytest.raises(RadiationError, match="the file says") as raised:
        instrument_for(with_header(scan, **header), instrument)
    assert raised.value.file == scan.path


@pytest.mark.parametrize(
    "header",
    [{}, {"anode": "Cu"}, {"wavelength_angstrom": 1.54184}, {"wavelength_angstrom": 1.5444}, {"anode": "W"}],
)
def test_the_users_instrument_wins_where_nothing_contradicts(
    scan: Scan, instrument: Instrument, header: dict[str, object]
) -> None:
    assert instrument_for(with_header(scan, **header), instrument) is instrument


def test_generic_instrument() -> None:
    made = generic_instrument("CuKa", monochromator_two_theta=26.6, goniometer_radius_mm=173)
    assert (made.monochromator_two_theta, made.goniometer_radius_mm) == (26.6, 173)
    assert len(generic_instrument(1.5406).radiation.lines) == 1
    with pytest.raises(RadiationError):
        generic_instrument("Ka")


JOHANSSON = Monochromator("Inc. beam Johansson 1xGe111 Cu/Co", 3.2665, single_line=True)
GRAPHITE = Monochromator("Bent", 3.354)


@pytest.fixture(scope="module")
def measured() -> dict[str, Scan]:
    """Scans of both lines, of the first alone, and of lines too broad to tell."""
    phases = [load_phase(name) for name in ("corundum", "fluorite", "zincite")]
    two_theta = np.arange(20.0, 90.0, 0.02)
    found = {}
    for name, beam, inverse_size in (
        ("both", "CuKa", 0.003),
        ("alone", "CuKa1", 0.003),
        ("broad", "CuKa", 0.08),
    ):
        model = ForwardModel(phases, generic_instrument(beam), two_theta)
        start = model.reference()
        start = dataclasses.replace(start, inverse_size=0 * start.inverse_size + inverse_size)
        signal = np.array([0.3, 0.34, 0.36]) @ model.columns(start)[0].numpy()
        counts = np.random.default_rng(3).poisson(10_000 * signal / signal.max() + 100.0)
        found[name] = Scan(two_theta, counts.astype(np.float64), anode="Cu")
    return found


def codes(scan: Scan, given: Instrument | None) -> list[str]:
    return [w.code for w in beam_warnings(scan, instrument_for(scan, given), given)]


@pytest.mark.parametrize(
    ("lines", "optics", "name", "warned"),
    [
        ("both", None, "CuKa", []),
        ("both", Optics(kalpha2_ratio=0.5), "CuKa", []),
        ("both", Optics(kalpha2_ratio=0.0), "CuKa", ["KALPHA2_FROM_SCAN"]),
        ("both", Optics(primary=JOHANSSON), "CuKa", ["KALPHA2_FROM_SCAN"]),
        ("alone", None, "CuKa1", ["KALPHA2_FROM_SCAN"]),
        ("alone", Optics(kalpha2_ratio=0.5), "CuKa1", ["KALPHA2_FROM_SCAN"]),
        ("alone", Optics(kalpha2_ratio=0.0), "CuKa1", ["BEAM_FROM_HEADER"]),
        ("broad", None, "CuKa", []),
        ("broad", Optics(kalpha2_ratio=0.0), "CuKa1", ["BEAM_FROM_HEADER"]),
        ("broad", Optics(kalpha2_ratio=0.5, primary=JOHANSSON), "CuKa1", ["BEAM_FROM_HEADER"]),
        ("broad", Optics(primary=Monochromator("Transmission")), "CuKa", []),
    ],
)
def test_scan_and_header_say_which_lines(
    measured: dict[str, Scan], lines: str, optics: Optics | None, name: str, warned: list[str]
) -> None:
    scan = dataclasses.replace(measured[lines], optics=optics)
    assert instrument_for(scan, None).radiation == radiation(name)
    assert codes(scan, None) == warned


@pytest.mark.parametrize(
    ("lines", "optics", "named", "warned"),
    [
        ("both", None, "CuKa", []),
        ("both", None, "CuKa1", ["KALPHA2_MISMATCH"]),
        ("alone", None, "CuKa", ["KALPHA2_MISMATCH"]),
        ("alone", None, "CuKa1", []),
        ("broad", None, "CuKa1", []),
        ("broad", Optics(kalpha2_ratio=0.0), "CuKa", ["KALPHA2_MISMATCH"]),
    ],
)
def test_an_instrument_that_was_named_is_used_and_doubted(
    measured: dict[str, Scan], lines: str, optics: Optics | None, named: str, warned: list[str]
) -> None:
    scan, given = dataclasses.replace(measured[lines], optics=optics), generic_instrument(named)
    assert instrument_for(scan, given) is given
    assert codes(scan, given) == warned


@pytest.mark.parametrize(
    ("lines", "optics", "name"),
    [
        ("both", None, "CuKa"),
        ("alone", None, "CuKa1"),
        ("broad", None, "CuKa"),
        ("broad", Optics(kalpha2_ratio=0.0), "CuKa1"),
    ],
)
def test_a_bare_number_of_a_tube_is_decided_by_the_scan(
    measured: dict[str, Scan], lines: str, optics: Optics | None, name: str
) -> None:
    scan = dataclasses.replace(measured[lines], optics=optics)
    given = generic_instrument("1.5406")
    found = instrument_for(scan, given)
    assert found.radiation == radiation(name)
    assert found.name == f"generic laboratory instrument, {name}"
    (warning,) = beam_warnings(scan, found, given)
    assert warning.code == "KALPHA2_FROM_SCAN"
    assert "1.5406" in warning.message


def test_a_synchrotron_of_that_wavelength_stays_a_single_line(measured: dict[str, Scan]) -> None:
    beam = dataclasses.replace(generic_instrument(1.5406), polarized_fraction=0.95)
    assert bare_number_of(beam) is None
    assert instrument_for(measured["alone"], beam) is beam
    assert bare_number_of(generic_instrument(0.4132)) is None
    assert bare_number_of(generic_instrument("CuKa1")) is None


def test_monochromators_of_the_header_polarize(measured: dict[str, Scan]) -> None:
    broad = measured["broad"]
    graphite = dataclasses.replace(broad, optics=Optics(secondary=GRAPHITE))
    assert instrument_for(graphite, None).monochromator_two_theta == pytest.approx(26.6, abs=0.1)
    assert codes(graphite, None) == ["BEAM_FROM_HEADER"]
    germanium = dataclasses.replace(broad, optics=Optics(primary=JOHANSSON))
    assert instrument_for(germanium, None).monochromator_two_theta == pytest.approx(27.3, abs=0.1)
    # the lines show both: the monochromator of the header is not in the beam
    stale = dataclasses.replace(measured["both"], optics=Optics(primary=JOHANSSON))
    assert instrument_for(stale, None).monochromator_two_theta == 0
    two = dataclasses.replace(broad, optics=Optics(primary=JOHANSSON, secondary=GRAPHITE))
    both = math.cos(math.radians(27.28)) * math.cos(math.radians(26.57))
    assert math.cos(math.radians(instrument_for(two, None).monochromator_two_theta)) == pytest.approx(
        both, abs=1e-3
    )


def test_options_go_before_the_header(measured: dict[str, Scan]) -> None:
    scan = dataclasses.replace(
        measured["broad"],
        goniometer_radius_mm=145.0,
        optics=Optics(secondary=GRAPHITE, soller_rad=(0.04, 0.04), divergence_slit="automatic"),
    )
    made = described_instrument("CuKa", scan)
    assert made.monochromator_two_theta == pytest.approx(26.6, abs=0.1)
    assert (made.goniometer_radius_mm, made.divergence_slit) == (145.0, "automatic")
    assert made.profile.sh_l > 0
    told = described_instrument("CuKa", scan, monochromator_two_theta=0.0, goniometer_radius_mm=240.0)
    assert (told.monochromator_two_theta, told.goniometer_radius_mm) == (0.0, 240.0)
    assert described_instrument("CuKa", None) == generic_instrument("CuKa")


def test_soller_slits_give_the_axial_divergence(tmp_path: Path) -> None:
    assert axial_divergence(None) == axial_divergence(Optics()) == 0
    assert axial_divergence(Optics(soller_rad=(None, 0.04))) == 0
    assert axial_divergence(Optics(soller_rad=(0.0873, 0.0873))) == 0
    assert axial_divergence(Optics(soller_rad=(0.04, 0.04))) == pytest.approx(0.0566, abs=1e-4)
    made = generic_instrument("CuKa", axial_divergence=0.0566)
    assert (made.profile.sh_l, made.axial_nodes) == (0.0566, ESTIMATED_AXIAL_NODES)
    save_instrument(made, tmp_path / "made.toml")
    assert load_instrument(tmp_path / "made.toml") == made


def test_estimated_axial_divergence_has_the_mean_shift_of_two_tilted_rays() -> None:
    """Tilts with a triangle of half base D before and behind: (a^2 + b^2) / 2 cot 2theta on average."""
    rng = np.random.default_rng(0)
    a, b = (rng.triangular(-0.04, 0.0, 0.04, 400_000) for _ in range(2))
    expected = float(np.mean(a**2 + b**2)) / 2
    height = np.linspace(0.0, 1.0, 100_001) * axial_divergence(Optics(soller_rad=(0.04, 0.04)))
    weight = height[-1] - height
    assert float((weight * height**2).sum() / weight.sum()) / 2 == pytest.approx(expected, rel=0.01)


def test_the_johansson_scan_comes_out_as_simulated(data_dir: Path) -> None:
    scan = read_scan(data_dir / "cases/12-kalpha1-monochromator/ka1_johansson.xrdml")
    result = analyze(scan, [load_phase(n) for n in ("corundum", "fluorite", "zincite")])
    assert [w.code for w in result.warnings] == ["BEAM_FROM_HEADER"]
    assert result.r_wp is not None
    assert result.r_wp < 0.065
    cells = {p.name: p.cell[0] for p in result.phases if p.cell is not None}
    assert cells["fluorite"] == pytest.approx(5.4612, abs=6e-4)
    assert cells["corundum"] == pytest.approx(4.7647, abs=6e-4)
    for phase, truth in zip(result.phases, (30.0, 34.0, 36.0), strict=True):
        assert phase.weight_percent == pytest.approx(truth, abs=1.0)
