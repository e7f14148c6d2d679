"""What cannot be right in a crystal structure: composition against the formula, and distances of atoms."""

from __future__ import annotations

import gemmi
import numpy as np

from mixrd.crystal import Crystal
from mixrd.crystal.formula import atoms_of_formula

#: Relative, in the number of each element per atom other than H: solid solution, vacancies.
FORMULA_TOLERANCE = 0.03
#: Nearest neighbours over the sum of their covalent radii (Cordero et al. 2008, as gemmi holds them). O-H
#: of X-ray work, 0.75 angstrom, is at 0.77, large cations at 1.2: outside this range an atom is misplaced.
DISTANCE_RANGE = (0.70, 1.40)


def formula_faults(crystal: Crystal, formula: str) -> list[str]:
    """Elements whose number in the cell, per atom other than H, is not that of the stated formula.

    D counts as H, and so do atoms that are known to be there but not where (`Crystal.unlocated`).
    """
    stated, found = atoms_of_formula(formula), dict(crystal.cell_content)
    if "D" in found:
        found["H"] = found.get("H", 0.0) + found.pop("D")
    heavy = [sum(n for element, n in atoms.items() if element != "H") for atoms in (stated, found)]
    wrong = []
    for element in sorted({*stated, *found}):
        expected, present = stated.get(element, 0.0) / heavy[0], found.get(element, 0.0) / heavy[1]
        if abs(present - expected) > FORMULA_TOLERANCE * max(expected, 0.05):
            wrong.append(element)
    return [f"cell content {crystal.formula} is not {formula} in {', '.join(wrong)}"] if wrong else []


def distance_faults(crystal: Crystal) -> list[str]:
    """Sites whose nearest neighbour is too near or too far for two atoms.

    Sites that cannot be filled at once (occupancies that sum to 1 or less) may lie on each other.
    """
    atoms, lattice = crystal.atoms, crystal.lattice
    symbols = [crystal.sites[int(i)].element for i in atoms.site]
    radius = np.array([gemmi.Element(s).covalent_r for s in symbols])
    occupancy = np.array([crystal.sites[int(i)].occupancy for i in atoms.site])
    shifts = np.stack(np.meshgrid(*[np.arange(-1, 2)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    faults = []
    for index in range(len(crystal.sites)):
        first = int(np.flatnonzero(atoms.site == index)[0])
        offset = atoms.fract - atoms.fract[first]
        offset -= np.round(offset)
        length = np.linalg.norm((offset[:, None] + shifts) @ lattice, axis=2)
        length[first, len(shifts) // 2] = np.inf
        relative = (length / (radius + radius[first])[:, None]).min(axis=1)
        together = occupancy + occupancy[first] > 1.02
        relative = np.where(together | (np.arange(len(relative)) == first), relative, np.inf)
        near = int(relative.argmin())
        if not DISTANCE_RANGE[0] <= relative[near] and np.isfinite(relative[near]):
            distance = relative[near] * (radius[near] + radius[first])
            label = crystal.sites[int(atoms.site[near])].label
            faults.append(f"{crystal.sites[index].label} is {distance:.2f} A from {label}")
        elif relative[near] > DISTANCE_RANGE[1] and occupancy[first] > 0.98:
            faults.append(f"{crystal.sites[index].label} has no neighbour")
    return faults
