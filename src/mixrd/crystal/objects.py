"""What the structure objects of pymatgen and ASE hold.

Both list every atom and say nothing of symmetry, which mixrd needs: only strains that keep it are refined.
spglib, which pymatgen brings along, finds it; the cell becomes the conventional one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gemmi
import numpy as np
from numpy.typing import NDArray

from mixrd.crystal.cell import Floats, Site, cell_of
from mixrd.crystal.displacement import default_u_iso
from mixrd.errors import CrystalError, UsageError

#: Atoms this far (angstrom) from where symmetry wants them are taken to be there.
SYMMETRY_TOLERANCE = 0.01
#: What one place holds: elements and their occupancies.
Content = Mapping[str, float]


def parts_from_pymatgen(structure: Any) -> dict[str, Any]:
    """What a `Crystal` has beside its name, of a pymatgen ``Structure``; disordered sites stay disordered.

    Parameters
    ----------
    structure : pymatgen.core.Structure
        Or an object with the same ``lattice.matrix`` and sites with ``frac_coords`` and ``species``.

    Raises
    ------
    CrystalError
        If it is not such an object, or no crystal that can be used.
    UsageError
        If spglib is not installed.
    """
    try:
        lattice = np.asarray(structure.lattice.matrix, dtype=np.float64)
        places = [np.asarray(site.frac_coords, dtype=np.float64) for site in structure]
        contents = [_elements(site.species) for site in structure]
    except AttributeError as missing:
        raise CrystalError(
            f"a {type(structure).__name__} is no pymatgen Structure ({missing})",
            remedy="Give a pymatgen.core.Structure",
        ) from None
    return _parts(lattice, places, contents, "pymatgen Structure")


def parts_from_ase(atoms: Any) -> dict[str, Any]:
    """What a `Crystal` has beside its name, of ASE ``Atoms`` with three periodic directions.

    Occupancies that ASE read from a CIF (``info["occupancy"]`` and the array ``spacegroup_kinds``) are kept.

    Parameters
    ----------
    atoms : ase.Atoms

    Raises
    ------
    CrystalError
        If it is not such an object, is not periodic, or no crystal that can be used.
    UsageError
        If spglib is not installed.
    """
    try:
        lattice = np.asarray(atoms.cell[:], dtype=np.float64)
        places = list(np.asarray(atoms.get_scaled_positions(), dtype=np.float64))
        symbols = list(atoms.get_chemical_symbols())
        periodic = bool(np.all(atoms.pbc))
    except (AttributeError, TypeError) as missing:
        raise CrystalError(
            f"a {type(atoms).__name__} is no ASE Atoms ({missing})", remedy="Give an ase.Atoms"
        ) from None
    if not periodic:
        raise CrystalError(
            "the atoms are not periodic in three directions", remedy="Set atoms.cell and atoms.pbc = True"
        )
    contents: list[Content] = [{symbol: 1.0} for symbol in symbols]
    occupancies, kinds = atoms.info.get("occupancy"), atoms.arrays.get("spacegroup_kinds")
    if occupancies and kinds is not None:
        contents = [
            occupancies.get(str(kind), content) for kind, content in zip(kinds, contents, strict=True)
        ]
    return _parts(lattice, places, contents, "ASE Atoms")


def _elements(species: Any) -> Content:
    """Occupancy by element of a pymatgen Composition, charges left aside."""
    content: dict[str, float] = {}
    for one, amount in species.items():
        symbol = str(getattr(one, "symbol", one))
        content[symbol] = content.get(symbol, 0.0) + float(amount)
    return content


def _parts(
    lattice: Floats, places: Sequence[Floats], contents: Sequence[Content], what: str
) -> dict[str, Any]:
    try:
        import spglib
    except ImportError:
        raise UsageError(
            "spglib, which finds the symmetry, is not installed",
            remedy="Install it (pip install spglib), or write the structure as CIF",
        ) from None
    if not places:
        raise CrystalError("the structure has no atoms", remedy="Give one with atoms")
    kinds = list(dict.fromkeys(_key(content) for content in contents))
    numbers = [kinds.index(_key(content)) + 1 for content in contents]
    ideal = spglib.standardize_cell(
        (lattice.tolist(), [place.tolist() for place in places], numbers), symprec=SYMMETRY_TOLERANCE
    )
    found = None if ideal is None else spglib.get_symmetry_dataset(ideal, symprec=SYMMETRY_TOLERANCE)
    if ideal is None or found is None:
        raise CrystalError(
            f"no symmetry is found in the {what}: atoms may lie on each other",
            remedy="Check the positions and the cell",
        )
    basis, positions, types = ideal
    operations = tuple(_triplet(r, t) for r, t in zip(found.rotations, found.translations, strict=True))
    sites: list[Site] = []
    for first in np.unique(found.equivalent_atoms):
        content = dict(kinds[int(types[first]) - 1])
        organic = {"C", "H"} <= {element for kind in kinds for element, _ in kind}
        for element, occupancy in content.items():
            x, y, z = (float(value) for value in positions[first])
            label = f"{element}{len(sites) + 1}"
            u_iso = default_u_iso(element, organic=organic)
            sites.append(Site(label, element, (x, y, z), min(occupancy, 1.0), u_iso))
    return {
        "cell": cell_of(np.asarray(basis, dtype=np.float64)),
        "space_group": _symbol(operations) or str(found.international),
        "symmetry_operations": operations,
        "sites": tuple(sites),
        "source": what,
        "notes": (
            "displacement not stated: default per element class",
            f"symmetry {found.international} found",
        ),
    }


def _symbol(operations: tuple[str, ...]) -> str | None:
    group = gemmi.find_spacegroup_by_ops(gemmi.GroupOps([gemmi.Op(op) for op in operations]))
    return None if group is None else str(group.xhm())


def _key(content: Content) -> tuple[tuple[str, float], ...]:
    return tuple(sorted((element, round(float(amount), 6)) for element, amount in content.items()))


def _triplet(rotation: NDArray[np.int64], shift: Floats) -> str:
    """An operation as "x,y,z"; shifts are multiples of 1/24."""
    op = gemmi.Op()
    op.rot = [[int(value) * gemmi.Op.DEN for value in row] for row in rotation]
    op.tran = [round(float(value) * gemmi.Op.DEN) % gemmi.Op.DEN for value in shift]
    return str(op.triplet())
