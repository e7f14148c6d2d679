"""A newcomer's path through the page, in a real browser."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from page_browser import SECONDS, NewVisit, Served, Visit, serving, wait_for
from playwright.sync_api import expect

from mixrd import analyze, read_scan
from mixrd.pattern import load_instrument
from mixrd.phases import load_phase

NAMES = ("corundum", "fluorite", "zincite")
INSTRUMENT = "lab-cu-monochromator"
STEPS = 25


@pytest.fixture(scope="module")
def sample(data_dir: Path) -> Path:
    return data_dir / "measured" / "cpd" / "CPD-1G.xye"


def shown_fractions(visit: Visit) -> dict[str, float]:
    rows = visit.page.locator("#fractions tbody tr").all()
    cells = [(row.locator("th").inner_text(), row.locator("td").first.inner_text()) for row in rows]
    return {head.split()[0]: float(value.split()[0]) for head, value in cells}


def download(visit: Visit, button: str) -> tuple[str, str]:
    with visit.page.expect_download() as waiting:
        visit.page.click(button)
    path = waiting.value.path()
    return waiting.value.suggested_filename, Path(path).read_text(encoding="utf-8")


@pytest.mark.slow
def test_from_a_scan_to_a_report(visit: NewVisit, sample: Path) -> None:
    me = visit().open()
    page = me.page
    expect(page.locator("#run-summary")).to_have_text("Still to do: drop a scan and choose the phases.")

    me.add_scans(sample)
    facts = page.locator("#scan-list .facts").inner_text()
    assert "Cu Kα1 + Kα2, 1.5406 Å" in facts
    assert "5.02–150.00° 2θ" in facts
    assert "step 0.02°" in facts
    page.locator("#scan-preview canvas").wait_for()
    me.add_phases(*NAMES)
    me.choose(INSTRUMENT)
    me.picture("newcomer-setup")
    me.run()
    page.locator("#fractions").wait_for(timeout=SECONDS)
    page.locator("#fit canvas").first.wait_for()
    me.picture("newcomer-result")

    shown = shown_fractions(me)
    answered = me.ask(f"jobs/{me.job}")["results"][0]["analysis"]["phases"]
    assert shown == pytest.approx({p["name"]: p["weight_percent"] for p in answered}, abs=0.051)
    crystals = [load_phase(name) for name in NAMES]
    ours = analyze(read_scan(sample), crystals, load_instrument(INSTRUMENT))
    assert shown == pytest.approx(ours.fractions, abs=1.5)
    assert re.match(
        r"This sample is \d\d\.\d ± \d\.\d % fluorite, ", page.inner_text("#sentence").replace("\u00a0", " ")
    )
    assert "90 % intervals" in page.inner_text(".answer")
    expect(page).to_have_title(re.compile("CPD-1G"))

    name, report = download(me, "#get-report")
    assert name.endswith(".html")
    assert all(phase in report for phase in NAMES)
    name, text = download(me, "#get-json")
    assert json.loads(text)["file"] == "CPD-1G.xye"
    name, text = download(me, "#get-csv")
    assert [row["phase"] for row in csv.DictReader(io.StringIO(text))] == list(NAMES)
    with page.expect_download() as waiting:
        page.click("text=Plot (PNG)")
    assert waiting.value.suggested_filename.endswith(".png")

    page.reload()  # the address holds the job
    page.locator("#fractions").wait_for()
    assert shown_fractions(me) == shown


def test_the_fit_can_be_looked_into(visit: NewVisit, scan_file: Path) -> None:
    me = visit().open()
    me.add_scans(scan_file)
    me.add_phases("fluorite", "halite")
    me.choose()
    me.run()
    page = me.page
    page.locator("#fit canvas").first.wait_for(timeout=SECONDS)
    readout = page.locator(".readout")
    whole = readout.inner_text()
    assert whole.startswith("shown: 24.")

    page.locator("#fit").focus()
    page.keyboard.press("+")
    expect(readout).not_to_have_text(whole)
    near = readout.inner_text()
    page.keyboard.press("ArrowRight")
    expect(readout).not_to_have_text(near)
    page.keyboard.press("0")
    expect(readout).to_have_text(whole)

    box = page.locator("#fit .u-over").first.bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.25, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, y, steps=4)
    page.mouse.up()
    assert "measured" in readout.inner_text()  # the cursor is in the plot
    page.mouse.wheel(0, -300)
    page.mouse.move(5, 5)
    expect(readout).to_contain_text("shown")
    low, high = map(float, re.findall(r"[\d.]+(?=[–°])", readout.inner_text()))
    assert 31 < low < high < 44
    page.click("text=Show all")
    expect(readout).to_have_text(whole)

    before = page.locator("#fit").screenshot()
    toggle = page.locator(".fit .toggle", has_text="halite")
    toggle.click()
    expect(toggle).to_have_attribute("aria-pressed", "false")
    hidden = page.locator("#fit").screenshot()
    assert hidden != before
    page.click("text=Scale: square root")
    expect(page.locator("text=Scale: linear")).to_be_visible()
    assert page.locator("#fit").screenshot() != hidden


def test_a_missing_phase_is_suggested_and_added(visit: NewVisit, scan_file: Path) -> None:
    me = visit().open()
    me.add_scans(scan_file)
    me.add_phases("fluorite", "corundum")
    me.choose()
    me.run()
    page = me.page
    doubt = page.locator("[data-code=UNEXPLAINED_LINES]")
    doubt.wait_for(timeout=SECONDS)
    sentence = page.inner_text("#sentence")
    assert sentence.startswith("No statement possible, because") and "candidates do not explain" in sentence
    doubt.locator("summary").click()
    expect(doubt).to_contain_text("Add the missing phase and analyse again.")
    me.picture("missing-phase")
    doubt.locator("button", has_text="Add halite").click()
    expect(page.locator("#phase-chosen .chip")).to_have_count(3)
    expect(page.locator("#run-summary")).to_contain_text("Ready: 1 scan, 3 phases")
    assert page.is_checked("#method-refine")
    assert page.is_checked("#instrument-lab-cu")


def test_several_scans_are_compared(visit: NewVisit, scan_file: Path, tmp_path: Path) -> None:
    # The second is the first with other counts, so that the file is another one.
    other = tmp_path / "later.xy"
    lines = scan_file.read_text(encoding="utf-8").splitlines()
    other.write_text(
        "\n".join(
            line if line.startswith("#") else f"{line.split()[0]} {float(line.split()[1]) + 1}"
            for line in lines
        )
    )
    me = visit().open()
    me.add_scans(scan_file, other)
    me.add_phases("fluorite", "halite")
    me.choose()
    me.run()
    page = me.page
    me.until_state("done")
    expect(page.locator("#comparison tbody tr")).to_have_count(2)
    page.locator("[aria-label^='Weight percent'] canvas").wait_for()
    page.locator("[aria-label='Measured curves of the chosen scans'] canvas").wait_for()
    stacked = page.locator("[aria-label^='Measured curves']").screenshot()
    page.click("text=View: stacked")
    wait_for(lambda: page.locator("[aria-label^='Measured curves']").screenshot() != stacked)
    me.picture("comparison")
    page.click("#comparison button:has-text('later.xy')")
    page.locator("#sentence").wait_for()
    assert page.url.endswith("&scan=1")
    page.go_back()
    page.locator("#comparison").wait_for()
    page.select_option("#pick", "0")
    page.locator("#fractions").wait_for()
    _, text = download(me, "#get-json")
    assert [one["file"] for one in json.loads(text)] == ["mixture.xy", "later.xy"]


def test_the_example_needs_no_file(visit: NewVisit) -> None:
    me = visit().open()
    me.page.click("text=Take the example")
    expect(me.page.locator("#run-summary")).to_contain_text("Ready: 1 scan, 3 phases")
    expect(me.page.locator("#run-start")).to_be_focused()
    me.page.reload()  # what is chosen stays
    expect(me.page.locator("#run-summary")).to_contain_text("Ready: 1 scan, 3 phases")
    me.page.locator("#scan-preview canvas").wait_for()
    me.page.click("#run-clear")
    expect(me.page.locator("#run-summary")).to_contain_text("Still to do")


def test_an_instrument_is_calibrated(visit: NewVisit, pure_scan: Path) -> None:
    me = visit().open()
    page = me.page
    page.click("#calibration > summary")
    page.set_input_files("#calibration-form input[type=file]", str(pure_scan))
    expect(page.locator("#standard-scan")).to_have_text("fluorite.xy")
    page.select_option("#standard-phase", "fluorite")
    page.fill("#standard-name", "ours <b> & good")
    page.click("#calibrate")
    page.locator("#calibration-state .good").wait_for(timeout=SECONDS)
    chosen = page.locator("#instrument-choices .choice.chosen")
    expect(chosen).to_contain_text("ours <b> & good")
    page.click("#jobs a:has-text('calibrated on fluorite')")
    page.locator("#fit canvas").first.wait_for()
    expect(page.locator("text=noise alone")).to_be_visible()
    _, text = download(me, "text=Instrument file (TOML)")
    assert "goniometer_radius_mm" in text


@pytest.fixture
def trainer(tmp_path: Path) -> Iterator[Served]:
    """A server whose trainings last long enough to be cancelled."""
    with serving(tmp_path, steps=STEPS) as server:
        yield server


@pytest.mark.slow
def test_training_is_watched_cancelled_and_taken_up(
    visit: NewVisit, trainer: Served, scan_file: Path
) -> None:
    me = visit(trainer.address).open()
    me.add_scans(scan_file)
    me.add_phases("fluorite", "halite")
    me.choose(method="both")
    me.run()
    page = me.page
    page.locator("figure.loss canvas").wait_for(timeout=SECONDS)
    expect(page.locator("#progress-line")).to_contain_text(f"of {STEPS}")
    expect(page.locator("#progress-line")).to_contain_text("left")
    me.picture("training")
    page.click("#job-head >> text=Cancel")
    me.until_state("cancelled")
    expect(page.locator("#job-error")).to_contain_text("Cancelled")
    page.click("text=Start again")
    page.locator("#fractions").wait_for(timeout=2 * SECONDS)
    heads = page.locator("#fractions thead").inner_text()
    assert "network, wt%" in heads
    assert "refined, wt%" in heads
