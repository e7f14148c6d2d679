"""Scans made by the forward model from stated parameters, so that the right answer is known."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch

from mixrd.crystal import Crystal
from mixrd.network import Model
from mixrd.pattern import ForwardModel, Instrument, load_instrument
from mixrd.phases import load_phase
from mixrd.scan import Scan
from mixrd.training import Recipe, train
from tests.threads import one_thread  # noqa: F401

MakeScan = Callable[..., Scan]


@pytest.fixture(scope="session")
def crystals() -> list[Crystal]:
    return [load_phase("fluorite"), load_phase("halite")]


@pytest.fixture(scope="session")
def instrument() -> Instrument:
    return dataclasses.replace(load_instrument("lab-cu"), two_theta_range=(20.0, 60.0), step=0.04)


@pytest.fixture(scope="session")
def make_scan(instrument: Instrument) -> MakeScan:
    """A scan from weights and parameters: strains and sizes (nm) phase by phase, a sloping background."""

    def make(
        crystals: Sequence[Crystal],
        weights: Sequence[float],
        *,
        strain: Sequence[float] | None = None,
        size_nm: Sequence[float] | float = 200.0,
        zero: float = 0.0,
        displacement: float = 0.0,
        peak: float = 20_000.0,
        background: float = 200.0,
        seed: int | None = 0,
        **of_scan: Any,
    ) -> Scan:
        low, high = instrument.two_theta_range
        two_theta = np.arange(low, high + 0.5 * instrument.step, instrument.step)
        model = ForwardModel(crystals, instrument, two_theta)
        start = model.reference()
        size = torch.as_tensor(size_nm, dtype=torch.float64).expand(1, len(crystals))
        parameters = dataclasses.replace(
            start,
            strain=start.strain if strain is None else torch.tensor([strain], dtype=torch.float64),
            inverse_size=1 / size,
            zero=start.zero + zero,
            displacement=start.displacement + displacement,
        )
        signal = (torch.tensor(weights, dtype=torch.float64) @ model.columns(parameters)[0]).numpy()
        expected = peak * signal / max(signal.max(), 1e-30) + background * (1.5 - two_theta / 120)
        counts = expected if seed is None else np.random.default_rng(seed).poisson(expected).astype(float)
        of_scan = {"wavelength_angstrom": 1.5406, "path": "made.xy"} | of_scan
        return Scan(two_theta=two_theta, counts=counts, **of_scan)

    return make


@pytest.fixture(scope="session")
def scan(make_scan: MakeScan, crystals: list[Crystal]) -> Scan:
    """30 wt% fluorite, 70 wt% halite."""
    return make_scan(crystals, (30, 70), strain=(0.001, -0.0005), size_nm=(80.0, 150.0), zero=0.02)


@pytest.fixture(scope="session")
def model(crystals: list[Crystal], instrument: Instrument, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A hastily trained network for `crystals`."""
    coarse = dataclasses.replace(instrument, step=0.08)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIXRD_CACHE", str(tmp_path_factory.mktemp("cache")))
        recipe = Recipe(tuple(crystals), coarse, two_theta_range=(21.0, 59.0), steps=60, batch=32)
        return train(recipe, device="cpu")
