"""Progress of whatever takes more than two seconds, on standard error."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from mixrd.cli.console import messages, say
from mixrd.report.numbers import duration_text

if TYPE_CHECKING:
    from mixrd.paper import CellDone, GridProgress
    from mixrd.training import TrainingProgress

#: Steps after which the time left is worth saying.
_STEPS_TO_JUDGE = 5
#: Between two lines of progress where there is no bar.
_SECONDS_BETWEEN_LINES = 10.0
#: The same over a grid of trainings, within the first minute and after it.
_FIRST_PAUSE_SECONDS, _LATER_PAUSE_SECONDS, _FIRST_SECONDS = 10.0, 60.0, 60.0


@contextmanager
def training_bar(what: str) -> Iterator[Callable[[TrainingProgress], None]]:
    """A bar with steps, loss, TVD and time left; a line at each quarter where there is no terminal.

    Yields what `mixrd.training.train` takes as `on_progress`.
    """
    console = messages()
    if not console.is_terminal:
        yield _quarterly(what)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[state]}"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, visible=False, state="")

        def update(now: TrainingProgress) -> None:
            state = f"loss {now.loss:.4f}  TVD {now.tvd:.4f}  {duration_text(now.seconds_left)} left"
            unfinished = now.step < now.steps
            bar.update(task, completed=now.step, total=now.steps, state=state, visible=unfinished)

        yield update


@contextmanager
def counted_bar(what: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar over `total` items; yields what is called after each.

    Where there is no terminal, a line now and then with the time left.
    """
    console = messages()
    first = said = time.monotonic()
    done = 0

    def advance() -> None:
        nonlocal first, said, done
        done += 1
        bar.advance(task)
        now = time.monotonic()
        if done == 1:
            # Whatever had to be loaded is loaded now: the rest goes quicker.
            first = now
        elif not console.is_terminal and now - said > _SECONDS_BETWEEN_LINES and done < total:
            said = now
            left = (now - first) / (done - 1) * (total - done)
            say(f"{what}: {done} of {total}, about {duration_text(left)} left")

    with _bar(console) as bar:
        task = bar.add_task(what, total=total)
        yield advance


@contextmanager
def filling_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar for what learns its total as it goes; yields what is told (done, total).

    Where there is no terminal, a line every ten seconds.
    """
    console = messages()
    said = time.monotonic()

    def update(done: int, total: int) -> None:
        nonlocal said
        bar.update(task, completed=done, total=total)
        if not console.is_terminal and time.monotonic() - said > _SECONDS_BETWEEN_LINES:
            said = time.monotonic()
            say(f"{what}: {done} of {total}")

    with _bar(console) as bar:
        task = bar.add_task(what, total=None)
        yield update


def spinner(what: str) -> AbstractContextManager[object]:
    """A spinner beside `what`; silent where there is no terminal."""
    console = messages()
    console.quiet = not console.is_terminal
    return console.status(what)


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _quarterly(what: str) -> Callable[[TrainingProgress], None]:
    shown: set[int] = set()

    def update(now: TrainingProgress) -> None:
        if 0 not in shown and now.step - now.resumed_from >= _STEPS_TO_JUDGE:
            shown.add(0)
            say(f"{what}: about {duration_text(now.seconds_left)} left")
        quarter = 4 * now.step // now.steps
        if quarter not in shown and quarter > 0:
            shown.add(quarter)
            say(f"{what}: {25 * quarter} % done, loss {now.loss:.4f}, TVD {now.tvd:.4f}")

    return update


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
    text, state = TextColumn("{task.description}"), TextColumn("{task.fields[state]}")
    columns = (text, BarColumn(), TaskProgressColumn(), state)
    with Progress(*columns, console=console, transient=True) as bar:
        yield GridBar(bar)
