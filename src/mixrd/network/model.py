"""A trained network for scans with all that is needed to use it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mixrd.crystal import Crystal, strain_basis
from mixrd.errors import ParameterError
from mixrd.network.architecture import architecture_named
from mixrd.network.compact import prepared
from mixrd.network.heads import StrainNetwork
from mixrd.network.losses import fractions_from
from mixrd.network.model_file import MODEL
from mixrd.network.pattern_estimate import Estimate
from mixrd.network.registry import build_trainable, needed_by, options_of
from mixrd.pattern import Instrument, instrument_from_dict, instrument_to_dict

#: Architecture of networks for scans unless another is asked for.
SCAN_ARCHITECTURE = "compact-scan"


@dataclass(frozen=True, eq=False)
class Problem:
    """What a network was made for.

    Attributes
    ----------
    crystals : tuple of Crystal
        Candidate phases.
    instrument : Instrument
    start, step : float
        First angle and step of the grid in degrees.
    points : int
        Length of the grid.
    max_strain : float
    size_nm : (low, high)
    """

    crystals: tuple[Crystal, ...]
    instrument: Instrument
    start: float
    step: float
    points: int
    max_strain: float
    size_nm: tuple[float, float]

    def __post_init__(self) -> None:
        low, high = self.size_nm
        numbers = np.array([self.start, self.step, self.max_strain, low, high], dtype=np.float64)
        sound = np.isfinite(numbers).all() and self.step > 0 and 0 < low <= high and self.max_strain >= 0
        if not (sound and self.points > 0 and self.crystals):
            raise ParameterError(
                "a network needs phases, a grid and ranges of finite numbers", remedy="Build it from a Recipe"
            )

    @property
    def two_theta(self) -> NDArray[np.float64]:
        """(N,) grid in degrees."""
        return self.start + self.step * np.arange(self.points, dtype=np.float64)

    @property
    def bin_edges(self) -> NDArray[np.float64]:
        """(N + 1,) edges of the bins around the grid's points, in degrees."""
        return self.start + self.step * (np.arange(self.points + 1, dtype=np.float64) - 0.5)

    def to_dict(self) -> dict[str, Any]:
        """Plain data that `from_dict` takes back."""
        data = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        data["crystals"] = [c.to_dict() for c in self.crystals]
        data["instrument"] = instrument_to_dict(self.instrument)
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Problem:
        """Problem from what `to_dict` gave (or its JSON)."""
        return cls(
            **{
                **data,
                "crystals": tuple(Crystal.from_dict(c) for c in data["crystals"]),
                "instrument": instrument_from_dict(data["instrument"]),
                "size_nm": tuple(data["size_nm"]),
            }
        )


#: Options of an architecture that follow from what it is to be used for.
_OPTIONS: dict[str, Callable[[Problem], Any]] = {
    "strain_components": lambda problem: tuple(len(strain_basis(one)) for one in problem.crystals),
    "max_strain": lambda problem: problem.max_strain,
    "size_nm": lambda problem: problem.size_nm,
}


def unfit_for_scans(architecture: str) -> str | None:
    """Why an architecture cannot estimate from scans; None if it can."""
    if architecture_named(architecture).learns_by != "gradient":
        return "is not trained but fitted"
    lacking = sorted(needed_by(architecture) - set(_OPTIONS))
    return f"needs {', '.join(lacking)}, which only the paper's patterns have" if lacking else None


def build_network(problem: Problem, architecture: str = SCAN_ARCHITECTURE, seed: int = 0) -> nn.Module:
    """An untrained network for `problem`, its first weights from `seed`."""
    options = {name: of(problem) for name, of in _OPTIONS.items() if name in options_of(architecture)}
    points, materials = problem.points, len(problem.crystals)
    return build_trainable(architecture, points=points, materials=materials, seed=seed, **options)


def shown(counts: Tensor) -> Tensor:
    """(B, N) counts as networks for scans see them: the square root of each pattern over its maximum."""
    return prepared(counts, "sqrt")


def estimate_from(network: nn.Module, counts: Tensor) -> Estimate:
    """What a network for scans says of (B, N) counts."""
    if isinstance(network, StrainNetwork):
        return network.estimate(shown(counts))
    return Estimate(fractions_from(network(shown(counts)), "tvd"))


@dataclass(frozen=True, eq=False)
class Model:
    """A trained network.

    Attributes
    ----------
    problem : Problem
    network : module
        In evaluation mode, on the CPU.
    recipe : dict
        How it was trained; plain data.
    history : list of dict
        Step, loss and TVD along the training.
    intervals : dict or None
        How sure its estimates are, learnt after the training; plain data, see
        `mixrd.analysis.result.model_intervals`.
    architecture : str
        One of `mixrd.network.architectures`.
    """

    problem: Problem
    network: nn.Module
    recipe: dict[str, Any]
    history: list[dict[str, float]]
    intervals: dict[str, Any] | None = None
    architecture: str = SCAN_ARCHITECTURE

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the candidate phases."""
        return tuple(c.name for c in self.problem.crystals)

    @property
    def sha256(self) -> str:
        """Hash of recipe and weights."""
        digest = hashlib.sha256(json.dumps(self.recipe, sort_keys=True).encode())
        for value in self.network.state_dict().values():
            digest.update(value.detach().cpu().numpy().tobytes())
        return digest.hexdigest()

    @torch.no_grad()
    def estimate(self, patterns: NDArray[np.float64] | Tensor) -> Estimate:
        """Estimate from (B, N) patterns on the model's grid, in any positive unit."""
        self.network.eval()
        return estimate_from(self.network, torch.as_tensor(patterns, dtype=torch.float32))

    def save(self, path: str | Path, *, half: bool = False) -> None:
        """Write one safetensors file; its header holds format, problem, recipe, history and intervals.

        With `half`, weights are stored in half precision: half the size, and the estimates move by less
        than 0.1 wt%.

        Raises
        ------
        ModelError
            If the file cannot be written.
        """
        from mixrd import __version__

        header = {
            "mixrd": __version__,
            "problem": self.problem.to_dict(),
            "recipe": self.recipe,
            "history": self.history,
            "intervals": self.intervals,
        }
        if self.architecture != SCAN_ARCHITECTURE:
            header["architecture"] = self.architecture
        MODEL.write(path, header, self.network.state_dict(), half=half)

    @classmethod
    def load(cls, path: str | Path) -> Model:
        """Read a model file.

        Raises
        ------
        ModelError
            If it is not a mixrd model, damaged, or of another format version.
        """
        path = Path(path)
        header, tensors = MODEL.read(path)
        with MODEL.fitting_together(path):
            problem = Problem.from_dict(header["problem"])
            # Files of before there was a choice name none, those of before there were intervals have none.
            architecture = header.get("architecture", SCAN_ARCHITECTURE)
            network = build_network(problem, architecture)
            network.load_state_dict(tensors)
            recipe, history = dict(header["recipe"]), [dict(entry) for entry in header["history"]]
            intervals = None if header.get("intervals") is None else dict(header["intervals"])
        return cls(problem, network.eval(), recipe, history, intervals, architecture)
