"""A series of scans as a heat map: phases over scans, with a strip for those that failed or are doubted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import ListedColormap, PowerNorm
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from mixrd.report.numbers import counted, phase_names
from mixrd.report.shown_figure import ShownFigure, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, FigureBase
    from numpy.typing import NDArray

    from mixrd.analysis import Analysis

#: Light orange and dark red: told apart by the colour-blind, too.
_DOUBTED, _FAILED, _WELL, _EMPTY = "#E69F00", "#8B0000", "#e8e8e8", "#d9d9d9"
#: Nothing could be stated: a blue grey that is neither.
_REFUSED = "#5b6c85"
#: More scans than this are numbered instead of named.
_MOST_NAMED = 40
_CONTENT_INCH, _ROW_INCH, _SCALE_INCH = 8.4, 0.4, 0.95


def plot_series(results: Sequence[tuple[str, Analysis]], path: str | Path) -> None:
    """Draw the heat map as PNG.

    Raises
    ------
    UsageError
        If the file cannot be written.
    """
    figure = _new_figure(phase_names(a for _, a in results), [label for label, _ in results])
    series_figure(results, figure=figure)
    save_figure(figure, path)


def series_figure(
    results: Sequence[tuple[str, Analysis]], *, figure: FigureBase | None = None, colormap: str = "viridis"
) -> Figure | FigureBase:
    """Weight fractions of each phase (rows) in each scan (columns), in the order given.

    Parameters
    ----------
    results : sequence of (label, Analysis)
    figure : Figure or SubFigure, optional
        To draw into; a new one unless given.
    colormap : str
        matplotlib's name of it.

    Returns
    -------
    Figure
        Its axes: the strip of states, the heat map, the scale of colours.
    """
    names = phase_names(a for _, a in results)
    canvas = _new_figure(names, [label for label, _ in results]) if figure is None else figure
    strip, map_ = canvas.subplots(
        2, 1, sharex=True, gridspec_kw={"height_ratios": [1, max(2.2 * len(names), 2.2)], "hspace": 0.12}
    )
    _draw_states(strip, [a for _, a in results])
    _draw_fractions(map_, amounts(results, names), names, colormap)
    _label_scans(map_, [label for label, _ in results])
    return canvas


def amounts(results: Sequence[tuple[str, Analysis]], names: Sequence[str]) -> NDArray[np.float64]:
    """(P, S) weight percent; NaN where a scan failed or a phase was no candidate."""
    found = [analysis.fractions for _, analysis in results]
    return np.array([[f.get(name, np.nan) for f in found] for name in names], dtype=np.float64)


def states(analyses: Sequence[Analysis]) -> NDArray[np.int64]:
    """(S,) 0 for scans without, 1 for those with warnings, 2 for those that failed, 3 without a statement."""
    return np.array([_state(analysis) for analysis in analyses], dtype=np.int64)


def _state(analysis: Analysis) -> int:
    if analysis.status == "failed":
        return 2
    return 3 if analysis.statement.kind == "none" else int(bool(analysis.warnings))


def _new_figure(names: Sequence[str], labels: Sequence[str]) -> Figure:
    """A figure whose margins fit the text that stands in them."""
    left = 0.35 + 0.085 * max(map(len, names), default=0)
    below = 0.25 + 0.055 * max(map(len, labels), default=0) if len(labels) <= _MOST_NAMED else 0.6
    width = left + _CONTENT_INCH + _SCALE_INCH
    height = 0.9 + below + _ROW_INCH * max(len(names), 2)
    figure = ShownFigure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    figure.subplots_adjust(
        left=left / width, right=1 - _SCALE_INCH / width, bottom=below / height, top=1 - 0.42 / height
    )
    return figure


def _draw_states(axes: Axes, analyses: Sequence[Analysis]) -> None:
    found = states(analyses)
    colours = ListedColormap([_WELL, _DOUBTED, _FAILED, _REFUSED])
    axes.imshow(
        found[np.newaxis], aspect="auto", cmap=colours, vmin=0, vmax=3, interpolation=_interpolation(found)
    )
    axes.set_yticks([])
    axes.tick_params(axis="x", length=0, labelbottom=False)
    axes.spines[:].set_visible(False)
    counts = np.bincount(found, minlength=4)
    kinds = (
        (_WELL, "no warning"), (_DOUBTED, "with warnings"), (_FAILED, "failed"), (_REFUSED, "no statement"),
    )  # fmt: skip
    patches = [
        Patch(color=colour, label=f"{n} {what}")
        for n, (colour, what) in zip(counts, kinds, strict=True)
        if n or colour != _REFUSED
    ]
    axes.legend(
        handles=patches, loc="lower right", bbox_to_anchor=(1, 1), ncols=len(patches), frameon=False,
        fontsize=9, borderaxespad=0.3, handlelength=1.2,
    )  # fmt: skip
    axes.set_title(counted(len(analyses), "scan"), loc="left", fontsize=11)


def _draw_fractions(axes: Axes, percent: NDArray[np.float64], names: Sequence[str], colormap: str) -> None:
    if not np.isfinite(percent).any():
        why = "no amounts are stated" if names else "no scan could be analysed"
        axes.text(0.5, 0.5, why, ha="center", va="center", transform=axes.transAxes)
        axes.set_yticks([])
        return
    axes.set_facecolor(_EMPTY)
    top = max(float(np.nanmax(percent)), 1.0)
    # The square root shows what little there is of a minor phase.
    image = axes.imshow(
        percent,
        aspect="auto",
        cmap=colormap,
        norm=PowerNorm(0.5, vmin=0, vmax=top),
        interpolation=_interpolation(percent),
    )
    axes.set_yticks(range(len(names)), list(names))
    axes.tick_params(axis="y", length=0)
    axes.spines[:].set_visible(False)
    for row in range(1, len(names)):
        axes.axhline(row - 0.5, color="white", lw=1.5)
    bar = axes.inset_axes((1.015, 0.0, 0.014, 1.0))
    axes.figure.colorbar(image, cax=bar, ticks=_round_ticks(top))
    bar.set_title("wt%", fontsize=9, loc="left", pad=5)
    bar.tick_params(labelsize=8)


def _interpolation(data: NDArray[np.int64] | NDArray[np.float64]) -> str:
    """How to draw: a scan that is narrower than a dot must not vanish."""
    return "nearest" if data.shape[-1] <= 1500 else "antialiased"


def _label_scans(axes: Axes, labels: Sequence[str]) -> None:
    if len(labels) <= _MOST_NAMED:
        axes.set_xticks(range(len(labels)), list(labels), rotation=60, ha="right", rotation_mode="anchor")
        axes.tick_params(axis="x", labelsize=7)
    else:
        round_numbers = MaxNLocator(10, integer=True).tick_values(1, len(labels))
        numbers = [1, *(int(n) for n in round_numbers if 1 < n <= len(labels))]
        axes.set_xticks([n - 1 for n in numbers], [str(n) for n in numbers])
        axes.set_xlabel("scan, in the order of the table")


def _round_ticks(top: float) -> list[float]:
    return [tick for tick in (0, 1, 5, 20, 40, 60, 80, 100) if tick <= top * 1.001]
