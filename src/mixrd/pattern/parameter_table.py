"""The parameter table: every quantity of the forward model that is refined, drawn or stated, once.

`Parameters`, `mixrd.fit.Restraints`, bounds, what an analysis frees, the profile in an instrument's file,
what training samples draw and what is stated of simulated scans are read from here. Corrections have theirs
beside their factor (`own_corrections.py`); what people add (`mixrd.pattern.register_correction`) comes last.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from mixrd.extensions import Registry
from mixrd.pattern.own_corrections import OWN, THIN
from mixrd.pattern.quantity import Allowed, Correction, Loss, OnDemand, Quantity, Training, both_signs


def _broader(share: Tensor, usual: Tensor, limit: float) -> Tensor:
    """Profile terms of peaks that are all broader or narrower by up to a factor, its logarithm uniform."""
    factor = limit ** both_signs(share, usual, 1.0)
    # u, v and w are one squared width and scale together; the Lorentzian terms apart.
    return usual * torch.cat([factor[:, :1].repeat(1, 3) ** 2, factor[:, 3:]], dim=1)


def _inverse(share: Tensor, usual: Tensor, limits: tuple[float, float]) -> Tensor:
    """Inverse of a size whose logarithm is uniform between the limits."""
    low, high = limits
    return 1 / (low * (high / low) ** share)


def _mostly_small(share: Tensor, usual: Tensor, limit: float) -> Tensor:
    return limit * share**2


_WIDTH = Training("width_factor", 1.0, 5.0, "dimensionless", drawn=_broader, early=True)


def _gaussian(name: str, lower: float) -> Quantity:
    label, spread = f"Gaussian width, {name}", "width"
    return Quantity(
        name, label, "deg^2", lower, 1.0,
        field="profile", restraint=0.002, restraint_name=spread, training=_WIDTH,
    )  # fmt: skip


def _lorentzian(name: str) -> Quantity:
    label, spread = f"Lorentzian width, {name}", "lorentzian_width"
    return Quantity(
        name, label, "degrees", 0.0, 0.5,
        field="profile", restraint=0.01, restraint_name=spread, training=_WIDTH,
    )  # fmt: skip


#: Those of other packages, by their field.
ADDED: Registry[Correction] = Registry("correction", group="mixrd.corrections")
#: In the order of `Parameters.flat`.
BUILT_IN = (
    Quantity(
        "strain", "cell strain", "relative", -0.06, 0.06, scope="component",
        restraint=0.005,
        earned=(0.001, 0.01),
        training=Training("max_strain", 0.0, 0.06, drawn=both_signs),
        stated=Allowed("max_strain", 0, 0.05),
    ),
    Quantity(
        "inverse_size", "inverse crystallite size", "1/nm", 0.0, 1.0, scope="phase",
        # Crystallites mostly above 50 nm, and any from 1 nm on: a phase of nanocrystals held at 50 nm would
        # be left to the background.
        restraint=0.02, restraint_name="inverse_size_per_nm",
        earned=(0.02, 0.5),
        training=Training("size_nm", 0.0, math.inf, "nm", drawn=_inverse, early=True),
    ),
    Quantity(
        "microstrain", "microstrain", "relative", 0.0, 0.02, scope="phase",
        restraint=0.001,
        training=Training("max_microstrain", 0.0, 0.05, drawn=_mostly_small),
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
        field="profile", restraint_name="sh_l", training=_WIDTH,
    ),
    Quantity(
        "zero", "zero shift", "degrees", -0.5, 0.5,
        restraint=0.03,
        training=Training("max_zero_deg", 0.0, 1.0, drawn=both_signs),
        stated=Allowed("zero_deg", -1, 1),
    ),
    Quantity(
        "displacement", "displacement of the sample", "mm", -1.5, 1.5,
        restraint=0.1, restraint_name="displacement_mm",
        training=Training("max_displacement_mm", 0.0, 2.0, drawn=both_signs),
        stated=Allowed("displacement_mm", -2, 2),
    ),
    *THIN.quantities,
    Quantity(
        "penetration", "1 / mu, which shifts lines", "mm", 0.0, 10.0,
        restraint_name="penetration_mm",
        training=Training("max_penetration_mm", 0.0, 10.0),
    ),
    *(quantity for one in OWN if one is not THIN for quantity in one.quantities),
)  # fmt: skip


def earned_restraints(name: str) -> tuple[float, float]:
    """The tight and the wide restraint of a quantity that has to earn its room."""
    (pair,) = [q.earned for q in BUILT_IN if q.name == name and q.earned]
    return pair


def parameter_table() -> tuple[Quantity, ...]:
    """All quantities, in the order of `Parameters.flat`; those that were declared from outside last."""
    return (*BUILT_IN, *(quantity for one in ADDED.all().values() for quantity in one.quantities))


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
