"""What estimates fractions from a pattern, whatever is inside: one interface, one file format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from mixrd.errors import ModelError, ParameterError
from mixrd.files import whole_file
from mixrd.network.heads import HeadedNetwork
from mixrd.network.losses import fractions_from
from mixrd.network.pattern_estimate import PatternEstimate

#: Version of the files that `write_estimator` writes.
ESTIMATOR_FORMAT = 1
#: Patterns that a network takes at once when it predicts.
_CHUNK = 512


@runtime_checkable
class FractionEstimator(Protocol):
    """Anything that estimates the fractions of M materials from patterns of N points."""

    @property
    def name(self) -> str:
        """Name of the architecture, as in `mixrd.network.architectures`."""

    @property
    def points(self) -> int:
        """Length of the patterns."""

    @property
    def materials(self) -> int:
        """Number of fractions."""

    @property
    def parameters_count(self) -> int:
        """Numbers learnt or kept, those that say only how far a training is left out."""

    @property
    def size_bytes(self) -> int:
        """Bytes of all numbers in its file; the file has some kilobytes of header besides."""

    def predict(self, patterns: Tensor) -> Tensor:
        """(B, M) fractions, rows of sum 1, from (B, N) patterns; on the device of the patterns."""

    def save(self, path: Path, *, recipe: dict[str, Any] | None = None) -> None:
        """Write one safetensors file; `recipe` is plain data that is kept with it."""


class NetworkEstimator:
    """A trained network of the registry.

    Parameters
    ----------
    name : str
        Architecture.
    network : module
        (B, N) patterns to (B, M) scores.
    loss : str
        What it was trained with: decides what its scores mean.
    points, materials : int
    options : dict, optional
        Further arguments that the architecture was built with.
    """

    def __init__(
        self,
        name: str,
        network: nn.Module,
        *,
        loss: str,
        points: int,
        materials: int,
        options: dict[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.network = network.eval()
        self.loss = loss
        self.points = points
        self.materials = materials
        self.options = options or {}

    @property
    def parameters_count(self) -> int:
        """Weights and biases; running statistics of batch normalization are no parameters."""
        return sum(p.numel() for p in self.network.parameters())

    @property
    def size_bytes(self) -> int:
        """Bytes of all numbers in its file."""
        return bytes_of(self.network.state_dict())

    @torch.no_grad()
    def predict(self, patterns: Tensor) -> Tensor:
        """(B, M) fractions from (B, N) patterns, on the device of the patterns.

        Raises
        ------
        ParameterError
            If the patterns do not have N points.
        """
        patterns = checked_patterns(patterns, self.points)
        self.network.eval()
        device = next(self.network.parameters()).device
        scores = [self.network(chunk.to(device)) for chunk in patterns.split(_CHUNK)]
        return fractions_from(torch.cat(scores), self.loss).to(patterns.device)

    @torch.no_grad()
    def estimate(self, patterns: Tensor) -> PatternEstimate:
        """All that the heads say of (B, N) patterns, on the device of the patterns.

        Raises
        ------
        ModelError
            If the architecture has no heads but that of the fractions.
        ParameterError
            If the patterns do not have N points.
        """
        network = self.network
        if not isinstance(network, HeadedNetwork):
            raise ModelError(
                f"a network {self.name} estimates fractions and nothing else",
                remedy="Give one of an architecture with heads for strain and shape, such as compact-heads",
            )
        patterns = checked_patterns(patterns, self.points)
        network.eval()
        device = next(network.parameters()).device
        parts = [network.estimate(chunk.to(device), loss=self.loss) for chunk in patterns.split(_CHUNK)]
        return PatternEstimate.joined(parts).to(patterns.device)

    def save(self, path: Path, *, recipe: dict[str, Any] | None = None, half: bool = False) -> None:
        """Write one safetensors file; with `half`, weights in half precision, at half the size.

        Raises
        ------
        ModelError
            If it cannot be written.
        """
        tensors = {
            key: value.half() if half and value.is_floating_point() else value
            for key, value in self.network.state_dict().items()
        }
        header = {"loss": self.loss, "options": self.options}
        write_estimator(path, self, tensors, header, recipe)


def checked_patterns(patterns: Tensor, points: int) -> Tensor:
    """`patterns` in float32, if they are (B, N) of N = `points`.

    Raises
    ------
    ParameterError
        If they are not.
    """
    if patterns.ndim != 2 or patterns.shape[1] != points:
        raise ParameterError(
            f"patterns of shape {tuple(patterns.shape)} do not fit an estimator of {points} points",
            remedy=f"Give patterns of shape (B, {points})",
        )
    return patterns.to(torch.float32)


def bytes_of(tensors: dict[str, Tensor]) -> int:
    """Bytes of all numbers of `tensors`."""
    return sum(value.numel() * value.element_size() for value in tensors.values())


def write_estimator(
    path: Path,
    estimator: FractionEstimator,
    tensors: dict[str, Tensor],
    header: dict[str, Any],
    recipe: dict[str, Any] | None,
) -> None:
    """Write the file of an estimator, aside and then in place.

    Raises
    ------
    ModelError
        If it cannot be written.
    """
    content = {
        "format": ESTIMATOR_FORMAT,
        "architecture": estimator.name,
        "points": estimator.points,
        "materials": estimator.materials,
        "recipe": recipe or {},
        **header,
    }
    kept = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
    try:
        with whole_file(path) as part:
            save_file(kept, part, metadata={"mixrd-fractions": json.dumps(content)})
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"the estimator cannot be written ({error})", remedy="Check folder, rights and space", file=path
        ) from None


def read_estimator(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Header and tensors of a file that `write_estimator` wrote.

    Raises
    ------
    ModelError
        If there is none, it is damaged, or of another format version.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})["mixrd-fractions"])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise ModelError("no such file", remedy="Check the path of the estimator", file=path) from None
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise ModelError(
            f"it is not a readable estimator of fractions ({type(error).__name__})",
            remedy="Give a file that `mixrd paper run` wrote",
            file=path,
        ) from None
    if not isinstance(header, dict) or header.get("format") != ESTIMATOR_FORMAT:
        found = header.get("format") if isinstance(header, dict) else None
        raise ModelError(
            f"it has format version {found}, this mixrd reads {ESTIMATOR_FORMAT}",
            remedy="Train it again",
            file=path,
        )
    return header, tensors
