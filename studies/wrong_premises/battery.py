"""Running premises: which kinds there are, each analysis alone, and what they add up to."""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mixrd.analysis import Analysis, analyze
from mixrd.errors import MixrdError
from wrong_premises.kinds_beam import BEAM, STATE
from wrong_premises.kinds_phases import PHASES, STRUCTURES
from wrong_premises.kinds_scan import AXIS, COUNTS, SIGMA
from wrong_premises.premise import PremiseKind, Trial
from wrong_premises.sample import Base, Sample, weighed_samples
from wrong_premises.verdict import INFORMATIVE, VERDICTS, Verdict, judge

SEED = 20
KINDS: dict[str, PremiseKind] = {
    kind.name: kind for kind in (*PHASES, *STRUCTURES, *AXIS, *BEAM, *SIGMA, *COUNTS, *STATE)
}
#: The kinds that are no fault at all: what is refused here is refused though fine.
CONTROL = "as it is"
#: Stated amounts this far off (wt%) help nobody, warned of or within their interval.
FAR_PERCENT = 20.0


@dataclass(frozen=True)
class Task:
    """One analysis to make: the same each time.

    Attributes
    ----------
    kind : str
    base : "weighed" or "simulated"
    index : int
        Which of this kind and base.
    seed : int
        Another one draws other samples.
    """

    kind: str
    base: Base
    index: int
    seed: int = SEED


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
    *, weighed: int, simulated: int, controls: int, kinds: Iterable[str] | None = None, seed: int = SEED
) -> list[Task]:
    """All analyses: so many of each kind and base, `controls` of those with nothing wrong."""
    chosen = set(KINDS if kinds is None else kinds)
    tasks: list[Task] = []
    for name, kind in KINDS.items():
        if name not in chosen:
            continue
        for base in kind.bases:
            count = controls if name == CONTROL else weighed if base == "weighed" else simulated
            tasks += [Task(name, base, index, seed) for index in range(count)]
    return tasks


@cache
def _weighed(data: Path) -> tuple[Sample, ...]:
    return tuple(weighed_samples(data))


def run_task(task: Task, data: Path) -> Outcome | None:
    """Make the analysis; None if there are not so many weighed samples to which the kind applies."""
    kind = KINDS[task.kind]
    chance = random.Random(f"{task.seed} {task.kind} {task.base} {task.index}")
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
    random.Random(f"{task.seed} {task.kind}").shuffle(fit)
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


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Counts over all analyses, and by kind."""
    control = [o for o in outcomes if o.kind == CONTROL]
    harmless = [o for o in outcomes if KINDS[o.kind].harmless and o.kind != CONTROL]
    hopeless = [o for o in outcomes if KINDS[o.kind].hopeless]
    far = [o for o in outcomes if o.error_percent is not None and o.error_percent > FAR_PERCENT]
    given = sorted({code for o in outcomes for code in o.codes})
    return {
        "analyses": len(outcomes),
        "kinds": len({o.kind for o in outcomes}),
        **_counts(outcomes),
        "wrong, standing doubts alone": sum(o.standing_only for o in outcomes),
        "sure and wrong by base": {
            base: f"{sum(o.verdict == 'sure and wrong' for o in outcomes if o.base == base)} of "
            f"{sum(o.base == base for o in outcomes)}"
            for base in ("weighed", "simulated")
        },
        "stated where nothing could be right": f"{len(hopeless) - _refused(hopeless)} of {len(hopeless)}",
        f"stated and off by more than {FAR_PERCENT:g} wt%": len(far),
        "processor_seconds": round(sum(o.seconds for o in outcomes), 1),
        "refused though fine": f"{_refused(control)} of {len(control)}",
        "refused though harmless": f"{_refused(harmless)} of {len(harmless)}",
        "codes that count as doubts": [code for code in given if code not in INFORMATIVE],
        "codes that do not": sorted(INFORMATIVE),
        "by_kind": {
            kind: _row([o for o in outcomes if o.kind == kind])
            for kind in KINDS
            if any(o.kind == kind for o in outcomes)
        },
    }


def table(outcomes: Sequence[Outcome]) -> str:
    """By kind, as text: right, right with warnings, wrong with warnings, sure and wrong, refused, crashed."""
    head = f"{'':48}" + "".join(
        f"{name:>9}" for name in ("of", "right", "right!", "wrong!", "WRONG", "refused", "crash")
    )
    lines = [head + f"{'worst off':>12}"]
    for kind, row in summary(outcomes)["by_kind"].items():
        group = KINDS[kind].group
        counts = "".join(f"{row[name] or '.':>9}" for name in ("analyses", *VERDICTS))
        worst = row["worst sure and wrong"]
        lines.append(f"{group + ': ' + kind:48.48}{counts}{worst or '':>12}")
    return "\n".join(lines)


def changes(outcomes: Sequence[Outcome], before: Sequence[Mapping[str, Any]]) -> list[str]:
    """Which verdicts are others than in an earlier battery, one line each.

    Parameters
    ----------
    outcomes : sequence of Outcome
    before : sequence of mapping
        As `Outcome.to_dict` gives them.
    """
    earlier = {(case["kind"], case["base"], case["index"]): case for case in before}
    lines = []
    for now in outcomes:
        then = earlier.get((now.kind, now.base, now.index))
        if then is not None and then["verdict"] != now.verdict:
            shown = f"{now.kind} ({now.base}, {now.sample}): {then['verdict']} -> {now.verdict}"
            lines.append(" ".join((shown, *now.codes, now.reason[:150])).rstrip())
    return lines


def _counts(outcomes: Sequence[Outcome]) -> dict[str, int]:
    counted = Counter(o.verdict for o in outcomes)
    return {verdict: counted[verdict] for verdict in VERDICTS}


def _row(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    worst = [
        o.error_percent for o in outcomes if o.verdict == "sure and wrong" and o.error_percent is not None
    ]
    return {
        "analyses": len(outcomes),
        **_counts(outcomes),
        "worst sure and wrong": f"{max(worst):.1f} wt%" if worst else "",
    }


def _refused(outcomes: Sequence[Outcome]) -> int:
    return sum(o.verdict in ("refused", "crashed") for o in outcomes)
