"""Corrections of the intensities of all lines, and the registry that people add theirs to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from mixrd.diffraction import beam_overspill, surface_roughness, thermal_factor, thin_sample_absorption
from mixrd.errors import UsageError
from mixrd.pattern.parameter_table import BUILT_IN, by_field, declare, parameter_table, withdraw
from mixrd.pattern.quantity import Quantity


@dataclass(frozen=True)
class Correction:
    """A factor on the intensities of lines that depends on quantities of the whole scan.

    Attributes
    ----------
    quantities : tuple of Quantity
        Where all are 0, the factor has to be 1: it is left out then.
    factor : callable
        Of theta in radians (B, J), wavelength in angstroms (J,), and each quantity (B, J): (B, J), with
        derivatives by all but the wavelength.
    """

    quantities: tuple[Quantity, ...]
    factor: Callable[..., Tensor]

    @property
    def field(self) -> str:
        """Of `Parameters`, where the quantities stand."""
        return self.quantities[0].field


def _thin(theta: Tensor, wavelength_angstrom: Tensor, thinness: Tensor) -> Tensor:
    # 1e-6 stands for an infinitely thick sample.
    return thin_sample_absorption(theta, 1 / thinness.clamp_min(1e-6))


def _rough(theta: Tensor, wavelength_angstrom: Tensor, share: Tensor, depth: Tensor) -> Tensor:
    return surface_roughness(theta, 1 - share, depth)


def _spilled(theta: Tensor, wavelength_angstrom: Tensor, overspill: Tensor) -> Tensor:
    return beam_overspill(theta, overspill)


_FIELDS = by_field(BUILT_IN)
_corrections = [
    Correction(_FIELDS["thinness"], _thin),
    Correction(_FIELDS["roughness"], _rough),
    Correction(_FIELDS["overspill"], _spilled),
    Correction(_FIELDS["b_offset"], thermal_factor),
]
_OWN = len(_corrections)


def corrections() -> tuple[Correction, ...]:
    """All corrections of the intensities of lines."""
    # Other packages add theirs when the table is asked for.
    parameter_table()
    return tuple(_corrections)


def added_corrections() -> tuple[Correction, ...]:
    """Those that were registered from outside."""
    parameter_table()
    return tuple(_corrections[_OWN:])


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
    declare(quantities)
    _corrections.append(correction)


def remove_correction(correction: Correction) -> None:
    """Take a correction that was registered from outside out again."""
    _corrections.remove(correction)
    withdraw(correction.quantities)
