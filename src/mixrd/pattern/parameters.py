"""What may differ from scan to scan, and from phase to phase within it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from mixrd.errors import ParameterError
from mixrd.pattern.parameter_table import by_field, parameter_table


@dataclass(frozen=True, eq=False, init=False)
class Parameters:
    """What may differ from scan to scan, apart from how much of each phase there is. B scans, P phases.

    A field for each quantity of the parameter table (`mixrd.pattern.parameter_table`, with units): (B, K)
    `strain`, the amplitudes of all phases one after the other; (B, P) for what each phase has
    (`inverse_size`, `microstrain`, `texture`, `aspect`); (B, 1) for what the scan has (`zero`, ...), but
    (B, 6) `profile` (u, v, w, x, y, sh_l; see `Profile`) and (B, 2) `roughness` (share and optical depth).

    Attributes
    ----------
    values : mapping
        Tensor by field, in the order of the table.
    """

    values: Mapping[str, Tensor]

    def __init__(self, values: Mapping[str, Tensor] | None = None, **changed: Tensor) -> None:
        given = {**(values or {}), **changed}
        known = by_field(parameter_table())
        if unknown := sorted(set(given) - set(known)):
            raise ParameterError(
                f"{', '.join(unknown)} is no parameter", remedy=f"Allowed: {', '.join(known)}"
            )
        object.__setattr__(self, "values", {name: given[name] for name in known if name in given})

    def __getattr__(self, name: str) -> Tensor:
        # Copies ask for methods before they have values.
        values: Mapping[str, Tensor] = self.__dict__.get("values", {})
        if name not in values:
            raise AttributeError(name)
        return values[name]

    def replace(self, **changed: Tensor) -> Parameters:
        """The same but for these fields."""
        return Parameters(self.values, **changed)

    def flat(self) -> Float[Tensor, "B T"]:
        """(B, T): all of them, in the order of the table."""
        return torch.cat(list(self.values.values()), dim=-1)
