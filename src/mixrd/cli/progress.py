"""Progress of whatever takes more than two seconds, on standard error."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from mixrd.cli.console import messages, say
from mixrd.report.numbers import duration_text

if TYPE_CHECKING:
    from mixrd.training import TrainingProgress

#: Steps after which the time left is worth saying.
_STEPS_TO_JUDGE = 5
#: Between two lines of progress where there is no bar.
_SECONDS_BETWEEN_LINES = 10.0


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

    with Progress(*_columns(), console=console, transient=True, disable=not console.is_terminal) as bar:
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

    with Progress(*_columns(), console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield update


def spinner(what: str) -> AbstractContextManager[object]:
    """A spinner beside `what`; silent where there is no terminal."""
    console = messages()
    console.quiet = not console.is_terminal
    return console.status(what)


def _columns() -> tuple[ProgressColumn, ...]:
    return TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()


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
