"""A tiny training problem and a cache of its own for every test."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest

from mixrd.pattern import load_instrument
from mixrd.phases import load_phase
from mixrd.training import Recipe
from tests.threads import one_thread  # noqa: F401

# For peak_source, which subprocesses import as well.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("MIXRD_CACHE", str(folder))
    return folder / "models"


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    instrument = dataclasses.replace(load_instrument("lab-cu"), two_theta_range=(20.0, 60.0), step=0.08)
    return Recipe((load_phase("fluorite"), load_phase("halite")), instrument, steps=12, batch=16)
