"""What the ways out say where no amounts are stated, and how they write numbers."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from unstated import AMOUNTS, REASON, without_amounts

from mixrd.analysis import AbsoluteResult, Analysis, AnalysisWarning, Statement, UnexplainedResult
from mixrd.analysis.result.second_opinion import SecondOpinion
from mixrd.report.files import write_batch, write_result
from mixrd.report.html import analysis_report
from mixrd.report.notebook import analysis_html, series_html
from mixrd.report.numbers import amount_text, counted, two_digits
from mixrd.report.plot_title import analysis_title
from mixrd.report.sentences import headline, methods, trust
from mixrd.report.series import Series
from mixrd.report.series_figure import series_figure, states
from mixrd.report.tables import analysis_lines, analysis_table, batch_table, statement_lines, truth_table

NONE = f"no statement possible, because {REASON}"
ALONE = "one candidate alone: whether it is there, not how much"
LINES = ({"two_theta_deg": 30.0, "d_spacing_angstrom": 3.0, "area_share": 0.1, "remark": ""},)

Make = Callable[..., Analysis]


@pytest.fixture
def refused(make_analysis: Make) -> Analysis:
    """Three phases, with everything that a result can hold besides amounts."""
    whole = AbsoluteResult("internal standard", {"phase-0": 100.0}, {"phase-0": 0.1}, 0.0, 0.1)
    opinion = SecondOpinion("rietx", "1", {"phase-0": 100.0}, {}, {"phase-0": 0.0}, 0.1, 1.0)
    return without_amounts(
        make_analysis(
            3,
            absolute=whole,
            second_opinion=opinion,
            unexplained=UnexplainedResult(0.83, LINES, ("zincite",)),
        ),
        "none",
    )


@pytest.fixture
def alone(make_analysis: Make) -> Analysis:
    return without_amounts(make_analysis(1, warnings=()), "presence", reason="")


def shown(*parts: object) -> str:
    console = Console(width=200, markup=False, color_system=None)
    with console.capture() as captured:
        for part in parts:
            console.print(part)
    return captured.get()


def words(page: str) -> str:
    """What a reader of a page sees."""
    seen = re.sub(r"<style.*?</style>|<script.*?</script>", " ", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", seen).split())


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (Statement(), ""),
        (Statement("none", f"{REASON}."), NONE),
        (Statement("none"), "no statement possible"),
        (Statement("presence"), ALONE),
        (Statement("presence", REASON), f"{ALONE}; {REASON}"),
    ],
)
def test_the_sentence(statement: Statement, sentence: str) -> None:
    assert statement.sentence == sentence


def test_terminal_says_why_and_no_amount(refused: Analysis) -> None:
    above, table = shown(*statement_lines(refused)), shown(analysis_table(refused))
    below = shown(*analysis_lines(refused))
    assert above.strip() == NONE
    assert "phase-0" in table and "4.7592" in table
    assert "R_wp 9.12 %" in below and "POOR_FIT" in below
    assert not [word for word in AMOUNTS if word in table + below]
    assert not [word for word in AMOUNTS if word in shown(truth_table(refused, {}))[60:]]


@pytest.mark.parametrize(("detected", "word"), [(True, "there"), (False, "not found"), (None, "not tested")])
def test_terminal_says_whether_it_is_there(make_analysis: Make, detected: bool | None, word: str) -> None:
    found = without_amounts(make_analysis(1), "presence", detected=detected)
    assert shown(*statement_lines(found)).strip() == f"{ALONE}; {REASON}"
    head, _, row = shown(analysis_table(found)).splitlines()
    assert head.split()[:2] == ["phase", "presence"]
    assert row.startswith("phase-0") and word in row and "<" not in row
    assert not [part for part in AMOUNTS if part in head + row]


def test_several_scans_in_one_table(refused: Analysis, alone: Analysis, make_analysis: Make) -> None:
    text = shown(batch_table([("bad", refused), ("one", alone), ("good", make_analysis(3))]))
    bad, one, good = text.splitlines()[2:5]
    assert f"{NONE}; POOR_FIT" in bad and "33.3" not in bad
    assert one.split()[:2] == ["one", "there"] and ALONE in one
    assert "33.33 ± 0.12" in good and "statement" not in good


def test_csv_holds_the_statement_and_no_number(refused: Analysis, alone: Analysis, tmp_path: Path) -> None:
    write_batch([("bad", refused), ("one", alone)], tmp_path)
    with (tmp_path / "summary.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["statement"], row["reason"]) for row in rows] == [("none", REASON)] * 3 + [("presence", "")]
    assert rows[3]["detected"] == "True"
    for row in rows:
        assert not [key for key in row if key.endswith("_percent") and row[key]]


def test_json_holds_the_statement_and_no_number(refused: Analysis, tmp_path: Path) -> None:
    write_result(refused, tmp_path, name="bad")
    data = json.loads((tmp_path / "bad.json").read_text(encoding="utf-8"))
    assert data["statement"] == {"kind": "none", "reason": REASON}
    assert {phase["weight_percent"] for phase in data["phases"]} == {None}
    again = Analysis.from_json(tmp_path / "bad.json")
    assert again.statement == refused.statement and again.fractions == {}


def test_report_of_a_scan_that_is_refused(refused: Analysis) -> None:
    text = words(analysis_report([("a", refused)]))
    assert f"No statement possible, because {REASON}." in text
    assert "No amounts are stated." in text
    assert "Lines that no phase explains (83 %" in text and "a = 4.7592" in text
    assert "rietx was not asked" in text
    assert not [word for word in (*AMOUNTS, "detected from", "about 100 %", "add up to") if word in text]


def test_report_of_one_candidate(alone: Analysis) -> None:
    text = words(analysis_report([("a", alone)]))
    assert f"phase-0: there. {ALONE.capitalize()}." in text
    assert "Whether it is there, not how much" in text
    assert "explain the scan" not in text
    assert not [word for word in (*AMOUNTS, "detected from", "about 100 %", "add up to") if word in text]


def test_report_of_a_batch(refused: Analysis, alone: Analysis, make_analysis: Make) -> None:
    text = words(analysis_report([("bad", refused), ("one", alone), ("good", make_analysis(3))]))
    assert "3 scans were analysed. Of 1 scan no amounts can be stated" in text
    assert NONE in text
    assert "phase-0 33.3 33.3 33.3 1" in text  # lowest, median, highest of the one scan that states it
    nothing = words(analysis_report([("bad", refused), ("one", alone)]))
    assert "All scans at a glance" not in nothing and "nan" not in nothing


def test_one_candidate_that_an_external_standard_weighs(alone: Analysis) -> None:
    whole = AbsoluteResult("external standard", {"phase-0": 61.2}, {"phase-0": 1.1}, 38.8, 1.1)
    weighed = dataclasses.replace(alone, absolute=whole)
    assert "the whole sample is about 61 % phase-0 and 39 % amorphous" in headline(weighed)
    assert "wt% of the whole sample (external standard): phase-0 61.2 ± 1.1" in shown(
        *analysis_lines(weighed)
    )


def test_headline_where_one_candidate_is_not_found(make_analysis: Make) -> None:
    warning = AnalysisWarning("NO_PHASE_FOUND", "nothing stands out")
    missed = without_amounts(make_analysis(1, warnings=(warning,)), "presence", detected=False)
    assert headline(missed).startswith("phase-0: not found. One candidate alone")
    wrong = AnalysisWarning("WRONG_WAVELENGTH", "another tube")
    assert "cannot be used" in headline(dataclasses.replace(missed, warnings=(wrong,)))


def test_plot_says_it_too(refused: Analysis, alone: Analysis, make_analysis: Make) -> None:
    assert analysis_title(refused).splitlines()[1] == NONE
    assert analysis_title(alone).splitlines()[1] == "phase-0: there"
    assert analysis_title(make_analysis(1)).splitlines()[1] == "phase-0 100.00 ± 0.12 wt%"
    long = without_amounts(make_analysis(1), "none", reason="of many things " * 20)
    assert max(map(len, analysis_title(long).splitlines()[1:])) <= 96


def test_notebook(refused: Analysis, alone: Analysis) -> None:
    assert NONE in analysis_html(refused)
    assert not [word for word in AMOUNTS if word in words(analysis_html(refused))]
    assert "presence" in analysis_html(alone) and "there" in analysis_html(alone)
    together = series_html([("bad", refused), ("one", alone)])
    assert NONE in together and "1 unstated" in together


def test_tables_of_pandas_and_xarray(refused: Analysis, alone: Analysis) -> None:
    pytest.importorskip("pandas")
    pytest.importorskip("xarray")
    series = Series([refused, alone], ["bad", "one"])
    table = series.to_dataframe()
    assert list(table["statement"]) == ["none"] * 3 + ["presence"]
    assert table["weight_percent"].isna().all() and table["detected"].all()
    data = series.to_xarray(curves=False)
    assert list(data["statement"].values) == ["none", "presence"]
    assert bool(np.isnan(data["weight_percent"]).all())
    assert refused.to_dataframe()["reason"].iloc[0] == REASON


def test_heat_map_without_amounts(refused: Analysis, alone: Analysis, make_analysis: Make) -> None:
    assert states([refused, alone, make_analysis(2)]).tolist() == [3, 0, 1]
    nothing = series_figure([("bad", refused), ("one", alone)])
    assert [text.get_text() for text in nothing.axes[1].texts] == ["no amounts are stated"]
    labels = [text.get_text() for text in nothing.axes[0].get_legend().get_texts()]
    assert "1 no statement" in labels
    some = series_figure([("bad", refused), ("good", make_analysis(3))])
    assert len(some.axes[1].images) == 1


def test_methods_of_a_scan_that_is_refused(refused: Analysis) -> None:
    text = methods(dataclasses.replace(refused, interval_level=0.9))
    assert text.startswith("The scan was analysed with mixrd 0")
    assert "Intervals" not in text and "Contents of" not in text


@pytest.mark.parametrize(
    ("changes", "level", "said"),
    [
        ({}, "good", "the phases that were named explain the scan"),
        ({"warnings": (AnalysisWarning("NO_HEADER", "none"),)}, "good", "only the remarks below"),
        ({"unexplained": UnexplainedResult(0.02, (), ())}, "doubt", "2.0 % of the counts are in lines"),
        ({"unexplained": UnexplainedResult(0.001, (), ())}, "good", "explain the scan"),
        ({"r_wp": 0.36, "r_exp": 0.08}, "doubt", "R_wp = 36.0 %"),
        ({"r_wp": 0.36, "r_exp": 0.35}, "good", "explain the scan"),
    ],
)
def test_phases_explain_the_scan_only_where_they_do(
    make_analysis: Make, changes: dict[str, object], level: str, said: str
) -> None:
    found = trust(make_analysis(**{"warnings": (), **changes}))
    assert found[0] == level and said in found[1]


def test_a_refused_scan_explains_nothing(refused: Analysis) -> None:
    assert trust(dataclasses.replace(refused, warnings=()))[0] == "stop"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.00312, "0.0031"),
        (0.744, "0.74"),
        (0.999, "1.0"),
        (1.96, "2.0"),
        (9.96, "10"),
        (12.4, "12"),
        (99.6, "100"),
        (100.0, "100"),
        (264.0, "260"),
    ],
)
def test_two_digits_never_in_powers_of_ten(value: float, text: str) -> None:
    assert two_digits(value) == text


def test_numbers_of_things() -> None:
    assert [counted(n, "phase") for n in (0, 1, 2)] == ["0 phases", "1 phase", "2 phases"]


def test_limit_of_a_hundred(make_analysis: Make) -> None:
    phase = dataclasses.replace(make_analysis(1).phases[0], detected=False, detection_limit_percent=100.0)
    assert amount_text(phase, Statement()) == "< 100"
