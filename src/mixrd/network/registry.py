"""Estimators built by the name of their architecture, and read from their files."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import torch
from torch import nn

from mixrd.errors import ParameterError
from mixrd.network.architecture import architecture_named, architectures
from mixrd.network.estimator import FittedEstimator, FractionEstimator, NetworkEstimator
from mixrd.network.losses import loss_named
from mixrd.network.model_file import ESTIMATOR


def build(
    name: str, *, points: int, materials: int, seed: int = 0, **options: Any
) -> nn.Module | FittedEstimator:
    """An untrained network or an estimator to be fitted.

    Parameters
    ----------
    name : str
        One of `architectures`.
    points : int
        Length of the patterns.
    materials : int
    seed : int
        Of the first weights, or of a forest; the global random state is neither used nor changed.
    options
        Further arguments of the architecture.

    Raises
    ------
    ParameterError
        If there is no such architecture or option, one that it needs is missing, or a size does not fit.
    """
    architecture = architecture_named(name)
    if points < 1 or materials < 1:
        raise ParameterError(f"points = {points}, materials = {materials}", remedy="Allowed: from 1")
    known, free = inspect.signature(architecture.make).parameters, options_of(name)
    if unknown := sorted(set(options) - free):
        raise ParameterError(
            f"{name} has no option {', '.join(unknown)}",
            remedy=f"Allowed: {', '.join(sorted(free)) or 'none'}",
        )
    if missing := sorted(needed_by(name) - set(options)):
        others = (a.name for a in architectures() if a.learns_by == "gradient" and not needed_by(a.name))
        raise ParameterError(
            f"{name} needs {', '.join(missing)}",
            remedy=f"Give these, or take one that needs none: {', '.join(others)}",
        )
    if "seed" in known:
        return architecture.make(points=points, materials=materials, seed=seed, **options)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return architecture.make(points=points, materials=materials, **options)


def options_of(name: str) -> frozenset[str]:
    """The options that `build` takes for an architecture, besides points, materials and seed."""
    known = inspect.signature(architecture_named(name).make).parameters
    return frozenset(known) - {"points", "materials", "seed"}


def needed_by(name: str) -> frozenset[str]:
    """Those of `options_of` that an architecture cannot do without."""
    known = inspect.signature(architecture_named(name).make).parameters
    return frozenset(key for key in options_of(name) if known[key].default is inspect.Parameter.empty)


def build_trainable(name: str, *, points: int, materials: int, seed: int = 0, **options: Any) -> nn.Module:
    """`build` of an architecture that gradients train.

    Raises
    ------
    ParameterError
        If it is not one, and as `build`.
    """
    built = build(name, points=points, materials=materials, seed=seed, **options)
    if not isinstance(built, nn.Module):
        names = ", ".join(a.name for a in architectures() if a.learns_by == "gradient")
        raise ParameterError(f"{name} is not trained but fitted", remedy=f"Trained are: {names}")
    return built


def load_estimator(path: str | Path) -> FractionEstimator:
    """Read what `FractionEstimator.save` wrote.

    Raises
    ------
    ModelError
        If it is no such file, damaged, or its parts do not fit together.
    """
    path = Path(path)
    header, tensors = ESTIMATOR.read(path)
    with ESTIMATOR.fitting_together(path):
        name, points, materials = header["architecture"], int(header["points"]), int(header["materials"])
        options: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in header["options"].items()
        }
        built = build(name, points=points, materials=materials, **options)
        if isinstance(built, FittedEstimator):
            built.restore(tensors)
            return built
        built.load_state_dict(tensors)
        loss_named(header["loss"])
        return NetworkEstimator(
            name, built, loss=header["loss"], points=points, materials=materials, options=options
        )
