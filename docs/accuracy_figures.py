"""How good can it get, and how far to trust it: a figure each, of studies and of weighed samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from mixrd.errors import UsageError
from mixrd.report.paper_figure import write_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH_INCH, _ROW_INCH, _FEWEST_INCH = 10.0, 0.62, 3.6
#: What is drawn of each setting: key, label, colour, marker.
_SERIES = (
    ("network", "network alone", "#d97706", "s"),
    ("refined", "network, then refinement", "#0369a1", "o"),
    ("told", "refinement, told which phases", "#7dd3fc", "D"),
    ("bound", "noise floor", "#111827", "|"),
)
_PAPER = ("the paper's network", "#b91c1c", "*")
#: Of the patterns, the middle that a bar spans.
_LOW, _HIGH = 0.05, 0.95
_SMALLEST = 1e-4
#: Width of the figure of trust, and height of a phase in it.
_TRUST_WIDTH_INCH, _LINE_INCH = 9.0, 0.21
#: Colours of intervals that hold what was weighed, and that do not.
_HELD, _MISSED = "#0369a1", "#b91c1c"


def plot_floor(
    refinements: Sequence[Mapping[str, Any]],
    laboratory: Sequence[Mapping[str, Any]],
    path: Path,
    *,
    published: Mapping[tuple[int, int], float] | None = None,
) -> None:
    """Draw mean errors of networks and refinements beside the noise floor, and error against counting time.

    Parameters
    ----------
    refinements : sequence of mapping
        Contents of refinement files; a row for each. Markers are means, bars span 90 % of the patterns.
    laboratory : sequence of mapping
        `seconds_per_step`, `mean_tvd` and `mean_bound` of simulated scans; no second panel if empty.
    path : path
    published : mapping, optional
        Mean TVDs of the paper by (N, K).

    Raises
    ------
    UsageError
        If there is nothing to draw, or the file cannot be written.
    """
    if not refinements:
        raise UsageError(
            "there is no refinement to draw", remedy="Run `mixrd paper refine FOLDER` on some networks first"
        )
    height = max(_FEWEST_INCH, 1.4 + _ROW_INCH * len(refinements))
    figure = Figure(figsize=(_WIDTH_INCH, height), layout="constrained")
    panels = 2 if laboratory else 1
    _draw_settings(figure.add_subplot(1, panels, 1), refinements, published or {})
    if laboratory:
        _draw_times(figure.add_subplot(1, panels, 2), laboratory)
    write_figure(figure, path)


def _draw_settings(
    axes: Axes, refinements: Sequence[Mapping[str, Any]], published: Mapping[tuple[int, int], float]
) -> None:
    for row, found in enumerate(refinements):
        for place, (key, label, colour, marker) in enumerate(_SERIES):
            y = row + 0.14 * (place - 1.5)
            each = sorted(found["each"][key])
            low, high = (max(_SMALLEST, each[round(q * (len(each) - 1))]) for q in (_LOW, _HIGH))
            axes.plot([low, high], [y, y], color=colour, lw=1.4, alpha=0.45)
            axes.plot(
                found[key]["mean"], y, color=colour, marker=marker, ms=7, ls="none", mew=1.8,
                label=label if row == 0 else None,
            )  # fmt: skip
        if tvd := published.get((found["n"], found["k"])):
            axes.plot(tvd, row - 0.35, color=_PAPER[1], marker=_PAPER[2], ms=11, ls="none",
                      label=_PAPER[0] if row == 0 else None)  # fmt: skip
    axes.set_yticks(range(len(refinements)), [f"{f['k']} of {f['n']} phases" for f in refinements])
    axes.set_ylim(len(refinements) - 0.4, -0.6)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(_percent))
    axes.set_xlabel("error of the composition (mean TVD)")
    axes.set_title("the paper's patterns: noise 3-7 %, cells strained by up to 5 %", fontsize=10)
    axes.grid(axis="x", alpha=0.3, lw=0.4, which="both")
    axes.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)


def _draw_times(axes: Axes, laboratory: Sequence[Mapping[str, Any]]) -> None:
    times = [point["seconds_per_step"] for point in laboratory]
    axes.plot(times, [p["mean_tvd"] for p in laboratory], color=_SERIES[1][2], marker="o", label="refinement")
    axes.plot(times, [p["mean_bound"] for p in laboratory], color=_SERIES[3][2], ls=":", marker=".",
              label=_SERIES[3][1])  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(_percent))
    axes.set_xlabel("counting time in seconds per step")
    axes.set_ylabel("error of the composition (mean TVD)")
    axes.set_title("a laboratory scan: phases known, cells within 1 %", fontsize=10)
    axes.grid(alpha=0.3, lw=0.4, which="both")
    axes.legend(frameon=False, fontsize=8)


def _percent(value: float, _: int) -> str:
    return f"{100 * value:g} %"


def plot_trust(sets: Sequence[tuple[str, Sequence[Mapping[str, Any]]]], path: Path) -> None:
    """Draw a panel for each set: a line for each phase, its interval less what was weighed, and the warnings.

    Parameters
    ----------
    sets : sequence of (title, samples)
        Samples as `WeighedBenchmark.to_dict` gives them.
    path : path

    Raises
    ------
    UsageError
        If there is nothing to draw, or the file cannot be written.
    """
    drawn = [(title, [s for s in samples if s.get("intervals")]) for title, samples in sets]
    drawn = [(title, samples) for title, samples in drawn if samples]
    if not drawn:
        raise UsageError("there is no sample with intervals to draw", remedy="Run `make study-real` first")
    lines = [sum(len(s["truth"]) + 1 for s in samples) for _, samples in drawn]
    figure = Figure(
        figsize=(_TRUST_WIDTH_INCH, 1.4 * len(drawn) + _LINE_INCH * sum(lines)), layout="constrained"
    )
    panels = figure.subplots(len(drawn), 1, squeeze=False, gridspec_kw={"height_ratios": lines})
    for axes, (title, samples) in zip(panels[:, 0], drawn, strict=True):
        _draw_set(axes, samples)
        axes.set_title(title, loc="left", fontsize=10, fontweight="bold")
    write_figure(figure, path)


def _draw_set(axes: Axes, samples: Sequence[Mapping[str, Any]]) -> None:
    labels, places, y = [], [], 0.0
    for sample in samples:
        codes = {w["code"] for w in sample["warnings"]}
        for name, weighed in sample["truth"].items():
            low, high = (end - weighed for end in sample["intervals"][name])
            colour = _HELD if low <= 0 <= high else _MISSED
            off = sample["refined"][name] - weighed
            axes.plot([low, high], [y, y], color=colour, lw=3, alpha=0.45, solid_capstyle="butt")
            axes.plot(off, y, color=colour, marker="o", ms=4)
            labels.append(f"{name}, {weighed:.1f} wt%")
            places.append(y)
            y += 1
        note = ", ".join(sorted(codes))
        axes.annotate(note, (0.995, y - 0.35), xycoords=("axes fraction", "data"), ha="right", fontsize=6)
        axes.axhline(y - 0.2, color="0.9", lw=0.6)
        y += 0.6
    axes.axvline(0, color="0.3", lw=0.8)
    axes.set_yticks(places, labels, fontsize=7)
    axes.set_ylim(y, -1)
    axes.set_xlabel("found less weighed (wt%); bars: 90 % intervals, red where they miss")
    axes.grid(axis="x", color="0.92")
