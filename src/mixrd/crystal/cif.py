"""Crystal structures from CIF files, read by gemmi."""

from __future__ import annotations

import math
from pathlib import Path

import gemmi
import numpy as np
from numpy.typing import NDArray

from mixrd.crystal.structure import Cell, Crystal, Site, UAniso
from mixrd.crystal.validity import (
    U_TOLERANCE,
    check_cell,
    not_negative,
    same_place,
    shared_occupancy,
)
from mixrd.errors import CrystalError

#: Displacement (angstrom^2) given to sites whose source states none, by class of element. Room-temperature
#: averages: B = 8 pi^2 U is about 0.5 A^2 for metal atoms of inorganic solids, 0.8 for their anions and 4
#: for organic structures (International Tables C, chapter 6.1, gives such ranges); H rides on its neighbour.
DEFAULT_U_ISO = {"metal": 0.0060, "nonmetal": 0.0100, "hydrogen": 0.0300}
DEFAULT_U_ISO_ORGANIC = 0.0450
LARGEST_SENSIBLE_CIF_BYTES = 50_000_000


def read_cif(path: str | Path, *, block: str | None = None, name: str | None = None) -> Crystal:
    """Read a crystal structure from a CIF file.

    Parameters
    ----------
    path : path
        The CIF file.
    block : str, optional
        Name of the data block; needed when several blocks hold a structure.
    name : str, optional
        Name for the phase; default the file's stem.

    Returns
    -------
    Crystal
        With symmetry operations from the file's own list where it has one, else from its space group.

    Raises
    ------
    CrystalError
        If the file cannot be read, holds no (or several) structures, or one that cannot be used.
    """
    path = Path(path)
    name = name or path.stem
    document = _read_document(path)
    try:
        structure, block_name = _choose_block(document, path, block)
        operations, space_group, notes = _symmetry(structure, path)
        cell = _cell(document[block_name], path)
        check_cell(name, cell)
        sites, site_notes = _sites(structure, operations, path)
        return Crystal(
            name=name,
            cell=cell,
            space_group=space_group,
            symmetry_operations=operations,
            sites=sites,
            source=_source(document[block_name], path),
            notes=(*notes, *site_notes),
        )
    except CrystalError as error:
        raise CrystalError(error.cause, remedy=error.remedy, file=path) from None
    except (ValueError, RuntimeError) as error:  # of gemmi, which takes some values on trust
        raise CrystalError(
            f"it holds a number or symmetry operation without sense ({error})",
            remedy="Open it in a CIF checker (for example checkCIF) and mend the values",
            file=path,
        ) from None


def _read_document(path: Path) -> gemmi.cif.Document:
    try:
        if path.stat().st_size > LARGEST_SENSIBLE_CIF_BYTES:
            raise CrystalError(
                "the file is too large for a CIF of one structure", remedy="Cut it down", file=path
            )
        return gemmi.cif.read_string(path.read_bytes().decode("utf-8", errors="replace"))
    except FileNotFoundError:
        raise CrystalError("no such file", remedy="Check the path of the CIF", file=path) from None
    except OSError as error:
        raise CrystalError(
            f"it cannot be opened ({error.strerror})", remedy="Check the file", file=path
        ) from None
    except (ValueError, RuntimeError) as error:
        raise CrystalError(
            f"it is not a readable CIF ({str(error).splitlines()[0]})",
            remedy="Open it in a CIF checker (for example checkCIF) and mend the syntax",
            file=path,
        ) from None


def _choose_block(
    document: gemmi.cif.Document, path: Path, wanted: str | None
) -> tuple[gemmi.SmallStructure, str]:
    names = [block.name for block in document]
    if wanted is not None and wanted not in names:
        raise CrystalError(
            f"there is no data block {wanted!r}", remedy=f"Choose one of: {', '.join(names)}", file=path
        )
    found = []
    for block in document:
        if wanted is None or block.name == wanted:
            structure = gemmi.make_small_structure_from_block(block)
            if len(structure.sites) > 0:
                found.append((structure, block.name))
    if not found:
        raise CrystalError(
            "it holds no atom sites with coordinates",
            remedy="Give a CIF with an _atom_site loop (fractional coordinates) and a cell",
            file=path,
        )
    if len(found) > 1:
        raise CrystalError(
            f"it holds {len(found)} structures: {', '.join(n for _, n in found)}",
            remedy="Name the data block, as FILE.cif#BLOCK on the command line or block=... in Python",
            file=path,
        )
    return found[0]


