"""What a result may state: worthless fits state no number, lines outside the fitted range count."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mixrd.analysis import Analysis, Curves, analyze, generic_instrument
from mixrd.analysis.result.intervals import Quantities
from mixrd.analysis.result.parts import AnalysisWarning, Statement, UnexplainedResult
from mixrd.analysis.result.stating import (
    LEAST_EXPLAINED,
    MOST_UNEXPLAINED,
    explained_share,
    statement_of,
    without_amounts,
)
from mixrd.crystal import Crystal
from mixrd.fit.refinement import LEAST_TOTAL_SIGNIFICANCE, Refinement
from mixrd.pattern import ForwardModel
from mixrd.phases import load_phase
from mixrd.scan import Scan, read_scan
from mixrd.warning_texts import warning_texts

PAIR = ("corundum", "zincite")
REFUSING = [(code, text.refuses) for code, text in warning_texts().items() if text.refuses]


def refinement(significance: float) -> Refinement:
    fields = {field.name: np.zeros(2) for field in dataclasses.fields(Refinement)}
    return Refinement(**{**fields, "significance": significance})


def amounts(*detected: bool) -> Quantities:
    one = np.ones(len(detected))
    return Quantities(one, np.eye(len(detected)), one, one, np.array(detected), one, one)


def said(
    names: tuple[str, ...] = PAIR,
    *,
    significance: float = 100.0,
    detected: tuple[bool, ...] = (True, True),
    explained: float = 0.99,
    unexplained: float | None = 0.0,
    warnings: tuple[str, ...] = (),
) -> Statement:
    missing = None if unexplained is None else UnexplainedResult(unexplained, (), ())
    return statement_of(
        names,
        refinement(significance),
        amounts(*detected),
        explained,
        missing,
        [AnalysisWarning(code, "so and so") for code in warnings],
    )


def test_a_fit_that_is_worth_it_states_amounts() -> None:
    assert said() == Statement("amounts", "")
    assert said(detected=(True, False)).kind == "amounts"
    at_the_edge = said(
        significance=LEAST_TOTAL_SIGNIFICANCE, explained=LEAST_EXPLAINED, unexplained=MOST_UNEXPLAINED
    )
    assert at_the_edge.kind == "amounts"
    assert said(warnings=("POOR_FIT", "UNEXPLAINED_LINES", "CELLS_ALL_OFF")).kind == "amounts"
    assert said(unexplained=None).kind == "amounts"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"significance": 0.99 * LEAST_TOTAL_SIGNIFICANCE}, "no candidate stands out"),
        (
            {"unexplained": 0.83},
            "83 % of the counts above the background are in lines that the candidates do",
        ),
        ({"explained": 0.36}, "the candidates do not explain the scan: the fit leaves 64 %"),
        ({"explained": -2.0}, "leaves 100 %"),
        ({"detected": (False, False)}, "the lines of no candidate are there"),
        *(({"warnings": ("NOT_COUNTS", code)}, reason) for code, reason in REFUSING),
    ],
)
def test_each_reason_is_said(change: dict[str, object], reason: str) -> None:
    found = said(**change)  # type: ignore[arg-type]
    assert found.kind == "none"
    assert reason in found.reason
    assert found.sentence.startswith(f"no statement possible, because {found.reason[:20]}")


def test_one_candidate_is_there_or_not() -> None:
    alone = ("quartz",)
    for detected in (True, False):
        found = said(alone, detected=(detected,))
        assert (found.kind, found.reason) == ("presence", "quartz is the only candidate")
    worthless = said(alone, detected=(True,), explained=0.3)
    assert worthless.kind == "none" and worthless.reason.startswith("quartz does not explain")


def test_a_networks_estimate_alone_is_stated() -> None:
    assert statement_of(PAIR, None, None, 1.0, None, []).kind == "amounts"
    assert statement_of(PAIR[:1], None, None, 1.0, None, []).kind == "presence"


def curves_of(observed: NDArray[np.float64], calculated: NDArray[np.float64]) -> Curves:
    count = len(observed)
    return Curves(
        np.arange(count) * 0.02, observed, calculated, np.full(count, 100.0), np.empty((0, count)), ()
    )


@pytest.mark.parametrize("part", [0.0, 0.2, 0.5, 0.8, 1.0])
@pytest.mark.parametrize("scale", [1e-9, 1.0])
def test_the_explained_share_leaves_noise_out(part: float, scale: float) -> None:
    """Lines of equal height: a fit that has some of them explains their share."""
    count = 20_000
    lines = np.zeros(count)
    lines[100::200] = 1.0
    lines = 500 * np.convolve(lines, np.exp(-0.5 * (np.arange(-20, 21) / 5) ** 2), mode="same")
    have = np.where(np.arange(count) < part * count, lines, 0.0)
    observed = 100 + lines + 10 * np.random.default_rng(1).standard_normal(count)
    curves = curves_of(scale * observed, scale * (100 + have))
    curves = dataclasses.replace(curves, background=scale * curves.background)
    assert explained_share(curves, np.full(count, scale * 10.0)) == pytest.approx(part, abs=0.01)


def test_noise_explains_nothing() -> None:
    observed = 100 + 9.9 * np.random.default_rng(1).standard_normal(5000)
    assert explained_share(curves_of(observed, np.full(5000, 100.0)), np.full(5000, 10.0)) == 0.0


def test_without_amounts_keeps_the_rest(scan: Scan, crystals: list[Crystal], instrument: object) -> None:
    result = analyze(scan, crystals, instrument)  # type: ignore[arg-type]
    bare = without_amounts(result.phases)
    for before, after in zip(result.phases, bare, strict=True):
        assert before.weight_percent is not None and before.refined_percent is not None
        assert (after.cell, after.detected, after.name) == (before.cell, before.detected, before.name)
        percents = [
            name for name in vars(after) if name.endswith("_percent") and name != "cell_change_percent"
        ]
        assert len(percents) >= 8
        assert all(getattr(after, name) is None for name in percents)


def numbers(result: Analysis) -> list[float | None]:
    return [p.weight_percent for p in result.phases]


def no_amounts(result: Analysis) -> None:
    assert result.statement.kind == "none"
    assert set(numbers(result)) == {None} and result.fractions == {}


def test_gypsum_below_the_first_line_of_the_others() -> None:
    """1 wt% whose strongest line is at 11.6 deg, fluorite's first at 28: the fit begins at 25."""
    crystals = [load_phase(name) for name in ("fluorite", "periclase", "gypsum")]
    instrument = generic_instrument("CuKa")
    two_theta = np.arange(8.0, 70.0, 0.02)
    model = ForwardModel(crystals, instrument, two_theta)
    columns = model.columns(model.reference())[0]

    def result(gypsum: float) -> Analysis:
        weights = torch.tensor([0.5 - gypsum / 2, 0.5 - gypsum / 2, gypsum], dtype=torch.float64)
        signal = (weights @ columns).numpy()
        counts = np.random.default_rng(1).poisson(2e4 * signal / signal.max() + 100).astype(float)
        scan = Scan(two_theta, counts, wavelength_angstrom=1.5406, path="made.xy")
        return analyze(scan, crystals[:2], instrument)

    without, with_it = result(0.0), result(0.01)
    assert "UNEXPLAINED_LINES" not in {w.code for w in without.warnings}
    assert "UNEXPLAINED_LINES" in {w.code for w in with_it.warnings}
    assert with_it.unexplained is not None
    assert any(abs(line["d_spacing_angstrom"] - 7.6) < 0.05 for line in with_it.unexplained.lines)
    assert any("gypsum" in one for one in with_it.unexplained.suggestions)


