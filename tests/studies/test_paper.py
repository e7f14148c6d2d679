"""Learning curves."""

from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib.axes import Axes

from paper import plot_curves


def test_curves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels, plot = [], Axes.plot

    def recording(self, *arguments, **keywords):
        labels.append(keywords.get("label"))
        return plot(self, *arguments, **keywords)

    monkeypatch.setattr(Axes, "plot", recording)
    points = [{"samples": s, "seconds": s / 10, "validation_tvd": 1 / s} for s in (10, 100)]
    level = [{"samples": 0, "seconds": 1.0, "validation_tvd": 0.3}]
    plot_curves({"mlp": points, "nnls": level}, tmp_path / "curves.png", title="N = 5")
    assert (tmp_path / "curves.png").read_bytes()[:4] == b"\x89PNG"
    assert labels == ["mlp", "mlp"]
