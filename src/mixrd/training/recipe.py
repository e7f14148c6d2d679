"""The recipe of a training: everything that decides its result."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from mixrd.crystal import Crystal
from mixrd.diffraction import Radiation, reflections
from mixrd.diffraction.bragg import sine_from_inverse_d
from mixrd.errors import RecipeError
from mixrd.mixture import SAMPLER_VERSION, SampleRanges
from mixrd.network import (
    NETWORK_VERSION,
    SCAN_ARCHITECTURE,
    Problem,
    architecture_named,
    architectures,
    unfit_for_scans,
)
from mixrd.pattern import FORWARD_MODEL_VERSION, Instrument, instrument_to_dict
from mixrd.phases import check_distinct
from mixrd.training.precision import has_bfloat16
from mixrd.training.settings import TrainingSettings

#: Longest pattern that the network reads; finer grids add cost but hardly information.
MOST_POINTS = 3072
#: Shortest pattern that the network reads: below it the last of its strided blocks see nothing but edges.
FEWEST_POINTS = 64
#: Degrees kept below the first reflection of any candidate, for its tail and the background.
LEAD_DEG = 3.0


@dataclass(frozen=True)
class Recipe:
    """How to train a network for one problem.

    Attributes
    ----------
    phases : tuple of Crystal
        Candidates.
    instrument : Instrument
    two_theta_range : (low, high) or None
        Range that scans will cover in degrees; None takes the instrument's.
    ranges : SampleRanges
        From where samples are drawn.
    steps : int
        Optimiser steps.
    batch : int
        Mixtures a step; what suits the architecture unless given.
    learning_rate : float
        Highest; warmed up linearly, then lowered to zero along a cosine. What suits the architecture unless
        given.
    seed : int
    architecture : str
        One of `mixrd.network.architectures` that gradients train and that needs nothing but candidates and
        grid. One without heads for strain and size leaves these to the refinement.
    """

    phases: tuple[Crystal, ...]
    instrument: Instrument
    two_theta_range: tuple[float, float] | None = None
    ranges: SampleRanges = field(default_factory=SampleRanges)
    steps: int = 800
    batch: int | None = None
    learning_rate: float | None = None
    seed: int = 0
    architecture: str = SCAN_ARCHITECTURE

    def __post_init__(self) -> None:
        object.__setattr__(self, "phases", tuple(self.phases))
        if not self.phases:
            raise RecipeError("no phase is given", remedy="Name at least one candidate phase")
        check_distinct(list(self.phases))
        suits = self._suitable()
        for name in ("batch", "learning_rate"):
            if getattr(self, name) is None:
                object.__setattr__(self, name, getattr(suits, name))
        allowed = {
            "steps": (1, 10_000_000),
            "batch": (8, 65_536),
            "learning_rate": (1e-6, 1.0),
            "seed": (0, 2**40),
        }
        for name, (low, high) in allowed.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise RecipeError(f"{name} = {value:g}", remedy=f"Allowed: {low:g} to {high:g}")
        first, last = self.two_theta_range or self.instrument.two_theta_range
        if not 0 <= first < last <= 180:
            raise RecipeError(
                f"two_theta_range = {first:g} to {last:g} deg", remedy="Allowed: 0 <= low < high <= 180"
            )

    def _suitable(self) -> TrainingSettings:
        """Settings that suit the architecture.

        Raises
        ------
        RecipeError
            If it cannot be trained for scans.
        """
        chosen = architecture_named(self.architecture)
        if lacks := unfit_for_scans(self.architecture):
            fit = ", ".join(a.name for a in architectures() if not unfit_for_scans(a.name))
            raise RecipeError(
                f"{self.architecture} cannot be trained for scans: it {lacks}", remedy=f"Take one of {fit}"
            )
        return TrainingSettings(**{"samples": 1, **chosen.training})

    def settings(self, device: torch.device) -> TrainingSettings:
        """Settings of the training on a device."""
        assert self.batch is not None and self.learning_rate is not None
        return dataclasses.replace(
            self._suitable(),
            samples=self.steps * self.batch,
            batch=self.batch,
            learning_rate=self.learning_rate,
            # Nearly twice as fast where there is bf16; weights and their gradients stay in float32.
            precision="bf16" if has_bfloat16(device) else "float32",
            seed=self.seed,
            schedule="cosine",
            largest_gradient=1.0,
        )

    def problem(self) -> Problem:
        """Grid and candidates of the network.

        The grid begins shortly before the first reflection of any candidate and has at most
        `MOST_POINTS` points.
        """
        low, high = self.two_theta_range or self.instrument.two_theta_range
        first = first_reflection_deg(self.phases, self.instrument, (low, high))
        start = max(low + self.instrument.step, first - LEAD_DEG)
        stop = high - self.instrument.step
        step = max(self.instrument.step, math.ceil((stop - start) / MOST_POINTS * 1000) / 1000)
        # Rounded, so that scans whose ranges differ by less than a step share one trained model.
        start = math.ceil(start * 10) / 10
        points = int((stop - start) / step)
        if points < FEWEST_POINTS:
            raise RecipeError(
                f"{low:g} to {high:g} deg in steps of {step:g} deg gives a network {max(points, 0)} points",
                remedy=f"Give a longer range or a finer step: at least {FEWEST_POINTS} points",
            )
        return Problem(
            crystals=self.phases,
            instrument=self.instrument,
            start=start,
            step=step,
            points=points,
            max_strain=self.ranges.max_strain,
            size_nm=self.ranges.size_nm,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        data = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        data["phases"] = [crystal.to_dict() for crystal in self.phases]
        data["instrument"] = instrument_to_dict(self.instrument)
        data["ranges"] = dataclasses.asdict(self.ranges)
        # As before there was a choice, so that networks are found that were trained then.
        if self.architecture == SCAN_ARCHITECTURE:
            del data["architecture"]
        return data

    @property
    def sha256(self) -> str:
        """Hash of the recipe and of the versions of what it is trained with: the key of the cache."""
        versions = {"forward": FORWARD_MODEL_VERSION, "sampler": SAMPLER_VERSION, "network": NETWORK_VERSION}
        content = {"recipe": self.to_dict(), "versions": versions}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def first_reflection_deg(
    phases: Sequence[Crystal], instrument: Instrument, two_theta_range: tuple[float, float]
) -> float:
    """Angle (degrees) of the first reflection of any phase within the range."""
    low, high = (float(x) for x in two_theta_range)
    g = min(_smallest_g(c, instrument.radiation, low, high) for c in phases)
    sine = sine_from_inverse_d(inverse_d=g, wavelength_angstrom=instrument.radiation.wavelength_angstrom)
    return float(2 * np.degrees(np.arcsin(min(sine, 1.0))))


@lru_cache(maxsize=1024)
def _smallest_g(crystal: Crystal, radiation: Radiation, low: float, high: float) -> float:
    """1/d (1/angstrom) of the first reflection of a crystal; scans of a series ask again and again."""
    found = reflections(crystal, radiation, two_theta_range=(low, high), margin=0.0)
    return float(found.g.norm(dim=1).min())