def _cell(block: gemmi.cif.Block, path: Path) -> Cell:
    """The six cell parameters, all of which the file must state (gemmi puts 1 and 90 for those it lacks)."""
    keys = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    values = [gemmi.cif.as_number(block.find_value(f"_cell_{key}") or "?") for key in keys]
    missing = [f"_cell_{key}" for key, value in zip(keys, values, strict=True) if not math.isfinite(value)]
    if missing:
        raise CrystalError(
            f"its unit cell lacks {', '.join(missing)}", remedy="Complete the cell in the file", file=path
        )
    a, b, c, alpha, beta, gamma = values
    return a, b, c, alpha, beta, gamma


def _symmetry(structure: gemmi.SmallStructure, path: Path) -> tuple[tuple[str, ...], str, list[str]]:
    """Symmetry operations: the file's own list first, because symbols of odd settings are often wrong."""
    notes: list[str] = []
    symbol = structure.spacegroup_hm or ""
    if structure.symops:
        try:
            listed = [gemmi.Op(text) for text in structure.symops]
            group = gemmi.GroupOps(listed)
            group.add_missing_elements()
        except (ValueError, RuntimeError):
            raise CrystalError(
                "it has a symmetry operation that cannot be read, or the operations form no group",
                remedy="Mend the symmetry list",
                file=path,
            ) from None
        operations = tuple(op.triplet() for op in (listed if len(group) == len(listed) else group))
        if len(operations) > len(listed):
            notes.append(
                f"{len(listed)} symmetry operations are listed, the {len(operations)} they imply are used"
            )
        known = gemmi.find_spacegroup_by_ops(group)
        declared = gemmi.find_spacegroup_by_name(symbol, structure.cell.alpha, structure.cell.gamma)
        if known is None:
            notes.append(
                f"space group {symbol or 'not named'}: setting unknown, its symmetry operations are used"
            )
        elif declared is not None and declared.number != known.number:
            notes.append(f"the symmetry operations are {known.xhm()}, not {symbol}: the operations are used")
        return operations, known.xhm() if known else symbol or "unknown", notes
    structure.determine_and_set_spacegroup("H1")
    found = structure.spacegroup
    if found is None:
        raise CrystalError(
            f"its space group {symbol or '(none given)'} is unknown and it lists no symmetry operations",
            remedy="Add the _space_group_symop loop or a standard Hermann-Mauguin symbol",
            file=path,
        )
    return tuple(op.triplet() for op in found.operations()), found.xhm(), notes


def _sites(
    structure: gemmi.SmallStructure, operations: tuple[str, ...], path: Path
) -> tuple[tuple[Site, ...], list[str]]:
    organic = _is_organic(structure)
    lattice = np.asarray(structure.cell.orth.mat.tolist(), dtype=np.float64).T
    sites: list[Site] = []
    notes: list[str] = []
    without_u: list[str] = []
    for raw in _listed_once(structure, operations, lattice, notes, path):
        elements = _elements(raw, path)
        if raw.element.name == "X":
            notes.append(f"{raw.label}: water given as one atom, taken as O and two H at its place")
        if raw.occ == 0.0:
            notes.append(f"{raw.label}: occupancy 0, left out")
            continue
        u_iso, u_aniso = _displacement(raw, structure.cell, lattice, notes)
        for element in elements:
            if u_iso is None:
                without_u.append(raw.label)
            u = default_u_iso(element, organic=organic) if u_iso is None else u_iso
            sites.append(Site(raw.label, element, (raw.fract.x, raw.fract.y, raw.fract.z),
                              min(raw.occ, 1.0) if raw.occ < 1.001 else raw.occ,
                              u, u_aniso, int(raw.charge)))  # fmt: skip
    if without_u:
        notes.append(
            f"no displacement parameter given for {', '.join(dict.fromkeys(without_u))}: "
            "room-temperature defaults per element class are used"
        )
    totals = shared_occupancy(sites, operations, lattice)
    if overfull := [
        f"{s.label} ({total:.3g})" for s, total in zip(sites, totals, strict=True) if total > 1.005
    ]:
        notes.append(f"occupancies at one place add up to more than 1, used as stated: {', '.join(overfull)}")
    return tuple(sites), notes


