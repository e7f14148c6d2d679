"""The page of the forward model shows the parameter table as it is."""

from __future__ import annotations

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_has_the_table() -> None:
    rows = runpy.run_path(str(DOCS / "make_parameter_table.py"))["parameter_rows"]()
    assert "\n".join(rows) in (DOCS / "forward-model.md").read_text(encoding="utf-8")
