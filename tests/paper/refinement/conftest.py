"""A small setting of four materials: one, two, two and three strain components."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from mixrd.paper.dataset import build_dataset
from mixrd.paper.dataset_recipe import DatasetRecipe
from mixrd.paper.figure1 import Figure1Sampler
from mixrd.paper.figure1_draw import Figure1Draw
from mixrd.paper.figure1_settings import Figure1Settings
from mixrd.paper.pool import load_pool
from mixrd.paper.refinement.copies import Copies
from mixrd.paper.refinement.search import Search
from mixrd.training.precision import half_the_processors

NAMES = ("skutterudite", "silicon-nitride-beta", "matlockite", "arsenolamprite")


@dataclass(frozen=True)
class Setting:
    recipe: DatasetRecipe
    settings: Figure1Settings
    sampler: Figure1Sampler
    search: Search

    def copies(self, drawn: Figure1Draw) -> Copies:
        """What the patterns were drawn from."""
        amplitudes = [torch.from_numpy(self.recipe.amplitudes(c, "test")) for c in self.recipe.crystals]
        copies = self.recipe.copies("test")
        strain = torch.zeros(*drawn.pattern.shape, self.search.lines.most_components)
        for row, patterns in enumerate(drawn.pattern.tolist()):
            for slot, pattern in enumerate(patterns):
                own = amplitudes[pattern // copies][pattern % copies]
                strain[row, slot, : len(own)] = own
        material = torch.where(drawn.fraction > 0, drawn.pattern // copies, -1)
        shape = [drawn.size_nm[:, 0].log(), drawn.eta[:, 0], drawn.background.decay_deg.flatten().log()]
        return Copies(material, strain, torch.stack(shape, dim=1).float())

    def drawn(self, count: int, seed: int = 0) -> Figure1Draw:
        return self.sampler.conditions(count, generator=torch.Generator().manual_seed(seed))


def make_setting(kind: str = "exactly_distinct", phases: int = 2) -> Setting:
    crystals = tuple(crystal for crystal in load_pool(20) if crystal.name in NAMES)
    assert len(crystals) == len(NAMES)
    recipe = DatasetRecipe(crystals, strains=2, validation_share=0.0, test_strains=40)
    settings = Figure1Settings(kind=kind, max_phases=phases)
    sampler = Figure1Sampler(build_dataset(recipe).part("test"), settings)
    return Setting(recipe, settings, sampler, Search(recipe, settings))


@pytest.fixture(scope="session")
def setting() -> Setting:
    with half_the_processors():
        return make_setting()


@pytest.fixture(scope="session")
def replacement() -> Setting:
    with half_the_processors():
        return make_setting("up_to_replacement")


def tvd(setting: Setting, fractions: Tensor, drawn: Figure1Draw) -> Tensor:
    return 0.5 * (fractions - setting.sampler.make(drawn).fractions).abs().sum(1)


def relative_error(found: Tensor, expected: Tensor) -> float:
    """Largest difference relative to the largest value."""
    difference = (found.double() - expected.double()).abs().max()
    return float(difference / expected.abs().max()) if expected.numel() else math.nan
