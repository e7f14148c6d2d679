"""`mixrd phases` and `mixrd instruments`."""

from __future__ import annotations

import dataclasses
import json

import pytest

from mixrd.pattern import load_instrument, preset_names
from mixrd.phases import catalog_names


def test_lists_every_phase(run) -> None:
    shown = run("phases")
    assert shown.code == 0
    listed = {line.split()[0] for line in shown.out.splitlines() if line.strip()}
    assert set(catalog_names()) <= listed


def test_search_finds_by_formula_and_by_other_name(run) -> None:
    assert "corundum" in run("phases", "Al2O3").out
    found = run("phases", "fluorite").out
    assert "CaF2" in found and "corundum" not in found


def test_search_without_result_is_an_error(run) -> None:
    shown = run("phases", "unobtainium")
    assert shown.code == 2
    assert "unobtainium" in shown.err


def test_json_has_what_a_script_needs(run) -> None:
    (entry,) = json.loads(run("phases", "corundum", "--json").out)
    assert entry["name"] == "corundum"
    assert entry["cell"] == pytest.approx([4.76, 4.76, 12.99, 90, 90, 120], rel=2e-3)
    assert entry["density_g_cm3"] == pytest.approx(3.98, rel=0.01)
    assert entry["source"]


def test_check_counts_what_passes(run) -> None:
    shown = run("phases", "fluorite", "--check")
    assert shown.code == 0
    assert "1 of 1 entries pass" in shown.out


def test_check_that_fails_is_exit_1_and_says_why(run, monkeypatch: pytest.MonkeyPatch) -> None:
    from mixrd.experiments import catalog_check

    whole = catalog_check.check_entry

    def spoiled(entry):
        return dataclasses.replace(whole(entry), passed=False, reasons=("density 1.0 g/cm3, second 2.0",))

    monkeypatch.setattr(catalog_check, "check_entry", spoiled)
    shown = run("phases", "fluorite", "--check")
    assert shown.code == 1
    assert "0 of 1 entries pass" in shown.out
    assert "density 1.0 g/cm3" in shown.out


def test_i_over_ic_of_every_phase(run) -> None:
    found = {line["name"]: line for line in json.loads(run("phases", "--i-over-ic", "--json").out)}
    assert set(found) == set(catalog_names())
    # Calculated elsewhere from modern structures with the same physics: 5.4 and 3.65.
    assert found["zincite"]["i_over_ic"] == pytest.approx(5.4, rel=0.02)
    assert found["rutile"]["i_over_ic"] == pytest.approx(3.65, rel=0.02)
    # By definition, but that (116) is within some percent as strong as (113).
    assert found["corundum"]["i_over_ic"] == pytest.approx(1.0, abs=0.03)
    assert found["zincite"]["two_theta"] == pytest.approx(36.25, abs=0.05)
    # From light molecular solids to tungsten.
    assert all(0.3 < line["i_over_ic"] < 40 for line in found.values())


def test_i_over_ic_as_a_table(run) -> None:
    shown = run("phases", "fluorite", "--i-over-ic")
    assert shown.code == 0
    (row,) = [line for line in shown.out.splitlines() if line.startswith("fluorite")]
    assert "1.931" in row and "4.05" in row
    assert "corundum (113)" in shown.out


def test_instruments_lists_the_presets(run) -> None:
    shown = run("instruments")
    assert shown.code == 0
    assert all(name in shown.out for name in preset_names())


def test_shown_instrument_can_be_used_as_a_file(run, tmp_path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(run("instruments", "--show", "lab-cu").out, encoding="utf-8")
    assert load_instrument(file) == load_instrument("lab-cu")


def test_unknown_instrument_names_the_presets(run) -> None:
    shown = run("instruments", "--show", "lab-xx")
    assert shown.code == 2
    assert "lab-cu" in shown.err


def test_instruments_as_json(run) -> None:
    listed = json.loads(run("instruments", "--json").out)
    assert "lab-cu" in [preset["preset"] for preset in listed]
    one = json.loads(run("instruments", "--show", "lab-cu", "--json").out)
    assert {"preset": "lab-cu", **one} in listed
