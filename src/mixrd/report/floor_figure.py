"""How good can it get, in one figure: networks, refinements and the noise floor; counting time."""

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
