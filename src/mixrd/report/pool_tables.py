"""Structures of a database and what the filter says of them, as tables; nothing is calculated here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from mixrd.report.tables import new_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mixrd.paper.pool import Pool
    from mixrd.phases import CodRecord, Verdict


def records_table(records: Sequence[CodRecord]) -> Table:
    """What was found by a search."""
    table = new_table("COD", "formula", "mineral", "name", "space group", "title")
    for r in records:
        table.add_row(str(r.number), r.formula, r.mineral, r.name, r.space_group, r.title)
    return table


def verdicts_table(verdicts: Sequence[Verdict]) -> Table:
    """Each structure with the filter's verdict."""
    table = new_table("COD", "formula", "space group", "verdict")
    for v in verdicts:
        formula, group = (v.crystal.formula, v.crystal.space_group) if v.crystal else ("", "")
        verdict = Text("kept", "green") if v.kept else Text(f"{v.reason}: {v.detail}", "red")
        table.add_row(v.name, formula, group, verdict)
    return table


def pool_table(pool: Pool) -> Table:
    """The structures of a pool, in the order in which they were drawn."""
    table = new_table(
        "", "COD", "name", "formula", "space group", "atoms", "lines", "source", right=["", "atoms", "lines"]
    )
    for i, entry in enumerate(pool.entries, 1):
        c = entry.crystal
        table.add_row(
            str(i),
            str(entry.number),
            c.name,
            c.formula,
            c.space_group,
            str(len(c.atoms.site)),
            "" if entry.lines is None else str(entry.lines),
            entry.reference,
        )
    return table


def reasons_table(kept: int, rejected: Mapping[str, int], meanings: Mapping[str, str]) -> Table:
    """How many were kept, and how many rejected for each reason."""
    table = new_table("filter", "structures", "", right=["structures"])
    table.add_row("kept", str(kept), "")
    for reason, number in rejected.items():
        if number:
            table.add_row(reason, str(number), meanings[reason])
    return table
