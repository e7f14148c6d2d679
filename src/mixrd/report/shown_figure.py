"""Figures without pyplot: shown by a notebook, written as PNG."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from matplotlib.figure import Figure

from mixrd.files import whole_file, writing


class ShownFigure(Figure):
    """matplotlib's figure, shown where it is the last thing in a cell; pyplot keeps no reference to it."""

    def _repr_png_(self) -> bytes:
        file = BytesIO()
        self.savefig(file, format="png", dpi=100, bbox_inches="tight")
        return file.getvalue()


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write a figure as PNG whose metadata tells nothing of the machine."""
    with writing(path, what="the plot"), whole_file(path) as part:
        write_png(figure, part)


def write_png(figure: Figure, target: str | Path | BytesIO) -> None:
    """Write the PNG of `save_figure`."""
    figure.savefig(target, format="png", dpi=150, metadata={"Software": "mixrd"})
