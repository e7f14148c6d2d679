from __future__ import annotations

import runpy
from pathlib import Path

from mixrd.export import export_formats

REPOSITORY = Path(__file__).resolve().parents[2]


def test_page_shows_what_was_measured() -> None:
    script = runpy.run_path(str(REPOSITORY / "docs" / "make_exports_table.py"))
    page = (REPOSITORY / "docs" / "exports.md").read_text(encoding="utf-8")
    assert page == script["page"](), "run: python docs/make_exports_table.py"
    formats = export_formats()
    assert set(script["READERS"]) == {name for name, one in formats.items() if one.write_result is not None}
    for name in script["READERS"]:
        assert page.count(f"| `{name}` |") == 2