def _listed_once(
    structure: gemmi.SmallStructure,
    operations: tuple[str, ...],
    lattice: NDArray[np.float64],
    notes: list[str],
    path: Path,
) -> list[gemmi.SmallStructure.Site]:
    """The sites without those that only repeat another: fully occupied, same element, same place."""
    raws = list(structure.sites)
    fract = np.array([(raw.fract.x, raw.fract.y, raw.fract.z) for raw in raws])
    for raw, place in zip(raws, fract, strict=True):
        if not np.isfinite(place).all():
            raise CrystalError(
                f"site {raw.label} has no coordinates", remedy="Complete or remove the site", file=path
            )
    same = same_place(fract, operations, lattice)
    kept: list[int] = []
    for i, raw in enumerate(raws):
        full = raw.occ > 0.999
        twin = next((k for k in kept if same[i, k] and full and raws[k].occ > 0.999
                     and raws[k].element.name == raw.element.name), None)  # fmt: skip
        if twin is None:
            kept.append(i)
        else:
            notes.append(f"{raw.label}: the same atom as {raws[twin].label} by symmetry, counted once")
    return [raws[i] for i in kept]


def _elements(raw: gemmi.SmallStructure.Site, path: Path) -> list[str]:
    if raw.element.name != "X":
        return [raw.element.name]
    text = (raw.type_symbol or raw.label).lower()
    if text.startswith(("wat", "h2o", "ow", "aq")):
        return ["O", "H", "H"]
    raise CrystalError(
        f"site {raw.label} has the unknown element {raw.type_symbol or raw.label!r}",
        remedy="Correct _atom_site_type_symbol",
        file=path,
    )


def _displacement(
    raw: gemmi.SmallStructure.Site, cell: gemmi.UnitCell, lattice: NDArray[np.float64], notes: list[str]
) -> tuple[float | None, UAniso | None]:
    """U_iso, None where none is given (zeros are placeholders), and U_ij."""
    tensor = raw.aniso
    values = (tensor.u11, tensor.u22, tensor.u33, tensor.u12, tensor.u13, tensor.u23)
    if all(math.isfinite(x) for x in values) and any(values):
        u_aniso = not_negative(values, lattice)
        if u_aniso != values:
            notes.append(f"{raw.label}: anisotropic U negative within its precision, 0 is used there")
        return float(cell.calculate_u_eq(gemmi.SMat33d(*u_aniso))), u_aniso
    if not math.isfinite(raw.u_iso) or raw.u_iso == 0:
        return None, None
    if -U_TOLERANCE <= raw.u_iso < 0:
        notes.append(f"{raw.label}: U = {raw.u_iso:.2g} A^2 is negative within its precision, 0 is used")
        return 0.0, None
    return float(raw.u_iso), None


def _is_organic(structure: gemmi.SmallStructure) -> bool:
    names = {site.element.name for site in structure.sites}
    return "C" in names and "H" in names


def default_u_iso(element: str, *, organic: bool) -> float:
    """Displacement in angstrom^2 for a site whose source states none (see `DEFAULT_U_ISO`)."""
    entry = gemmi.Element(element)
    if entry.is_hydrogen:
        return DEFAULT_U_ISO["hydrogen"] if not organic else 1.2 * DEFAULT_U_ISO_ORGANIC
    if organic:
        return DEFAULT_U_ISO_ORGANIC
    return DEFAULT_U_ISO["metal" if entry.is_metal else "nonmetal"]


def _source(block: gemmi.cif.Block, path: Path) -> str:
    for tag, prefix in (("_cod_database_code", "COD"), ("_database_code_amcsd", "AMCSD")):
        value = block.find_value(tag)
        if value and value not in (".", "?"):
            return f"{prefix} {gemmi.cif.as_string(value)} ({path.name})"
    return path.name
