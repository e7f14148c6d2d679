"""All corrections of the intensities of lines: mixrd's own, and those that people add."""

from __future__ import annotations

import torch

from mixrd.errors import UsageError
from mixrd.pattern.own_corrections import OWN
from mixrd.pattern.parameter_table import ADDED, BUILT_IN
from mixrd.pattern.quantity import Correction

__all__ = ["Correction", "added_corrections", "corrections", "register_correction", "remove_correction"]


def corrections() -> tuple[Correction, ...]:
    """All corrections of the intensities of lines."""
    return (*OWN, *added_corrections())


def added_corrections() -> tuple[Correction, ...]:
    """Those that were registered from outside."""
    return tuple(ADDED.all().values())


def register_correction(correction: Correction) -> None:
    """Add a correction to all forward models that are made from now on.

    Its quantities stand in the parameter table then: they are fields of `Parameters`, held unless
    `mixrd.fit.Restraints` gives them a standard deviation or an analysis frees them (`Quantity.on_demand`).

    Raises
    ------
    UsageError
        If it has no quantities, one is not the whole scan's, names a setting or takes a name that is taken,
        or the factor is not 1 where all are 0.
    """
    quantities = correction.quantities
    if not quantities or any(q.scope != "pattern" or q.neutral for q in quantities):
        raise UsageError(
            "a correction needs quantities of the whole scan that change nothing at 0",
            remedy='Give Quantity(..., scope="pattern", neutral=0.0)',
        )
    if any(q.stated or q.training for q in quantities):
        raise UsageError(
            f"{correction.field} has no setting of its own",
            remedy="Leave `stated` and `training` out: `ScanSettings.corrections` takes it within its bounds",
        )
    if len({q.field for q in quantities}) > 1:
        raise UsageError(
            "the quantities of a correction are in several fields", remedy="Give all of them one `field`"
        )
    theta = torch.linspace(0.05, 1.5, 30, dtype=torch.float64).unsqueeze(0)
    without = correction.factor(theta, torch.ones_like(theta), *(torch.zeros_like(theta) for _ in quantities))
    if not torch.allclose(torch.as_tensor(without, dtype=theta.dtype), torch.ones_like(theta)):
        raise UsageError(
            f"the factor of {correction.field} is not 1 where its quantities are 0",
            remedy="Choose quantities that are 0 for a sample that needs no correction",
        )
    # Not the whole table: this may be one of the packages that it loads.
    table = (*BUILT_IN, *(q for one in ADDED.registered.values() for q in one.quantities))
    taken = {q.name for q in table} | {q.field for q in table}
    if again := [q.name for q in quantities if q.name in taken or q.field in taken]:
        raise UsageError(f"{', '.join(again)} stands in the parameter table", remedy="Take another name")
    ADDED.add(correction.field, correction)


def remove_correction(correction: Correction) -> None:
    """Take a correction that was registered from outside out again."""
    ADDED.remove(correction.field)
