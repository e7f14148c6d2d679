from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from mixrd.errors import UsageError
from mixrd.experiments.leaderboard import read_entry, standings, weighed

REPOSITORY = Path(__file__).resolve().parents[2]
SEEDS = sorted((REPOSITORY / "studies" / "leaderboard").glob("*.json"))


def entry(tmp_path: Path, **changes: Any) -> Path:
    found = {file: dict(row) for file, row in weighed("cpd").items()}
    data = {"program": "x", "version": "1", "set": "cpd", "how": "h", "by": "b", "found": found} | changes
    path = tmp_path / f"{data['program']}.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def test_what_was_weighed_has_no_error(tmp_path: Path) -> None:
    (standing,) = standings([read_entry(entry(tmp_path))])
    assert (standing.samples, standing.of) == (4, 4)
    assert standing.mae_wt == standing.worst_wt == 0


def test_errors_by_hand(tmp_path: Path) -> None:
    row = weighed("cpd")["CPD-1G.xye"]
    moved = {**row, "corundum": row["corundum"] + 3, "fluorite": row["fluorite"] - 3}
    (standing,) = standings([read_entry(entry(tmp_path, found={"CPD-1G.xye": moved}))])
    assert (standing.samples, standing.of) == (1, 4)
    assert standing.mae_wt == pytest.approx(2.0) and standing.worst_wt == pytest.approx(3.0)


def test_the_better_and_more_complete_stands_first(tmp_path: Path) -> None:
    exact = read_entry(entry(tmp_path, program="exact"))
    row = weighed("cpd")["CPD-1G.xye"]
    one = read_entry(entry(tmp_path, program="one", found={"CPD-1G.xye": row}))
    assert [s.entry.program for s in standings([one, exact])] == ["exact", "one"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"set": "other"}, "no set"),
        ({"found": {}}, "no sample"),
        ({"found": {"x.xye": {}}}, "not a sample"),
        ({"found": {"CPD-1G.xye": {"corundum": 100}}}, "exactly those"),
        ({"found": {"CPD-1G.xye": {"corundum": 50, "fluorite": 20, "zincite": 20}}}, "sum to 90"),
        ({"found": {"CPD-1G.xye": {"corundum": -50, "fluorite": 75, "zincite": 75}}}, "outside"),
        ({"found": 3}, "no entry"),
    ],
)
def test_what_is_refused(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said) as raised:
        read_entry(entry(tmp_path, **changes))
    assert raised.value.file is not None


def test_page_shows_the_entries() -> None:
    script = runpy.run_path(str(REPOSITORY / "docs" / "make_leaderboard.py"))
    page = (REPOSITORY / "docs" / "leaderboard.md").read_text(encoding="utf-8")
    assert page == script["page"](), "run: python docs/make_leaderboard.py"
    assert len(SEEDS) >= 4


def test_the_example_of_the_page_is_an_entry(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "leaderboard.md").read_text(encoding="utf-8")
    example = page.split("```json\n", 1)[1].split("```", 1)[0]
    (tmp_path / "a.json").write_text(example, encoding="utf-8")
    assert read_entry(tmp_path / "a.json").set == "cpd"


def test_seeds_are_what_was_measured() -> None:
    script = runpy.run_path(str(REPOSITORY / "docs" / "make_leaderboard.py"))
    for name, made in script["entries"]().items():
        kept = json.loads((REPOSITORY / "studies" / "leaderboard" / f"{name}.json").read_text())
        # Measured again, results move by hundredths; more has to be shown.
        assert set(kept["found"]) == set(made["found"])
        for file, row in made["found"].items():
            assert kept["found"][file] == pytest.approx(row, abs=0.5), "run: python docs/make_leaderboard.py"
