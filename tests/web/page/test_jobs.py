"""Jobs on the page: several people, restarts, earlier ones."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from page_browser import SECONDS, NewVisit, Visit, serving
from playwright.sync_api import expect


def choose(me: Visit, scan: Path, *phases: str, method: str = "refine") -> None:
    me.add_scans(scan)
    me.add_phases(*phases)
    me.choose(method=method)


@pytest.mark.slow
def test_two_at_once(visit: NewVisit, scan_file: Path) -> None:
    one, two = visit().open(), visit().open()
    choose(one, scan_file, "fluorite", "halite")
    choose(two, scan_file, "fluorite", "halite", "quartz")
    expect(one.page.locator("#phase-chosen .chip")).to_have_count(2)
    first, second = one.run(), two.run()
    assert first != second
    for me, phases in ((one, 2), (two, 3)):
        me.page.locator("#fractions").wait_for(timeout=2 * SECONDS)
        expect(me.page.locator("#fractions tbody tr")).to_have_count(phases)
    expect(two.page.locator("#sentence")).to_contain_text("No quartz was found (below ")
    one.page.click("#nav-jobs")
    expect(one.page.locator("#jobs .job-row")).to_have_count(2)  # what is kept is everybody's


def test_earlier_ones_are_opened_repeated_and_deleted(visit: NewVisit, scan_file: Path) -> None:
    me = visit().open()
    choose(me, scan_file, "fluorite", "halite")
    job = me.run()
    me.page.locator("#fractions").wait_for(timeout=SECONDS)
    me.page.click("#nav-jobs")
    row = me.page.locator(f".job-row:has(a[href='#job={job}'])")
    expect(row.locator(".state")).to_have_text("done")
    row.locator("a").click()
    me.page.locator("#fractions").wait_for()
    me.page.click("text=Change and run again")
    expect(me.page.locator("#run-summary")).to_contain_text("Ready: 1 scan, 2 phases")
    row.locator("text=Delete").click()
    expect(me.page.locator("#confirm-text")).to_contain_text("mixture.xy")
    expect(me.page.locator("#confirm-no")).to_be_focused()
    me.page.keyboard.press("Escape")
    expect(row).to_have_count(1)
    row.locator("text=Delete").click()
    me.page.click("#confirm-yes")
    expect(row).to_have_count(0)


@pytest.mark.slow
def test_a_job_outlives_the_server(visit: NewVisit, scan_file: Path, tmp_path: Path) -> None:
    with serving(tmp_path, steps=40) as server:
        me = visit(server.address).open()
        choose(me, scan_file, "fluorite", "halite", method="both")
        me.run()
        me.page.locator("figure.loss canvas").wait_for(timeout=SECONDS)
        server.end(signal.SIGKILL)
        expect(me.page.locator("#offline")).to_contain_text("The server does not answer")
        port = int(server.address.rstrip("/").rpartition(":")[2])
        with serving(tmp_path, port=port, steps=40):
            expect(me.page.locator("#offline")).to_be_hidden(timeout=SECONDS)
            me.page.locator("#fractions").wait_for(timeout=3 * SECONDS)  # without a reload
            me.until_state("done")
    me.complaints.clear()


def test_one_that_was_interrupted_can_be_started_again(visit: NewVisit, scan_file: Path) -> None:
    me = visit().open()
    choose(me, scan_file, "fluorite", "halite")
    job = me.run()
    me.page.locator("#fractions").wait_for(timeout=SECONDS)
    answer = me.ask(f"jobs/{job}") | {"state": "interrupted", "results": []}
    me.page.route(f"**/api/jobs/{job}", lambda route: route.fulfill(json=answer))
    restarted: list[str] = []
    me.page.route(
        f"**/api/jobs/{job}/restart",
        lambda route: (restarted.append(route.request.method), route.fulfill(json=answer)),
    )
    me.page.reload()
    me.until_state("interrupted")
    expect(me.page.locator("#job-error")).to_contain_text("The server was stopped while this ran")
    me.page.click("text=Start again")
    expect(me.page.locator("#job-head .state")).to_be_visible()
    assert restarted == ["POST"]
