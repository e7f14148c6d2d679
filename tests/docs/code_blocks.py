"""Code blocks of the documentation: which there are, which are run, and how.

Comments on the lines right before a block say what is special about it; the built page does not show them:

``<!-- not run: REASON -->``
    It is left out.
``<!-- before: COMMAND -->``
    What the shell runs in the folder first, to make the files that the reader would have. Several are one
    script. ``$REPOSITORY`` is the checkout.
``<!-- goes on -->``
    It needs the names of the block of Python before it, as the next cell of a notebook does.
``<!-- needs: data -->``
    It runs only where the measured data are, in the folder ``$MIXRD_DATA``.
``<!-- exit code: N -->``
    What it ends with.
``<!-- slow -->``
    ``make study-docs`` alone runs it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
DATA = Path(os.environ.get("MIXRD_DATA", REPOSITORY.parent / "shared" / "data")).absolute()
LANGUAGES = ("sh", "python")
_FENCE = re.compile(r"^```(.*)$")
_REMARK = re.compile(
    r"^<!-- (not run: (?P<reason>.+)|before: (?P<before>.+)|exit code: (?P<code>\d+)"
    r"|(?P<goes_on>goes on)|(?P<data>needs: data)|(?P<slow>slow)) -->$"
)


@dataclass(frozen=True)
class Block:
    """A block of code in a page."""

    page: str
    line: int
    language: str
    code: str
    not_run: str | None = None
    before: str = ""
    goes_on: bool = False
    needs_data: bool = False
    exit_code: int = 0
    slow: bool = False


def pages() -> list[Path]:
    """Pages that hold code: those of the documentation (but those made at its building) and the README."""
    made = {DOCS / "_build", DOCS / "api", DOCS / "warnings"}
    found = [p for p in sorted(DOCS.rglob("*.md")) if made.isdisjoint(p.parents)]
    return [REPOSITORY / "README.md", *found]


def blocks(page: Path) -> list[Block]:
    """The blocks of sh and python in a page, in their order."""
    found: list[Block] = []
    lines = page.read_text(encoding="utf-8").splitlines()
    name = page.relative_to(REPOSITORY).as_posix()
    number = 0
    while number < len(lines):
        fence = _FENCE.match(lines[number])
        if fence is None:
            number += 1
            continue
        end = lines.index("```", number + 1)
        code = "\n".join(lines[number + 1 : end]) + "\n"
        # Older pages name no language: what begins with a command is one.
        language = "sh" if not fence[1] and code.startswith("mixrd ") else fence[1]
        if language in LANGUAGES:
            found.append(_with_remarks(Block(name, number + 1, language, code), lines[:number]))
        number = end + 1
    return found


def _with_remarks(block: Block, above: list[str]) -> Block:
    """The block with what the remarks at the end of the lines above it say."""
    before: list[str] = []
    for line in reversed(above):
        remark = _REMARK.match(line)
        if remark is None:
            break
        if remark["before"]:
            before.insert(0, remark["before"] + "\n")
        block = replace(
            block,
            not_run=remark["reason"] or block.not_run,
            goes_on=block.goes_on or remark["goes_on"] is not None,
            needs_data=block.needs_data or remark["data"] is not None,
            exit_code=int(remark["code"] or block.exit_code),
            slow=block.slow or remark["slow"] is not None,
        )
    return replace(block, before="".join(before))


def joined(some: Iterable[Block]) -> list[Block]:
    """The same, each block that goes on put together with the one before it, to run as one."""
    found: list[Block] = []
    for block in some:
        if block.goes_on:
            first = found.pop()
            block = replace(
                first,
                code=first.code + block.code,
                before=first.before + block.before,
                exit_code=block.exit_code,
            )
        found.append(block)
    return found


def run(block: Block, folder: Path, *, reduced: bool) -> subprocess.CompletedProcess[str]:
    """Run a block in `folder`; with `reduced` networks are trained for a few steps only (see reduced.py)."""
    environment = _environment(folder, reduced=reduced)
    shell = ["bash", "-eu", "-c"]

    def done(command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )

    if block.before:
        made = done([*shell, block.before])
        if made.returncode:
            raise RuntimeError(f"what comes before {block.page}, line {block.line}, fails: {made.stderr}")
    return done([*(shell if block.language == "sh" else [sys.executable, "-c"]), block.code])


def _environment(folder: Path, *, reduced: bool) -> dict[str, str]:
    """Variables of a block: its `mixrd` and `python` are ours, and nothing of the user's is changed."""
    here = folder.parent
    tools = here / "tools"
    tools.mkdir(exist_ok=True)
    for name, arguments in (("mixrd", f'"{Path(__file__).with_name("reduced.py")}"'), ("python", "")):
        script = tools / name
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n', encoding="utf-8")
        script.chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "REPOSITORY": str(REPOSITORY),
        "MIXRD_REDUCED": "1" if reduced else "",
        "MIXRD_DATA": str(DATA),
        "MIXRD_CACHE": str(here / "cache"),
        "MIXRD_PHASES": str(here / "phases"),
        "MPLBACKEND": "agg",
    }
