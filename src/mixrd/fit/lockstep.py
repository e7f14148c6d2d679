"""Refinements as steps: one scan's are taken alone, those of many scans together.

What decides between two fits is written once, as a generator that asks for a fit and goes on with it. Scans
of which the same is asked at the same time are fitted at once: that costs a fraction of fitting each.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor
from torch.linalg import LinAlgError  # type: ignore[attr-defined]

from mixrd.errors import RefinementError
from mixrd.fit.least_squares import RELATIVE_DECREASE, Priors
from mixrd.fit.linear_part import LinearPart
from mixrd.fit.pattern_fit import Fit, fit
from mixrd.pattern import ForwardModel

#: Scans that are worth refining together: more bring little.
_TOGETHER = 8

Arguments = ParamSpec("Arguments")
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class FitRequest:
    """A fit of one scan that is asked for.

    Attributes
    ----------
    key : hashable
        The same for requests whose models are the same.
    model : ForwardModel
    basis : (Q, N) tensor
    observed, sigma : (1, N) tensor
    start : (1, T) tensor
    priors : Priors
        (T,) each.
    enough : float
        As `fit` takes it.
    """

    key: Hashable
    model: ForwardModel
    basis: Tensor
    observed: Tensor
    sigma: Tensor
    start: Tensor
    priors: Priors
    enough: float = RELATIVE_DECREASE


Steps = Generator[FitRequest, Fit, Result]


def alone(steps: Steps[Result]) -> Result:
    """Carry out the fits of one scan as they are asked for.

    Raises
    ------
    RefinementError
        If equations are singular beyond what damping mends.
    """
    with one_thread(), solvable():
        try:
            request = next(steps)
            while True:
                request = steps.send(_fitted([request])[0])
        except StopIteration as stop:
            result: Result = stop.value
            return result


def carried_out(steps: Callable[Arguments, Steps[Result]]) -> Callable[Arguments, Result]:
    """The function that carries out, for one scan, what `steps` asks for; arguments are the same."""

    def whole(*arguments: Arguments.args, **settings: Arguments.kwargs) -> Result:
        return alone(steps(*arguments, **settings))

    return whole


def group_size(count: int, processes: int = 1) -> int:
    """How many of `count` scans a process takes together.

    Fewer near the end, so that processes end together, and of few scans: each result is seen as it comes, and
    what is stopped in between loses little.
    """
    return max(1, min(_TOGETHER, count // (2 * processes)))


def groups(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """All of them, in such groups."""
    done = 0
    while done < len(items):
        size = group_size(len(items) - done)
        yield items[done : done + size]
        done += size


def together(many: Sequence[Steps[Result]]) -> list[Result | Exception]:
    """Carry out the fits of many scans, those of the same model at once; an error ends its own scan alone."""
    found: dict[int, Result | Exception] = {}
    asked: dict[int, FitRequest] = {}

    def go_on(number: int, result: Fit | Exception | None) -> None:
        steps = many[number]
        try:
            with solvable():
                if isinstance(result, Exception):
                    asked[number] = steps.throw(result)
                else:
                    asked[number] = next(steps) if result is None else steps.send(result)
        except StopIteration as stop:
            found[number] = stop.value
        except Exception as error:
            found[number] = error

    with one_thread():
        for number in range(len(many)):
            go_on(number, None)
        while asked:
            groups: dict[Hashable, list[int]] = {}
            for number, request in asked.items():
                groups.setdefault(request.key, []).append(number)
            for members in groups.values():
                requests = [asked.pop(number) for number in members]
                for number, result in zip(members, _each_fitted(requests), strict=True):
                    go_on(number, result)
    return [found[number] for number in range(len(many))]


def _each_fitted(requests: Sequence[FitRequest]) -> list[Fit | Exception]:
    """Fits of requests of one key; where they cannot be had at once, one by one."""
    try:
        return [*_fitted(requests)]
    except LinAlgError as error:
        if len(requests) == 1:
            return [error]
        return [found for request in requests for found in _each_fitted([request])]


def _fitted(requests: Sequence[FitRequest]) -> list[Fit]:
    """Fits of requests of one key."""
    model = requests[0].model
    sizes = [len(request.basis) for request in requests]
    basis = requests[0].basis
    if len(requests) > 1:
        # Rows that a background lacks are empty: nothing comes of them.
        basis = basis.new_zeros(len(requests), max(sizes), basis.shape[1])
        for row, request in zip(basis, requests, strict=True):
            row[: len(request.basis)] = request.basis
    priors = Priors(*(torch.stack(x) for x in zip(*(vars(r.priors).values() for r in requests), strict=True)))
    result = fit(
        model,
        basis,
        torch.cat([request.observed for request in requests]),
        torch.cat([request.sigma for request in requests]),
        torch.cat([request.start for request in requests]),
        priors,
        enough=torch.tensor([request.enough for request in requests], dtype=basis.dtype),
    )
    phases = len(model.tables)
    return [_row(result, number, phases + size) for number, size in enumerate(sizes)]


def _row(result: Fit, number: int, linear: int) -> Fit:
    """The fit of one scan, with so many linear parameters."""
    own = slice(number, number + 1)
    part = result.linear
    return Fit(
        flat=result.flat[own],
        linear=LinearPart(
            part.coefficients[own, :linear],
            part.active[own, :linear],
            part.design[own, :linear],
            part.residual[own],
        ),
        jacobian=result.jacobian[own],
        cost=result.cost[own],
        ended=result.ended[own],
        steps=result.steps,
    )


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread: these problems are too small to share, threads only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def solvable() -> Iterator[None]:
    """Raise RefinementError where the equations are singular."""
    try:
        yield
    except LinAlgError as error:
        raise RefinementError(
            f"the equations of the fit could not be solved ({error})",
            remedy="Look at the scan; leave out candidates that are not in it",
        ) from None
