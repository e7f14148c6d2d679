"""State of an unfinished training, so that Ctrl-C or a kill loses at most some seconds of work."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from mixrd.network.model_file import FileKind, read_tensors

_FILE = FileKind("mixrd", "state of the training", "mixrd train")


class State(nn.Module):
    """All that a checkpoint has to keep besides the optimizer: the network and a few numbers."""

    sums: Tensor
    seconds: Tensor
    scaler: Tensor
    recipe: Tensor

    def __init__(self, network: nn.Module, fingerprint: int) -> None:
        super().__init__()
        self.network = network
        # Loss and TVD since the last point of the curve, and the number of steps.
        self.register_buffer("sums", torch.zeros(3, dtype=torch.float64))
        self.register_buffer("seconds", torch.zeros((), dtype=torch.float64))
        self.register_buffer("scaler", torch.zeros(2, dtype=torch.float64))
        self.register_buffer("recipe", torch.tensor(fingerprint, dtype=torch.int64))


def save_checkpoint(
    path: Path,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    step: int,
    history: list[dict[str, Any]],
) -> None:
    """Write network and optimizer after `step` steps; the former file is replaced in one move."""
    tensors = {f"network.{key}": value for key, value in network.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        for key, value in state.items():
            tensors[f"optimizer.{index}.{key}"] = torch.as_tensor(value)
    _FILE.write(path, {"step": step, "history": history}, tensors)


def load_checkpoint(
    path: Path, network: nn.Module, optimizer: torch.optim.Optimizer
) -> tuple[int, list[dict[str, Any]]]:
    """Restore network and optimizer; returns the steps done and the history (0 and [] without a file).

    A damaged file counts as none: network and optimizer stay as they are, and the training begins anew.
    """
    untouched = copy.deepcopy(network.state_dict()), copy.deepcopy(optimizer.state_dict())
    try:
        metadata, tensors = read_tensors(path)
        header = json.loads(metadata[_FILE.key])
        network.load_state_dict(_below("network.", tensors))
        optimizer.load_state_dict(_optimizer_state(_below("optimizer.", tensors), optimizer))
        return int(header["step"]), list(header["history"])
    except (FileNotFoundError, SafetensorError, KeyError, ValueError, RuntimeError):
        # What did fit of a file that does not fit as a whole was loaded already.
        network.load_state_dict(untouched[0])
        optimizer.load_state_dict(untouched[1])
        return 0, []


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def _optimizer_state(tensors: dict[str, Tensor], optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = value
    return {"state": state, "param_groups": optimizer.state_dict()["param_groups"]}
