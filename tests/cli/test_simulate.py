"""`mixrd simulate`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from mixrd.pattern import Correction, Quantity, register_correction, remove_correction
from mixrd.scan import read_scan


def test_writes_scan_and_truth(scan_file: Path) -> None:
    scan = read_scan(scan_file)
    assert scan.two_theta[[0, -1]] == pytest.approx([24, 62])
    truth = json.loads(scan_file.with_suffix(".truth.json").read_text(encoding="utf-8"))
    assert truth["weight_percent"] == pytest.approx({"fluorite": 60, "halite": 40})
    assert truth["seed"] == 0


def test_same_seed_same_scan_other_seed_another(run) -> None:
    for name, seed in (("a.xy", "1"), ("b.xy", "1"), ("c.xy", "2")):
        arguments = ("--instrument", "lab-cu", "--range", "45", "50", "--seed", seed, "-o", name)
        assert run("simulate", "fluorite:1", *arguments).code == 0
    a, b, c = (Path(name).read_text(encoding="utf-8") for name in ("a.xy", "b.xy", "c.xy"))
    assert a == b
    assert a != c


def test_kind_of_fraction_is_converted(run) -> None:
    arguments = ("--radiation", "CoKa", "--range", "30", "40", "-o", "a.xy")
    assert run("simulate", "fluorite:1", "halite:1", "--kind", "mole", *arguments).code == 0
    truth = json.loads(Path("a.truth.json").read_text(encoding="utf-8"))
    # CaF2 78.07 g/mol, NaCl 58.44 g/mol
    assert truth["weight_percent"]["fluorite"] == pytest.approx(100 * 78.07 / (78.07 + 58.44), abs=0.05)


@pytest.mark.parametrize("existing", ["a.xy", "a.truth.json"])
def test_nothing_is_overwritten_without_force(run, existing: str) -> None:
    Path(existing).write_text("mine", encoding="utf-8")
    arguments = ("simulate", "fluorite:1", "--instrument", "lab-cu", "--range", "45", "50", "-o", "a.xy")
    refused = run(*arguments)
    assert refused.code == 2
    assert existing in refused.err and "--force" in refused.err
    assert Path(existing).read_text(encoding="utf-8") == "mine"
    assert run(*arguments, "--force").code == 0
    assert Path(existing).read_text(encoding="utf-8") != "mine"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fluorite", "--instrument", "lab-cu"], "corundum:30"),
        (["fluorite:much", "--instrument", "lab-cu"], "corundum:30"),
        ([":3", "--instrument", "lab-cu"], "corundum:30"),
        (["fluorite:-1", "--instrument", "lab-cu"], "negative"),
        (["fluorite:1", "fluorite:2", "--instrument", "lab-cu"], "same structure"),
        (["flourite:1", "--instrument", "lab-cu"], "fluorite"),
        (["fluorite:1"], "--instrument"),
        (["fluorite:1", "--monochromator", "26.6"], "--radiation"),
        (["fluorite:1", "--instrument", "lab-cu", "--radiation", "CuKa"], "exclude"),
        (["fluorite:1", "--instrument", "lab-cu", "--peak-counts", "-3"], "peak_counts"),
        (["fluorite:1", "--radiation", "XyKa"], "CuKa"),
        (["fluorite:1", "--radiation", "0.41", "--kbeta", "0.01"], "known tube"),
        (["fluorite:1", "--instrument", "lab-cu", "--kbeta", "2"], "0 to 0.5"),
        (["fluorite:1", "--instrument", "lab-cu", "--time", "soon"], "500ms"),
        (["fluorite:1", "--instrument", "lab-cu", "--time", "1parsec"], "500ms"),
        (["fluorite:1", "--instrument", "lab-cu", "--time", "0"], "seconds_per_step"),
        (["fluorite:1", "--instrument", "lab-cu", "--texture", "fluorite:111"], "calcite:104:0.8"),
        (["fluorite:1", "--instrument", "lab-cu", "--texture", "fluorite:11:0.8"], "calcite:104:0.8"),
        (["fluorite:1", "--instrument", "lab-cu", "--texture", "flourite:111:0.8"], "fluorite"),
        (["fluorite:1", "--instrument", "lab-cu", "--aspect", "fluorite:001"], "zincite:001:3"),
        (["fluorite:1", "--instrument", "lab-cu", "--aspect", "quartz:001:2"], "not in the sample"),
        (["fluorite:1", "--instrument", "lab-cu", "--roughness", "0.3"], "0.3:0.05"),
        (["fluorite:1", "--instrument", "lab-cu", "--size", "big"], "zincite:20nm"),
        (["fluorite:1", "--instrument", "lab-cu", "--size", "20", "30"], "twice for all phases"),
        (
            ["fluorite:1", "--instrument", "lab-cu", "--size", "fluorite:20", "fluorite:30"],
            "twice for fluorite",
        ),
        (["fluorite:1", "--instrument", "lab-cu", "--size", "fluorite:1"], "size_nm of fluorite"),
        (["fluorite:1", "--instrument", "lab-cu", "--particle-size", "1kg"], "10um"),
        (["fluorite:1", "--instrument", "lab-cu", "--dead-time", "2s"], "2us"),
    ],
)
def test_wrong_input_is_exit_2(run, arguments: list[str], said: str) -> None:
    shown = run("simulate", *arguments, "-o", "a.xy")
    assert shown.code == 2
    assert said in shown.err
    assert "Traceback" not in shown.err
    assert list(Path().iterdir()) == []


def test_folder_that_is_not_there_is_exit_2(run) -> None:
    shown = run("simulate", "fluorite:1", "--instrument", "lab-cu", "--range", "45", "50", "-o", "no/a.xy")
    assert shown.code == 2
    assert "cannot be written" in shown.err


def test_every_effect_is_taken_and_written_down(run) -> None:
    arguments = (
        "--instrument", "lab-cu", "--range", "20", "60", "--time", "500ms", "--texture", "zincite:002:0.8",
        "--size", "zincite:20", "80nm", "--aspect", "zincite:001:0.5", "--microstrain", "0.001",
        "--roughness", "0.3:0.05", "--mu-t", "2", "--particle-size", "10um", "--impurities", "3",
        "--spikes", "2", "--dead-time", "2us", "--kbeta", "0.01", "--tungsten", "0.005", "--transparency",
        "--packing", "0.5", "--hump-counts", "100", "--fluorescence-counts", "20", "--saturation", "9000",
        "--graininess", "0.03", "--zero", "0.02", "--displacement", "0.1", "--overspill", "0.2",
    )  # fmt: skip
    assert run("simulate", "corundum:50", "zincite:50", *arguments, "-o", "a.xy").code == 0
    truth = json.loads(Path("a.truth.json").read_text(encoding="utf-8"))
    corundum, zincite = truth["phases"]["corundum"], truth["phases"]["zincite"]
    assert [p["crystallite_size_nm"] for p in (corundum, zincite)] == pytest.approx([80, 20])
    assert (zincite["size_axis_hkl"], zincite["size_across_over_along_axis"]) == ([0, 0, 1], 0.5)
    assert (zincite["texture_axis_hkl"], zincite["march_dollase_r"]) == ([0, 0, 2], 0.8)
    assert corundum["microstrain"] == 0.001 and corundum["microabsorption_factor"] > 1.03
    expected = {
        "seconds_per_step": 0.5, "roughness_share": 0.3, "roughness_optical_depth": 0.05, "mu_t": 2.0,
        "dead_time_us": 2.0, "kbeta_over_kalpha1": 0.01, "tungsten_lalpha1_over_kalpha1": 0.005,
        "packing_fraction": 0.5, "fluorescence_counts_per_second": 20.0, "graininess": 0.03,
        "saturation_counts_per_second": 9000.0, "zero_deg": 0.02, "displacement_mm": 0.1, "overspill": 0.2,
    }  # fmt: skip
    assert {key: truth[key] for key in expected} == expected
    assert (len(truth["impurities"]), len(truth["spikes"]), len(truth["hump"])) == (3, 2, 1)
    assert truth["penetration_mm"] > 0
    scan = read_scan("a.xy")
    assert scan.counting_time_s == 0.5
    assert scan.counts.max() == 4500


def test_the_old_name_of_the_size_holds(run) -> None:
    arguments = ("--instrument", "lab-cu", "--range", "45", "50", "--size-nm", "40", "-o", "a.xy")
    assert run("simulate", "fluorite:1", *arguments).code == 0
    truth = json.loads(Path("a.truth.json").read_text(encoding="utf-8"))
    assert truth["phases"]["fluorite"]["crystallite_size_nm"] == pytest.approx(40)


def test_help_is_grouped_and_says_units(run) -> None:
    shown = run("simulate", "--help")
    assert shown.code == 0
    for word in ("Sample", "Beam", "Counting", "--time", "in s", "in um", "in nm", "in mm", "degrees"):
        assert word in shown.out


def test_corrections_that_others_add_are_given_by_name(run) -> None:
    quantity = Quantity("film_depth", "optical depth of the film", "dimensionless", 0.0, 2.0)
    film = Correction((quantity,), lambda theta, _, depth: torch.exp(-depth * (1 / torch.sin(theta) - 1)))
    arguments = ("simulate", "fluorite:1", "--instrument", "lab-cu", "--range", "45", "50")
    unknown = run(*arguments, "-o", "a.xy", "--correction", "film_depth:0.1")
    assert unknown.code == 2 and "no correction film_depth = 0.1" in unknown.err
    register_correction(film)
    try:
        assert run(*arguments, "-o", "a.xy", "--correction", "film_depth:0.1").code == 0
        twice = run(*arguments, "-o", "b.xy", "--correction", "film_depth:0.1", "film_depth:0.2")
        assert twice.code == 2 and "twice for film_depth" in twice.err
    finally:
        remove_correction(film)
    assert json.loads(Path("a.truth.json").read_text(encoding="utf-8"))["film_depth"] == 0.1
