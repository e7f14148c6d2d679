"""Lines that no candidate explains, in scans whose fit is known exactly and in measured ones."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mixrd.analysis import Analysis, Curves, analyze, calibrate, generic_instrument
from mixrd.analysis.doubts.unexplained import LEAST_SHARE, Unexplained, find_unexplained, unexplained_warnings
from mixrd.analysis.inputs.setup import part_of
from mixrd.crystal import Crystal
from mixrd.diffraction import radiation, with_contamination
from mixrd.pattern import ForwardModel, Instrument
from mixrd.phases import load_phase
from mixrd.scan import Scan, read_scan

MIXTURE = {"corundum": 0.5, "fluorite": 0.3, "zincite": 0.2}


@pytest.fixture(scope="module")
def laboratory() -> Instrument:
    return dataclasses.replace(generic_instrument("CuKa"), two_theta_range=(20.0, 90.0), step=0.02)


@pytest.fixture(scope="module")
def patterns(laboratory: Instrument) -> Mapping[str, NDArray[np.float64]]:
    """Patterns of equal mass."""
    names = [*MIXTURE, "quartz", "halite"]
    return dict(zip(names, columns(names, laboratory), strict=True))


def grid(instrument: Instrument) -> NDArray[np.float64]:
    low, high = instrument.two_theta_range
    return np.arange(low, high, instrument.step)


def columns(
    names: Sequence[str], instrument: Instrument, *, size_nm: float = 150.0, **shared: float
) -> NDArray[np.float64]:
    """(P, N) patterns per unit mass."""
    model = ForwardModel([load_phase(n) for n in names], instrument, grid(instrument))
    start = model.reference()
    parameters = dataclasses.replace(
        start,
        inverse_size=torch.full_like(start.inverse_size, 1 / size_nm),
        **{name: torch.full_like(getattr(start, name), value) for name, value in shared.items()},
    )
    result: NDArray[np.float64] = model.columns(parameters)[0].numpy()
    return result


def fitted(
    two_theta: NDArray[np.float64],
    contributions: NDArray[np.float64],
    left_out: NDArray[np.float64] | float = 0.0,
    *,
    peak: float = 10_000.0,
    background: float = 150.0,
    seed: int = 0,
) -> tuple[Curves, NDArray[np.float64]]:
    """A scan of `contributions` (P, N) and `left_out`, fitted perfectly but for the latter; and sigma."""
    scale = peak / contributions.sum(axis=0).max()
    floor = np.full_like(two_theta, background)
    calculated = scale * contributions.sum(axis=0) + floor
    expected = calculated + scale * np.asarray(left_out)
    observed = np.random.default_rng(seed).poisson(expected).astype(float)
    curves = Curves(
        two_theta=two_theta,
        observed=observed,
        calculated=calculated,
        background=floor,
        contributions=scale * contributions,
        marks=(),
    )
    return curves, part_of(Scan(two_theta=two_theta, counts=observed), (0.0, 180.0))[2]


def mixed(patterns: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.array([share * patterns[name] for name, share in MIXTURE.items()])


@pytest.mark.parametrize("peak", [1e3, 1e4, 1e5])
def test_a_perfect_fit_leaves_nothing(
    laboratory: Instrument, patterns: Mapping[str, NDArray[np.float64]], peak: float
) -> None:
    found = [
        find_unexplained(
            *fitted(grid(laboratory), mixed(patterns), peak=peak, background=0.02 * peak, seed=seed),
            laboratory,
        )
        for seed in range(4)
    ]
    assert sum(len(f.lines) for f in found) == 0
    assert [unexplained_warnings(f) for f in found] == [[]] * 4


def test_lines_of_a_phase_left_out(
    laboratory: Instrument, patterns: Mapping[str, NDArray[np.float64]]
) -> None:
    curves, sigma = fitted(grid(laboratory), mixed(patterns), 0.05 * patterns["quartz"])
    found = find_unexplained(curves, sigma, laboratory, candidates=[load_phase(name) for name in MIXTURE])
    shares = [line.area_share for line in found.lines]
    assert shares == sorted(shares, reverse=True)
    # 101 and 100 of quartz.
    spacings = [line.d_spacing_angstrom for line in found.unknown[:2]]
    assert spacings == [pytest.approx(3.343, abs=0.004), pytest.approx(4.255, abs=0.008)]
    assert found.lines[0].significance > 20
    assert found.suggestions[0].name == "quartz"
    (warning,) = unexplained_warnings(found)
    assert warning.code == "UNEXPLAINED_LINES"
    for part in ("lines with", "% of the counts above background", "d = 3.34", "quartz would explain"):
        assert part in warning.message


def test_spacings_are_corrected_for_zero_and_displacement(
    laboratory: Instrument, patterns: Mapping[str, NDArray[np.float64]]
) -> None:
    (shifted,) = columns(["quartz"], laboratory, zero=0.08, displacement=-0.1)
    curves, sigma = fitted(grid(laboratory), mixed(patterns), 0.1 * shifted)
    found = find_unexplained(curves, sigma, laboratory, zero_deg=0.08, displacement_mm=-0.1)
    assert found.unknown[0].d_spacing_angstrom == pytest.approx(3.343, abs=0.003)
    # Beyond what samples do, the fit is not believed.
    bent = find_unexplained(curves, sigma, laboratory, zero_deg=-1.0)
    angle = np.radians(bent.unknown[0].two_theta_deg / 2)
    assert bent.unknown[0].d_spacing_angstrom == pytest.approx(1.54059 / 2 / np.sin(angle), rel=1e-4)


def test_texture_and_profile_misfit_are_no_lines(
    laboratory: Instrument, patterns: Mapping[str, NDArray[np.float64]]
) -> None:
    lines = mixed(patterns)
    # Every line of corundum twice as strong as calculated, and those of the others a little broader.
    (broader,) = columns(["fluorite"], laboratory, size_nm=90.0)
    wrong = lines[0] + 0.3 * (broader - patterns["fluorite"])
    candidates = [load_phase(name) for name in MIXTURE]
    found = find_unexplained(
        *fitted(grid(laboratory), lines, wrong, peak=1e5), laboratory, candidates=candidates
    )
    assert found.share_of_counts < LEAST_SHARE
    assert unexplained_warnings(found) == []


def test_a_much_too_strong_line_on_a_calculated_one_is_unexplained(
    laboratory: Instrument, patterns: Mapping[str, NDArray[np.float64]]
) -> None:
    lines = mixed(patterns)
    found = find_unexplained(*fitted(grid(laboratory), lines, 4 * lines[2]), laboratory)
    assert unexplained_warnings(found)


@pytest.mark.parametrize(
    ("stray", "label"), [({"kbeta": 0.02}, "K beta of the line at"), ({"tungsten": 0.02}, "W L alpha of")]
)
def test_stray_lines_are_called_by_their_name(
    laboratory: Instrument,
    patterns: Mapping[str, NDArray[np.float64]],
    stray: dict[str, float],
    label: str,
) -> None:
    names = list(MIXTURE)
    dirty = dataclasses.replace(laboratory, radiation=with_contamination(laboratory.radiation, **stray))
    weights = np.array(list(MIXTURE.values()))
    scale = sum(line.weight for line in dirty.radiation.lines[:2])
    left = weights @ columns(names, dirty) / scale - weights @ columns(names, laboratory)
    curves, sigma = fitted(grid(laboratory), mixed(patterns), np.maximum(left, 0.0), peak=1e5)
    found = find_unexplained(curves, sigma, laboratory)
    assert len(found.lines) >= 8
    # Those of lines beyond the end of the scan have no name.
    assert all(line.remark.startswith(label) for line in found.lines if line.two_theta_deg < 79)
    assert unexplained_warnings(found) == []


def test_k_alpha2_behind_a_leaking_monochromator(laboratory: Instrument) -> None:
    pure = dataclasses.replace(laboratory, radiation=radiation("CuKa1"), two_theta_range=(60.0, 120.0))
    both = dataclasses.replace(pure, radiation=radiation("CuKa"))
    (alone,), (doublet,) = columns(["corundum"], pure), columns(["corundum"], both)
    curves, sigma = fitted(grid(pure), alone[np.newaxis], 1.5 * doublet - alone)
    found = find_unexplained(curves, sigma, pure)
    named = [line.remark.startswith("K alpha2 of the line at") for line in found.lines]
    assert all(named[:4])
    assert sum(named) >= 0.75 * len(named)


def test_a_spike_is_no_line(laboratory: Instrument, patterns: Mapping[str, NDArray[np.float64]]) -> None:
    spike = np.zeros_like(patterns["corundum"])
    spike[700] = 0.5 * mixed(patterns).sum(axis=0).max()
    assert find_unexplained(*fitted(grid(laboratory), mixed(patterns), spike), laboratory).lines == ()


def test_a_candidate_bent_into_a_hump_explains_no_line(
    laboratory: Instrument, patterns: Mapping[str, NDArray[np.float64]]
) -> None:
    (hump,) = columns(["halite"], laboratory, size_nm=3.0)
    both = np.array([patterns["corundum"], 0.5 * hump / hump.max() * patterns["corundum"].max()])
    found = find_unexplained(*fitted(grid(laboratory), both, 0.05 * patterns["halite"]), laboratory)
    # 200 of halite is on top of the hump.
    assert min(abs(line.d_spacing_angstrom - 2.820) for line in found.unknown) < 0.01


def test_counts_of_very_different_grids(laboratory: Instrument) -> None:
    for step in (0.01, 0.05):
        machine = dataclasses.replace(laboratory, two_theta_range=(25.0, 50.0), step=step)
        corundum, quartz = columns(["corundum", "quartz"], machine)
        found = find_unexplained(*fitted(grid(machine), corundum[np.newaxis], 0.1 * quartz), machine)
        assert found.unknown[0].d_spacing_angstrom == pytest.approx(3.343, abs=0.005)


def test_a_refinement_without_one_of_the_phases(laboratory: Instrument) -> None:
    machine = dataclasses.replace(laboratory, two_theta_range=(25.0, 70.0))
    names = ["fluorite", "halite", "quartz"]
    counts = 5e3 * (np.array([0.4, 0.5, 0.1]) @ columns(names, machine, zero=0.03))
    counts = np.random.default_rng(1).poisson(5e3 * counts / counts.max() + 100).astype(float)
    scan = Scan(two_theta=grid(machine), counts=counts, anode="Cu")
    crystals = [load_phase(name) for name in names]
    assert unexplained_warnings(judge(scan, crystals, machine)) == []
    found = judge(scan, crystals[:2], machine)
    assert found.suggestions[0].name == "quartz"
    assert unexplained_warnings(found)


def judge(scan: Scan, crystals: Sequence[Crystal], instrument: Instrument) -> Unexplained:
    """`find_unexplained` of the refinement of a scan."""
    result: Analysis = analyze(scan, crystals, instrument)
    assert result.curves is not None
    # The whole scan, also what lies below the range that is fitted.
    assert result.curves.two_theta[0] == scan.two_theta[0]
    sigma = part_of(scan, (0.0, 180.0))[2]
    return find_unexplained(
        result.curves,
        sigma,
        instrument,
        zero_deg=result.zero_deg or 0.0,
        displacement_mm=result.displacement_mm or 0.0,
        candidates=crystals,
    )


@pytest.fixture(scope="module")
def round_robin(data_dir: Path) -> Path:
    return data_dir / "measured" / "cpd"


@pytest.fixture(scope="module")
def calibrated(round_robin: Path) -> Instrument:
    start = generic_instrument("CuKa", monochromator_two_theta=26.6, goniometer_radius_mm=173)
    return calibrate(
        read_scan(round_robin / "corundum-pure.prn"), load_phase("corundum"), start, name="cpd"
    ).instrument


def test_a_round_robin_sample_holds_what_was_weighed(round_robin: Path, calibrated: Instrument) -> None:
    scan = read_scan(round_robin / "CPD-1A.xye")
    assert unexplained_warnings(judge(scan, [load_phase(name) for name in MIXTURE], calibrated)) == []


@pytest.mark.parametrize(("sample", "absent"), [("CPD-1A", "zincite"), ("CPD-1B", "fluorite")])
def test_a_weighed_phase_that_is_left_out(
    round_robin: Path, calibrated: Instrument, sample: str, absent: str
) -> None:
    """Some 4 wt% each."""
    present = [load_phase(name) for name in MIXTURE if name != absent]
    found = judge(read_scan(round_robin / f"{sample}.xye"), present, calibrated)
    assert found.suggestions[0].name == absent
    assert unexplained_warnings(found)


@pytest.mark.slow
def test_rutile_in_the_anatase_of_the_oxide_mixtures(data_dir: Path) -> None:
    """The strongest line of a trace that nobody weighed in."""
    folder = data_dir / "measured" / "dara"
    with (folder / "phases.csv").open(encoding="utf-8", newline="") as file:
        cif = {row["name"]: str(folder / row["cif"]) for row in csv.DictReader(file)}
    scan = read_scan(folder / "V2O5_0p3015-TiO2_0p6998--8min.xrdml")
    crystals = [load_phase(cif[name]) for name in ("shcherbinaite", "anatase")]
    found = judge(scan, crystals, generic_instrument("CuKa"))
    (line,) = found.unknown
    assert abs(line.d_spacing_angstrom - 3.247) < 0.015
    (warning,) = unexplained_warnings(found)
    assert warning.message.startswith("one line with 0.15 % of the counts above background belongs to no")
