"""Every code that is emitted has its text, no other has one, and docs/warnings.md shows them."""

from __future__ import annotations

import ast
import re
import runpy
from pathlib import Path

from mixrd.warning_texts import warning_texts

REPOSITORY = Path(__file__).resolve().parents[2]
CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")


def _codes(source: str) -> set[str]:
    """First strings of ("CODE", message, ...) in tuples and calls; a long message is called `text`."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        parts = node.elts if isinstance(node, ast.Tuple) else node.args if isinstance(node, ast.Call) else []
        if len(parts) < 2 or not isinstance(parts[0], ast.Constant) or not isinstance(parts[0].value, str):
            continue
        message = parts[1]
        is_sentence = (
            isinstance(message, ast.JoinedStr)
            or (isinstance(message, ast.Name) and message.id == "text")
            or (isinstance(message, ast.Constant) and isinstance(message.value, str) and " " in message.value)
        )
        is_call = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "AnalysisWarning"
        if (is_sentence or is_call) and CODE.fullmatch(parts[0].value) and len(parts[0].value) > 2:
            found.add(parts[0].value)
    return found


def test_every_code_has_its_section() -> None:
    rooms = ("scan", "analysis", "experiments")
    files = [f for room in rooms for f in (REPOSITORY / "src" / "mixrd" / room).rglob("*.py")]
    emitted = set().union(*(_codes(file.read_text(encoding="utf-8")) for file in files))
    assert {"NOT_CONVERGED", "NOT_COUNTS", "FAILED", "SEVERAL_SCANS"} <= emitted
    assert sorted(warning_texts()) == sorted(emitted)


def test_page_shows_the_texts(tmp_path: Path) -> None:
    script = runpy.run_path(str(REPOSITORY / "docs" / "make_warnings_page.py"))
    page = (REPOSITORY / "docs" / "warnings.md").read_text(encoding="utf-8")
    assert page == script["warnings_page"](), "run: python docs/make_warnings_page.py"
    written = script["write_code_pages"](tmp_path / "warnings")
    assert {path.stem for path in written} == {"index", *warning_texts()}
