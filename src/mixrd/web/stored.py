"""What the server keeps, as objects: scans and phases to analyse, results that reports are made of."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from mixrd.analysis import Analysis, Calibration, Curves, Sources, failed_analysis
from mixrd.crystal import Crystal, read_cif
from mixrd.pattern import load_instrument
from mixrd.phases import load_phase
from mixrd.report.report_file import LazyResults
from mixrd.scan import Scan
from mixrd.scan.optics import Optics


class Stored(LazyResults):
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
        self.folder, self.curves = folder, curves
        super().__init__([result["name"] for result in results], lambda i: self._analysis(results[i]))

    def _analysis(self, result: dict[str, Any]) -> Analysis:
        error = result["error"]
        if error is not None:
            text = f"{error['message']}. {error['remedy']}"
            return failed_analysis(result["file"], text)
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


class StoredSources(Sources):
    """Phases and scans that the server keeps, by their ids; other phases are those of the catalog.

    Parameters
    ----------
    phases, scans : dict
        What `mixrd.web.orders` says of each.
    """

    def __init__(self, phases: dict[str, dict[str, Any]], scans: dict[str, dict[str, Any]]) -> None:
        self._phases, self._scans = phases, scans

    def crystal(self, name: str) -> Crystal:
        """A phase of the catalog, or of a CIF of the server's."""
        about = self._phases[name]
        if about["path"] is None:
            return load_phase(about["name"])
        return read_cif(about["path"], block=about["block"], name=about["name"])

    def has_scan(self, name: str) -> bool:
        """Whether it is a scan that was uploaded."""
        return name in self._scans

    def scan(self, name: str, number: int | None = None) -> Scan:
        """The scan as it was read when it was uploaded, under the user's name for it."""
        about = self._scans[name]
        with np.load(about["path"], allow_pickle=False) as arrays:
            return Scan(
                two_theta=arrays["two_theta"],
                counts=arrays["counts"],
                sigma=arrays.get("sigma"),
                path=about["file"],
                optics=Optics.from_dict(about["optics"]) if about["optics"] else None,
                **about["header"],
            )
