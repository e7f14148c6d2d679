"""Results that were kept, as the objects that the report is made of."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np

from mixrd.analysis import Analysis, Calibration, Curves
from mixrd.pattern import load_instrument


class Stored(Sequence[tuple[str, Analysis]]):
    """Names and results of a job, each loaded when it is asked for.

    Parameters
    ----------
    folder : path
        Where the results are.
    results : list of dict
        `number`, `name`, `file` and `error` of each.
    curves : bool
        Whether to load the curves.
    """

    def __init__(self, folder: Path, results: list[dict[str, Any]], *, curves: bool = False) -> None:
        self.folder, self.results, self.curves = folder, results, curves

    def __len__(self) -> int:
        return len(self.results)

    @overload
    def __getitem__(self, index: int) -> tuple[str, Analysis]: ...

    @overload
    def __getitem__(self, index: slice) -> Stored: ...

    def __getitem__(self, index: int | slice) -> tuple[str, Analysis] | Stored:
        """One result, or some."""
        if isinstance(index, slice):
            return Stored(self.folder, self.results[index], curves=self.curves)
        result = self.results[index]
        return result["name"], self._analysis(result)

    def _analysis(self, result: dict[str, Any]) -> Analysis:
        error = result["error"]
        if error is not None:
            text = f"{error['message']}. {error['remedy']}"
            return Analysis("failed", result["file"], (), None, None, None, None, {}, (), text, {})
        analysis = Analysis.from_json(self.folder / f"{result['number']}.json")
        path = self.folder / f"{result['number']}.npz"
        if self.curves and path.is_file():
            return dataclasses.replace(analysis, curves=stored_curves(path))
        return analysis


def stored_curves(path: Path) -> Curves:
    """Fitted curves from their file."""
    with np.load(path, allow_pickle=False) as arrays:
        marks = tuple(arrays[f"marks_{number}"] for number in range(len(arrays["names"])))
        names = [f.name for f in dataclasses.fields(Curves) if f.name != "marks"]
        return Curves(**{name: arrays[name] for name in names}, marks=marks)


def stored_calibration(message: dict[str, Any]) -> Calibration:
    """The calibration that a job made."""
    curves = stored_curves(Path(message["folder"]) / "0.npz")
    return Calibration(load_instrument(message["instrument"]), curves=curves, **message["calibration"])
