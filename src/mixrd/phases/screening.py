"""Which structures of a database are fit for a pool, and for what reason the others are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import gemmi
import numpy as np
from numpy.typing import NDArray

from mixrd.crystal.cif import read_cif
from mixrd.crystal.cif_document import parse_cif
from mixrd.crystal.connectivity import nearest_contact
from mixrd.crystal.formula import atoms_of_formula, composition_faults
from mixrd.crystal.readings import CONTRADICTION
from mixrd.crystal.structure import Crystal
from mixrd.errors import ContradictionError, CrystalError, PhaseNotFoundError
from mixrd.phases.cod import StructureSource
from mixrd.phases.polymer import polymer_fault

Reason = Literal[
    "not found", "unreadable", "no coordinates", "composition", "too large", "overlap", "polymer", "duplicate"
]

#: The reasons in the order in which they are looked for; the first that holds is the one that counts.
REASONS: Mapping[str, str] = MappingProxyType(
    {
        "not found": "the source has no such structure",
        "unreadable": "no readable CIF, or cell, symmetry or sites that cannot be used",
        "no coordinates": "no atom site with three coordinates",
        "composition": "no readable formula, or sites that do not add up to it (or to Z, density, volume)",
        "too large": "too many atoms in the unit cell",
        "overlap": "atoms that are there at once and overlap",
        "polymer": "crystalline polymer, by connectivity or by name",
        "duplicate": "same composition, space group and lattice as one kept before",
    }
)
#: Atoms of the unit cell that the pool of the paper allows, each position counted.
LARGEST_CELL = 300
#: Relative difference allowed between the sites' and the stated formula, H left out: solid solutions and
#: vacancies are stated rounded.
FORMULA_TOLERANCE = 0.05
#: Nearest distance of two atoms over the sum of their covalent radii. The shortest bonds, U=O of uranyl among
#: them, are at 0.65; atoms nearer than this stand for a wrong setting or a forgotten occupancy.
NEAREST = 0.60
#: Two lattices are the same if their characteristic lengths differ by no more than this, relatively:
#: redeterminations, and other temperatures and pressures, differ by up to some percent.
LATTICE_TOLERANCE = 0.03
_NAME_TAGS = ("_chemical_name_systematic", "_chemical_name_common", "_chemical_name_mineral")
_COORDINATES = ("_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z")
#: Space groups that are mirror images of each other: powder patterns cannot tell them apart.
_ENANTIOMORPHS = {78: 76, 95: 91, 96: 92, 145: 144, 153: 151, 154: 152, 170: 169, 172: 171, 179: 178,
                  181: 180, 213: 212}  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """What became of one structure.

    Attributes
    ----------
    name : str
        What it was called in the screening.
    crystal : Crystal or None
        The structure, where it could be read.
    reason : str or None
        Why it was rejected, a key of `REASONS`; None where it was kept.
    detail : str
        What exactly was found.
    """

    name: str
    crystal: Crystal | None
    reason: Reason | None = None
    detail: str = ""

    @property
    def kept(self) -> bool:
        """Whether it passed."""
        return self.reason is None


class Screening:
    """The filter, which remembers what it has kept (to find duplicates) and counts what it rejects.

    Parameters
    ----------
    max_atoms : int
        Largest number of atoms in the unit cell; each position counts, however little occupied.

    Attributes
    ----------
    kept : list of Verdict
    rejected : list of Verdict
    """

    def __init__(self, max_atoms: int = LARGEST_CELL) -> None:
        self.max_atoms = max_atoms
        self.kept: list[Verdict] = []
        self.rejected: list[Verdict] = []
        self._lattices: dict[tuple[str, ...], list[tuple[int, NDArray[np.float64], Verdict]]] = {}

    @property
    def counts(self) -> dict[str, int]:
        """How many were rejected for each reason, in the order of `REASONS`."""
        found = Counter[str | None](v.reason for v in self.rejected)
        return {reason: found[reason] for reason in REASONS}

    def judge_from(self, source: StructureSource, number: int) -> tuple[Verdict, Path | None]:
        """Get a structure and decide on it.

        Returns
        -------
        (Verdict, path or None)
            The verdict and the CIF file; no file where the source has no such structure.

        Raises
        ------
        DatabaseError
            If the source does not answer.
        """
        try:
            path = source.cif(number)
        except PhaseNotFoundError as error:
            self.rejected.append(Verdict(str(number), None, "not found", error.cause))
            return self.rejected[-1], None
        return self.judge(path, str(number)), path

    def judge(self, path: str | Path, name: str | None = None) -> Verdict:
        """Read a CIF and decide on it.

        Parameters
        ----------
        path : path
            The CIF file.
        name : str, optional
            What to call it; default the file's stem.
        """
        path = Path(path)
        verdict = self._judge(path, name or path.stem)
        (self.kept if verdict.kept else self.rejected).append(verdict)
        return verdict

    def _judge(self, path: Path, name: str) -> Verdict:
        block = _structure_block(path)
        if block is not None and not _has_coordinates(block):
            return Verdict(name, None, "no coordinates", "no atom site has three coordinates")
        try:
            crystal = read_cif(path, name=name)
        except ContradictionError as error:
            return Verdict(name, None, "composition", error.cause)
        except CrystalError as error:
            return Verdict(name, None, "unreadable", error.cause)
        assert block is not None
        if detail := next((note for note in crystal.notes if note.startswith(CONTRADICTION)), ""):
            return Verdict(name, crystal, "composition", detail)
        if detail := _composition_fault(block, crystal, self.max_atoms):
            return Verdict(name, crystal, "composition", detail)
        if detail := _size_fault(crystal, self.max_atoms):
            return Verdict(name, crystal, "too large", detail)
        if detail := _overlap(crystal):
            return Verdict(name, crystal, "overlap", detail)
        if detail := polymer_fault(crystal, chemical_names(block), _disorder(block)):
            return Verdict(name, crystal, "polymer", detail)
        return self._unless_duplicate(Verdict(name, crystal))

    def _unless_duplicate(self, verdict: Verdict) -> Verdict:
        """The verdict, or its rejection where the same structure was kept before."""
        crystal = verdict.crystal
        assert crystal is not None
        group, lengths = space_group_type(crystal), lattice_lengths(crystal)
        alike = self._lattices.setdefault(tuple(sorted(set(crystal.cell_content) - {"H", "D"})), [])
        for other_group, other_lengths, other in alike:
            assert other.crystal is not None
            if (
                group == other_group
                and np.abs(lengths / other_lengths - 1).max() <= LATTICE_TOLERANCE
                and not composition_faults(
                    other.crystal.cell_content, crystal.cell_content, tolerance=FORMULA_TOLERANCE
                )
            ):
                return Verdict(verdict.name, crystal, "duplicate", f"the same structure as {other.name}")
        alike.append((group, lengths, verdict))
        return verdict


def chemical_names(block: gemmi.cif.Block) -> tuple[str, ...]:
    """Systematic, common and mineral name of a CIF's block, those that it states."""
    values = (block.find_value(tag) for tag in _NAME_TAGS)
    texts = (" ".join(gemmi.cif.as_string(value).split()) for value in values if value)
    return tuple(text for text in texts if text)


