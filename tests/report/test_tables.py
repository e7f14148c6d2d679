"""What the tables say."""

from __future__ import annotations

import dataclasses

from rich.console import Console

from mixrd.analysis import Analysis
from mixrd.report.tables import analysis_lines, analysis_table, batch_table, truth_table


def _text(*parts: object) -> str:
    console = Console(width=200, markup=False, color_system=None)
    with console.capture() as captured:
        for part in parts:
            console.print(part)
    return captured.get()


def test_answer_uncertainty_network_cell_and_size(make_analysis) -> None:
    head, _, first, second, *_ = _text(analysis_table(make_analysis())).splitlines()
    assert head.split() == ["phase", "wt%", "network", "cell", "size", "(nm)"]
    assert first.split() == [
        "phase-0",
        "33.33",
        "±",
        "0.12",
        "34.83",
        "a",
        "4.7592",
        "c",
        "12.9925",
        "Å",
        "152",
    ]
    assert second.endswith("no broadening")


def test_refinement_that_is_not_the_answer_is_shown_beside_it(make_analysis) -> None:
    analysis = make_analysis(2)
    phases = tuple(
        dataclasses.replace(p, weight_percent=p.network_percent, sigma_percent=None, refined_percent=77.77)
        for p in analysis.phases
    )
    text = _text(analysis_table(dataclasses.replace(analysis, phases=phases)))
    assert "refined" in text and "77.77" in text


def test_network_alone_has_one_column_of_numbers(make_analysis) -> None:
    analysis = make_analysis(2, r_wp=None, r_exp=None, zero_deg=None, displacement_mm=None, curves=None)
    phases = tuple(
        dataclasses.replace(p, refined_percent=None, sigma_percent=None, cell=None, crystallite_size_nm=None)
        for p in analysis.phases
    )
    analysis = dataclasses.replace(analysis, phases=phases)
    assert _text(analysis_table(analysis)).splitlines()[0].split() == ["phase", "wt%"]
    assert "not refined" in _text(*analysis_lines(analysis))


def test_agreement_and_warnings_stand_below(make_analysis) -> None:
    text = _text(*analysis_lines(make_analysis()))
    assert "R_wp 9.12 % (expected 7.76 %)" in text
    assert "POOR_FIT: the fit misses more than noise" in text


def test_batch_says_why_a_scan_failed(make_analysis, failed_analysis: Analysis) -> None:
    text = _text(batch_table([("good", make_analysis(2)), ("[bad].xy", failed_analysis)]))
    good, bad = text.splitlines()[2:4]
    assert good.split()[:4] == ["good", "50.00", "±", "0.12"] and "POOR_FIT" in good
    assert bad.startswith("[bad].xy") and "no data. Export it again" in bad


def test_truth_beside_the_result(make_analysis) -> None:
    text = _text(truth_table(make_analysis(2), {"phase-0": 49.5, "phase-1": 50.5}))
    assert "49.50" in text and "50.00 ± 0.12" in text
