"""A pool of structures drawn with a seed from those that pass the filter."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import gemmi

from mixrd.crystal import Crystal
from mixrd.errors import CrystalError, UsageError
from mixrd.paper.line_count import distinct_lines, line_fault
from mixrd.paper.pool import LineCriterion, Pool, PoolEntry, Rejection
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
    group = gemmi.find_spacegroup_by_name(crystal.space_group)
    if group is None:
        return crystal.symmetry_operations
    listed = tuple(op.triplet() for op in group.operations())
    own = {gemmi.Op(text).wrap().triplet() for text in crystal.symmetry_operations}
    return listed if own == {gemmi.Op(t).wrap().triplet() for t in listed} else crystal.symmetry_operations
