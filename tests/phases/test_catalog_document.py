from __future__ import annotations

import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_page_lists_the_catalog_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(DOCS / "make_catalog_table.py"), run_name="__main__")
    counts, table = capsys.readouterr().out.strip().split("\n\n", 1)
    page = (DOCS / "catalog.md").read_text(encoding="utf-8")
    assert counts in page
    assert table in page, "run: python docs/make_catalog_table.py"
