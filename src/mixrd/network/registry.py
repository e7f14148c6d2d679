"""Every architecture that estimates fractions, by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from mixrd.errors import InputError, ModelError, ParameterError
from mixrd.network.baselines import FittedEstimator, NearestNeighbours, ReferenceLeastSquares
from mixrd.network.compact_fractions import CompactFractions
from mixrd.network.compact_heads import CompactHeads
from mixrd.network.estimator import FractionEstimator, NetworkEstimator, read_estimator
from mixrd.network.forest import RandomForest
from mixrd.network.fully_connected import FullyConnectedNetwork
from mixrd.network.losses import loss_named
from mixrd.network.matched import MatchedNetwork
from mixrd.network.table1 import Table1Network

#: A higher learning rate that ends at zero: what small networks need to learn within minutes.
_BRISK = {"batch": 64, "learning_rate": 2e-3, "schedule": "cosine", "largest_gradient": 1.0}
#: bf16 trains as well here, in half the time on a processor that has it.
_HEADED = {**_BRISK, "batch": 96, "precision": "bf16"}


@dataclass(frozen=True)
class Architecture:
    """A way to estimate fractions.

    Attributes
    ----------
    name, description : str
    learns_by : {"gradient", "samples", "references"}
        A network that `mixrd.training.train_fractions` trains; or an estimator with `fit`, from patterns of
        mixtures or from those of the pure materials.
    make : callable
        From `points`, `materials` and further options to a module or an estimator.
    training : mapping
        Settings of `mixrd.training.FractionTraining` that suit a network better than the paper's, which are
        those of table1.
    """

    name: str
    description: str
    learns_by: Literal["gradient", "samples", "references"]
    make: Callable[..., nn.Module | FittedEstimator]
    training: Mapping[str, Any] = field(default_factory=dict)


def architectures() -> tuple[Architecture, ...]:
    """All architectures, the paper's first."""
    return (
        Architecture(
            "table1", "the network of Hoefer et al. 2024, Table 1: 30 M parameters", "gradient", Table1Network
        ),
        Architecture(
            "compact",
            "residual convolutional network, about 0.4 M parameters",
            "gradient",
            CompactFractions,
            _BRISK,
        ),
        Architecture(
            "compact-heads",
            "the compact network with heads for presence, strain, size and background",
            "gradient",
            CompactHeads,
            _HEADED,
        ),
        Architecture(
            "matched",
            "matched filter over strained copies, then closer looks at lines; heads",
            "gradient",
            MatchedNetwork,
            _HEADED,
        ),
        Architecture(
            "matched-fits",
            "the matched network, then fits of the likely candidates together; heads",
            "gradient",
            partial(MatchedNetwork, fits=2),
            _HEADED,
        ),
        Architecture(
            "matched-fits-3",
            "the matched network, then three such fits; heads",
            "gradient",
            partial(MatchedNetwork, fits=3),
            _HEADED,
        ),
        Architecture(
            "mlp",
            "fully connected network, about 1.5 M parameters",
            "gradient",
            FullyConnectedNetwork,
            _BRISK,
        ),
        Architecture(
            "knn", "nearest neighbours among known mixtures (Greasley 2023)", "samples", NearestNeighbours
        ),
        Architecture(
            "random_forest", "random forest on known mixtures (Greasley 2023)", "samples", RandomForest
        ),
        Architecture(
            "nnls", "non-negative least squares on unstrained references", "references", ReferenceLeastSquares
        ),
    )


def architecture_named(name: str) -> Architecture:
    """The architecture of that name.

    Raises
    ------
    ParameterError
        If there is none.
    """
    for architecture in architectures():
        if architecture.name == name:
            return architecture
    names = ", ".join(a.name for a in architectures())
    raise ParameterError(f"architecture = {name!r} is none of mixrd's", remedy=f"Allowed: {names}")


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
    known = inspect.signature(architecture.make).parameters
    free = options_of(name)
    if unknown := sorted(set(options) - free):
        raise ParameterError(
            f"{name} has no option {', '.join(unknown)}",
            remedy=f"Allowed: {', '.join(sorted(free)) or 'none'}",
        )
    needed = {key for key, value in known.items() if value.default is inspect.Parameter.empty}
    if missing := sorted(needed - set(options) - {"points", "materials"}):
        raise ParameterError(f"{name} needs {', '.join(missing)}", remedy="Give these options")
    if "seed" in known:
        return architecture.make(points=points, materials=materials, seed=seed, **options)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return architecture.make(points=points, materials=materials, **options)


def options_of(name: str) -> frozenset[str]:
    """The options that `build` takes for an architecture, besides points, materials and seed."""
    known = inspect.signature(architecture_named(name).make).parameters
    return frozenset(known) - {"points", "materials", "seed"}


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
    header, tensors = read_estimator(path)
    try:
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
    except (
        AttributeError, IndexError, KeyError, TypeError, ValueError, RuntimeError, InputError,
    ) as error:  # fmt: skip
        if isinstance(error, ModelError):
            raise
        raise ModelError(
            f"its content does not fit together ({str(error).splitlines()[0]})",
            remedy="Train it again",
            file=path,
        ) from None
