"""The figure of networks, refinements and the noise floor."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "docs"))
from accuracy_figures import plot_floor

from mixrd.errors import UsageError

MEANS = {"network": 0.05, "refined": 0.013, "told": 0.011, "bound": 0.01}
FOUND = {
    "n": 10,
    "k": 3,
    **{name: {"mean": mean} for name, mean in MEANS.items()},
    "each": {name: [0.0, mean, 2 * mean] for name, mean in MEANS.items()},
}
TIMES = [{"seconds_per_step": t, "mean_tvd": 0.01 / t, "mean_bound": 0.009 / t} for t in (0.1, 1.0, 10.0)]


@pytest.mark.parametrize("laboratory", [[], TIMES])
def test_is_drawn(tmp_path: Path, laboratory: list) -> None:
    plot_floor([FOUND, FOUND], laboratory, tmp_path / "floor.png", published={(10, 3): 0.1})
    assert (tmp_path / "floor.png").stat().st_size > 10_000


def test_nothing_to_draw_and_no_such_kind_of_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="refinement"):
        plot_floor([], TIMES, tmp_path / "floor.png")
    with pytest.raises(UsageError, match="drawn"):
        plot_floor([FOUND], TIMES, tmp_path / "floor.txt")
