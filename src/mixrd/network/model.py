"""A trained network with all that is needed to use it: one safetensors file, no pickle."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from mixrd.crystal import Crystal
from mixrd.errors import InputError, ModelError
from mixrd.files import write_whole, writing
from mixrd.network.compact import CompactNetwork, Estimate
from mixrd.pattern import Instrument, instrument_from_dict, instrument_to_dict

FORMAT_VERSION = 1


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
            raise ModelError(
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


def build_network(problem: Problem, strain_components: int) -> CompactNetwork:
    """An untrained network for `problem`."""
    return CompactNetwork(
        points=problem.points,
        phases=len(problem.crystals),
        strain_components=strain_components,
        max_strain=problem.max_strain,
        size_nm=problem.size_nm,
    )


@dataclass(frozen=True, eq=False)
class Model:
    """A trained network.

    Attributes
    ----------
    problem : Problem
    network : CompactNetwork
        In evaluation mode, on the CPU.
    recipe : dict
        How it was trained; plain data.
    history : list of dict
        Step, loss and TVD along the training.
    intervals : dict or None
        How sure its estimates are, learnt after the training; plain data, see
        `mixrd.analysis.result.model_intervals`.
    """

    problem: Problem
    network: CompactNetwork
    recipe: dict[str, Any]
    history: list[dict[str, float]]
    intervals: dict[str, Any] | None = None

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
        result: Estimate = self.network(torch.as_tensor(patterns, dtype=torch.float32))
        return result

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
            "format": FORMAT_VERSION,
            "mixrd": __version__,
            "problem": self.problem.to_dict(),
            "recipe": self.recipe,
            "history": self.history,
            "intervals": self.intervals,
        }
        tensors = {
            k: (v.half() if half and v.is_floating_point() else v).detach().cpu().contiguous()
            for k, v in self.network.state_dict().items()
        }
        with writing(path, what="the model", error=ModelError):
            write_whole(path, save(tensors, metadata={"mixrd": json.dumps(header)}))

    @classmethod
    def load(cls, path: str | Path) -> Model:
        """Read a model file.

        Raises
        ------
        ModelError
            If it is not a mixrd model, damaged, or of another format version.
        """
        path = Path(path)
        header, tensors = _read(path)
        if not isinstance(header, dict) or header.get("format") != FORMAT_VERSION:
            found = header.get("format") if isinstance(header, dict) else None
            raise ModelError(
                f"it has format version {found}, this mixrd reads {FORMAT_VERSION}",
                remedy="Train the model again with `mixrd train`",
                file=path,
            )
        try:
            problem = Problem.from_dict(header["problem"])
            components = tensors["strain.weight"].shape[0]
            network = build_network(problem, components)
            network.load_state_dict(tensors)
            recipe, history = dict(header["recipe"]), [dict(entry) for entry in header["history"]]
            # Files of before there were intervals have none.
            intervals = None if header.get("intervals") is None else dict(header["intervals"])
        except (
            AttributeError, IndexError, KeyError, TypeError, ValueError, RuntimeError, InputError,
        ) as error:  # fmt: skip
            raise ModelError(
                f"its content does not fit together ({str(error).splitlines()[0]})",
                remedy="Train the model again with `mixrd train`",
                file=path,
            ) from None
        network.eval()
        return cls(problem, network, recipe, history, intervals)


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        header: dict[str, Any] = json.loads(metadata["mixrd"])
    except FileNotFoundError:
        raise ModelError("no such file", remedy="Check the path of the model", file=path) from None
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise ModelError(
            f"it is not a readable mixrd model ({type(error).__name__})",
            remedy="Give a .mixrd file that `mixrd train` wrote",
            file=path,
        ) from None
    return header, tensors