@pytest.fixture(scope="module")
def round_robin(data_dir: Path) -> Scan:
    return read_scan(data_dir / "measured" / "cpd" / "CPD-1G.xye")


def round_robin_result(scan: Scan) -> Analysis:
    crystals = [load_phase(name) for name in ("corundum", "fluorite", "zincite")]
    return analyze(scan, crystals, generic_instrument("CuKa", monochromator_two_theta=26.6))


def test_two_strong_lines_below_the_range(round_robin: Scan) -> None:
    """60 000 and 20 000 counts where the strongest of its own has 7 259."""
    rng = np.random.default_rng(1)
    added = sum(
        height * np.exp(-0.5 * ((round_robin.two_theta - at) / 0.05) ** 2)
        for at, height in ((12.3, 60_000.0), (19.0, 20_000.0))
    )
    more = dataclasses.replace(round_robin, counts=round_robin.counts + rng.poisson(added), sigma=None)
    found = round_robin_result(more)
    assert "UNEXPLAINED_LINES" in {w.code for w in found.warnings}
    assert found.unexplained is not None
    places = [line["two_theta_deg"] for line in found.unexplained.lines[:2]]
    assert places == pytest.approx([12.3, 19.0], abs=0.05)
    assert found.unexplained.share_of_counts > 0.3
    no_amounts(found)
    weaker = dataclasses.replace(
        round_robin, counts=round_robin.counts + rng.poisson(0.01 * added), sigma=None
    )
    assert "UNEXPLAINED_LINES" in {w.code for w in round_robin_result(weaker).warnings}
    plain = round_robin_result(round_robin)
    assert plain.statement.kind == "amounts"
    assert "UNEXPLAINED_LINES" not in {w.code for w in plain.warnings}


def test_quartz_where_there_is_none(data_dir: Path) -> None:
    """Its lines stand where those of others are: R_wp 36 %, and once "100.00, interval 100.00-100.00"."""
    folder = data_dir / "measured" / "dara"
    scan = read_scan(folder / "V2O5_0p2012-La(OH)3_0p5004-MnCO3_0p3013--8min.xrdml")
    for names in (("quartz",), ("quartz", "corundum")):
        found = analyze(scan, [load_phase(name) for name in names], generic_instrument("CuKa"))
        no_amounts(found)
        assert found.statement.reason
