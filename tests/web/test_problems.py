from __future__ import annotations

import pytest

from mixrd.errors import DatabaseError, PhaseNotFoundError, RefinementError, ScanError, UsageError
from mixrd.web.disposition import attachment
from mixrd.web.problems import problem_of, shown_name, status_of, stem_of


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("scan.xy", "scan.xy"),
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\scan.xy", "scan.xy"),
        ("/", "unnamed"),
        ("..", "unnamed"),
        ("", "unnamed"),
        ("a\x00b\nc\x1b[31m.xy", "abc[31m.xy"),
        ("evil\u202eyx.exe", "evilyx.exe"),
        ("  two   words .xy ", "two words .xy"),
        ("Probe Änderung α.xy", "Probe Änderung α.xy"),
    ],
)
def test_names_are_shown_without_what_could_mislead(given: str, shown: str) -> None:
    assert shown_name(given) == shown


def test_an_endless_name_is_cut_and_keeps_its_ending() -> None:
    name = shown_name("x" * 5000 + ".xrdml")
    assert len(name) == 120
    assert name.endswith(".xrdml")
    assert stem_of(name) == "x" * 114


@pytest.mark.parametrize(
    "name", ['a"b.csv', "a\r\nSet-Cookie: x=1.csv", "α β;.csv", "../x.csv", "'; rm -rf.csv"]
)
def test_names_of_downloads_stay_one_header(name: str) -> None:
    value = attachment(name)["Content-Disposition"]
    assert value.isascii()
    assert value.isprintable()
    assert value.count('"') == 2
    assert "/" not in value


def test_errors_have_codes_and_statuses() -> None:
    found = {
        kind: (problem_of(kind("a", remedy="b"))["code"], status_of(kind("a", remedy="b")))
        for kind in (ScanError, PhaseNotFoundError, DatabaseError, UsageError, RefinementError)
    }
    assert found == {
        ScanError: ("SCAN", 422),
        PhaseNotFoundError: ("PHASE_NOT_FOUND", 422),
        DatabaseError: ("DATABASE", 502),
        UsageError: ("INPUT", 422),
        RefinementError: ("REFINEMENT", 500),
    }


def test_the_path_on_the_server_is_not_told() -> None:
    found = problem_of(ScanError("a", remedy="b", file="/srv/mixrd/uploads/0123"), "scan.xy")
    assert found == {"code": "SCAN", "message": "a", "remedy": "b", "file": "scan.xy"}
