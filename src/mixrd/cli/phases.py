"""`mixrd phases` and `mixrd instruments`: what ships with mixrd."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from mixrd.cli.console import say, show, show_json
from mixrd.cli.options import Switch
from mixrd.errors import MixrdError, PhaseNotFoundError
from mixrd.report.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mixrd.crystal import Crystal
    from mixrd.phases import CatalogEntry

T = TypeVar("T")
PHASES_EXAMPLES = """Examples:
  mixrd phases                  all phases of the catalog
  mixrd phases apatite          those with "apatite" in name, formula or class
  mixrd phases --json           for a script
  mixrd phases --i-over-ic      I/I_corundum of each, from its structure
  mixrd phases --check          each structure against a second determination"""

INSTRUMENTS_EXAMPLES = """Examples:
  mixrd instruments
  mixrd instruments --json
  mixrd instruments --show lab-cu > instrument.toml"""


def phases(
    text: str = "", /, *, check: Switch = False, i_over_ic: Switch = False, json: Switch = False
) -> int:
    """List or search the catalog of phases.

    Phases of your own, and those that other packages bring, follow. Every name
    can be given to --phases; a CIF file can be given instead of a name.

    Parameters
    ----------
    text
        Part of a name, another name, a formula or a class of minerals; empty lists all.
    check
        Compare each entry with its second, independent determination.
    i_over_ic
        Print I/I_corundum at Cu K alpha, calculated from each structure, instead of the cells.
    json
        Print JSON instead of a table.
    """
    from mixrd.phases import search_catalog
    from mixrd.report.tables import catalog_table

    entries = search_catalog(text)
    others = {} if check or i_over_ic else _others(text)
    if not entries and not others:
        raise PhaseNotFoundError(
            f"no phase of the catalog matches {text!r}",
            remedy="`mixrd phases` lists all; other phases can be given as CIF files",
        )
    if check:
        return _check(entries, json=json)
    if i_over_ic:
        return _i_over_ic(entries, json=json)
    if json:
        catalog = [_plain(e.crystal, e.name, e.formula, e.category, e.aliases) for e in entries]
        show_json(
            catalog
            + [_plain(c, c.name, c.formula, source) for source, found in others.items() for c in found]
        )
        return 0
    if entries:
        show(catalog_table(entries))
    for source, found in others.items():
        show(f"{source}:", *map(line_of, found))
    say(counted(len(entries) + sum(map(len, others.values())), "phase"))
    return 0


def line_of(crystal: Crystal) -> str:
    """A phase that is not in the catalog, in one line."""
    return f"{crystal.name}  {crystal.formula}  {crystal.space_group}  {crystal.source}"


def instruments(*, show: str | None = None, json: Switch = False) -> int:
    """List the instruments that ship with mixrd, or print one as TOML.

    Parameters
    ----------
    show
        Name of a preset, or a file.
    json
        Print JSON instead of a table or TOML.
    """
    from mixrd.cli import console
    from mixrd.pattern import instrument_to_dict, load_instrument, preset_names, to_toml
    from mixrd.report.tables import instruments_table

    if show is not None:
        chosen = load_instrument(show)
        if json:
            show_json(instrument_to_dict(chosen))
        else:
            print(to_toml(chosen), end="")
        return 0
    presets = [(name, load_instrument(name)) for name in preset_names()]
    if json:
        show_json([{"preset": name, **instrument_to_dict(preset)} for name, preset in presets])
    else:
        console.show(instruments_table(presets))
    return 0


def _check(entries: list[CatalogEntry], *, json: bool) -> int:
    from dataclasses import asdict

    from mixrd.experiments.catalog_check import check_entry
    from mixrd.report.tables import catalog_check_table

    results = _of_each("checking the catalog", entries, check_entry)
    passed = sum(result.passed for result in results)
    if json:
        show_json([asdict(result) for result in results])
    else:
        show(catalog_check_table(results), f"{passed} of {len(results)} entries pass")
    return 0 if passed == len(results) else 1


def _i_over_ic(entries: list[CatalogEntry], *, json: bool) -> int:
    from dataclasses import asdict

    from mixrd.experiments.catalog_check import strongest_line
    from mixrd.report.tables import i_over_ic_table

    lines = _of_each("calculating I/Ic", entries, strongest_line)
    if json:
        show_json([asdict(line) for line in lines])
    else:
        note = "Strongest line over corundum (113), Cu K alpha, equal masses, no monochromator"
        show(i_over_ic_table(lines), note)
    return 0


def _of_each(label: str, entries: list[CatalogEntry], work: Callable[[CatalogEntry], T]) -> list[T]:
    from mixrd.cli.progress import counted_bar

    results = []
    with counted_bar(label, len(entries)) as advance:
        for entry in entries:
            results.append(work(entry))
            advance()
    return results


def _others(text: str) -> dict[str, list[Crystal]]:
    """What sources other than the catalog have of `text`, by their names."""
    from mixrd.phases import phase_sources

    found = {}
    for source in phase_sources():
        if source.name == "catalog":
            continue
        try:
            found[source.name] = source.search(text)
        except MixrdError as error:
            # The others are shown all the same.
            say(f"{source.name} cannot be listed: {error}")
    return {name: crystals for name, crystals in found.items() if crystals}


def _plain(
    crystal: Crystal, name: str, formula: str, category: str, aliases: Sequence[str] = ()
) -> dict[str, Any]:
    return {
        "name": name,
        "formula": formula,
        "category": category,
        "aliases": list(aliases),
        "space_group": crystal.space_group,
        "cell": list(crystal.cell),
        "density_g_cm3": crystal.density_g_cm3,
        "source": crystal.source,
        "notes": list(crystal.notes),
    }
