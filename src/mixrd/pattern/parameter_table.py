"""The parameter table: every quantity of the forward model that is refined, drawn or stated, once.

`Parameters`, `mixrd.fit.Restraints`, bounds, what an analysis frees, and the ranges of training samples and
of simulated scans are read from here. What people add (`mixrd.pattern.register_correction`) is at its end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from mixrd.errors import UsageError

#: What has a value of its own: the scan, each phase, or each strain component of each phase.
Scope = Literal["pattern", "phase", "component"]


@dataclass(frozen=True)
class Loss:
    """What takes intensity away at low angles. An analysis tries its quantities together and frees them all.

    Attributes
    ----------
    name : str
    label : str
        What people read that was adjusted.
    said : callable or None
        What people read of the values that it was refined to (the first is never None); default them alone.
    rarer : float
        It has to leave less misfit than other losses by this factor.
    fixed_slit : bool
        Whether it needs a divergence slit of fixed opening.
    """

    name: str
    label: str
    said: Callable[..., str] | None = None
    rarer: float = 1.0
    fixed_slit: bool = False

    def sentence(self, *values: float | None) -> str:
        """What people read of these values."""
        numbers = ", ".join(f"{x:.3g}" for x in values if x is not None)
        return f"{self.label}, refined: {numbers}" if self.said is None else self.said(*values)


@dataclass(frozen=True)
class OnDemand:
    """How an analysis frees a quantity: where the residual of a fit asks for it.

    Attributes
    ----------
    restraint : float
        Standard deviation that it gets then; 0 where it is never freed so.
    loss : Loss or None
        None where it is freed in a way of its own (texture, along the direction that fits best).
    starts : tuple of float
        Values that are tried, with each of the others of the loss.
    """

    restraint: float = 0.0
    loss: Loss | None = None
    starts: tuple[float, ...] = ()


@dataclass(frozen=True)
class Allowed:
    """Values that a setting may have, in the unit of its quantity."""

    setting: str
    low: float
    high: float


@dataclass(frozen=True)
class Quantity:
    """One quantity of the forward model.

    Attributes
    ----------
    name, label, unit : str
        Label and unit are for people.
    lower, upper : float
        Bounds of a refinement.
    scope : {"pattern", "phase", "component"}
    field : str
        Of `Parameters`, where it stands beside others; its name by default.
    neutral : float
        Where it changes nothing, and the centre of its restraint; a profile's is the instrument's.
    start : float or None
        Where a refinement begins, if not there.
    restraint : float
        Standard deviation of its restraint unless told otherwise; 0 holds it.
    restraint_name : str
        Of that in `mixrd.fit.Restraints`; the field's by default.
    on_demand : OnDemand
    result_name : str
        In `mixrd.Analysis`, where it is freed on demand; the field's by default.
    training : Allowed or None
        Limit of what is drawn, in `mixrd.mixture.SampleRanges`.
    stated : Allowed or None
        What may be stated of a sample, in `mixrd.mixture.ScanSettings`.
    """

    name: str
    label: str
    unit: str
    lower: float
    upper: float
    scope: Scope = "pattern"
    field: str = ""
    neutral: float = 0.0
    start: float | None = None
    restraint: float = 0.0
    restraint_name: str = ""
    on_demand: OnDemand = OnDemand()
    result_name: str = ""
    training: Allowed | None = None
    stated: Allowed | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "field", self.field or self.name)
        object.__setattr__(self, "restraint_name", self.restraint_name or self.field)
        object.__setattr__(self, "result_name", self.result_name or self.field)


def _profile(name: str, unit: str, lower: float, upper: float, spread: str, restraint: float) -> Quantity:
    return Quantity(
        name, name, unit, lower, upper, field="profile", restraint=restraint, restraint_name=spread
    )


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

#: In the order of `Parameters.flat`.
_BUILT_IN = (
    Quantity(
        "strain", "cell strain", "relative", -0.06, 0.06, scope="component",
        restraint=0.005,
        training=Allowed("max_strain", 0.0, 0.06),
        stated=Allowed("max_strain", 0, 0.05),
    ),
    Quantity(
        "inverse_size", "inverse crystallite size", "1/nm", 0.0, 1.0, scope="phase",
        # Crystallites mostly above 50 nm.
        restraint=0.02, restraint_name="inverse_size_per_nm",
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
    _profile("u", "deg^2", -1.0, 1.0, "width", 0.002),
    _profile("v", "deg^2", -1.0, 1.0, "width", 0.002),
    _profile("w", "deg^2", 1e-5, 1.0, "width", 0.002),
    _profile("x", "degrees", 0.0, 0.5, "lorentzian_width", 0.01),
    _profile("y", "degrees", 0.0, 0.5, "lorentzian_width", 0.01),
    # Only a standard tells it well.
    _profile("sh_l", "dimensionless", 0.0, 0.15, "sh_l", 0.0),
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


def parameter_table() -> tuple[Quantity, ...]:
    """All quantities, in the order of `Parameters.flat`; those that were declared from outside last."""
    return (*_BUILT_IN, *_added)


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
