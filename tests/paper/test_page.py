"""docs/paper.md shows what is in studies/results."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from mixrd.paper import paper_materials

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def page() -> str:
    return (ROOT / "docs" / "paper.md").read_text(encoding="utf-8")


def test_tables_are_those_of_the_results(page: str) -> None:
    script = runpy.run_path(str(ROOT / "docs" / "make_paper_tables.py"))
    assert script["filled"](page) == page, "run: python docs/make_paper_tables.py"


def test_stones_of_the_page_are_those_of_the_pool(page: str) -> None:
    for crystal in paper_materials("stones").crystals:
        assert crystal.name.replace("-", " ") in re.sub(r"\s+", " ", page)
