"""The plain sum over all peaks, and how near the other precisions come to it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from mixrd.pattern import TOLERANCES, ExactRenderer, ForwardModel, Peaks, Precision, load_instrument
from mixrd.phases import load_phase

GRID = np.arange(15.0, 80.0, 0.02)
PHASES = ("corundum", "zincite", "calcite")


def test_sum_by_hand() -> None:
    renderer = ExactRenderer(np.array([29.9, 30.0, 30.4]))
    row = torch.tensor([[30.0, 30.2]], dtype=torch.float64)
    peaks = Peaks(
        row, torch.tensor([[2.0, 3.0]]).double(), 0.2 + 0 * row, torch.tensor([[1.0, 0.0]]).double()
    )
    found = renderer.render(peaks)[0, 0].tolist()

    def lorentz(x: float) -> float:
        return 2 / math.pi / 0.2 / (1 + 4 * (x / 0.2) ** 2)

    def gauss(x: float) -> float:
        return 2 * math.sqrt(math.log(2) / math.pi) / 0.2 * math.exp(-4 * math.log(2) * (x / 0.2) ** 2)

    expected = [2 * lorentz(x - 30.0) + 3 * gauss(x - 30.2) for x in (29.9, 30.0, 30.4)]
    assert found == pytest.approx(expected, rel=1e-12)


def test_columns_and_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    model = ForwardModel([load_phase(p) for p in PHASES], load_instrument("lab-cu"), GRID, precision="exact")
    start = model.reference(2)
    whole = model.columns(start)
    scales = torch.ones(2, 3, dtype=torch.float64)
    slopes = model.tangents(start, scales)
    monkeypatch.setattr("mixrd.pattern.exact._CHUNK", 1)
    torch.testing.assert_close(model.columns(start), whole)
    torch.testing.assert_close(model.tangents(start, scales), slopes)


@pytest.mark.parametrize("precision", ["training", "refinement"])
@pytest.mark.parametrize("sh_l", [0.0, 0.04])
@pytest.mark.parametrize("size_nm", [15.0, 300.0])
def test_faster_precisions_keep_their_tolerance(precision: Precision, sh_l: float, size_nm: float) -> None:
    """Doublet, Thompson-Cox-Hastings profile, axial divergence and displacement, all at once."""
    machine = load_instrument("lab-cu")
    machine = replace(machine, profile=replace(machine.profile, sh_l=sh_l))
    crystals = [load_phase(p) for p in PHASES]
    patterns = []
    for mode in ("exact", precision):
        model = ForwardModel(crystals, machine, GRID, precision=mode, widest_fwhm=0.8)
        start = model.reference()
        start = replace(start, inverse_size=start.inverse_size + 1 / size_nm, displacement=start.zero + 0.05)
        patterns.append(model.columns(start)[0].double())
    error = (patterns[1] - patterns[0]).abs().amax(-1) / patterns[0].amax(-1)
    assert float(error.max()) < TOLERANCES[precision]


def test_tangents_of_the_refinement_are_those_of_the_plain_sum() -> None:
    machine = load_instrument("lab-cu")
    machine = replace(machine, profile=replace(machine.profile, sh_l=0.03, x=0.02))
    crystals = [load_phase(p) for p in PHASES[:2]]
    slopes = []
    for mode in ("exact", "refinement"):
        model = ForwardModel(crystals, machine, GRID[:1500], precision=mode)
        start = model.reference()
        start = replace(start, inverse_size=start.inverse_size + 0.01, microstrain=start.microstrain + 5e-4)
        slopes.append(model.tangents(start, torch.ones(1, 2, dtype=torch.float64)))
    scale = slopes[0].abs().amax(dim=1, keepdim=True).clamp_min(1e-12)
    assert float(((slopes[1] - slopes[0]) / scale).abs().max()) < 3e-3
