"""Every block of code in the documentation runs, or says why it does not."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from code_blocks import REPOSITORY, Block, blocks, pages, run

#: `make study-docs` sets it: trainings in full, slow blocks too.
FULL = os.environ.get("MIXRD_DOCS") == "full"
PAGES = [page for page in pages() if blocks(page)]
#: Blocks that are not run. Fewer is better; more needs a reason here and at the block.
MOST_NOT_RUN = 33


def _to_run(page: Path) -> list[Block]:
    return [b for b in blocks(page) if b.not_run is None and (FULL or not b.slow)]


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in PAGES if _to_run(p)], ids=lambda p: p.stem)
def test_blocks_of_a_page_run_one_after_the_other(page: Path, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    for block in _to_run(page):
        done = run(block, folder, reduced=not FULL)
        where = f"{block.page}, line {block.line}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        assert done.returncode == block.exit_code, where


def test_what_is_not_run_is_counted() -> None:
    left_out = [b for page in PAGES for b in blocks(page) if b.not_run is not None]
    assert all(len(str(b.not_run)) > 8 for b in left_out)
    assert len(left_out) <= MOST_NOT_RUN


def test_every_tutorial_has_blocks_that_run() -> None:
    tutorials = sorted((REPOSITORY / "docs" / "tutorials").glob("*.md"))
    assert len(tutorials) > 7
    assert all(_to_run(page) for page in tutorials if page.stem != "index")


def test_remarks_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import code_blocks

    monkeypatch.setattr(code_blocks, "REPOSITORY", tmp_path)
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- exit code: 3 -->\n```sh\nexit 3\n```\n\n```text\nno code\n```\n\n"
        "<!-- not run: needs a server -->\n```python\nraise OSError\n```\n"
        "<!-- slow -->\n```sh\nsleep 1\n```\n",
        encoding="utf-8",
    )
    first, second, third = blocks(page)
    assert (first.code, first.exit_code, first.line) == ("exit 3\n", 3, 2)
    assert second.not_run == "needs a server" and third.slow
    folder = tmp_path / "here"
    folder.mkdir()
    assert run(first, folder, reduced=False).returncode == 3
