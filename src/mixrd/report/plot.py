"""Plots of a fitted scan: data, fit, phases, reflection marks and difference.

On a square-root scale counting noise has one height everywhere.
"""

from __future__ import annotations

import math
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from mixrd.errors import UsageError
from mixrd.report.colours import phase_style
from mixrd.report.plot_title import agreement, analysis_title, plain
from mixrd.report.shown_figure import ShownFigure, save_figure, write_png

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from mixrd.analysis import Analysis, Calibration, Curves, UnexplainedResult

IntensityScale = Literal["linear", "sqrt"]

_DATA, _FIT, _QUIET = "#7f7f7f", "#000000", "#555555"
_ALARM = "#b91c1c"
_WIDTH_INCH = 10.0


def plot_analysis(analysis: Analysis, path: str | Path, *, scale: IntensityScale = "sqrt") -> None:
    """Draw an analysed scan as PNG: data, fit, background, phases, reflection marks, difference.

    Parameters
    ----------
    analysis : Analysis
        With its curves.
    path : path
        Is overwritten.
    scale : "linear" or "sqrt"
        Of the intensities; "sqrt" shows weak lines (and gives counting noise one height everywhere).

    Raises
    ------
    UsageError
        If the analysis holds no curves, or the file cannot be written.
    """
    save_figure(analysis_figure(analysis, scale=scale), path)


def analysis_png(analysis: Analysis, *, scale: IntensityScale = "sqrt") -> bytes:
    """The same picture as the bytes of a PNG file."""
    file = BytesIO()
    write_png(analysis_figure(analysis, scale=scale), file)
    return file.getvalue()


def draw_analysis(
    axes: Axes, analysis: Analysis, *, scale: IntensityScale = "sqrt", colours: Sequence[str] | None = None
) -> None:
    """Draw data, fit, background and phases of an analysed scan into axes of your own.

    Parameters
    ----------
    axes : matplotlib Axes
    analysis : Analysis
        With its curves.
    scale : "linear" or "sqrt"
    colours : sequence of str, optional
        Of the phases.

    Raises
    ------
    UsageError
        If the analysis holds no curves.
    """
    curves = _curves_of(analysis)
    _draw_intensities(axes, curves, [plain(phase.name) for phase in analysis.phases], scale, colours)
    axes.set_xlim(curves.two_theta[0], curves.two_theta[-1])
    axes.set_xlabel("2θ (degrees)")


def analysis_figure(
    analysis: Analysis, *, scale: IntensityScale = "sqrt", colours: Sequence[str] | None = None
) -> Figure:
    """The figure of `plot_analysis`; its axes are those of intensities, marks and difference.

    Raises
    ------
    UsageError
        If the analysis holds no curves.
    """
    curves = _curves_of(analysis)
    names = [plain(phase.name) for phase in analysis.phases]
    figure = fit_figure(curves, names, analysis_title(analysis), scale=scale, colours=colours)
    if analysis.unexplained is not None:
        _mark_unexplained(figure, analysis.unexplained)
    return figure


def _curves_of(analysis: Analysis) -> Curves:
    if analysis.curves is None:
        raise UsageError(
            "this result holds no fitted curves", remedy="Analyse the scan again, with refinement"
        )
    return analysis.curves


def _mark_unexplained(figure: Figure, found: UnexplainedResult) -> None:
    """A question mark above each line of the difference that no candidate explains."""
    difference = figure.axes[-1]
    top = difference.get_ylim()[1]
    for line in found.lines:
        if not line["remark"]:
            difference.annotate(
                "?", (line["two_theta_deg"], 0.98 * top), ha="center", va="top", fontsize=9, color=_ALARM
            )


def plot_calibration(
    calibration: Calibration, phase: str, path: str | Path, *, scale: IntensityScale = "sqrt"
) -> None:
    """Draw the fit of a standard's scan by which an instrument was calibrated, as PNG.

    Parameters
    ----------
    calibration : Calibration
    phase : str
        Name of the standard.
    path : path
        Is overwritten.
    scale : "linear" or "sqrt"

    Raises
    ------
    UsageError
        If the file cannot be written.
    """
    p = calibration.instrument.profile
    terms = ", ".join(f"{k.upper()} {v:.3g}" for k, v in vars(p).items() if k != "sh_l")
    title = (
        f"{calibration.instrument.name}   {agreement(calibration.r_wp, calibration.r_exp)}\n"
        f"{terms} deg² (U, V, W), deg (X, Y), (S + H)/L {p.sh_l:.3g}"
    )
    save_figure(fit_figure(calibration.curves, [phase], title, scale=scale), path)


