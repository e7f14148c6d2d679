"""What is believed of a sample before its scan is seen, as restraints of a refinement."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from mixrd.errors import ParameterError
from mixrd.fit.least_squares import Priors
from mixrd.pattern import ForwardModel, Quantity
from mixrd.pattern.parameter_table import by_field, parameter_table


class Restraints:
    """What is believed of a sample before the scan is seen: standard deviations of Gaussian restraints.

    They are wide against what a strong phase's data say and keep a trace phase from wandering.

    Parameters
    ----------
    **sigma : float
        By name: `strain` (of each component), `inverse_size_per_nm` and `microstrain` of each phase, `width`
        (u, v, w, deg^2) and `lorentzian_width` (x, y, degrees) around the instrument's, `zero` (degrees),
        `displacement_mm`, and what is held unless it is named here: `sh_l` around the instrument's, `texture`
        and `aspect` around 1, `thinness`, `penetration_mm`, `roughness`, `overspill`, `b_offset` (square
        angstroms), and corrections that were registered. The parameter table has all, with what they are
        unless told otherwise; 0 holds a quantity.

    Raises
    ------
    ParameterError
        If a name is unknown.
    """

    def __init__(self, **sigma: float) -> None:
        known = dict.fromkeys(quantity.restraint_name for quantity in parameter_table())
        if unknown := sorted(set(sigma) - set(known)):
            raise ParameterError(
                f"there is no restraint {', '.join(unknown)}", remedy=f"Allowed: {', '.join(known)}"
            )
        self._sigma = sigma

    def of(self, quantity: Quantity) -> float:
        """Standard deviation of a quantity of the parameter table."""
        return self._sigma.get(quantity.restraint_name, quantity.restraint)


def make_priors(model: ForwardModel, restraints: Restraints, fixed: Sequence[str]) -> Priors:
    """Restraints and bounds in the order of the flat parameters."""
    fields = by_field(model.quantities)
    if unknown := set(fixed) - set(fields):
        raise ParameterError(
            f"fixed names {', '.join(sorted(unknown))}", remedy=f"Allowed: {', '.join(fields)}"
        )
    mean = model.reference().flat()[0]
    sigma, lower, upper = (torch.empty_like(mean) for _ in range(3))
    for quantity in model.quantities:
        place = model.columns_of(quantity.name)
        # Lines of an instrument without axial divergence are drawn symmetric.
        drawn = quantity.name != "sh_l" or model.instrument.profile.sh_l > 0
        sigma[place] = restraints.of(quantity) if drawn and quantity.field not in fixed else 0.0
        lower[place], upper[place] = quantity.lower, quantity.upper
    return Priors(mean, sigma, lower, upper)
