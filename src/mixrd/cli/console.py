"""What the commands print: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console, RenderableType
from rich.text import Text

#: Width of tables that go into a file or pipe, where no terminal sets one.
PIPE_WIDTH = 160


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
    print(json.dumps(data, indent=2, allow_nan=False, ensure_ascii=False))


def print_error(text: str, *, label: str = "error: ") -> None:
    """Print what went wrong on standard error."""
    say(Text.assemble((label, "bold red"), text))


def _console(*, stderr: bool) -> Console:
    # File names may hold brackets and colons: nothing in them is markup or an emoji.
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPE_WIDTH
    return Console(stderr=stderr, width=width, markup=False, emoji=False, highlight=False)
