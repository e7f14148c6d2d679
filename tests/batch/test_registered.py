"""What a script registers is known to the processes of its batch, or the batch says that it is not."""

from __future__ import annotations

import dataclasses
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from mixrd.batch.registered import registered, take_over
from mixrd.errors import UsageError
from mixrd.pattern import Correction, Quantity, register_correction
from mixrd.pattern.line_corrections import added_corrections, remove_correction
from mixrd.warning_texts import warning_texts

SCRIPT = """
import sys
from pathlib import Path

import numpy as np

from mixrd.analysis import AnalysisRequest
from mixrd.batch.series import Batch
from mixrd.batch.work import ScanJob
from mixrd.errors import UsageError
from mixrd.scan import Arrays, ScanFormat, ScanHeader, chosen, register_format


def matches(opened):
    return opened.text.startswith("OTHERS")


def read(opened, scan):
    x, y = np.array([line.split("|") for line in opened.text.splitlines()[1:]], dtype=float).T
    return chosen([(Arrays(x, y, None, "others"), ScanHeader(wavelength_angstrom=1.5406))], scan)


if __name__ == "__main__":
    # Not where other processes import this script.
    register_format(ScanFormat("Others", eval(sys.argv[1]), read, (".oth",)))
    jobs = [ScanJob(path, path.stem) for path in sorted(Path().glob("*.oth"))]
    with Batch(AnalysisRequest(("fluorite",), instrument="lab-cu", network=False)) as batch:
        try:
            print(*(found.status for _, found in batch.run(jobs, 2)))
        except UsageError as problem:
            print(problem)
"""


@pytest.fixture
def run(tmp_path: Path) -> Callable[[str], str]:
    """What the script prints whose format is told by this; its two scans are small."""
    from mixrd.cli import main

    whole = tmp_path / "whole.xy"
    made = ("simulate", "fluorite:1", "--instrument", "lab-cu", "--range", "27", "34", "-o", str(whole))
    assert main(made) == 0
    rows = [line.split() for line in whole.read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    for name in ("a", "b"):
        text = "\n".join(["OTHERS", *("|".join(row) for row in rows)])
        (tmp_path / f"{name}.oth").write_text(text, encoding="utf-8")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")

    def printed(matches: str) -> str:
        command = [sys.executable, str(script), matches]
        environment = {**os.environ, "MIXRD_CACHE": str(tmp_path)}
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout

    return printed


def test_a_format_of_the_script_is_read_by_other_processes(run: Callable[[str], str]) -> None:
    assert run("matches") == "ok ok\n"


def test_one_that_cannot_go_there_is_named_with_the_way_out(run: Callable[[str], str]) -> None:
    said = run("lambda opened: matches(opened)")
    assert "scan format 'Others' of this script is unknown to other processes" in said
    assert '"mixrd.scan_formats"' in said


def halved(theta: torch.Tensor, wavelength_angstrom: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    return 1 - share / 2


HALVED = Correction((Quantity("share", "share", "1", 0.0, 1.0),), halved)


@pytest.fixture
def clean() -> Iterator[None]:
    yield
    warning_texts().pop("LAMP_WAS_OLD", None)
    for one in added_corrections():
        remove_correction(one)


@pytest.mark.usefixtures("clean")
def test_warnings_and_corrections_are_taken_over() -> None:
    text = dataclasses.replace(next(iter(warning_texts().values())), code="LAMP_WAS_OLD")
    warning_texts()["LAMP_WAS_OLD"] = text
    register_correction(HALVED)
    known = registered()
    del warning_texts()["LAMP_WAS_OLD"]
    remove_correction(HALVED)
    for _ in range(2):  # what is known is left as it is
        take_over(known)
        assert warning_texts()["LAMP_WAS_OLD"] == text
        assert [one.field for one in added_corrections()] == ["share"]


def test_what_does_not_import_there_is_named() -> None:
    gone = pickle.dumps(halved).replace(b"halved", b"halves")
    with pytest.raises(UsageError, match=r"scan format 'mine' of this script is unknown.*halves"):
        take_over({("scan format", "mine"): gone})
