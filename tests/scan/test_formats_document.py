"""docs/formats.md says what the readers do."""

from __future__ import annotations

import runpy
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_DOCUMENT = (_ROOT / "docs" / "formats.md").read_text(encoding="utf-8")


def test_tables_are_those_of_the_sample_files(data_dir: Path) -> None:
    script = runpy.run_path(str(_ROOT / "docs" / "make_formats_table.py"))
    results = script["readings"](data_dir)
    assert script["formats_table"](results) in _DOCUMENT
    assert script["files_table"](results) in _DOCUMENT


def test_formats_are_those_that_are_read() -> None:
    script = runpy.run_path(str(_ROOT / "docs" / "make_formats_table.py"))
    assert script["endings_table"]() in _DOCUMENT
