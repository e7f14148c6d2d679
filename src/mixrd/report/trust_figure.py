"""How far to trust it, in one figure: how far each phase of each weighed sample is off, and its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from mixrd.errors import UsageError
from mixrd.report.paper_figure import write_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH_INCH, _LINE_INCH = 9.0, 0.21
#: Colours of intervals that hold what was weighed, and that do not.
_HELD, _MISSED = "#0369a1", "#b91c1c"


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
    figure = Figure(figsize=(_WIDTH_INCH, 1.4 * len(drawn) + _LINE_INCH * sum(lines)), layout="constrained")
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
