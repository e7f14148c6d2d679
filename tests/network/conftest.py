"""A small untrained model of two cubic phases."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest
import torch

from mixrd.network import Model, Problem, build_network
from mixrd.pattern import load_instrument
from mixrd.phases import load_phase
from tests.threads import one_thread  # noqa: F401

# For candidates, which several tests take.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def problem() -> Problem:
    return Problem(
        crystals=(load_phase("fluorite"), load_phase("halite")),
        instrument=dataclasses.replace(load_instrument("lab-cu"), two_theta_range=(25.0, 50.0)),
        start=25.0,
        step=0.05,
        points=500,
        max_strain=0.01,
        size_nm=(20.0, 1000.0),
    )


@pytest.fixture(scope="session")
def model(problem: Problem) -> Model:
    network = build_network(problem)
    # Batch statistics that are not those of a fresh network, as after a training.
    network.train()
    network(torch.rand(16, 500, generator=torch.Generator().manual_seed(0)) ** 4)
    history = [{"step": 1, "loss": 0.5, "tvd": 0.4}]
    return Model(problem, network.eval(), {"seed": 3, "batch": 8}, history)
