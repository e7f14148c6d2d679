"""|F|^2 by gemmi's own calculator.

gemmi takes real addends to f0 only, so f'' is checked by linearity: F = sum over elements of
(f0 + f' + i f'') S, and S of an element follows from two calculations that differ in its addend.
"""

from __future__ import annotations

from dataclasses import replace

import gemmi
import numpy as np
import torch
from numpy.typing import NDArray

from mixrd.crystal import Crystal
from mixrd.diffraction import radiation, reflections, strained_sticks
from mixrd.diffraction.form_factor import dispersion

MO = radiation("MoKa1")


#: Structures on which gemmi's own expansion by symmetry differs, and why; their atoms are given to it one by
#: one. gemmi takes images of a site within 0.4 A for one atom on a special position, which is right for
#: rounded coordinates and wrong for a split site. That these are split follows from the multiplicity (4) in
#: the file of La2O3, and in the other from water having the occupancy of the chlorine, 1/12 of 18 places.
EXPLAINED = {
    "openchemistry/oxides/La2O3-LanthanumOxide-A.cif": "half-filled La sites 0.20 A apart (4f, z = 0.234)",
    "openchemistry/clays/Fe2.25Cl0.5H2.75-Fougerite.cif": "water split over sites 0.32 A apart (18h)",
}
#: Images nearer than this (angstrom) are one atom to gemmi.
GEMMI_SAME_ATOM = 0.4


def nearest_image(crystal: Crystal) -> float:
    """Shortest distance (angstrom) between two images of one site that are taken for two atoms."""
    shortest = np.inf
    for index in range(len(crystal.sites)):
        fract = crystal.atoms.fract[crystal.atoms.site == index]
        offset = fract[:, None] - fract
        distance = np.linalg.norm((offset - offset.round()) @ crystal.lattice, axis=2)
        shortest = min(shortest, distance[~np.eye(len(fract), dtype=bool)].min(initial=np.inf))
    return float(shortest)


def atom_by_atom(crystal: Crystal) -> Crystal:
    """The same without symmetry, every atom of the cell a site."""
    reciprocal = np.linalg.norm(np.linalg.inv(crystal.lattice), axis=0)
    sites = []
    for index, fract, u_star in zip(*vars(crystal.atoms).values(), strict=True):
        site = crystal.sites[int(index)]
        u = u_star / np.outer(reciprocal, reciprocal)
        u_aniso = (u[0, 0], u[1, 1], u[2, 2], u[0, 1], u[0, 2], u[1, 2])
        sites.append(replace(site, fract=tuple(fract), u_aniso=None if site.u_aniso is None else u_aniso))
    return replace(crystal, space_group="P 1", symmetry_operations=("x,y,z",), sites=tuple(sites))


def small_structure(crystal: Crystal) -> gemmi.SmallStructure:
    structure = gemmi.SmallStructure()
    structure.cell = gemmi.UnitCell(*crystal.cell)
    group = gemmi.find_spacegroup_by_ops(gemmi.GroupOps([gemmi.Op(o) for o in crystal.symmetry_operations]))
    assert group is not None
    structure.spacegroup = group
    for site in crystal.sites:
        atom = gemmi.SmallStructure.Site()
        atom.label, atom.element = site.label, gemmi.Element("H" if site.element == "D" else site.element)
        atom.fract, atom.occ, atom.u_iso = gemmi.Fractional(*site.fract), site.occupancy, site.u_iso
        if site.u_aniso is not None:
            atom.aniso = gemmi.SMat33d(*site.u_aniso)
        structure.add_site(atom)
    structure.setup_cell_images()
    structure.change_occupancies_to_crystallographic()
    return structure


def gemmi_structure_factors(
    structure: gemmi.SmallStructure, hkl: NDArray[np.int64], wavelength: float
) -> NDArray[np.float64]:
    """|F|^2, mean over h and -h, electrons^2."""
    calculator = gemmi.StructureFactorCalculatorX(structure.cell)
    elements = {site.element.name: site.element for site in structure.sites}

    def factors(addends: dict[str, float]) -> NDArray[np.complex128]:
        calculator.addends.clear()
        for name, value in addends.items():
            calculator.addends.set(elements[name], value)
        return np.array(
            [calculator.calculate_sf_from_small_structure(structure, [int(x) for x in h]) for h in hkl]
        )

    values = {name: dispersion(name, wavelength) for name in elements}
    real = {name: value.real for name, value in values.items()}
    total = factors(real)
    imaginary = np.zeros_like(total)
    for name, value in values.items():
        imaginary += value.imag * (factors(real | {name: real[name] + 1.0}) - total)
    # F(h) = A + iB, F(-h) = conj(A) + i conj(B) with A, B sums of real factors.
    return np.abs(total) ** 2 + np.abs(imaginary) ** 2


def gemmi_deviation(
    crystal: Crystal, *, most_reflections: int | None = None, expand: bool = False
) -> tuple[float, int]:
    """Largest difference in |F|^2 relative to the largest |F|^2, and the number of reflections compared.

    Mo K alpha1 from 5 to 30 deg; `most_reflections` takes that many, evenly spread over the list.
    With `expand` gemmi gets every atom of the cell instead of sites and a space group.
    """
    table = reflections(crystal, MO, two_theta_range=(5.0, 30.0), margin=0.0)
    sticks = strained_sticks(table, torch.zeros(1, len(table.strain_basis), dtype=torch.float64))
    ours = (sticks.intensity[0] * table.volume * table.mass / table.multiplicity).numpy()
    count = len(ours) if most_reflections is None else min(most_reflections, len(ours))
    taken = np.linspace(0, len(ours) - 1, count).round().astype(int)
    if len(taken) < len(ours):
        # The strongest, by which all are divided, is always one of them.
        taken = np.union1d(taken, [int(ours.argmax())])
    structure = small_structure(atom_by_atom(crystal) if expand else crystal)
    theirs = gemmi_structure_factors(structure, table.hkl[taken], MO.wavelength_angstrom)
    return float(np.abs(ours[taken] - theirs).max() / theirs.max()), len(taken)
