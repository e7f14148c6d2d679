"""`mixrd phases` and `mixrd instruments`: what ships with mixrd."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mixrd.cli.console import say, show, show_json
from mixrd.cli.options import Switch
from mixrd.errors import PhaseNotFoundError
from mixrd.report.numbers import counted

if TYPE_CHECKING:
    from mixrd.phases import CatalogEntry

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

    Every name can be given to --phases; a CIF file can be given instead of a name.

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
    if not entries:
        raise PhaseNotFoundError(
            f"no phase of the catalog matches {text!r}",
            remedy="`mixrd phases` lists all; other phases can be given as CIF files",
        )
    if check:
        return _check(entries, json=json)
    if i_over_ic:
        return _i_over_ic(entries, json=json)
    if json:
        show_json([_plain(entry) for entry in entries])
    else:
        show(catalog_table(entries))
        say(counted(len(entries), "phase"))
    return 0


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

    from mixrd.cli.progress import counted_bar
    from mixrd.experiments.catalog_check import check_entry
    from mixrd.report.tables import catalog_check_table

    results = []
    with counted_bar("checking the catalog", len(entries)) as advance:
        for entry in entries:
            results.append(check_entry(entry))
            advance()
    passed = sum(result.passed for result in results)
    if json:
        show_json([asdict(result) for result in results])
    else:
        show(catalog_check_table(results), f"{passed} of {len(results)} entries pass")
    return 0 if passed == len(results) else 1


def _i_over_ic(entries: list[CatalogEntry], *, json: bool) -> int:
    from dataclasses import asdict

    from mixrd.cli.progress import counted_bar
    from mixrd.experiments.catalog_check import strongest_line
    from mixrd.report.tables import i_over_ic_table

    lines = []
    with counted_bar("calculating I/Ic", len(entries)) as advance:
        for entry in entries:
            lines.append(strongest_line(entry))
            advance()
    if json:
        show_json([asdict(line) for line in lines])
    else:
        note = "Strongest line over corundum (113), Cu K alpha, equal masses, no monochromator"
        show(i_over_ic_table(lines), note)
    return 0


def _plain(entry: CatalogEntry) -> dict[str, Any]:
    crystal = entry.crystal
    return {
        "name": entry.name,
        "formula": entry.formula,
        "category": entry.category,
        "aliases": list(entry.aliases),
        "space_group": crystal.space_group,
        "cell": list(crystal.cell),
        "density_g_cm3": crystal.density_g_cm3,
        "source": crystal.source,
        "notes": list(crystal.notes),
    }
