"""Cells that run in a second: two materials, few strains, few samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from mixrd.paper import Cell, Protocol, grid
from mixrd.paper.pool import load_pool
from mixrd.paper.result import result_of, result_path, write_json


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MIXRD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def small() -> Protocol:
    return Protocol(samples=64, batch=16, learning_rate=1e-3, strains=10, test_strains=4, test_patterns=100)


@pytest.fixture(scope="session")
def cells(small: Protocol) -> Callable[..., tuple[Cell, ...]]:
    """Cells of the (2, 2) grid with the small protocol, changed as given."""

    def make(**changes: Any) -> tuple[Cell, ...]:
        options: dict[str, Any] = {"n": [2], "k": [2], "architectures": ["mlp"], "seeds": [0]}
        return grid(load_pool(20), **(options | {"protocol": small} | changes))

    return make


@pytest.fixture
def write_result() -> Callable[..., dict[str, Any]]:
    """Write a cell's result with a made-up error."""

    def write(folder: Path, cell: Cell, mean: float, **more: Any) -> dict[str, Any]:
        test = {"patterns": 100, "mean": mean, "median": mean / 2, "std": 0.1, "p95": 2 * mean}
        measured = {
            "versions": {},
            "device": "abacus",
            "wall_seconds": 60.0,
            "test": test | {"standard_error": 0.01},
            "parameters": 1000,
            "size_bytes": 4000,
            "learning_curve": [],
        }
        result = result_of(cell, measured) | more
        write_json(result_path(folder, cell), result)
        return result

    return write
