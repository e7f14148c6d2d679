"""What a job does, in the process that works: train or take a network, analyse scans, calibrate."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Set
from pathlib import Path
from typing import Any

import numpy as np

from mixrd import analysis
from mixrd.analysis import Analysis, Curves, InternalStandard, Preparation
from mixrd.batch.request import Analyst, Request
from mixrd.crystal import Crystal, read_cif
from mixrd.errors import MixrdError
from mixrd.files import whole_file, write_whole
from mixrd.network import Model
from mixrd.pattern import Instrument, load_instrument, save_instrument
from mixrd.phases import check_distinct, load_phase
from mixrd.scan import Scan
from mixrd.scan.optics import Optics
from mixrd.training import Recipe, TrainingProgress
from mixrd.web.problems import internal_problem, problem_of

Say = Callable[[dict[str, Any]], None]

#: Seconds between two reports of a training.
_REPORT_SECONDS = 0.4


class CancelledError(Exception):
    """The user has cancelled the job."""


class Task:
    """One job.

    Parameters
    ----------
    message : dict
        What `mixrd.web.dispatch` sends.
    say : callable
        Reports to the server.
    cancelled : set of str
        Names of jobs that users have cancelled; it grows while the job is done.
    """

    def __init__(self, message: dict[str, Any], say: Say, cancelled: Set[str]) -> None:
        self.message, self.say, self.cancelled = message, say, cancelled
        self.request: dict[str, Any] = message["request"]
        self.results = Path(message["results"])
        self._said = 0.0

    def run(self) -> dict[str, Any]:
        """Do it; returns what the server is told at the end."""
        self.results.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self._calibrate() if self.message["kind"] == "calibration" else self._analyze()

    def _analyze(self) -> dict[str, Any]:
        crystals = [self._crystal(spec) for spec in self.message["phases"]]
        check_distinct(crystals)
        request = Request(
            crystals=tuple(crystals),
            instrument=self._instrument,
            preparation=self._preparation,
            network=self.request["network"],
            refine=self.request["refine"],
            training_steps=self.message["training_steps"],
        )
        analyst = Analyst(request, self._train)
        for number in range(len(self.message["scans"])):
            if number in self.message["done"]:
                continue
            self._go_on()
            self.say({"say": "progress", "stage": "analysing", "scan": number})
            try:
                result = analyst.analyse_scan(self._scan(number))
                write_analysis(result, self.results, number)
                self.say({"say": "result", "number": number})
            except MixrdError as error:
                problem = problem_of(error, self.message["files"][number])
                self.say({"say": "result", "number": number, "error": problem})
            except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError, MemoryError) as error:
                problem = internal_problem(error, self.message["files"][number])
                self.say({"say": "result", "number": number, "error": problem})
        return {}

    def _train(self, recipe: Recipe) -> Model:
        found = analysis.finished_model(recipe, on_progress=self._on_step)
        self._go_on()
        return found

    def _on_step(self, now: TrainingProgress) -> None:
        self._go_on()
        if now.step < now.steps and time.monotonic() - self._said < _REPORT_SECONDS:
            return
        self._said = time.monotonic()
        self.say(
            {
                "say": "progress",
                "stage": "training",
                "step": now.step,
                "steps": now.steps,
                "loss": now.loss,
                "seconds_left": now.seconds_left,
            }
        )

    def _calibrate(self) -> dict[str, Any]:
        self.say({"say": "progress", "stage": "calibrating", "scan": 0})
        scan = self._scan(0)
        start = analysis.instrument_for(scan, self._instrument(scan))
        crystal = self._crystal(self.message["phases"][0])
        found = analysis.calibrate(scan, crystal, start, name=self.request["name"])
        self._go_on()
        write_curves(found.curves, [crystal.name], self.results / "0.npz")
        save_instrument(found.instrument, self.message["instrument_file"])
        terms = ("r_wp", "r_exp", "zero_deg", "displacement_mm")
        self.say({"say": "result", "number": 0, "calibration": {t: float(getattr(found, t)) for t in terms}})
        return {"instrument": True}

    def _scan(self, number: int) -> Scan:
        """The scan as it was read when it was uploaded, under the user's name for it."""
        return self._read(self.message["scans"][number], self.message["files"][number])

    @staticmethod
    def _read(spec: dict[str, Any], name: str) -> Scan:
        with np.load(spec["path"], allow_pickle=False) as arrays:
            return Scan(
                two_theta=arrays["two_theta"],
                counts=arrays["counts"],
                sigma=arrays.get("sigma"),
                path=name,
                optics=Optics.from_dict(spec["optics"]) if spec.get("optics") else None,
                **spec["header"],
            )

    def _crystal(self, spec: dict[str, Any]) -> Crystal:
        """A phase of the catalog, or of a CIF of the server's."""
        if spec["path"] is None:
            return load_phase(spec["name"])
        return read_cif(spec["path"], block=spec["block"], name=spec["name"])

    def _instrument(self, scan: Scan) -> Instrument | None:
        if self.message["instrument"] is not None:
            return load_instrument(self.message["instrument"])
        if self.request["radiation"] is None:
            return None
        return analysis.described_instrument(
            self.request["radiation"],
            scan,
            monochromator_two_theta=self.request["monochromator_two_theta"],
            goniometer_radius_mm=self.request["goniometer_radius_mm"],
        )

    def _preparation(self, instrument: Instrument) -> Preparation:
        # Jobs of older versions know nothing of some of this.
        standard, external = self.message["standard"], self.message.get("external")
        constant = None
        if external is not None:
            scan = self._read(external["scan"], external["file"])
            constant = analysis.external_constant_of(scan, self._crystal(external["phase"]), instrument)
        return Preparation(
            particle_size_um=self.request["particle_size_um"],
            standard=None if standard is None else InternalStandard(standard["name"], standard["percent"]),
            external=constant,
            grinding=self.request.get("grinding"),
            amorphous_formula=None if external is None else external["amorphous_formula"],
        )

    def _go_on(self) -> None:
        if self.message["job"] in self.cancelled:
            raise CancelledError


def write_analysis(result: Analysis, folder: Path, number: int) -> None:
    """Write a result and its curves, whole or not at all."""
    if result.curves is not None:
        names = [phase.name for phase in result.phases]
        write_curves(result.curves, names, folder / f"{number}.npz")
    text = result.to_json()
    # The refined model is large, and of use to programs only: the page is shown the rest.
    shown = {key: value for key, value in json.loads(text).items() if key != "refined_model"}
    for ending, content in ((".shown.json", json.dumps(shown)), (".json", text)):
        write_whole(folder / f"{number}{ending}", content)


def write_curves(curves: Curves, names: list[str], path: Path) -> None:
    """Write fitted curves, whole or not at all."""
    arrays = {f.name: getattr(curves, f.name) for f in dataclasses.fields(curves) if f.name != "marks"}
    marks = {f"marks_{number}": positions for number, positions in enumerate(curves.marks)}
    with whole_file(path) as part, part.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, names=np.array(names), **arrays, **marks)
