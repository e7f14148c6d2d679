"""One refined scan, made by the forward model, that every writer gets."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

from mixrd.analysis import Analysis, TextureResult, analyze
from mixrd.crystal import Crystal
from mixrd.export import Handover, handover
from mixrd.pattern import ForwardModel, Instrument, load_instrument
from mixrd.phases import load_phase
from mixrd.scan import Scan, read_scan
from tests.threads import one_thread  # noqa: F401


@pytest.fixture(scope="session")
def crystals() -> list[Crystal]:
    """Rhombohedral with tensors, cubic."""
    return [load_phase("corundum"), load_phase("fluorite")]


@pytest.fixture(scope="session")
def instrument() -> Instrument:
    preset = load_instrument("lab-cu")
    return dataclasses.replace(preset, two_theta_range=(22.0, 70.0), step=0.03, monochromator_two_theta=26.6)


@pytest.fixture(scope="session")
def scan_file(
    crystals: list[Crystal], instrument: Instrument, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """40 wt% corundum, 60 wt% fluorite."""
    two_theta = np.arange(22.0, 70.0, 0.03)
    model = ForwardModel(crystals, instrument, two_theta)
    start = model.reference()
    parameters = dataclasses.replace(
        start,
        inverse_size=torch.tensor([[1 / 80, 1 / 150]], dtype=torch.float64),
        zero=start.zero + 0.01,
        displacement=start.displacement - 0.03,
    )
    signal = (torch.tensor([0.4, 0.6], dtype=torch.float64) @ model.columns(parameters)[0]).numpy()
    expected = 20_000 * signal / signal.max() + 150 - two_theta
    counts = np.random.default_rng(3).poisson(expected)
    path = tmp_path_factory.mktemp("scan") / "mixture.xy"
    path.write_text("".join(f"{x:.2f} {y}\n" for x, y in zip(two_theta, counts, strict=True)))
    return path


@pytest.fixture(scope="session")
def scan(scan_file: Path) -> Scan:
    found = read_scan(scan_file)
    assert found.sha256 == hashlib.sha256(scan_file.read_bytes()).hexdigest()
    return found


@pytest.fixture(scope="session")
def analysis(scan: Scan, crystals: list[Crystal], instrument: Instrument) -> Analysis:
    return analyze(scan, crystals, instrument)


@pytest.fixture(scope="session")
def given(analysis: Analysis, scan: Scan) -> Handover:
    return handover(analysis, scan)


@pytest.fixture(scope="session")
def rough_and_textured(analysis: Analysis, scan: Scan) -> Handover:
    """The same with everything else that a refinement may find."""
    first, second = analysis.phases
    textured = dataclasses.replace(first, texture=TextureResult((0, 0, 1), 0.8, 0.01))
    changed = dataclasses.replace(analysis, phases=(textured, second), roughness=(0.2, 0.5))
    return handover(changed, scan)


def weight_percent(masses: list[float]) -> list[float]:
    return [100 * mass / sum(masses) for mass in masses]
