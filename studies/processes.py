"""Studies shared out to processes: a function of one item, and the items."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TypeVar

Item = TypeVar("Item")
Found = TypeVar("Found")


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def mapped(work: Callable[[Item], Found], items: Sequence[Item], *, processes: int) -> Iterator[Found]:
    """Results in the order of the items, as they come."""
    os.environ["OMP_NUM_THREADS"] = "1"
    if processes == 1:
        _one_thread()
        yield from map(work, items)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_one_thread) as pool:
        yield from pool.map(work, items)


def data_folder() -> Path:
    """Folder of the measured scans."""
    root = Path(__file__).resolve().parents[1]
    data = Path(os.environ.get("MIXRD_DATA", root.parent / "shared" / "data"))
    if not data.is_dir():
        raise SystemExit("the measured scans were not found: set MIXRD_DATA to their folder")
    return data
