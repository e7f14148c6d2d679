"""What a battery adds up to: how often sure and wrong, how often refused though fine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from mixrd.experiments.premises.battery import Outcome
from mixrd.experiments.premises.kinds import CONTROL, KINDS
from mixrd.experiments.premises.verdict import INFORMATIVE, VERDICTS

#: Stated amounts this far off (wt%) help nobody, warned of or within their interval.
FAR_PERCENT = 20.0


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
