"""The request as a journal keeps it: journals that were written before are read."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from mixrd import __version__
from mixrd.analysis import AnalysisRequest, InternalStandard, StandardScan
from mixrd.batch.fingerprint import fingerprint
from mixrd.pattern import load_instrument


def test_words_are_those_of_journals_from_before() -> None:
    request = AnalysisRequest(
        ("fluorite", "halite"),
        instrument="lab-cu",
        network=False,
        standard=InternalStandard("halite", 40.0),
        amorphous=("38:8.3",),
        exclude=((26.0, 27.0), (28.5, 29.0)),
    )
    assert fingerprint(request.resolved()) == {
        "mixrd": __version__,
        "schema of results": 4,
        "phases": {"fluorite": "7ee762d2a81b2584", "halite": "ca89742d757e3984"},
        "model": None,
        "instrument": {"instrument": "lab-cu", "radiation": None, "monochromator": None, "radius": None},
        "sample": {
            "particle_size": None,
            "grinding": None,
            "standard": "halite:40",
            "external_standard": None,
            "amorphous_formula": None,
            "amorphous": ["38:8.3"],
            "exclude": ["26-27", "28.5-29"],
        },
        "network": False,
        "refinement": True,
        "scan": None,
        "check": None,
    }


def test_files_are_told_by_their_content(tmp_path: Path) -> None:
    pure = tmp_path / "pure.xy"
    pure.write_text("20 1\n", encoding="utf-8")
    request = AnalysisRequest(("halite",), external_standard=StandardScan("halite", str(pure)))
    digest = hashlib.sha256(pure.read_bytes()).hexdigest()[:16]
    assert fingerprint(request)["sample"]["external_standard"] == f"halite:{digest}"


@pytest.mark.parametrize(
    "other",
    [
        {"instrument": load_instrument("lab-cu")},
        {"radiation": "CuKa"},
        {"network": False},
        {"scan": 2},
        {"second_opinion": "rietx"},
        {"particle_size_um": 3.0},
        {"exclude": ((20.0, 21.0),)},
    ],
)
def test_another_request_has_another_one(other: dict[str, object]) -> None:
    assert fingerprint(AnalysisRequest(("halite",), **other)) != fingerprint(AnalysisRequest(("halite",)))
