"""Fig. 3."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from matplotlib.axes import Axes

from mixrd.errors import UsageError
from mixrd.paper import Row
from mixrd.report.paper_figure import plot_figure3

PNG = b"\x89PNG"


def row(n: int, k: int, network: float | None, **more) -> Row:
    return Row(n, k, "up_to_replacement", "table1", 9, more.pop("paper", None), network, **more)


@pytest.fixture
def labels(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[float, ...]]]:
    """Label and heights of each line that is drawn."""
    seen: list[tuple[str, tuple[float, ...]]] = []

    def recording(method):
        def call(self, x, y, *arguments, **keywords):
            seen.append((keywords.get("label", ""), tuple(y)))
            return method(self, x, y, *arguments, **keywords)

        return call

    for name in ("plot", "errorbar"):
        monkeypatch.setattr(Axes, name, recording(getattr(Axes, name)))
    return seen


def test_ours_the_papers_and_the_floor(tmp_path: Path, labels: list) -> None:
    rows = [
        row(5, 3, 0.05, paper=0.06, bound=0.01),
        row(10, 3, 0.09, paper=0.10, bound=0.012, network_std=0.002),
        row(20, 7, None, paper=0.32),
        row(5, 5, 0.1, shortened=True),
        dataclasses.replace(row(10, 5, 0.2, shortened=True), samples=18),
    ]
    plot_figure3(rows, tmp_path / "sub" / "fig3.png")
    assert (tmp_path / "sub" / "fig3.png").read_bytes()[:4] == PNG
    drawn = dict(labels)
    assert drawn["K = 3"] == (0.05, 0.09)
    assert drawn["K = 3, paper"] == (0.06, 0.10) and drawn["K = 7, paper"] == (0.32,)
    assert drawn["K = 3, noise floor"] == (0.01, 0.012)
    assert drawn["K = 5, 9 mixtures"] == (0.1,)
    assert drawn["K = 5, 18 mixtures"] == (0.2,)


def test_nothing_to_draw(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no result"):
        plot_figure3([row(5, 3, None, paper=0.06)], tmp_path / "fig3.png")


@pytest.mark.parametrize("name", ["fig3.docx", "folder.png", "fig3"])
def test_a_file_that_cannot_be_written(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(UsageError):
        plot_figure3([row(5, 3, 0.1)], tmp_path / name)
