"""Code blocks of the documentation: which there are, which are run, and how.

A comment right before a block says what is special about it: ``<!-- not run: REASON -->``,
``<!-- exit code: N -->`` or ``<!-- slow -->`` (run by ``make study-docs`` alone).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
LANGUAGES = ("sh", "python")
_FENCE = re.compile(r"^```(.*)$")
_REMARK = re.compile(r"^<!-- (not run: (?P<reason>.+)|exit code: (?P<code>\d+)|(?P<slow>slow)) -->$")


@dataclass(frozen=True)
class Block:
    """A block of code in a page."""

    page: str
    line: int
    language: str
    code: str
    not_run: str | None = None
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
            remark = _REMARK.match(lines[number - 1]) if number else None
            found.append(_block(name, number + 1, language, code, remark))
        number = end + 1
    return found


def _block(page: str, line: int, language: str, code: str, remark: re.Match[str] | None) -> Block:
    if remark is None:
        return Block(page, line, language, code)
    return Block(
        page, line, language, code, remark["reason"], int(remark["code"] or 0), remark["slow"] is not None
    )


def run(block: Block, folder: Path, *, reduced: bool) -> subprocess.CompletedProcess[str]:
    """Run a block in `folder`; with `reduced` networks are trained for a few steps only."""
    tools = folder.parent / "tools"
    tools.mkdir(exist_ok=True)
    script = tools / "mixrd"
    target = [str(Path(__file__).with_name("reduced.py"))] if reduced else ["-m", "mixrd"]
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {" ".join(target)} "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "MIXRD_CACHE": str(folder.parent / "cache"),
    }
    command = ["bash", "-eu", "-c"] if block.language == "sh" else [sys.executable, "-c"]
    return subprocess.run(
        [*command, block.code], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
