"""A batch that conducts itself, from Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixrd.analysis import AnalysisRequest
from mixrd.batch.series import Batch, run
from mixrd.batch.work import Output
from mixrd.cli import main
from mixrd.errors import UsageError

REQUEST = AnalysisRequest(("fluorite",), instrument="lab-cu", network=False)


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """A folder of two scans and a file that is none."""
    folder = tmp_path / "runs"
    folder.mkdir()
    first = folder / "a.xy"
    made = ("simulate", "fluorite:1", "--instrument", "lab-cu", "--range", "27", "34", "-o", str(first))
    assert main(made) == 0
    (folder / "b.xy").write_bytes(first.read_bytes())
    (folder / "c.xy").write_text("", encoding="utf-8")
    return folder


def test_it_tells_writes_and_goes_on_where_it_was(scans: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    out = tmp_path / "out"
    found = run(
        REQUEST, [scans], out, plots=False, on_progress=lambda n, of, a: told.append((n, of, a.status))
    )
    assert told == [(1, 3, "ok"), (2, 3, "ok"), (3, 3, "failed")]
    assert [(name, analysis.status) for name, analysis in found] == [
        ("a", "ok"),
        ("b", "ok"),
        ("c", "failed"),
    ]
    assert {"a.json", "b.json", "summary.csv", "report.html", "batch.jsonl"} <= {
        p.name for p in out.iterdir()
    }
    told.clear()
    again = run(REQUEST, [scans], out, on_progress=lambda n, of, a: told.append((n, of, a.status)))
    assert told == []
    assert [analysis.to_dict() for _, analysis in again] == [analysis.to_dict() for _, analysis in found]
    with pytest.raises(UsageError, match="network"):
        run(AnalysisRequest(("fluorite",), instrument="lab-cu"), [scans], out)


def test_without_a_folder_results_are_kept_in_memory(scans: Path) -> None:
    with Batch(REQUEST, Output()) as batch:
        jobs = batch.plan([scans / "a.xy", scans / "b.xy"])
        next(batch.run(jobs, 1))
        # Interrupted after the first: what is done is there.
        assert [name for name, _ in batch.results()] == [str(scans / "a.xy")]
        assert batch.write_together(batch.results()) == []
