"""docs/formats.md says what the readers do."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_DOCUMENT = (_ROOT / "docs" / "formats.md").read_text(encoding="utf-8")


def test_tables_are_those_of_the_sample_files(data_dir: Path) -> None:
    script = runpy.run_path(str(_ROOT / "docs" / "make_formats_table.py"))
    results = script["readings"](data_dir)
    assert script["formats_table"](results) in _DOCUMENT
    assert script["files_table"](results) in _DOCUMENT


def test_every_warning_code_is_explained() -> None:
    sources = "".join(p.read_text(encoding="utf-8") for p in (_ROOT / "src/mixrd/scan").glob("*.py"))
    used = set(re.findall(r'\(\s*"([A-Z][A-Z0-9_]{2,})",\s*f?"[a-z{]', sources))
    explained = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", _DOCUMENT, re.MULTILINE))
    assert "NEGATIVE_COUNTS" in used
    assert used == explained
