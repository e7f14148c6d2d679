"""What the page shows of results that state no amounts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from page_browser import SECONDS, NewVisit, Visit, serving
from playwright.sync_api import expect
from unstated import REASON, without_amounts

from mixrd.analysis import Analysis
from mixrd.web.tasks import write_analysis

NONE = f"no statement possible, because {REASON}"
ALONE = "one candidate alone: whether it is there, not how much"
AMOUNTS = ("wt%", "weight %", "true value lies", "detection limit", "100.0", "interval")


def restated(data: Path, job: str, number: int, change: Callable[[Analysis], Analysis]) -> None:
    """Put another statement into a result that the server keeps."""
    (folder,) = data.rglob(job)
    write_analysis(change(Analysis.from_json(folder / f"{number}.json")), folder, number)


def of_an_older_version(data: Path, job: str, number: int) -> None:
    """Take the statement out of what the page is shown."""
    (folder,) = data.rglob(job)
    path = folder / f"{number}.shown.json"
    shown: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    del shown["statement"]
    shown["phases"][0]["weight_percent"] = 100.0
    path.write_text(json.dumps(shown), encoding="utf-8")


def analysed(me: Visit, *phases: str) -> str:
    me.add_phases(*phases)
    me.choose()
    job = me.run()
    me.page.locator("#fractions, #comparison").first.wait_for(timeout=SECONDS)
    me.until_state("done")
    return job


def test_what_is_not_stated_is_not_shown(visit: NewVisit, scan_file: Path, tmp_path: Path) -> None:
    twin = tmp_path / "twin.xy"
    twin.write_bytes(scan_file.read_bytes())
    with serving(tmp_path) as server:
        me = visit(server.address).open()
        page, data = me.page, tmp_path / "data"
        me.add_scans(scan_file, twin)
        job = analysed(me, "fluorite", "halite")
        restated(data, job, 0, lambda found: without_amounts(found, "none"))
        page.reload()
        page.locator("#comparison").wait_for()
        refused, plain = page.locator("#comparison tbody tr").all()
        expect(refused).to_contain_text(f"⚠ {NONE}")
        assert "±" not in refused.inner_text() and "±" in plain.inner_text()

        page.goto(f"{server.address}#job={job}&scan=0")
        expect(page.locator("#sentence")).to_have_text(f"N{NONE[1:]}.")
        page.locator("#fit canvas").first.wait_for()
        assert not [word for word in AMOUNTS if word in page.inner_text("#job-result")]
        expect(page.locator(".answer .bars")).to_have_count(0)
        expect(page.locator("#fractions tbody tr")).to_have_count(2)
        me.picture("statement-none")

        restated(data, job, 1, lambda found: without_amounts(found, "none"))
        page.goto(f"{server.address}#job={job}")
        page.reload()
        page.locator("#comparison").wait_for()
        expect(page.locator("#head-trend")).to_have_count(0)


def test_one_candidate_is_there_or_not(visit: NewVisit, scan_file: Path, tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        me = visit(server.address).open()
        page, data = me.page, tmp_path / "data"
        me.add_scans(scan_file)
        job = analysed(me, "halite")
        for detected, word in ((True, "there"), (False, "not found")):
            change = {"kind": "presence", "reason": "", "detected": detected}
            restated(data, job, 0, lambda found, change=change: without_amounts(found, **change))
            page.reload()
            expect(page.locator("#sentence")).to_have_text(f"halite: {word}.")
            expect(page.locator(".answer")).to_contain_text(f"{ALONE.capitalize()}.")
            assert page.locator("#fractions tbody td").first.inner_text() == word
            assert not [part for part in AMOUNTS if part in page.inner_text("#job-result")]
        me.picture("statement-presence")

        of_an_older_version(data, job, 0)
        page.reload()
        expect(page.locator("#sentence")).to_have_text("halite: not found.")
        assert "100" not in page.inner_text("#fractions")
