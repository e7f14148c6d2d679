"""`mixrd bound` and `mixrd plan`."""

from __future__ import annotations

import json

import pytest

MIXTURE = ("fluorite:60", "halite:40")
WHERE = ("--instrument", "lab-cu", "--range", "24", "62")


def test_bound_table_names_phases_and_distance(run) -> None:
    shown = run("bound", *MIXTURE, *WHERE)
    assert shown.code == 0
    assert "detection limit" in shown.out
    rows = [line.split()[5:7] for line in shown.out.splitlines()[2:4]]
    assert rows == [["fluorite", "60"], ["halite", "40"]]
    assert "mean total variation distance" in shown.out


def test_options_reach_the_bound(run) -> None:
    def sigma(*options: str) -> float:
        found = json.loads(run("bound", *MIXTURE, *WHERE, "--json", *options).out)
        assert found["schema"] == 1
        return float(found["phases"][0]["sigma_percent"])

    usual = sigma()
    assert sigma("--time", "1min") == pytest.approx(usual / 60**0.5, rel=0.05)
    assert sigma("--peak-counts", "1000") > 2 * usual
    assert sigma("--background-counts", "5000") > 1.2 * usual
    assert sigma("--size-nm", "5") > 1.2 * usual
    # Lines as high but broader hold more counts.
    assert sigma("--microstrain", "0.005") < 0.9 * usual
    moles = json.loads(run("bound", *MIXTURE, *WHERE, "--json", "--kind", "mole").out)
    assert moles["phases"][0]["weight_percent"] > 60, "a mole of fluorite is heavier"


def test_plan_of_times_and_ranges(run) -> None:
    shown = run(
        "plan", *MIXTURE, "--instrument", "lab-cu", "--time", "1s", "500ms", "--range", "24", "62",
        "--range", "24", "40", "--want", "0.2", "--json",
    )  # fmt: skip
    assert shown.code == 0
    found = json.loads(shown.out)
    asked = [(scan["two_theta_range"], scan["seconds_per_step"]) for scan in found["scans"]]
    assert asked == [([24, 62], 1), ([24, 62], 0.5), ([24, 40], 1), ([24, 40], 0.5)]
    assert {tuple(scan["two_theta_range"]) for scan in found["reached"]} == {(24, 62), (24, 40)}
    assert all(phase["sigma_percent"] <= 0.2 for scan in found["reached"] for phase in scan["phases"])


def test_plan_in_words(run) -> None:
    shown = run("plan", "--phases", "fluorite", "halite", *WHERE, "--want", "0.2")
    assert shown.code == 0
    assert shown.out.count("50") >= 2
    assert "±0.2 wt% for every phase: 24-62° with" in shown.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("bound", "fluorite", *WHERE), "corundum:30"),
        (("bound", *MIXTURE), "no instrument"),
        (("bound", *MIXTURE, *WHERE, "--time", "soon"), "--time"),
        (("bound", *MIXTURE, *WHERE, "--peak-counts", "0"), "peak_counts"),
        (("plan", *WHERE), "no phases"),
        (("plan", *MIXTURE, "--phases", "quartz", *WHERE), "--phases"),
        (("plan", *MIXTURE, *WHERE, "--want", "0"), "want"),
        (("plan", *MIXTURE, "--instrument", "lab-cu", "--range", "60", "20"), "does not rise"),
    ],
)
def test_wrong_use(run, arguments: tuple[str, ...], said: str) -> None:
    shown = run(*arguments)
    assert shown.code == 2
    assert shown.err.startswith("error: ")
    assert said in shown.err
