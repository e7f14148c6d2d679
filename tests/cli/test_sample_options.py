"""What a user says of the sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mixrd.analysis import Analysis

REFINE = ("--phases", "fluorite", "halite", "--instrument", "lab-cu", "--no-network")


def test_a_particle_size_moves_fractions_and_not_the_fit(run, scan_file: Path) -> None:
    plain = Analysis.from_json(run("analyze", scan_file, *REFINE, "--json").out)
    moved = Analysis.from_json(run("analyze", scan_file, *REFINE, "--json", "--particle-size", "5").out)
    fluorite, other = moved.phases[0], plain.phases[0]
    assert fluorite.refined_percent == pytest.approx(other.refined_percent, abs=1e-6)
    # Fluorite absorbs more (30 against 16 per mm): it appears to be less than it is.
    assert fluorite.weight_percent > other.weight_percent + 0.5
    assert fluorite.linear_attenuation_per_mm > moved.phases[1].linear_attenuation_per_mm


def test_an_internal_standard_tells_what_is_amorphous(run, scan_file: Path) -> None:
    # As if 30 wt% of halite had been weighed in, while 40 % of what is crystalline is halite.
    shown = run("analyze", scan_file, *REFINE, "--standard", "halite:30", "--out", "results")
    assert "amorphous" in shown.out
    found = Analysis.from_json(Path("results/mixture.json"))
    assert found.absolute is not None
    assert found.absolute.amorphous_percent == pytest.approx(100 * 0.25 / 0.7, abs=2.0)
    assert list(found.absolute.weight_percent) == ["fluorite"]


def test_an_external_standard_does_too(run, scan_file: Path) -> None:
    code = run(
        "simulate", "halite:100", "--instrument", "lab-cu", "--range", "24", "62", "-o", "pure.xy"
    ).code
    assert code == 0
    shown = run("analyze", scan_file, *REFINE, "--external-standard", "halite:pure.xy", "--json")
    found = Analysis.from_json(shown.out)
    assert found.absolute is not None
    assert found.absolute.method == "external standard"


def test_a_hump_is_a_share_of_the_counts(run, scan_file: Path) -> None:
    rows = np.loadtxt(scan_file, comments="#")
    hump = 0.05 * rows[:, 1].max() * np.exp(-(((rows[:, 0] - 38) / 5) ** 2))
    rows[:, 1] = np.round(rows[:, 1] + hump)
    np.savetxt("glassy.xy", rows, fmt="%.4f")
    shown = run("analyze", "glassy.xy", *REFINE, "--amorphous", "38:8.3", "--json")
    found = Analysis.from_json(shown.out)
    assert found.hump_shares is not None
    ((name, share),) = found.hump_shares.items()
    assert name == "amorphous 38:8.3"
    assert 0.05 < share < 0.8


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--standard", "halite:20", "--external-standard", "halite:x.xy"), "exclude each other"),
        (("--standard", "halite"), "halite"),
        (("--standard", "quartz:20"), "quartz"),
        (("--external-standard", "halite"), "names no scan"),
        (("--particle-size", "-3"), "particle_size_um"),
        (("--amorphous", "nonsense"), "nonsense"),
    ],
)
def test_what_makes_no_sense_is_refused(run, scan_file: Path, options: tuple[str, ...], said: str) -> None:
    shown = run("analyze", scan_file, *REFINE, *options)
    assert shown.code == 2
    assert said in shown.err


def test_it_needs_the_refinement(run, scan_file: Path, network_file: Path) -> None:
    shown = run("analyze", scan_file, "--model", network_file, "--no-refine", "--particle-size", "2")
    assert shown.code == 2
    assert "--no-refine" in shown.err
