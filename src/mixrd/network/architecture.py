"""An architecture that estimates fractions, and the registry of all: mixrd's own and those of other packages.

A class registers itself where it is defined. Those of this room are found by themselves; another package
names its module as an entry point::

    [project.entry-points."mixrd.architectures"]
    anything = "package.module"
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from torch import nn

from mixrd.extensions import Registry

if TYPE_CHECKING:
    from mixrd.network.estimator import FittedEstimator

#: A higher learning rate that ends at zero: what small networks need to learn within minutes.
BRISK = {"batch": 64, "learning_rate": 2e-3, "schedule": "cosine", "largest_gradient": 1.0}
#: bf16 trains as well here, in half the time on a processor that has it.
HEADED = {**BRISK, "batch": 96, "precision": "bf16"}


@dataclass(frozen=True)
class Architecture:
    """A way to estimate fractions.

    Attributes
    ----------
    name, description : str
    learns_by : {"gradient", "samples", "references"}
        A network that `mixrd.training.train_network` trains; or an estimator with `fit`, from patterns of
        mixtures or from those of the pure materials.
    make : callable
        From `points`, `materials` and further options to a module or an estimator.
    training : mapping
        Settings of `mixrd.training.TrainingSettings` that suit a network better than the paper's, which are
        those of table1.
    samples : int
        Mixtures that an estimator without gradients is fitted to, unless given: as many as fit in memory
        and minutes.
    """

    name: str
    description: str
    learns_by: Literal["gradient", "samples", "references"]
    make: Callable[..., nn.Module | FittedEstimator]
    training: Mapping[str, Any] = field(default_factory=dict)
    samples: int = 20_000


_REGISTRY: Registry[Architecture] = Registry(
    "architecture", group="mixrd.architectures", room="mixrd.network"
)
_Class = TypeVar("_Class", bound=Callable[..., Any])


def architecture(
    name: str,
    description: str,
    *,
    learns_by: Literal["gradient", "samples", "references"] = "gradient",
    training: Mapping[str, Any] | None = None,
    samples: int = 20_000,
    **preset: Any,
) -> Callable[[_Class], _Class]:
    """Register a class; parameters as the attributes of `Architecture`, `preset` are options of the class.

    Raises
    ------
    ParameterError
        If there is one of that name.
    """

    def register(made: _Class) -> _Class:
        make = partial(made, **preset) if preset else made
        _REGISTRY.add(name, Architecture(name, description, learns_by, make, training or {}, samples))
        return made

    return register


def architectures() -> tuple[Architecture, ...]:
    """All architectures, by name."""
    return tuple(_REGISTRY.all().values())


#: The architecture of a name.
architecture_named = _REGISTRY.named
