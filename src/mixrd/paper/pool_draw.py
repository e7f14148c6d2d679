"""A pool of structures drawn with a seed from those that pass the filter and have lines enough."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import gemmi
import numpy as np
from numpy.typing import NDArray

from mixrd.crystal import Crystal, strain_basis
from mixrd.diffraction.bragg import d_spacing_from_two_theta
from mixrd.errors import CrystalError, RadiationError, UsageError
from mixrd.paper.pool import (
    LEAST_INTENSITY,
    LEAST_SEPARATION,
    LineCriterion,
    Pool,
    PoolEntry,
    Rejection,
    listed_operations,
)
from mixrd.paper.simulators import STRONGEST, mixrd_lines
from mixrd.phases import LARGEST_CELL, Screening, StructureSource, read_record

#: Combining characters of the accents that CIF writes after a backslash.
_ACCENTS = {
    '"': "\u0308",
    "'": "\u0301",
    "`": "\u0300",
    "^": "\u0302",
    "~": "\u0303",
    ",": "\u0327",
    "<": "\u030c",
}


def draw_order(numbers: Iterable[int], seed: int) -> list[int]:
    """All numbers once, in the random order that the seed gives.

    The order is that of the SHA-256 of "seed:number". So it depends on no library's generator, and two
    numbers keep their order when others come or go.
    """
    return sorted(set(numbers), key=lambda number: sha256(f"{seed}:{number}".encode()).digest())


def sample_pool(
    source: StructureSource,
    numbers: Iterable[int],
    *,
    n: int,
    seed: int,
    max_atoms: int = LARGEST_CELL,
    criterion: LineCriterion | None = None,
    screen_all: bool = False,
    on_structure: Callable[[int, int], None] | None = None,
) -> Pool:
    """Draw the first n structures that pass the filter.

    Parameters
    ----------
    source : StructureSource
        `CodClient` or `CodMirror`.
    numbers : iterable of int
        COD numbers to draw from.
    n : int
        Size of the pool, at least 1.
    seed : int
        The same seed and numbers give the same pool.
    max_atoms : int
        Largest number of atoms in a unit cell.
    criterion : LineCriterion, optional
        Leave out what passes the filter but has too few lines; the lines do not count unless given.
    screen_all : bool
        Look at the rest too when the pool is full, to count what would pass.
    on_structure : callable, optional
        Told (structures looked at, structures to look at) before each; the latter is an upper limit.

    Raises
    ------
    UsageError
        If n is below 1, or fewer than n structures pass.
    DatabaseError
        If the source stops answering.
    """
    if n < 1:
        raise UsageError(f"a pool of n = {n} structures is asked for", remedy="Draw at least 1")
    order = draw_order(numbers, seed)
    screening = Screening(max_atoms)
    entries: list[PoolEntry] = []
    unfit: list[Rejection] = []
    for done, number in enumerate(order):
        if len(entries) == n and not screen_all:
            break
        if on_structure is not None:
            on_structure(done, len(order))
        verdict, path = screening.judge_from(source, number)
        if not verdict.kept or verdict.crystal is None or path is None:
            continue
        lines, fault = _lines(number, verdict.crystal, criterion)
        if fault is not None:
            unfit.append(fault)
        elif len(entries) < n:
            taken = {e.crystal.name for e in entries}
            entries.append(replace(_drawn(number, path, verdict.crystal, taken), lines=lines))
    if len(entries) < n:
        raise UsageError(
            f"only {len(entries)} of {len(order)} structures pass the filter, {n} are asked for",
            remedy="Draw from more structures, or lower --n" + (" or --spare-lines" if criterion else ""),
        )
    filtered = [Rejection(int(v.name), v.reason or "", v.detail) for v in screening.rejected]
    rejected = sorted([*filtered, *unfit], key=lambda r: r.number)
    return Pool(
        seed=seed,
        population=len(order),
        screened=len(screening.kept) + len(filtered),
        passed=len(screening.kept) - len(unfit),
        entries=tuple(entries),
        rejected=tuple(rejected),
        criterion=criterion,
    )


def _lines(
    number: int, crystal: Crystal, criterion: LineCriterion | None
) -> tuple[int | None, Rejection | None]:
    """Number of distinct lines, where there is a criterion, and the rejection, where it is not met."""
    if criterion is None:
        return None, None
    try:
        lines = distinct_lines(crystal, criterion.wavelength_angstrom, criterion.two_theta_range)
    except CrystalError as error:
        return None, Rejection(number, "no pattern", error.cause)
    detail = line_fault(crystal, lines, criterion)
    return lines, Rejection(number, "too few lines", detail) if detail else None


def _drawn(number: int, path: Path, crystal: Crystal, taken: set[str]) -> PoolEntry:
    record = read_record(path)
    name = _short_name(record.mineral or record.name if record else "") or crystal.formula
    crystal = replace(
        crystal,
        name=f"{name}-{number}" if name in taken else name,
        source=f"COD {number}",
        symmetry_operations=_standard_operations(crystal),
    )
    return PoolEntry(number, sha256(path.read_bytes()).hexdigest(), _reference(path), crystal)


def _short_name(name: str) -> str:
    """A chemical name in the catalog's style: small letters, hyphens; empty where it is but a formula."""
    if not re.search(r"[a-z]{3}", name):
        return ""
    return re.sub(r"[^a-z0-9]+", "-", _plain_letters(name).lower()).strip("-")


