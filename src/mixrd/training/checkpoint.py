"""State of an unfinished training, so that Ctrl-C or a kill loses at most some seconds of work."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from mixrd.errors import ModelError
from mixrd.files import whole_file


def save_checkpoint(
    path: Path,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    step: int,
    history: list[dict[str, float]],
) -> None:
    """Write network and optimizer after `step` steps; the former file is replaced in one move."""
    tensors = {f"network.{k}": v.detach().cpu().contiguous() for k, v in network.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        for key, value in state.items():
            tensors[f"optimizer.{index}.{key}"] = torch.as_tensor(value).detach().cpu().contiguous()
    try:
        with whole_file(path) as part:
            save_file(tensors, part, metadata={"mixrd": json.dumps({"step": step, "history": history})})
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"the state of the training cannot be written ({error})",
            remedy="Make room there, or set MIXRD_CACHE to a folder that can be written",
            file=path,
        ) from None


def load_checkpoint(
    path: Path, network: nn.Module, optimizer: torch.optim.Optimizer
) -> tuple[int, list[dict[str, float]]]:
    """Restore network and optimizer; returns the steps done and the history (0 and [] without a file).

    A damaged file counts as none: network and optimizer stay as they are, and the training begins anew.
    """
    untouched = copy.deepcopy(network.state_dict()), copy.deepcopy(optimizer.state_dict())
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})["mixrd"])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
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
