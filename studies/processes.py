"""What studies of many scans have in common: processes, options, the folder of the data."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

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


def counted(results: Iterable[Found], of: int, *, every: int) -> Iterator[Found]:
    """The same, with a line that says how far it is after `every` of them."""
    begin = time.monotonic()
    for number, found in enumerate(results, start=1):
        yield found
        if number % every == 0:
            print(f"{number}/{of}, {time.monotonic() - begin:.0f} s", flush=True)


def options(document: str | None, *, quick: str, scans: str, seed: int) -> argparse.ArgumentParser:
    """What all these studies can be asked for."""
    parser = argparse.ArgumentParser(
        description=document, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument("--scans", type=int, help=scans)
    parser.add_argument("--seed", type=int, default=seed, help="another one draws other samples")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--output", type=Path, help="JSON file; short runs write none unless it is given")
    return parser


def output(asked: argparse.Namespace, parser: argparse.ArgumentParser, results: Path) -> Path | None:
    """Where the JSON goes: `results` for a full run with the seed of the study."""
    if asked.output is not None:
        return Path(asked.output)
    free = {"processes", "output", "verbose", "before"}
    full = all(value == parser.get_default(name) for name, value in vars(asked).items() if name not in free)
    return results if full else None


def keep(path: Path | None, summary: Any, cases: Any) -> None:
    """Write both as JSON where there is a path for it."""
    if path is not None:
        text = json.dumps({"summary": summary, "cases": cases}, indent=1)
        path.write_text(text + "\n", encoding="utf-8")


def data_folder() -> Path:
    """Folder of the measured scans."""
    root = Path(__file__).resolve().parents[1]
    data = Path(os.environ.get("MIXRD_DATA", root.parent / "shared" / "data"))
    if not data.is_dir():
        raise SystemExit("the measured scans were not found: set MIXRD_DATA to their folder")
    return data