def fit_figure(
    curves: Curves,
    names: Sequence[str],
    title: str,
    *,
    scale: IntensityScale = "sqrt",
    colours: Sequence[str] | None = None,
) -> Figure:
    """Figure of a fitted scan: intensities above, a row of marks for each phase, difference below.

    `names` and `colours` are the phases' in the order of `Curves.contributions`.
    """
    rows = len(names)
    height = 6.2 + 0.14 * rows
    figure = ShownFigure(figsize=(_WIDTH_INCH, height), facecolor="white")
    FigureCanvasAgg(figure)
    # Margins from the text that stands in them: a layout engine would draw everything once more.
    names_inch = 0.65 + 0.078 * max(len(name) for name in (*names, "background"))
    figure.subplots_adjust(
        left=0.9 / _WIDTH_INCH,
        right=1 - names_inch / _WIDTH_INCH,
        bottom=0.5 / height,
        top=1 - (0.14 + 0.215 * (1 + title.count("\n"))) / height,
    )
    marks_height = 0.16 * max(rows, 2)
    top, middle, bottom = figure.subplots(
        3, 1, sharex=True, height_ratios=[4.4, marks_height, 1.1], gridspec_kw={"hspace": 0.06}
    )
    _draw_intensities(top, curves, names, scale, colours)
    _draw_marks(middle, curves, names, colours)
    _draw_difference(bottom, curves)
    top.set_title(title, fontsize=11, loc="left", linespacing=1.35)
    bottom.set_xlim(curves.two_theta[0], curves.two_theta[-1])
    bottom.set_xlabel("2θ (degrees)")
    for axes in (top, middle):
        axes.tick_params(labelbottom=False)
    for axes in (top, bottom):
        axes.spines[["top", "right"]].set_visible(False)
    figure.align_ylabels([top, bottom])
    return figure


def _draw_intensities(
    axes: Axes, curves: Curves, names: Sequence[str], scale: IntensityScale, colours: Sequence[str] | None
) -> None:
    x = curves.two_theta
    axes.plot(x, curves.observed, ".", ms=2.2, color=_DATA, label="measured", zorder=1, rasterized=True)
    axes.plot(x, curves.background, color=_QUIET, lw=0.9, ls=(0, (5, 3)), label="background", zorder=3)
    for i, name in enumerate(names):
        colour, style = _style(i, colours)
        pattern = curves.background + curves.contributions[i]
        axes.fill_between(x, curves.background, pattern, color=colour, alpha=0.45, lw=0, zorder=2)
        axes.plot(x, pattern, color=colour, ls=style, lw=1.3, label=name, zorder=4)
    axes.plot(x, curves.calculated, color=_FIT, lw=0.5, label="fit", zorder=5)
    axes.set_ylabel("intensity (counts)")
    if scale == "sqrt":
        axes.set_yscale("function", functions=(_signed_root, _signed_square))
        axes.set_ylabel("intensity (counts, square-root scale)")
    _limit_intensities(axes, curves, scale)
    handles, labels = axes.get_legend_handles_labels()
    order = [0, len(labels) - 1, *range(1, len(labels) - 1)]
    axes.legend(
        [handles[i] for i in order],
        [labels[i] for i in order],
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
        frameon=False,
        fontsize=9,
        markerscale=3,
    )


def _limit_intensities(axes: Axes, curves: Curves, scale: IntensityScale) -> None:
    """Room above the strongest peak, and no empty stretch below the weakest point."""
    low = min(float(curves.observed.min()), float(curves.background.min()))
    high = max(float(curves.observed.max()), float(curves.calculated.max()))
    if scale == "sqrt":
        first, last = _signed_root(np.array([low, high]))
        axes.set_ylim(low, float(_signed_square(last + 0.04 * (last - first))))
        axes.yaxis.set_major_locator(FixedLocator(_root_ticks(low, high)))
    else:
        axes.set_ylim(min(low, 0.0), high + 0.04 * (high - min(low, 0.0)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}".replace(",", "\u202f")))


def _root_ticks(low: float, high: float) -> list[float]:
    """Round numbers that stand at about equal distances on a square-root scale."""
    first, last = (float(x) for x in _signed_root(np.array([low, high])))
    ticks = {_rounded(float(v)) for v in _signed_square(np.linspace(first, last, 8))}
    return sorted(tick for tick in ticks | {0.0} if low <= tick <= high)


def _rounded(value: float) -> float:
    if value == 0:
        return 0.0
    unit = 10.0 ** math.floor(math.log10(abs(value)))
    return round(value / unit * 2) / 2 * unit


def _signed_root(value: NDArray[np.float64]) -> NDArray[np.float64]:
    """The root, with the sign of the value."""
    return np.sign(value) * np.sqrt(np.abs(value))


def _signed_square(value: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse of `_signed_root`."""
    return np.sign(value) * value**2


def _draw_marks(axes: Axes, curves: Curves, names: Sequence[str], colours: Sequence[str] | None) -> None:
    count = len(names)
    for i, positions in enumerate(curves.marks):
        colour, _ = _style(i, colours)
        axes.vlines(positions, count - i - 0.85, count - i - 0.15, color=colour, lw=0.9)
    axes.set_ylim(0, count)
    axes.set_yticks([count - i - 0.5 for i in range(count)], list(names), fontsize=8)
    axes.yaxis.tick_right()
    for i, tick in enumerate(axes.yaxis.get_major_ticks()):
        tick.label2.set_color(_style(i, colours)[0])
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", length=0)
    axes.spines[["top", "left", "right", "bottom"]].set_visible(False)


def _style(index: int, colours: Sequence[str] | None) -> tuple[str, str]:
    """Colour and line style of a phase: the user's colours, else ours."""
    return (colours[index % len(colours)], "-") if colours else phase_style(index)


def _draw_difference(axes: Axes, curves: Curves) -> None:
    difference = curves.observed - curves.calculated
    axes.axhline(0.0, color=_QUIET, lw=0.6)
    axes.plot(curves.two_theta, difference, color=_QUIET, lw=0.7)
    reach = max(float(np.abs(difference).max()), 1e-12) * 1.05
    axes.set_ylim(-reach, reach)
    axes.set_ylabel("measured − fit\n(counts)")
    axes.yaxis.set_major_locator(MaxNLocator(4))
