"""The parameter table: every quantity of the forward model that is refined, drawn or stated, once.

`Parameters`, `mixrd.fit.Restraints`, bounds, what an analysis frees, and the ranges of training samples and
of simulated scans are read from here. What people add (`mixrd.pattern.register_correction`) is at its end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.metadata import EntryPoint

from mixrd.errors import UsageError
from mixrd.extensions import from_entry_points
from mixrd.pattern.quantity import Allowed, Loss, OnDemand, Quantity


def _gaussian(name: str, lower: float) -> Quantity:
    label, spread = f"Gaussian width, {name}", "width"
    return Quantity(name, label, "deg^2", lower, 1.0, field="profile", restraint=0.002, restraint_name=spread)


def _lorentzian(name: str) -> Quantity:
    label, spread = f"Lorentzian width, {name}", "lorentzian_width"
    return Quantity(name, label, "degrees", 0.0, 0.5, field="profile", restraint=0.01, restraint_name=spread)


def _said_of_overspill(overspill: float, b_offset: float | None) -> str:
    said = f"beam longer than the sample below {2 * math.degrees(math.asin(overspill)):.1f}°, refined"
    return said if b_offset is None else f"{said}; all displacement factors B changed by {b_offset:+.2f} Å²"


def _said_of_roughness(share: float, depth: float) -> str:
    return f"surface roughness refined (Suortti): share {share:.3f}, depth {depth:.3f}"


_OVERSPILL = Loss(
    "overspill",
    "the overspill of the beam with a common change of all displacement factors",
    _said_of_overspill,
    fixed_slit=True,
)
# Beams longer than the sample are common, surfaces so rough are not.
_ROUGHNESS = Loss("roughness", "surface roughness (Suortti)", _said_of_roughness, rarer=1.1)

#: Entry points of this group name modules of other packages that register corrections.
ADDED_BY = "mixrd.corrections"
#: In the order of `Parameters.flat`.
BUILT_IN = (
    Quantity(
        "strain", "cell strain", "relative", -0.06, 0.06, scope="component",
        restraint=0.005,
        earned=(0.001, 0.01),
        training=Allowed("max_strain", 0.0, 0.06),
        stated=Allowed("max_strain", 0, 0.05),
    ),
    Quantity(
        "inverse_size", "inverse crystallite size", "1/nm", 0.0, 1.0, scope="phase",
        # Crystallites mostly above 50 nm, and any from 1 nm on: a phase of nanocrystals held at 50 nm would
        # be left to the background.
        restraint=0.02, restraint_name="inverse_size_per_nm",
        earned=(0.02, 0.5),
    ),
    Quantity(
        "microstrain", "microstrain", "relative", 0.0, 0.02, scope="phase",
        restraint=0.001,
        training=Allowed("max_microstrain", 0.0, 0.05),
        stated=Allowed("microstrain", 0, 0.05),
    ),
    Quantity(
        "texture", "March-Dollase r", "dimensionless", 0.2, 3.0, scope="phase", neutral=1.0,
        on_demand=OnDemand(0.3),
        stated=Allowed("texture", 0.1, 10),
    ),
    Quantity(
        "aspect", "size across the size axis over that along it", "dimensionless", 0.05, 20.0, scope="phase",
        neutral=1.0,
        stated=Allowed("aspect", 0.01, 100),
    ),
    _gaussian("u", -1.0),
    _gaussian("v", -1.0),
    _gaussian("w", 1e-5),
    _lorentzian("x"),
    _lorentzian("y"),
    # Only a standard tells it well.
    Quantity(
        "sh_l", "axial divergence (S + H) / L", "dimensionless", 0.0, 0.15,
        field="profile", restraint_name="sh_l",
    ),
    Quantity(
        "zero", "zero shift", "degrees", -0.5, 0.5,
        restraint=0.03,
        training=Allowed("max_zero_deg", 0.0, 1.0),
        stated=Allowed("zero_deg", -1, 1),
    ),
    Quantity(
        "displacement", "displacement of the sample", "mm", -1.5, 1.5,
        restraint=0.1, restraint_name="displacement_mm",
        training=Allowed("max_displacement_mm", 0.0, 2.0),
        stated=Allowed("displacement_mm", -2, 2),
    ),
    Quantity(
        "thinness", "1 / (mu t)", "dimensionless", 0.0, 100.0, training=Allowed("max_thinness", 0.0, 100.0)
    ),
    Quantity(
        "penetration", "1 / mu, which shifts lines", "mm", 0.0, 10.0,
        restraint_name="penetration_mm",
        training=Allowed("max_penetration_mm", 0.0, 10.0),
    ),
    Quantity(
        "roughness_share", "share that a rough surface takes", "share of the intensity", 0.0, 1.0,
        field="roughness",
        # Where both terms are zero, neither changes anything: a fit would never leave that point.
        start=0.1,
        on_demand=OnDemand(0.3, _ROUGHNESS, (0.2, 0.4, 0.7)),
        training=Allowed("max_roughness", 0.0, 1.0),
        stated=Allowed("roughness", 0, 1),
    ),
    Quantity(
        "roughness_depth", "optical depth of a rough surface", "dimensionless", 0.0, 1.0,
        field="roughness",
        start=0.1,
        on_demand=OnDemand(0.3, _ROUGHNESS, (0.1, 0.2, 0.4, 0.8)),
        stated=Allowed("roughness", 0, 10),
    ),
    Quantity(
        "overspill", "overspill of the beam", "sine of the angle theta", 0.0, 0.9,
        on_demand=OnDemand(0.5, _OVERSPILL, (0.12, 0.16, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5)),
        training=Allowed("max_overspill", 0.0, 1.0),
        stated=Allowed("overspill", 0, 1),
    ),
    Quantity(
        # No further down: a structure that states no displacement gets B = 0.47, and none is below zero.
        "b_offset", "added to all displacement factors", "square angstroms", -0.35, 0.5,
        on_demand=OnDemand(0.3, _OVERSPILL, (-0.2, 0.0)),
        result_name="b_offset_angstrom2",
    ),
)  # fmt: skip
_added: list[Quantity] = []
_to_load = [ADDED_BY]


def earned_restraints(name: str) -> tuple[float, float]:
    """The tight and the wide restraint of a quantity that has to earn its room."""
    (pair,) = [q.earned for q in BUILT_IN if q.name == name and q.earned]
    return pair


def parameter_table() -> tuple[Quantity, ...]:
    """All quantities, in the order of `Parameters.flat`; those that were declared from outside last."""
    while _to_load:
        from_entry_points(_to_load.pop(), EntryPoint.load)
    return (*BUILT_IN, *_added)


def by_field(table: Sequence[Quantity]) -> dict[str, tuple[Quantity, ...]]:
    """The quantities of each field of `Parameters`."""
    found: dict[str, tuple[Quantity, ...]] = {}
    for quantity in table:
        found[quantity.field] = (*found.get(quantity.field, ()), quantity)
    return found


def places(table: Sequence[Quantity], components: int, phases: int) -> dict[str, slice]:
    """Where each quantity and each field stands among the flat parameters."""
    columns = {"component": components, "phase": phases, "pattern": 1}
    found: dict[str, slice] = {}
    first = 0
    for quantity in table:
        place = slice(first, first + columns[quantity.scope])
        first = place.stop
        found[quantity.name] = place
        found[quantity.field] = slice(found.get(quantity.field, place).start, place.stop)
    return found


def by_loss(table: Sequence[Quantity]) -> dict[Loss, tuple[Quantity, ...]]:
    """The quantities of each loss at low angles."""
    found: dict[Loss, tuple[Quantity, ...]] = {}
    for quantity in table:
        if (loss := quantity.on_demand.loss) is not None:
            found[loss] = (*found.get(loss, ()), quantity)
    return found


def declare(quantities: Sequence[Quantity]) -> None:
    """Put quantities at the end of the table.

    Raises
    ------
    UsageError
        If a name is taken.
    """
    table = parameter_table()
    taken = {q.name for q in table} | {q.field for q in table}
    if again := [q.name for q in quantities if q.name in taken or q.field in taken]:
        raise UsageError(f"{', '.join(again)} stands in the parameter table", remedy="Take another name")
    _added.extend(quantities)


def withdraw(quantities: Sequence[Quantity]) -> None:
    """Take quantities that were declared from outside from the table again."""
    for quantity in quantities:
        _added.remove(quantity)
