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
from mixrd.analysis import Analysis, AnalysisRequest, Curves, InstrumentChoice
from mixrd.batch.analyst import Analyst
from mixrd.errors import MixrdError
from mixrd.files import whole_file, write_whole
from mixrd.network import Model
from mixrd.pattern import save_instrument
from mixrd.training import Recipe, TrainingProgress
from mixrd.web.problems import internal_problem, problem_of
from mixrd.web.stored import StoredSources

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
        self.sources = StoredSources(message["phases"], message["known_scans"])
        self.results = Path(message["results"])
        self._said = 0.0

    def run(self) -> dict[str, Any]:
        """Do it; returns what the server is told at the end."""
        self.results.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self._calibrate() if self.message["kind"] == "calibration" else self._analyze()

    def _analyze(self) -> dict[str, Any]:
        request = AnalysisRequest.from_dict(self.message["request"])
        analyst = Analyst(request, self._train, self.sources)
        for number, name in enumerate(self.message["scans"]):
            if number in self.message["done"]:
                continue
            self._go_on()
            self.say({"say": "progress", "stage": "analysing", "scan": number})
            try:
                result = analyst.analyse(name)
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
        message = self.message
        scan = self.sources.scan(message["scans"][0])
        chosen = InstrumentChoice(**message["request"]).chosen_instrument(scan, self.sources)
        crystal = self.sources.crystal(message["phase"])
        start = analysis.instrument_for(scan, chosen)
        found = analysis.calibrate(scan, crystal, start, name=message["name"])
        self._go_on()
        write_curves(found.curves, [crystal.name], self.results / "0.npz")
        save_instrument(found.instrument, self.message["instrument_file"])
        terms = ("r_wp", "r_exp", "zero_deg", "displacement_mm")
        self.say({"say": "result", "number": 0, "calibration": {t: float(getattr(found, t)) for t in terms}})
        return {"instrument": True}

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
