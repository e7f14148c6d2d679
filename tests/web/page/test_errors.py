"""What the page says when something is wrong."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from cod_server import FakeCod
from page_browser import SECONDS, NewVisit, serving, wait_for
from playwright.sync_api import Route, expect

GIGABYTE = 10**9


def test_a_wrong_file_harms_no_other(visit: NewVisit, scan_file: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "notes.xy"
    wrong.write_text("this is no scan\n")
    empty = tmp_path / "empty.raw"
    empty.touch()
    me = visit().open()
    me.drop(wrong, scan_file, empty)
    boxes = me.page.locator("#scan-errors .error")
    expect(boxes).to_have_count(2)
    expect(boxes.first).to_contain_text("notes.xy")
    expect(boxes.first).to_contain_text("Export the scan as")
    expect(boxes.last).to_contain_text("empty.raw")
    expect(me.page.locator("#scan-list .scan")).to_have_count(1)
    boxes.first.locator("button").click()
    expect(boxes).to_have_count(1)
    assert len(me.complaints) == 2  # the browser notes both refusals
    me.complaints.clear()


def test_a_file_name_is_text(visit: NewVisit, scan_file: Path) -> None:
    name = "<img src=x onerror=alert(1)>.xy"
    me = visit().open()
    me.page.set_input_files(
        "#scans input[type=file]",
        {"name": name, "mimeType": "text/plain", "buffer": scan_file.read_bytes()},
    )
    expect(me.page.locator("#scan-list .name")).to_have_text(name)
    assert me.page.locator("#scans img").count() == 0


def test_without_a_wavelength_it_asks_for_one(visit: NewVisit, nameless_scan: Path) -> None:
    me = visit().open()
    page = me.page
    me.add_scans(nameless_scan)
    me.add_phases("fluorite", "halite")
    expect(page.locator("#scan-list")).to_contain_text("wavelength not in the file")
    expect(page.locator("#run-summary")).to_contain_text("the file does not name its wavelength")
    expect(page.locator("#radiation")).to_have_attribute("aria-invalid", "true")
    page.click("#run-start", force=True)  # leads there instead of running
    expect(page.locator("#radiation")).to_be_focused()
    me.picture("missing-wavelength")
    page.select_option("#radiation", "CuKa")
    expect(page.locator("#run-summary")).to_contain_text("Ready")
    page.select_option("#radiation", label="another wavelength …")
    expect(page.locator("#run-summary")).to_contain_text("Still to do")
    page.fill("#wavelength", "1,5406")
    page.press("#wavelength", "Tab")
    expect(page.locator("#run-summary")).to_contain_text("Ready")
    page.check("#instrument-lab-cu")
    expect(page.locator("#radiation")).to_have_count(0)


def test_another_tube_than_the_files_is_remarked(visit: NewVisit, scan_file: Path) -> None:
    me = visit().open()
    me.add_scans(scan_file)
    expect(me.page.locator(".choice:has(#instrument-lab-co)")).to_contain_text("⚠ the file names Cu Kα")
    expect(me.page.locator(".choice:has(#instrument-lab-cu)")).not_to_contain_text("⚠")


def test_an_unknown_phase(visit: NewVisit, tmp_path: Path) -> None:
    me = visit().open()
    me.page.fill("#phase-search", "unobtainium")
    expect(me.page.locator("#phase-options")).to_contain_text("give its CIF file or COD number")
    me.page.click("#phase-more > summary")
    wrong = tmp_path / "wrong.cif"
    wrong.write_text("data_nothing\n")
    me.page.set_input_files("#phases input[type=file]", str(wrong))
    expect(me.page.locator("#phase-errors .error")).to_contain_text("wrong.cif")
    me.page.fill("#cod-number", "12")
    me.page.press("#cod-number", "Enter")
    expect(me.page.locator("#phase-errors .error")).to_contain_text("seven digits")
    expect(me.page.locator("#phase-chosen .chip")).to_have_count(0)
    assert len(me.complaints) == 1
    me.complaints.clear()


def test_numbers_of_the_cod(visit: NewVisit, cod: FakeCod, tmp_path: Path) -> None:
    with serving(tmp_path, cod=cod.url) as server:
        me = visit(server.address).open()
        page = me.page
        page.click("#phase-more > summary")
        page.fill("#cod-number", "1234567")
        page.press("#cod-number", "Enter")
        expect(page.locator("#phase-errors .error")).to_contain_text("1234567")
        page.fill("#cod-number", "COD 9000004")
        page.click("#cod-get")
        expect(page.locator("#phase-chosen .chip")).to_contain_text("MgO")
        expect(page.locator("#phase-errors .error")).to_have_count(0)
        assert len(me.complaints) == 1
        me.complaints.clear()


@pytest.fixture
def huge(tmp_path: Path) -> Path:
    """A gigabyte that takes no room on the disk."""
    path = tmp_path / "huge.raw"
    with path.open("wb") as file:
        file.truncate(GIGABYTE)
    return path


def test_files_are_offered_that_the_server_reads(visit: NewVisit) -> None:
    offered = visit().open().page.locator("#scans input[type=file]").get_attribute("accept")
    assert {".xy", ".csv", ".rasx", ".mdi"} <= {*(offered or "").split(",")}


def test_a_gigabyte_is_not_sent(visit: NewVisit, huge: Path) -> None:
    me = visit().open()
    sent: list[str] = []
    me.page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    me.drop(huge)
    expect(me.page.locator("#scan-errors .error")).to_contain_text("at most 100 MB are accepted")
    assert sent == []


@pytest.mark.slow
def test_a_gigabyte_that_is_sent_is_refused(visit: NewVisit, huge: Path, scan_file: Path) -> None:
    me = visit()
    health = me.ask("health")
    del health["max_upload_bytes"]  # as if the page knew of no limit
    me.page.route("**/api/health", lambda route: route.fulfill(json=health))
    me.open()
    me.drop(huge)
    error = me.page.locator("#scan-errors .error")
    error.wait_for(timeout=SECONDS)
    expect(error).to_contain_text("huge.raw")
    expect(error).to_contain_text("larger than 100 MB")
    me.complaints.clear()
    me.add_scans(scan_file)  # the server is as well as before


def test_an_error_of_the_server_is_told(visit: NewVisit, scan_file: Path) -> None:
    me = visit().open()
    me.add_scans(scan_file)
    me.add_phases("fluorite", "halite")
    me.choose()
    answer = {"code": "INTERNAL", "message": "something broke", "remedy": "Try again", "file": None}

    def broken(route: Route) -> None:
        if route.request.method == "POST":
            route.fulfill(status=500, body=json.dumps({"error": answer}), content_type="application/json")
        else:
            route.continue_()

    me.page.route("**/api/jobs", broken)
    me.page.click("#run-start")
    expect(me.page.locator("#run-errors .error")).to_contain_text("Something broke.")
    me.page.route("**/api/jobs", lambda route: route.fulfill(status=502, body="<html>no JSON</html>"))
    me.page.click("#run-start")
    expect(me.page.locator("#run-errors .error")).to_contain_text("The server answered with an error (502)")
    expect(me.page.locator("#run-start")).to_be_enabled()
    expect(me.page.locator("#phase-chosen .chip")).to_have_count(2)
    me.complaints.clear()


def test_a_job_that_is_not_there(visit: NewVisit) -> None:
    me = visit()
    me.page.goto(f"{me.address}#job=nothing")
    expect(me.page.locator("#job .error")).to_contain_text("nothing")
    me.page.click("text=← New analysis")
    me.page.locator("#phase-search").wait_for()
    me.complaints.clear()


def test_the_server_goes_and_comes_back(visit: NewVisit, scan_file: Path, tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        me = visit(server.address).open()
        me.add_scans(scan_file)
        server.end(signal.SIGKILL)
        me.page.fill("#phase-search", "fluor")
        banner = me.page.locator("#offline")
        expect(banner).to_contain_text("The server does not answer")
        port = int(server.address.rstrip("/").rpartition(":")[2])
        with serving(tmp_path, port=port):
            wait_for(banner.is_hidden)
            me.add_phases("fluorite")
            expect(me.page.locator("#scan-list .scan")).to_have_count(1)
    me.complaints.clear()
