"""Fig. 3 of the paper with ours beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mixrd.errors import UsageError
from mixrd.files import whole_file, writing
from mixrd.report.colours import phase_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from mixrd.paper import Row

_PANEL_INCH = (4.6, 4.0)
_MARKERS = "osD^vP"
_MOST_COLUMNS = 3


def plot_figure3(rows: Sequence[Row], path: Path) -> None:
    """Draw the mean test TVD against N, a line for each K, a panel for each kind and architecture.

    Error bars are standard deviations over the seeds, stars the paper's numbers, dotted lines the noise
    floor where it is known, hollow markers shortened runs.

    Raises
    ------
    UsageError
        If there is no result, or the file cannot be written.
    """
    measured = [row for row in rows if row.network is not None]
    if not measured:
        raise UsageError(
            "there is no result to draw", remedy="Run some cells first: `mixrd paper run -o FOLDER`"
        )
    panels = sorted({(row.kind, row.architecture) for row in measured})
    phases = sorted({row.k for row in rows if row.network is not None or row.paper is not None})
    columns = min(_MOST_COLUMNS, len(panels))
    lines = -(-len(panels) // columns)
    figure = Figure(figsize=(_PANEL_INCH[0] * columns, _PANEL_INCH[1] * lines), layout="constrained")
    for number, (kind, architecture) in enumerate(panels):
        axes = figure.add_subplot(lines, columns, number + 1)
        for i, k in enumerate(phases):
            here = [r for r in measured if (r.kind, r.architecture, r.k) == (kind, architecture, k)]
            published = {(r.n, r.paper) for r in rows if r.k == k and r.paper is not None}
            _draw_phases(axes, here, sorted(published), k, phase_style(i)[0])
        axes.set_title(f"{architecture}, {kind.replace('_', ' ')}", fontsize=10)
        axes.set_xlabel("materials N")
        axes.set_ylabel("mean test TVD")
        axes.set_ylim(bottom=0)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(frameon=False, fontsize=8)
    write_figure(figure, path)


def _draw_phases(
    axes: Axes, rows: Sequence[Row], published: Sequence[tuple[int, float | None]], k: int, colour: str
) -> None:
    # Settings that differ in more than N are lines of their own.
    settings = list(dict.fromkeys(_setting(row) for row in rows))
    for number, setting in enumerate(settings):
        line = [row for row in rows if _setting(row) == setting]
        shortened = line[0].shortened
        axes.errorbar(
            [r.n for r in line],
            [r.network or 0.0 for r in line],
            yerr=[r.network_std or 0.0 for r in line],
            color=colour,
            marker=_MARKERS[number % len(_MARKERS)],
            mfc="white" if shortened else colour,
            ms=5,
            lw=1.2,
            capsize=2,
            label=f"K = {k}" + (f", {line[0].samples} mixtures" if shortened else ""),
        )
    floor = sorted({(row.n, row.bound) for row in rows if row.bound is not None})
    if floor:
        axes.plot(*zip(*floor, strict=True), color=colour, ls=":", marker=".", lw=1.2,
                  label=f"K = {k}, noise floor")  # fmt: skip
    if published:
        n, tvd = zip(*published, strict=True)
        axes.plot(n, tvd, color=colour, ls="none", marker="*", ms=11, mec="black", mew=0.5,
                  label=f"K = {k}, paper")  # fmt: skip


def _setting(row: Row) -> str:
    """What the rows of a line have in common; a full run has more mixtures the larger N."""
    return str((sorted(row.options.items()), row.samples if row.shortened else None))


def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure as its ending says.

    Raises
    ------
    UsageError
        If there is no such kind of file, or it cannot be written.
    """
    canvas = FigureCanvasAgg(figure)
    # Without an ending, matplotlib would choose another name.
    if path.suffix[1:] not in canvas.get_supported_filetypes():
        raise UsageError(
            f"it cannot be drawn as {path.suffix or 'a file without ending'}",
            remedy="Give a name that ends in .png, .pdf or .svg",
            file=path,
        )
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as part:
            figure.savefig(part, format=path.suffix[1:], dpi=150)
