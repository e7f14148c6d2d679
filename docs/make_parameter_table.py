"""Print the table of docs/forward-model.md: every quantity of the forward model, and what frees it."""

from __future__ import annotations

from mixrd.pattern import Quantity
from mixrd.pattern.parameter_table import parameter_table
from mixrd.pattern.quantity import Training

_OF = {"pattern": "scan", "phase": "phase", "component": "component of each phase"}


def freed(quantity: Quantity) -> str:
    """What frees a quantity in an analysis."""
    if quantity.earned:
        return "always; more room is earned"
    if quantity.restraint:
        return "always"
    if quantity.on_demand.loss:
        return f"the residual, with its loss ({quantity.on_demand.loss.name})"
    return "the residual, along a direction" if quantity.on_demand.restraint else "only `mixrd.fit.refine`"


def drawn(training: Training | None) -> str:
    """Setting that limits what training samples draw, or its limit."""
    if training is None:
        return ""
    return f"`{training.setting}`" if training.setting else f"up to {training.high:g}"


def row(quantity: Quantity) -> str:
    """One line of Markdown."""
    cells = (
        f"`{quantity.field}`" + ("" if quantity.name == quantity.field else f": {quantity.name}"),
        quantity.label,
        quantity.unit,
        _OF[quantity.scope],
        f"{quantity.lower:g} to {quantity.upper:g}",
        f"`{quantity.restraint_name}`: {quantity.restraint:g}"
        if quantity.restraint
        else f"`{quantity.restraint_name}`",
        freed(quantity),
        drawn(quantity.training),
    )
    return f"| {' | '.join(cells)} |"


def parameter_rows() -> list[str]:
    """The table, a line each."""
    head = (
        "field | what | unit | one for each | bounds | `Restraints` | an analysis frees it | `SampleRanges`"
    )
    return [f"| {head} |", "|---|---|---|---|---|---|---|---|", *map(row, parameter_table())]


if __name__ == "__main__":
    print("\n".join(parameter_rows()))
