"""Progress over a whole grid of trainings, on standard error."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from mixrd.cli.console import messages, say
from mixrd.report.numbers import duration_text

if TYPE_CHECKING:
    from mixrd.paper import CellDone, GridProgress

#: Between two lines of progress where there is no bar, within the first minute and after it.
_FIRST_PAUSE_SECONDS, _LATER_PAUSE_SECONDS, _FIRST_SECONDS = 10.0, 60.0, 60.0


class GridBar:
    """What `run_grid` tells of, as lines.

    Parameters
    ----------
    bar : Progress, optional
        Of a terminal, which takes the place of lines while something runs.
    """

    def __init__(self, bar: Progress | None = None) -> None:
        self._bar = bar
        self._task = None if bar is None else bar.add_task("", total=1.0, state="")
        self._begin = self._said = time.monotonic()

    def dataset(self, done: int, total: int) -> None:
        """Materials simulated, and all."""
        self._show("simulating materials", f"{done} of {total}", done / total)

    def running(self, now: GridProgress) -> None:
        """Where the grid is."""
        parts = []
        if now.training is not None:
            parts += [f"step {now.training.step} of {now.training.steps}", f"TVD {now.training.tvd:.4f}"]
        if now.seconds_left is not None:
            parts.append(f"{duration_text(now.seconds_left)} left for all")
        name = f"cell {now.number} of {now.cells}, {now.cell.name}"
        self._show(name, ", ".join(parts) or "fitting", now.share_done)

    def done(self, now: CellDone) -> None:
        """A cell that is done; the line stays."""
        if now.mean_tvd is None:
            text = f"{now.cell.name}: done before"
        else:
            mark = f", shortened to {now.cell.samples} samples" if now.cell.shortened else ""
            text = f"{now.cell.name}: mean test TVD {now.mean_tvd:.4f}{mark}"
        if self._bar is None:
            say(text)
        else:
            self._bar.console.print(text, soft_wrap=True)

    def _show(self, what: str, state: str, share: float) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, description=what, completed=share, state=state)
            return
        now = time.monotonic()
        pause = _FIRST_PAUSE_SECONDS if now - self._begin < _FIRST_SECONDS else _LATER_PAUSE_SECONDS
        if now - self._said > pause:
            self._said = now
            say(f"{what}: {state}")


@contextmanager
def grid_bar() -> Iterator[GridBar]:
    """A bar over the work of all cells with the running one's state; lines where there is no terminal."""
    console = messages()
    if not console.is_terminal:
        yield GridBar()
        return
    text = TextColumn("{task.description}"), TextColumn("{task.fields[state]}")
    with Progress(
        text[0], BarColumn(), TaskProgressColumn(), text[1], console=console, transient=True
    ) as bar:
        yield GridBar(bar)