def space_group_type(crystal: Crystal) -> int:
    """Number of the space group, of the first of an enantiomorphic pair; 0 where it has none."""
    group = gemmi.find_spacegroup_by_ops(
        gemmi.GroupOps([gemmi.Op(op) for op in crystal.symmetry_operations])
    ) or gemmi.find_spacegroup_by_name(crystal.space_group)
    return _ENANTIOMORPHS.get(group.number, group.number) if group else 0


def lattice_lengths(crystal: Crystal) -> NDArray[np.float64]:
    """Seven lengths in angstrom that describe the lattice, whatever cell was chosen; sorted.

    They are the lengths of the shortest vector in each of the seven classes of lattice vectors modulo twice
    the lattice (the square roots of the "vonorms" of Conway & Sloane, Proc. R. Soc. A 436 (1992) 55).
    Unlike the parameters of a reduced cell they change continuously with the lattice.

    Returns
    -------
    (7,) float array
    """
    operations = gemmi.GroupOps([gemmi.Op(op) for op in crystal.symmetry_operations])
    # gemmi knows the centrings of the tables; a cell with another one is taken as it is.
    centring = operations.find_centering()
    vector = gemmi.GruberVector(gemmi.UnitCell(*crystal.cell), centring if centring.isalpha() else "P")
    vector.niggli_reduce()
    basis = np.asarray(gemmi.UnitCell(*vector.cell_parameters()).orth.mat.tolist()).T
    numbers = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    lengths = np.linalg.norm(numbers @ basis, axis=1)
    parity = (numbers % 2) @ np.array([4, 2, 1])
    return np.sort([lengths[parity == k].min() for k in range(1, 8)])


def _structure_block(path: Path) -> gemmi.cif.Block | None:
    """The block of a CIF that holds atom sites, else its first; None where it cannot be read."""
    try:
        document = parse_cif(path.read_bytes().decode("utf-8", errors="replace"))
    except (OSError, ValueError, RuntimeError):
        return None
    return next((b for b in document if _has_coordinates(b)), next(iter(document), None))


def _has_coordinates(block: gemmi.cif.Block) -> bool:
    rows = block.find(list(_COORDINATES))
    return any(all(np.isfinite(gemmi.cif.as_number(value)) for value in row) for row in rows)


def _composition_fault(block: gemmi.cif.Block, crystal: Crystal, max_atoms: int) -> str:
    """What is wrong with the composition; empty where nothing is (or the cell is too large anyway)."""
    value = block.find_value("_chemical_formula_sum")
    text = gemmi.cif.as_string(value) if value else ""
    if not text:
        return "the file states no formula"
    try:
        stated = atoms_of_formula(text)
    except CrystalError as error:
        return error.cause
    if len(crystal.sites) > max_atoms:
        return ""
    wrong = composition_faults(stated, crystal.cell_content, tolerance=FORMULA_TOLERANCE)
    return f"the sites give {crystal.formula}, not {text}, in {', '.join(wrong)}" if wrong else ""


def _size_fault(crystal: Crystal, max_atoms: int) -> str:
    # Every site has at least one atom: a large asymmetric unit need not be expanded to be known as too large.
    number = len(crystal.sites) if len(crystal.sites) > max_atoms else len(crystal.atoms.site)
    return f"{number} atoms in the unit cell, more than {max_atoms}" if number > max_atoms else ""


def _overlap(crystal: Crystal) -> str:
    near = nearest_contact(crystal)
    if near is None or near[0] >= NEAREST:
        return ""
    relative, one, other = near
    return f"{one} and {other} are {relative:.2f} of a bond apart"


def _disorder(block: gemmi.cif.Block) -> dict[str, int]:
    """Disorder group of each label that has one."""
    structure = gemmi.make_small_structure_from_block(block)
    return {site.label: site.disorder_group for site in structure.sites if site.disorder_group}
