"""What a user says of the sample."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from mixrd.analysis import Analysis
from mixrd.scan import read_scan, write_scan

REFINE = ("--phases", "fluorite", "halite", "--instrument", "lab-cu", "--no-network")


def test_a_particle_size_moves_fractions_and_not_the_fit(run, scan_file: Path) -> None:
    plain = Analysis.from_json(run("analyze", scan_file, *REFINE, "--json").out)
    moved = Analysis.from_json(run("analyze", scan_file, *REFINE, "--json", "--particle-size", "5").out)
    fluorite, other = moved.phases[0], plain.phases[0]
    assert fluorite.apparent_percent == pytest.approx(other.apparent_percent, abs=1e-6)
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


def test_grinding_moves_amounts_to_what_it_makes_likely(run, scan_file: Path) -> None:
    found = {}
    for grinding in ("mccrone", "by-hand", "as-received"):
        shown = run("analyze", scan_file, *REFINE, "--grinding", grinding, "--out", grinding)
        assert shown.code == 0
        found[grinding] = Analysis.from_json(Path(grinding) / "mixture.json")
    plain = Analysis.from_json(run("analyze", scan_file, *REFINE, "--json").out)
    for analysis in found.values():
        assert analysis.phases[0].apparent_percent == pytest.approx(
            plain.phases[0].apparent_percent, abs=1e-6
        )
        assert analysis.r_wp == pytest.approx(plain.r_wp, abs=1e-9)
    # Fluorite absorbs more: it is more than it appears to be, the more the coarser the particles.
    mill, hand, coarse = (analysis.phases[0] for analysis in found.values())
    unasked = plain.phases[0]
    assert unasked.apparent_percent < unasked.weight_percent < mill.weight_percent < hand.weight_percent
    assert max(mill.sigma_percent, unasked.sigma_percent) < hand.sigma_percent < coarse.sigma_percent
    assert found["by-hand"].provenance["preparation"] == {"grinding": "by-hand"}
    page = Path("by-hand/mixture.html").read_text(encoding="utf-8")
    assert "a powder ground by hand" in page


def test_a_batch_knows_the_grinding_again(run, scan_file: Path) -> None:
    for name in "ab":
        shutil.copy(scan_file, f"{name}.xy")
    scans = ("analyze", "a.xy", "b.xy", *REFINE, "--jobs", "1")
    assert run(*scans, "--grinding", "by-hand").code == 0
    again = run(*scans, "--grinding", "by-hand")
    assert "2 of 2 scans were done before" in again.err
    other = run(*scans, "--grinding", "mccrone")
    assert other.code == 2  # another request than the one whose results are there


def test_the_formula_of_the_glass_reaches_the_analysis(run, scan_file: Path) -> None:
    run("simulate", "halite:100", "--instrument", "lab-cu", "--range", "24", "62", "-o", "pure.xy")
    # As if the standard had been counted four times as long as now: most of the sample is glass.
    pure = read_scan("pure.xy")
    write_scan(dataclasses.replace(pure, counts=4 * pure.counts), "bright.xy")
    options = ("analyze", scan_file, *REFINE, "--external-standard", "halite:bright.xy", "--json")
    plain = Analysis.from_json(run(*options).out)
    glass = Analysis.from_json(run(*options, "--amorphous-formula", "B2O3").out)
    assert plain.absolute is not None and glass.absolute is not None
    assert glass.provenance["preparation"]["amorphous_formula"] == "B2O3"
    # Boron oxide absorbs little: what is beside it absorbs less, too, so that there is less of it.
    assert glass.absolute.amorphous_percent > plain.absolute.amorphous_percent + 1


def test_what_the_whole_is_of(run, scan_file: Path) -> None:
    shown = run("analyze", scan_file, *REFINE, "--standard", "halite:30", "--out", "results")
    assert "wt% of the sample before the standard was added (internal standard): fluorite" in shown.out
    page = Path("results/mixture.html").read_text(encoding="utf-8")
    assert "By weight, the sample before the standard was added is about" in page
    assert "Weight percent of the sample before the standard was added" in page


def test_a_batch_is_refused_before_a_scan_is_read(run, scan_file: Path) -> None:
    for name in "ab":
        shutil.copy(scan_file, f"{name}.xy")
    shown = run("analyze", "a.xy", "b.xy", *REFINE, "--standard", "quartz:20")
    assert shown.code == 2 and not Path("mixrd-results").exists()


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
        (("--grinding", "well"), "by-hand"),
        (("--grinding", "by-hand", "--particle-size", "5"), "exclude each other"),
        (("--amorphous-formula", "SiO2"), "--external-standard"),
        (("--amorphous-formula", "SiO2", "--standard", "halite:20"), "--external-standard"),
        (("--amorphous-formula", "sand", "--external-standard", "halite:x.xy"), "no chemical formula"),
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
