"""Pairs of `draw_*` and `apply_*`: what all of them share.

`draw_x(...)` takes a generator and gives a frozen dataclass of float64 tensors, one row for each pattern,
on the generator's device. `apply_x(intensity, ..., x)` is deterministic and computes in the precision of
`intensity`, so that the same draw serves float32 and float64. Applied to the same batch, what was drawn
gives the same bits again; a single pattern made again from its row (`take_rows`) agrees to rounding.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from mixrd.errors import RecipeError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

#: Lowest and highest value that is drawn.
Limits = tuple[float, float]
#: Points worked on at once on a CPU: 0.5 MB in float32, within the cache of one core.
_POINTS_AT_ONCE = 2**17
D = TypeVar("D", bound="DataclassInstance")


def check_limits(settings: DataclassInstance, allowed: Mapping[str, tuple[float, float, str]]) -> None:
    """Check limits of `settings` against (lowest, highest, unit), by the name of the field.

    Raises
    ------
    RecipeError
        Where they are not finite, in the wrong order, outside, or not whole though the unit is "counted".
    """
    for name, (lowest, highest, unit) in allowed.items():
        low, high = getattr(settings, name)
        counted = unit == "counted"
        whole = not counted or (isinstance(low, int) and isinstance(high, int))
        if not (lowest <= low <= high <= highest and whole):
            measure = "whole numbers" if counted else unit
            raise RecipeError(
                f"{type(settings).__name__}: {name} = {low:g} to {high:g}",
                remedy=f"Allowed: low <= high, both {lowest:g} to {highest:g} ({measure})",
            )


def check_value(settings: DataclassInstance, name: str, lowest: float, highest: float) -> None:
    """Check one number of `settings`; `RecipeError` where it is outside."""
    value = getattr(settings, name)
    if not lowest <= value <= highest:
        raise RecipeError(
            f"{type(settings).__name__}: {name} = {value:g}", remedy=f"Allowed: {lowest:g} to {highest:g}"
        )


def uniform(limits: Limits, *shape: int, generator: torch.Generator) -> Float[Tensor, "*shape"]:
    """Float64 numbers of this shape, uniform between the limits."""
    low, high = limits
    return low + (high - low) * _rand(shape, generator)


def log_uniform(limits: Limits, *shape: int, generator: torch.Generator) -> Float[Tensor, "*shape"]:
    """Float64 numbers of this shape, their logarithms uniform between those of the limits (> 0)."""
    low, high = limits
    result: Tensor = low * (high / low) ** _rand(shape, generator)
    return result


def draw_present(
    count: tuple[int, int], batch: int, *, generator: torch.Generator, share: float = 1.0
) -> Float[Tensor, "{batch} {count[1]}"]:
    """(batch, count[1]) of 0 and 1: in a `share` of the rows a number of ones from `count`, else none."""
    low, high = count
    number = torch.randint(low, high + 1, (batch, 1), generator=generator, device=generator.device)
    has_any = _rand((batch, 1), generator) < share
    index = torch.arange(high, device=generator.device)
    return ((index < number) & has_any).double()


def span(two_theta: Tensor) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Lowest and highest angle of a rising grid, as float64 scalars.

    Raises
    ------
    RecipeError
        For fewer than two points.
    """
    if two_theta.ndim != 1 or len(two_theta) < 2:
        raise RecipeError(
            f"two_theta has shape {tuple(two_theta.shape)}",
            remedy="Give at least two rising angles in degrees",
        )
    return two_theta[0].double(), two_theta[-1].double()


def take_rows(drawn: D, rows: Tensor | slice) -> D:
    """The parameters of some patterns of a batch: all tensors of `drawn`, nested ones too, at `rows`."""
    picked = {
        field.name: value[rows] if isinstance(value, Tensor) else take_rows(value, rows)
        for field in dataclasses.fields(drawn)
        for value in [getattr(drawn, field.name)]
    }
    return dataclasses.replace(drawn, **picked)


def apply_by_blocks(apply: Callable[[Tensor, D], Tensor], intensity: Tensor, drawn: D) -> Tensor:
    """`apply(intensity, drawn)` on a few patterns of (B, N) at a time, to stay within a CPU's cache.

    Twice as fast or better for 512 patterns; a GPU takes them all at once.
    """
    batch, points = intensity.shape
    rows = max(1, _POINTS_AT_ONCE // points)
    if intensity.device.type != "cpu" or batch <= rows:
        return apply(intensity, drawn)
    blocks = [slice(start, start + rows) for start in range(0, batch, rows)]
    return torch.cat([apply(intensity[block], take_rows(drawn, block)) for block in blocks])


def _rand(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.rand(shape, generator=generator, dtype=torch.float64, device=generator.device)
