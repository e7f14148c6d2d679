"""What can be said on the page beside the scans: of the sample, and a trained network."""

from __future__ import annotations

import dataclasses
from importlib.resources import files
from pathlib import Path

from page_browser import SECONDS, NewVisit
from playwright.sync_api import expect

from mixrd.scan import read_scan, write_scan


def test_grinding_and_an_external_standard(
    visit: NewVisit, scan_file: Path, pure_scan: Path, tmp_path: Path
) -> None:
    # As if the standard had been counted four times as long as now: most of the sample is glass.
    bright, pure = tmp_path / "bright.xy", read_scan(pure_scan)
    write_scan(dataclasses.replace(pure, counts=4 * pure.counts), bright)
    me = visit().open()
    page = me.page
    me.add_scans(scan_file)
    me.add_phases("fluorite", "halite")
    me.choose()
    page.select_option("#grinding", "by-hand")
    page.select_option("#external-standard", label="fluorite")
    expect(page.locator("#run-summary")).to_contain_text("drop the scan of the external standard")
    page.set_input_files(".drop-holder:has(#external-drop) input[type=file]", str(bright))
    expect(page.locator("#external-scan")).to_have_text("bright.xy")
    page.fill("#amorphous-formula", "SiO2")
    expect(page.locator("#options-summary")).to_contain_text("ground by hand (5–20 µm)")
    expect(page.locator("#options-summary")).to_contain_text(
        "fluorite as external standard, amorphous part SiO2"
    )
    page.fill("#particle-size", "3")
    expect(page.locator("#grinding")).to_be_disabled()
    page.fill("#particle-size", "")
    page.fill("#exclude", "44")
    expect(page.locator("#run-summary")).to_contain_text("two angles")
    page.fill("#exclude", "44–44.5, 51-52")
    page.fill("#humps", "30:9")
    page.select_option("#second-opinion", "rietx")
    expect(page.locator("#options-summary")).to_contain_text("humps 30:9, second opinion by rietx")
    me.picture("options-sample")
    me.run()
    page.locator("#fractions").wait_for(timeout=SECONDS)
    expect(page.locator(".answer")).to_contain_text("Of the whole sample (external standard)")
    me.until_state("done")
    (result,) = me.ask(f"jobs/{me.job}")["results"]
    said = result["analysis"]["provenance"]["preparation"]
    assert said["grinding"] == "by-hand" and said["amorphous_formula"] == "SiO2"
    assert said["excluded_deg"] == [[44.0, 44.5], [51.0, 52.0]]

    page.click("text=Change and run again")
    expect(page.locator("#grinding")).to_have_value("by-hand")
    expect(page.locator("#exclude")).to_have_value("44-44.5 51-52")
    expect(page.locator("#humps")).to_have_value("30:9")
    expect(page.locator("#second-opinion")).to_have_value("rietx")
    expect(page.locator("#external-scan")).to_have_text("bright.xy")
    expect(page.locator("#amorphous-formula")).to_have_value("SiO2")
    page.select_option("#internal-standard", label="halite")
    page.fill("#internal-percent", "20")
    expect(page.locator("#run-summary")).to_contain_text("one standard only")


def test_a_trained_network_and_a_scan_of_what_is_amorphous(visit: NewVisit, tmp_path: Path) -> None:
    demo = Path(str(files("mixrd.experiments") / "demo"))
    glass = tmp_path / "glass.xy"
    rows = [f"{10 + 0.05 * i:.2f} {1000 + 10 * (i % 7) + 5 * min(i, 2400 - i)}" for i in range(2400)]
    glass.write_text("# wavelength 1.5406\n" + "\n".join(rows) + "\n", encoding="utf-8")
    me = visit().open()
    page = me.page
    me.add_scans(demo / "demo.xy")
    me.choose(method="network")
    page.set_input_files(".drop-holder:has(#network-drop) input[type=file]", str(tmp_path / "glass.xy"))
    expect(page.locator("#network-errors")).to_contain_text("glass.xy", timeout=SECONDS)
    assert len(me.complaints) == 1  # the browser notes the refusal
    me.complaints.clear()
    page.set_input_files(".drop-holder:has(#network-drop) input[type=file]", str(demo / "demo.mixrd"))
    expect(page.locator("#options-summary")).to_contain_text("network demo.mixrd", timeout=SECONDS)
    expect(page.locator("#run-summary")).to_contain_text("the network's phases")
    page.check("#method-refine")
    expect(page.locator("#run-summary")).to_contain_text("choose a method with the network")
    page.check("#method-both")
    page.set_input_files(".drop-holder:has(#glass-drop) input[type=file]", [str(glass)])
    expect(page.locator("#glasses")).to_contain_text("glass.xy")
    expect(page.locator("#options-summary")).to_contain_text("amorphous part glass.xy")
    me.picture("options-network")
    me.run()
    page.locator("#fractions").wait_for(timeout=SECONDS)
    me.until_state("done")
    (result,) = me.ask(f"jobs/{me.job}")["results"]
    assert list(result["analysis"]["hump_shares"]) == ["glass"]
    assert result["analysis"]["provenance"]["model_sha256"]

    page.click("text=Change and run again")
    expect(page.locator("#glasses")).to_contain_text("glass.xy")
    expect(page.locator("#network-file option:checked")).to_contain_text("demo.mixrd (")
    page.click("#glasses button")
    expect(page.locator("#glasses li")).to_have_count(0)
    page.select_option("#network-file", label="trained here")
    expect(page.locator("#run-summary")).to_contain_text("choose the phases")
