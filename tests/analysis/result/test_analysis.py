from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixrd.analysis import Analysis, AnalysisWarning, Curves, PhaseResult, Statement
from mixrd.errors import InputError

NUMBER = st.floats(allow_nan=False, allow_infinity=False)
MAYBE = st.none() | NUMBER
PHASES = st.builds(
    PhaseResult,
    name=st.text(),
    formula=st.text(),
    weight_percent=MAYBE,
    sigma_percent=MAYBE,
    network_percent=MAYBE,
    refined_percent=MAYBE,
    cell=st.none() | st.tuples(*[NUMBER] * 6),
    crystallite_size_nm=MAYBE,
    microstrain=MAYBE,
    density_g_cm3=NUMBER,
)
ANALYSES = st.builds(
    Analysis,
    status=st.sampled_from(["ok", "failed"]),
    file=st.text(),
    phases=st.lists(PHASES, max_size=3).map(tuple),
    r_wp=MAYBE,
    r_exp=MAYBE,
    zero_deg=MAYBE,
    displacement_mm=MAYBE,
    seconds=st.dictionaries(st.sampled_from(["network", "refined"]), NUMBER),
    warnings=st.lists(st.builds(AnalysisWarning, st.text(), st.text(), st.none() | st.text())).map(tuple),
    error=st.none() | st.text(),
    provenance=st.dictionaries(st.text(), MAYBE | st.text() | st.lists(NUMBER)),
    curves=st.none(),
    statement=st.builds(Statement, st.sampled_from(["amounts", "presence", "none"]), st.text()),
)
EXAMPLE = Analysis(
    status="ok",
    file="a.xy",
    phases=(
        PhaseResult("halite", "NaCl", 100.0, 0.0, None, 100.0, (5.64,) * 3 + (90.0,) * 3, None, 0.0, 2.16),
    ),
    r_wp=0.1,
    r_exp=0.1,
    zero_deg=0.0,
    displacement_mm=0.0,
    seconds={"refined": 1.0},
    warnings=(AnalysisWarning("POOR_FIT", "look at the plot"),),
    error=None,
    provenance={"mixrd": "0.1.0"},
)


@given(ANALYSES)
def test_json_round_trip(result: Analysis) -> None:
    again = Analysis.from_json(result.to_json())
    assert vars(again) == vars(result)


def test_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(EXAMPLE.to_json(), encoding="utf-8")
    assert vars(Analysis.from_json(path)) == vars(EXAMPLE)
    assert vars(Analysis.from_json(str(path))) == vars(EXAMPLE)


@pytest.mark.parametrize(("schema", "unknown"), [(2, ("refined_model", "statement")), (3, ("statement",))])
def test_a_file_of_a_version_before_is_read(schema: int, unknown: tuple[str, ...]) -> None:
    halves = [dataclasses.replace(EXAMPLE.phases[0], name=name, weight_percent=50.0) for name in "ab"]
    two = dataclasses.replace(EXAMPLE, phases=tuple(halves))
    data = {key: value for key, value in json.loads(two.to_json()).items() if key not in unknown}
    assert vars(Analysis.from_json(json.dumps({**data, "schema": schema}))) == vars(two)


def test_one_candidate_of_a_version_before_is_a_presence() -> None:
    data = {key: value for key, value in json.loads(EXAMPLE.to_json()).items() if key != "statement"}
    data["phases"][0]["detected"] = True
    found = Analysis.from_json(json.dumps({**data, "schema": 3}))
    assert found.statement == Statement("presence")
    assert found.fractions == {} and found.phases[0].presence == "there"
    assert found.phases[0].refined_percent is None and found.phases[0].sigma_percent is None


def test_curves_are_left_out() -> None:
    x = np.arange(3.0)
    drawn = dataclasses.replace(EXAMPLE, curves=Curves(x, x, x, x, x[None], (x,)))
    assert "curves" not in json.loads(drawn.to_json())
    assert Analysis.from_json(drawn.to_json()).curves is None


def test_json_says_its_schema() -> None:
    assert json.loads(EXAMPLE.to_json())["schema"] == 4


def test_nan_never_goes_into_a_file() -> None:
    with pytest.raises(ValueError, match="JSON"):
        dataclasses.replace(EXAMPLE, r_wp=math.nan).to_json()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        "3",
        "{}",
        '{"schema": 2}',
        '{"schema": 3}',
        '{"schema": 4}',
        EXAMPLE.to_json().replace("warnings", "w"),
    ],
)
def test_what_is_no_result(text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a mixrd result"):
        Analysis.from_json(text)
    path = tmp_path / "x.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as raised:
        Analysis.from_json(path)
    assert raised.value.file == str(path)


def test_fractions_by_name() -> None:
    assert EXAMPLE.fractions == {"halite": 100.0}
