"""docs/warnings.md explains every code that the code emits, and no other."""

from __future__ import annotations

import ast
import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")


def _codes(source: str) -> set[str]:
    """First strings of ("CODE", message, ...) in tuples and calls."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        parts = node.elts if isinstance(node, ast.Tuple) else node.args if isinstance(node, ast.Call) else []
        if len(parts) < 2 or not isinstance(parts[0], ast.Constant) or not isinstance(parts[0].value, str):
            continue
        message = parts[1]
        is_sentence = isinstance(message, ast.JoinedStr) or (
            isinstance(message, ast.Constant) and isinstance(message.value, str) and " " in message.value
        )
        is_call = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "AnalysisWarning"
        if (is_sentence or is_call) and CODE.fullmatch(parts[0].value) and len(parts[0].value) > 4:
            found.add(parts[0].value)
    return found


def test_every_code_has_its_section() -> None:
    rooms = ("scan", "analysis", "experiments")
    files = [f for room in rooms for f in (REPOSITORY / "src" / "mixrd" / room).rglob("*.py")]
    emitted = set().union(*(_codes(file.read_text(encoding="utf-8")) for file in files))
    assert {"NOT_CONVERGED", "NOT_COUNTS", "FAILED", "SEVERAL_SCANS"} <= emitted
    page = (REPOSITORY / "docs" / "warnings.md").read_text(encoding="utf-8")
    explained = re.findall(r"^### ([A-Z0-9_]+)$", page, flags=re.MULTILINE)
    assert sorted(explained) == sorted(emitted)
