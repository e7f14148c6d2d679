"""Running premises: which analyses, each one alone, and what they add up to."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mixrd.analysis import Analysis, analyze
from mixrd.errors import MixrdError
from mixrd.experiments.premises.kinds import CONTROL, KINDS
from mixrd.experiments.premises.premise import PremiseKind, Trial
from mixrd.experiments.premises.sample import Base, Sample, weighed_samples
from mixrd.experiments.premises.verdict import Verdict, judge

SEED = 20


@dataclass(frozen=True)
class Task:
    """One analysis to make: the same each time.

    Attributes
    ----------
    kind : str
    base : "weighed" or "simulated"
    index : int
        Which of this kind and base.
    """

    kind: str
    base: Base
    index: int


@dataclass(frozen=True)
class Outcome:
    """One analysis that was made.

    Attributes
    ----------
    kind, group, base, sample : str
    verdict : Verdict
    reason : str
        Why it was refused, or of the crash.
    codes : tuple of str
        Of its warnings.
    phases : dict
        "true" (of each admissible composition), "stated", "low", "high", "detected" of each candidate.
    half_widths, error_percent : float or None
        See `Judged`.
    standing_only : bool
        Likewise.
    r_wp, r_exp : float or None
    index : int
        Which of its kind and base.
    seconds : float
        Processor time of reading and analysing.
    """

    kind: str
    group: str
    base: Base
    sample: str
    verdict: Verdict
    reason: str = ""
    codes: tuple[str, ...] = ()
    phases: dict[str, dict[str, Any]] | None = None
    half_widths: float | None = None
    error_percent: float | None = None
    standing_only: bool = False
    r_wp: float | None = None
    r_exp: float | None = None
    index: int = 0
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: no number that JSON lacks."""
        data = asdict(self)
        if self.half_widths is not None and self.half_widths > 1e6:
            data["half_widths"] = 1e6
        return data


def tasks_of(
    *, weighed: int, simulated: int, controls: int, kinds: Iterable[str] | None = None
) -> list[Task]:
    """All analyses: so many of each kind and base, `controls` of those with nothing wrong."""
    chosen = set(KINDS if kinds is None else kinds)
    tasks: list[Task] = []
    for name, kind in KINDS.items():
        if name not in chosen:
            continue
        for base in kind.bases:
            count = controls if name == CONTROL else weighed if base == "weighed" else simulated
            tasks += [Task(name, base, index) for index in range(count)]
    return tasks


@cache
def _weighed(data: Path) -> tuple[Sample, ...]:
    return tuple(weighed_samples(data))


def run_task(task: Task, data: Path) -> Outcome | None:
    """Make the analysis; None if there are not so many weighed samples to which the kind applies."""
    kind = KINDS[task.kind]
    chance = random.Random(f"{SEED} {task.kind} {task.base} {task.index}")
    sample = _sample(kind, task, data, chance)
    if sample is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(chance, Path(folder), _weighed(data) if task.base == "weighed" else ())
        return _outcome(kind, task, sample, trial)


def _sample(kind: PremiseKind, task: Task, data: Path, chance: random.Random) -> Sample | None:
    if task.base == "simulated":
        return kind.draw(chance)
    fit = [sample for sample in _weighed(data) if kind.applies(sample)]
    random.Random(f"{SEED} {task.kind}").shuffle(fit)
    return fit[task.index] if task.index < len(fit) else None


def _outcome(kind: PremiseKind, task: Task, sample: Sample, trial: Trial) -> Outcome:
    premise = kind.perturb(sample, trial)
    begin = time.process_time()
    about: dict[str, Any] = {
        "kind": kind.name, "group": kind.group, "base": task.base, "sample": sample.name,
        "index": task.index,
    }  # fmt: skip
    try:
        scan, crystals, instrument = premise.read()
        result = analyze(scan, crystals, instrument)
    except MixrdError as error:
        seconds = time.process_time() - begin
        return Outcome(**about, verdict="refused", reason=str(error), seconds=seconds)
    except Exception as error:
        return Outcome(**about, verdict="crashed", reason=f"{type(error).__name__}: {error}")
    judged = judge(result, premise.truths, present=premise.present)
    return Outcome(
        **about,
        verdict=judged.verdict,
        reason=result.statement.reason,
        codes=tuple(sorted({w.code for w in result.warnings})),
        phases=_phases(result, premise.truths),
        half_widths=judged.half_widths,
        error_percent=judged.error_percent,
        standing_only=judged.standing_only,
        r_wp=result.r_wp,
        r_exp=result.r_exp,
        seconds=time.process_time() - begin,
    )


def _phases(result: Analysis, truths: Sequence[Any]) -> dict[str, dict[str, Any]]:
    return {
        p.name: {
            "true": [truth.get(p.name, 0.0) for truth in truths],
            "stated": p.weight_percent,
            "interval": p.interval_percent,
            "detected": p.detected,
        }
        for p in result.phases
    }
