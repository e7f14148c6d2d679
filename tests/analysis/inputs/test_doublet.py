"""Whether K alpha2 is in the data, of simulated and measured scans."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mixrd.analysis import generic_instrument
from mixrd.analysis.inputs.beam import doublet_of
from mixrd.analysis.inputs.doublet import kalpha2_seen
from mixrd.diffraction.radiation import K_LINES_ANGSTROM
from mixrd.pattern import ForwardModel
from mixrd.phases import load_phase
from mixrd.scan import read_scan

#: Range in degrees in which lines of each tube are far enough apart.
RANGES = {"Cu": (20, 100), "Co": (25, 110), "Cr": (35, 140), "Fe": (30, 120), "Mo": (10, 60), "Ag": (10, 60)}


def simulated(
    radiation: str, two_theta: NDArray[np.float64], *, peak: float = 10_000.0, size_nm: float = 300.0
) -> NDArray[np.float64]:
    phases = [load_phase(name) for name in ("corundum", "fluorite", "zincite")]
    model = ForwardModel(phases, generic_instrument(radiation), two_theta)
    start = model.reference()
    parameters = dataclasses.replace(start, inverse_size=torch.full_like(start.inverse_size, 1 / size_nm))
    signal = np.array([0.3, 0.34, 0.36]) @ model.columns(parameters)[0].numpy()
    counts: NDArray[np.float64] = np.random.default_rng(3).poisson(peak * signal / signal.max() + 100.0)
    return counts.astype(np.float64)


@pytest.mark.parametrize("anode", sorted(RANGES))
@pytest.mark.parametrize(("lines", "answer"), [("Ka", "both"), ("Ka1", "alone")])
def test_both_or_one_line(anode: str, lines: str, answer: str) -> None:
    two_theta = np.arange(*RANGES[anode], 0.02, dtype=np.float64)
    counts = simulated(f"{anode}{lines}", two_theta)
    alpha1, alpha2, _ = K_LINES_ANGSTROM[anode]
    seen = kalpha2_seen(two_theta, counts, np.sqrt(counts), (alpha1, alpha2))
    assert seen.answer == answer
    assert seen.lines >= 3
    assert seen.ratio == pytest.approx(0.5 if answer == "both" else 0.0, abs=0.1)


@pytest.mark.parametrize("case", ["broad", "few counts", "short", "flat"])
def test_what_does_not_show_it_is_unclear(case: str) -> None:
    two_theta = np.arange(20.0, 45.0 if case == "short" else 90.0, 0.02)
    counts = {
        "broad": lambda: simulated("CuKa1", two_theta, size_nm=12.0),
        "few counts": lambda: simulated("CuKa1", two_theta, peak=60.0),
        "short": lambda: simulated("CuKa1", two_theta),
        "flat": lambda: np.random.default_rng(0).poisson(100.0, len(two_theta)).astype(np.float64),
    }[case]()
    alpha1, alpha2, _ = K_LINES_ANGSTROM["Cu"]
    assert kalpha2_seen(two_theta, counts, np.sqrt(counts), (alpha1, alpha2)).answer == "unclear"


def test_no_measured_scan_of_a_tube_is_taken_for_one_line(data_dir: Path) -> None:
    """None of these has a monochromator before the sample."""
    files = [*(data_dir / "measured").rglob("*.xrdml"), *(data_dir / "identify/oxides50").glob("*.xrdml")]
    files += [*(data_dir / "measured/cpd").glob("*.xye"), *(data_dir / "measured/cpd").glob("*.prn")]
    files += sorted((data_dir / "identify/rruff").glob("*.xy"))[::4]
    answers = [doublet_of(read_scan(file), "Cu").answer for file in files]
    assert "alone" not in answers
    assert answers.count("both") > 0.4 * len(answers)


def test_a_johansson_monochromator_is_seen(data_dir: Path) -> None:
    scan = read_scan(data_dir / "cases/12-kalpha1-monochromator/ka1_johansson.xrdml")
    seen = doublet_of(scan, "Cu")
    assert seen.answer == "alone"
    assert seen.ratio == pytest.approx(0.0, abs=0.05)
