"""`mixrd phases add`, `list` and `remove`: the user's own catalog."""

from __future__ import annotations

from pathlib import Path

from cyclopts import App

from mixrd.cli import phases
from mixrd.cli.console import say, show, show_json
from mixrd.cli.options import Switch
from mixrd.errors import CrystalError
from mixrd.report.numbers import counted

ADD_EXAMPLES = """Examples:
  mixrd phases add ettringite.cif --name ettringite
  mixrd phases add cod:9013576 --name ettringite --second cod:1011105
  mixrd analyze scan.xy --phases ettringite quartz"""


def add(
    phase: str,
    /,
    *,
    name: str | None = None,
    formula: str | None = None,
    second: str | None = None,
    force: Switch = False,
) -> int:
    """Keep a structure under a name that then works everywhere.

    It is checked as the catalog's own: distances of atoms, composition against
    the formula, and, with --second, density and strongest lines against another
    determination. A name of the catalog that ships is never taken.

    Parameters
    ----------
    phase
        CIF file, or a structure of COD (cod:9008877).
    name
        Name to keep it under; that of the file unless given.
    formula
        Formula as one writes it, to check the composition against.
    second
        An independent determination (CIF or COD) to compare with.
    force
        Keep it in spite of what the check finds, and replace one of the same name.
    """
    from mixrd.experiments.catalog_check import structure_doubts
    from mixrd.phases import keep_phase, load_phase

    crystal = load_phase(phase)
    doubts = structure_doubts(crystal, formula=formula, second=load_phase(second) if second else None)
    for doubt in doubts:
        say(f"doubt: {doubt}")
    if doubts and not force:
        raise CrystalError(
            f"{crystal.name} was not kept: {doubts[0]}", remedy="Mend the structure, or --force to keep it"
        )
    chosen = name or Path(phase.partition("#")[0]).stem
    path = keep_phase(crystal, chosen, force=force)
    what = f"{crystal.formula}, {crystal.space_group}, {crystal.density_g_cm3:.3f} g/cm3"
    say(f"{chosen}: {what}; kept as {path}")
    return 0


def list_own(*, json: Switch = False) -> int:
    """List the phases of your own.

    Parameters
    ----------
    json
        Print JSON instead of a table.
    """
    from mixrd.phases import own_phases
    from mixrd.phases.own_phases import own_folder

    crystals = list(own_phases())
    if json:
        show_json([{"name": c.name, "formula": c.formula, "source": c.source} for c in crystals])
        return 0
    show(*map(phases.line_of, crystals))
    say(f"{counted(len(crystals), 'phase')} of your own in {own_folder()}")
    return 0


def remove(name: str, /) -> int:
    """Forget a phase of your own.

    Parameters
    ----------
    name
        Its name.
    """
    from mixrd.phases import remove_phase

    remove_phase(name)
    say(f"removed {name}")
    return 0


#: `mixrd phases` lists and searches; its commands are those above.
phases_app = App(
    name="phases",
    help="List or search the catalog of phases, and keep phases of your own.",
    help_format="plaintext",
    help_epilogue=phases.PHASES_EXAMPLES,
    sort_key=5,
)
phases_app.default(phases.phases)
phases_app.command(add, help_epilogue=ADD_EXAMPLES)
phases_app.command(list_own, name="list")
phases_app.command(remove)
