"""The protocol that cells are run by, and what a training may go on from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mixrd.crystal import Crystal, StrainMode
from mixrd.errors import ParameterError
from mixrd.paper.dataset_recipe import DatasetRecipe
from mixrd.paper.figure1_settings import Figure1Settings
from mixrd.paper.published import BATCH, LEARNING_RATE
from mixrd.paper.simulators import SimulatorName
from mixrd.training import Precision
from mixrd.training.settings import Schedule

#: With fewer, the mean is worth little.
_FEWEST_TEST_PATTERNS = 100


@dataclass(frozen=True)
class Start:
    """A trained network that a training goes on from (`mixrd.paper.result.start_of`).

    Attributes
    ----------
    network : path
    recipe_sha256 : str
        Of its cell.
    dataset_sha256 : str
        Of its materials and their strains.
    samples : int
        Mixtures that it has seen.
    wall_seconds : float
        Of its training.
    """

    network: Path
    recipe_sha256: str
    dataset_sha256: str
    samples: int
    wall_seconds: float


@dataclass(frozen=True)
class Protocol:
    """How cells are run; the paper's choices unless given.

    Attributes
    ----------
    samples : int or None
        Mixtures of each training; None for the paper's 9e5 N, or for what is usual where nothing is trained
        but fitted (`mixrd.network.Architecture.samples`).
    batch, learning_rate, schedule, loss, precision, largest_gradient
        As in `TrainingSettings`; of no meaning where nothing is trained.
    compile : bool
        Whether to compile the network. Not part of the recipe.
    strain, simulator, strains, test_strains
        As in `DatasetRecipe`.
    start : Start or None
        What to go on from, with `samples` fresh mixtures; layers that it lacks begin untrained.
    test_patterns : int
        Mixtures of the test split that a cell is judged on, at least 100.
    figure1 : Figure1Settings
        Its `max_phases` and `kind` are those of each cell.
    """

    samples: int | None = None
    batch: int = BATCH
    learning_rate: float = LEARNING_RATE
    schedule: Schedule = "constant"
    loss: str = "tvd"
    precision: Precision = "float32"
    largest_gradient: float | None = None
    compile: bool = False
    strain: StrainMode = "symmetry"
    simulator: SimulatorName = "mixrd"
    strains: int = 500
    test_strains: int = 200
    start: Start | None = None
    test_patterns: int = 2000
    figure1: Figure1Settings = field(default_factory=Figure1Settings)

    def __post_init__(self) -> None:
        if not _FEWEST_TEST_PATTERNS <= self.test_patterns <= 10**6:
            raise ParameterError(
                f"test_patterns = {self.test_patterns}", remedy=f"Allowed: {_FEWEST_TEST_PATTERNS} to 1000000"
            )
        if self.samples is not None and self.samples < 1:
            raise ParameterError(f"samples = {self.samples}", remedy="Allowed: from 1")

    def dataset(self, crystals: Sequence[Crystal]) -> DatasetRecipe:
        """The dataset of these materials."""
        return DatasetRecipe(
            tuple(crystals),
            strains=self.strains,
            test_strains=self.test_strains,
            strain=self.strain,
            simulator=self.simulator,
            wavelength_angstrom=self.figure1.wavelength_angstrom,
            two_theta_range=self.two_theta_range,
        )

    @property
    def two_theta_range(self) -> tuple[float, float]:
        """Range of the dataset in degrees: the grid's, up to the next tenth."""
        s = self.figure1
        last = s.start_deg + s.step_deg * (s.points - 1)
        return s.start_deg, math.ceil(round(10 * last, 6)) / 10