def _plain_letters(text: str) -> str:
    """Text with letters where CIF writes accents as a backslash, the accent and the plain letter."""
    text = text.replace(r"\&s", "ss").replace(r"\/o", "ø").replace(r"\/O", "Ø")
    marked = re.sub(r"\\([\"'`^~,<])([A-Za-z])", lambda m: m[2] + _ACCENTS[m[1]], text)
    return unicodedata.normalize("NFC", marked)


def _reference(path: Path) -> str:
    """Authors, journal, volume (year) page of a CIF's publication, as far as it states them."""
    block = gemmi.cif.read_string(path.read_bytes().decode("utf-8", errors="replace"))[0]

    def value(tag: str) -> str:
        found = block.find_value(tag)
        return _plain_letters(" ".join(gemmi.cif.as_string(found).split())) if found else ""

    authors = [_plain_letters(gemmi.cif.as_string(a)).strip() for a in block.find_values("_publ_author_name")]
    if not authors and value("_publ_author_name"):
        authors = [value("_publ_author_name")]
    who = authors[0] + (" et al." if len(authors) > 1 else "") if authors else ""
    year = f"({value('_journal_year')})" if value("_journal_year") else ""
    tags = ("_journal_name_full", "_journal_volume")
    where = " ".join(x for x in (*(value(t) for t in tags), year, value("_journal_page_first")) if x)
    return ", ".join(x for x in (who, where) if x)


def _standard_operations(crystal: Crystal) -> tuple[str, ...]:
    """The operations as tables of space groups list them, where they are those; else the crystal's own."""
    listed = listed_operations(crystal.space_group)
    own = {gemmi.Op(text).wrap().triplet() for text in crystal.symmetry_operations}
    return listed if own == {gemmi.Op(t).wrap().triplet() for t in listed} else crystal.symmetry_operations


def distinct_lines(crystal: Crystal, wavelength_angstrom: float, two_theta_range: tuple[float, float]) -> int:
    """Number of lines of the unstrained crystal that are neither faint nor at the place of another.

    Calculated as `mixrd_lines` does: no displacement, f0 only, Lorentz-polarization factor, coinciding lines
    added up. Lines under `LEAST_INTENSITY` of the strongest in the range are left out before those are
    counted that differ in d by more than `LEAST_SEPARATION`.

    Parameters
    ----------
    crystal : Crystal
    wavelength_angstrom : float
    two_theta_range : (low, high)
        In degrees.

    Raises
    ------
    CrystalError
        If there is no form factor of an element, or there are too many reflections to be calculated.
    """
    unstrained = np.zeros((1, len(strain_basis(crystal))))
    try:
        ((positions, areas),) = mixrd_lines(
            crystal, unstrained, "symmetry", wavelength_angstrom, two_theta_range
        )
    except RadiationError:
        return 0
    seen = positions[areas >= LEAST_INTENSITY * STRONGEST]
    return count_separate(d_spacing_from_two_theta(two_theta=seen, wavelength_angstrom=wavelength_angstrom))


def count_separate(d_spacing: NDArray[np.float64]) -> int:
    """The most lines of which no two are nearer than `LEAST_SEPARATION`, relatively.

    Parameters
    ----------
    d_spacing : (R,) array
        In angstrom, in any order.
    """
    count, last = 0, np.inf
    # From the largest down, each that is far enough from the last one taken: no choice gives more.
    for d in np.sort(d_spacing)[::-1]:
        if last > d * (1 + LEAST_SEPARATION):
            count, last = count + 1, d
    return count


def line_fault(crystal: Crystal, lines: int, criterion: LineCriterion) -> str:
    """What is wrong with a number of distinct lines; empty where there are enough.

    The positions of as many lines as there are strain components fit some cell of the crystal system whatever
    they are, so only further lines tell of what structure they are.
    """
    components = len(strain_basis(crystal))
    if lines >= components + criterion.spare_lines:
        return ""
    wanted = f"{components + criterion.spare_lines} ({components} + {criterion.spare_lines})"
    return f"{lines} distinct line{'' if lines == 1 else 's'}, fewer than {wanted}"
