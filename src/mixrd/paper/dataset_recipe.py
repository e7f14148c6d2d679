"""The recipe of the paper's dataset: which materials, how many strained copies, simulated how.

500 strains of each material for training and validation (60/40) and 200 others for testing. A material's
strains follow from the recipe's seed, the split and its name alone, so that the dataset of the first N
materials is part of that of more.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from mixrd.crystal import Crystal, StrainMode, strain_basis
from mixrd.errors import RecipeError
from mixrd.paper.simulators import SIMULATORS, Lines, SimulatorName
from mixrd.phases import check_distinct

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
#: Part of the recipe's hash: raise it with every change of what is simulated or stored.
DATASET_VERSION = 1


@dataclass(frozen=True)
class DatasetRecipe:
    """Everything that decides what is in a dataset.

    Attributes
    ----------
    crystals : tuple of Crystal
        Materials.
    strains : int
        Strained copies of each material for training and validation together.
    validation_share : float
        Of them for validation, 0-0.9.
    test_strains : int
        Further copies for testing.
    max_strain : float
        Each strain component is uniform between minus and plus this, 0-0.05.
    strain : {"symmetry", "general"}
        The components that the crystal system allows, or all six.
    simulator : {"mixrd", "pymatgen"}
    wavelength_angstrom : float
    two_theta_range : (low, high)
        In degrees.
    seed : int
    """

    crystals: tuple[Crystal, ...]
    strains: int = 500
    validation_share: float = 0.4
    test_strains: int = 200
    max_strain: float = 0.05
    strain: StrainMode = "symmetry"
    simulator: SimulatorName = "mixrd"
    wavelength_angstrom: float = 1.54184
    two_theta_range: tuple[float, float] = (10.0, 50.0)
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "crystals", tuple(self.crystals))
        if not self.crystals:
            raise RecipeError("no material is given", remedy="Give at least one crystal")
        check_distinct(list(self.crystals))
        allowed = {"strains": (2, 10**6), "validation_share": (0.0, 0.9), "test_strains": (1, 10**6),
                   "max_strain": (0.0, 0.05), "wavelength_angstrom": (0.05, 10),
                   "seed": (0, 2**40)}  # fmt: skip
        for name, (least, most) in allowed.items():
            if not least <= getattr(self, name) <= most:
                raise RecipeError(
                    f"{name} = {getattr(self, name):g}", remedy=f"Allowed: {least:g} to {most:g}"
                )
        for name, choices in (("strain", get_args(StrainMode)), ("simulator", get_args(SimulatorName))):
            if getattr(self, name) not in choices:
                raise RecipeError(
                    f"{name} = {getattr(self, name)!r}", remedy=f"Allowed: {', '.join(choices)}"
                )
        low, high = self.two_theta_range
        if not 0 <= low < high <= 175:
            raise RecipeError(
                f"two_theta_range = {low:g} to {high:g} deg", remedy="Allowed: 0 <= low < high <= 175"
            )

    def copies(self, split: Split) -> int:
        """Strained copies of each material in a split."""
        if split == "test":
            return self.test_strains
        validation = round(self.strains * self.validation_share)
        return validation if split == "validation" else self.strains - validation

    def amplitudes(self, crystal: Crystal, split: Split) -> NDArray[np.float64]:
        """(copies, K) strain amplitudes of a material in a split, along `strain_basis`."""
        name = f"{self.seed}/{split}/{crystal.name}".encode()
        seed = int.from_bytes(hashlib.sha256(name).digest()[:7])
        shape = self.copies(split), len(strain_basis(crystal, self.strain))
        generator = torch.Generator().manual_seed(seed)
        uniform = torch.rand(shape, generator=generator, dtype=torch.float64).numpy()
        return np.asarray(self.max_strain * (2 * uniform - 1))

    def lines(self, crystal: Crystal, amplitudes: NDArray[np.float64]) -> list[Lines]:
        """Lines of a material's copies of these (S, K) amplitudes, by the simulator."""
        simulate = SIMULATORS[self.simulator]
        return simulate(crystal, amplitudes, self.strain, self.wavelength_angstrom, self.two_theta_range)

    def to_dict(self) -> dict[str, Any]:
        """Plain data; the crystals by name and hash, as their records stand beside it."""
        data = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "crystals"}
        crystals = [{"name": c.name, "sha256": _sha256(c.to_dict())} for c in self.crystals]
        return {"version": DATASET_VERSION, **data, "crystals": crystals}

    @property
    def sha256(self) -> str:
        """Hash of the recipe."""
        return _sha256(self.to_dict())

    @classmethod
    def from_dict(cls, data: dict[str, Any], crystals: list[dict[str, Any]]) -> DatasetRecipe:
        """Recipe from what `to_dict` gave (or its JSON) and the records of its crystals."""
        fields = {key: value for key, value in data.items() if key not in ("version", "crystals")}
        fields["two_theta_range"] = tuple(fields["two_theta_range"])
        return cls(crystals=tuple(Crystal.from_dict(c) for c in crystals), **fields)


def without_training(recipe: DatasetRecipe) -> DatasetRecipe:
    """The same test split, with hardly any training strains: a split does not depend on the others."""
    return dataclasses.replace(recipe, strains=2, validation_share=0.0)


def _sha256(data: Any) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
