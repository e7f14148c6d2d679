"""What the commands print: results to standard output, everything else to standard error."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

from rich.console import Console, RenderableType
from rich.text import Text

#: Width allowed to tables in a file or pipe: enough that each row stays one line, for grep.
PIPE_WIDTH = 1000


def accept_any_character() -> None:
    """Let a terminal without Å or ± show a question mark instead of ending the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def output() -> Console:
    """Console on standard output."""
    return _console(stderr=False)


def messages() -> Console:
    """Console on standard error: progress, remarks, errors."""
    return _console(stderr=True)


def show(*parts: RenderableType) -> None:
    """Print results on standard output."""
    console = output()
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, str | Text))


def say(text: str | Text) -> None:
    """Print a remark on standard error."""
    messages().print(text, soft_wrap=True)


def show_json(data: Any) -> None:
    """Print plain data as JSON on standard output."""
    print(json.dumps(data, indent=2, allow_nan=False))


def show_result(as_json: bool, data: Any, *parts: RenderableType) -> None:
    """Print a result on standard output: its plain data as JSON, or else what people read."""
    if as_json:
        show_json(data)
    else:
        show(*parts)


def print_error(text: str, *, label: str = "error: ") -> None:
    """Print what went wrong on standard error."""
    say(Text.assemble((label, "bold red"), text))


def _console(*, stderr: bool) -> Console:
    # File names may hold brackets and colons: nothing in them is markup or an emoji.
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPE_WIDTH
    return Console(stderr=stderr, width=width, markup=False, emoji=False, highlight=False)
