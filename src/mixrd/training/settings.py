"""What decides the result of a training, besides the network and its mixtures."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

from mixrd.errors import RecipeError
from mixrd.network import loss_named

Precision = Literal["float32", "tf32", "bf16", "fp16"]
Schedule = Literal["constant", "cosine"]
#: Share of the steps over which the learning rate of "cosine" rises.
_WARM_UP = 0.05


@dataclass(frozen=True)
class TrainingSettings:
    """How to train a network; the paper's choices unless given.

    Attributes
    ----------
    samples : int
        Mixtures to be seen; rounded up to whole batches.
    batch : int
        Mixtures a step, over all processes.
    learning_rate : float
        Of AdamW; with "cosine" its highest.
    loss : str
        One of `mixrd.network.losses`.
    precision : {"float32", "tf32", "bf16", "fp16"}
        "float32" is just that; "tf32" rounds products on a GPU; the others keep weights in float32 and
        compute layers in half precision. "tf32" and "fp16" need a GPU.
    compile : bool
        Whether to compile the network. Pays on a GPU; takes a minute at the start.
    seed : int
        Of the mixtures; that of the first weights is the builder's.
    schedule : {"constant", "cosine"}
        "constant" as the paper; "cosine" rises over the first twentieth and falls to zero.
    largest_gradient : float or None
        Norm that gradients are cut to.
    parts : int
        Draws that make up a batch. With a multiple of the number of processes each draws only its own;
        otherwise all draw the whole batch, to the same result.
    validation_samples : int
        Mixtures of each validation.
    statistics_samples : int
        Mixtures of the training source that statistics of batch normalization are measured on before a
        validation and for the finished network (`measured_statistics`); 0 takes the running averages. The
        training itself is the same.
    weight_decay : float
        Of AdamW; without, it is Adam.
    fused : bool
        Whether processors, too, do a step of the optimizer in one kernel; the results differ by rounding.
    """

    samples: int
    batch: int = 512
    learning_rate: float = 2e-4
    loss: str = "tvd"
    precision: Precision = "float32"
    compile: bool = False
    seed: int = 0
    schedule: Schedule = "constant"
    largest_gradient: float | None = None
    parts: int = 1
    validation_samples: int = 1024
    statistics_samples: int = 512
    weight_decay: float = 0.0
    fused: bool = True

    def __post_init__(self) -> None:
        allowed: dict[str, tuple[float, float]] = {
            "samples": (1, 10**12),
            "batch": (2, 65_536),
            "learning_rate": (1e-7, 1.0),
            "seed": (0, 2**40),
            "largest_gradient": (1e-6, 1e6),
            "parts": (1, 65_536),
            "validation_samples": (1, 10**7),
            "statistics_samples": (0, 10**7),
            "weight_decay": (0.0, 1.0),
        }
        for name, (low, high) in allowed.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise RecipeError(f"{name} = {value:g}", remedy=f"Allowed: {low:g} to {high:g}")
        for name, choices in (("precision", get_args(Precision)), ("schedule", get_args(Schedule))):
            if getattr(self, name) not in choices:
                raise RecipeError(
                    f"{name} = {getattr(self, name)!r}", remedy=f"Allowed: {', '.join(choices)}"
                )
        if self.batch % self.parts:
            raise RecipeError(
                f"parts = {self.parts} does not divide batch = {self.batch}",
                remedy="Allowed: divisors of the batch",
            )
        loss_named(self.loss)

    @property
    def steps(self) -> int:
        """Optimiser steps."""
        return -(-self.samples // self.batch)

    def learning_rate_at(self, step: int) -> float:
        """Learning rate of a step, counted from 0."""
        if self.schedule == "constant":
            return self.learning_rate
        warm = max(1, round(_WARM_UP * self.steps))
        if step < warm:
            return self.learning_rate * (step + 1) / warm
        angle = math.pi * (step - warm) / max(1, self.steps - warm)
        return self.learning_rate * 0.5 * (1 + math.cos(angle))

    def to_dict(self) -> dict[str, Any]:
        """Plain data; what came later is left out where it is as it was before."""
        plain = dataclasses.asdict(self)
        for name, before in (("weight_decay", 0.0), ("fused", True)):
            if plain[name] == before:
                del plain[name]
        return plain

    def fingerprint(self, points: int, materials: int) -> int:
        """Of all that a training cannot change on its way; 63 bits.

        The number of samples is not among it where the learning rate is constant: such a training can
        be made longer.
        """
        content = {**self.to_dict(), "points": points, "materials": materials}
        if self.schedule == "constant":
            del content["samples"]
        del content["compile"]
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).digest()
        return int.from_bytes(digest[:8], "little") >> 1
