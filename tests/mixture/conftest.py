"""Two cubic phases on a short range: everything here takes milliseconds."""

from __future__ import annotations

import dataclasses

import pytest

from mixrd.crystal import Crystal
from mixrd.pattern import Instrument, load_instrument
from mixrd.phases import load_phase
from tests.threads import one_thread  # noqa: F401


@pytest.fixture(scope="session")
def crystals() -> list[Crystal]:
    return [load_phase("fluorite"), load_phase("halite")]


@pytest.fixture(scope="session")
def instrument() -> Instrument:
    return dataclasses.replace(load_instrument("lab-cu"), two_theta_range=(20.0, 60.0), step=0.04)
