"""Every block of code in the documentation runs, or says why it does not."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from code_blocks import DATA, REPOSITORY, Block, blocks, joined, pages, run

#: `make study-docs` sets it: trainings in full, slow blocks too.
FULL = os.environ.get("MIXRD_DOCS") == "full"
PAGES = [page for page in pages() if blocks(page)]
#: Blocks that are not run. Fewer is better; more needs a reason here and at the block.
MOST_NOT_RUN = 14


def _to_run(page: Path) -> list[Block]:
    return [b for b in blocks(page) if b.not_run is None and (FULL or not b.slow)]


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in PAGES if _to_run(p)], ids=lambda p: p.stem)
def test_blocks_of_a_page_run_one_after_the_other(page: Path, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    wanted = _to_run(page)
    for block in joined(b for b in wanted if DATA.is_dir() or not b.needs_data):
        done = run(block, folder, reduced=not FULL)
        where = f"{block.page}, line {block.line}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        assert done.returncode == block.exit_code, where
    without = [b.line for b in wanted if b.needs_data]
    if without and not DATA.is_dir():
        pytest.skip(
            f"all ran but those at lines {without}: they need measured data, which {DATA} does not hold"
        )


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
        "<!-- slow -->\n```sh\nsleep 1\n```\n"
        "<!-- another remark -->\n<!-- before: echo 3 > a -->\n"
        "<!-- before: mv a b -->\n<!-- needs: data -->\n"
        "```python\nb = int(open('b').read())\n```\n<!-- goes on -->\n```python\nassert b == 3\n```\n",
        encoding="utf-8",
    )
    first, second, third, fourth, fifth = blocks(page)
    assert (first.code, first.exit_code, first.line) == ("exit 3\n", 3, 2)
    assert second.not_run == "needs a server" and third.slow
    assert fourth.before == "echo 3 > a\nmv a b\n" and fourth.needs_data and fifth.goes_on
    folder = tmp_path / "here"
    folder.mkdir()
    assert run(first, folder, reduced=False).returncode == 3
    (together,) = joined([fourth, fifth])
    assert run(together, folder, reduced=False).returncode == 0
    with pytest.raises(RuntimeError, match=r"page\.md"):
        run(replace(first, before="exit 3"), folder, reduced=False)
