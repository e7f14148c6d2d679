"""The request as a journal keeps it: journals that were written before are read."""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixrd import __version__
from mixrd.analysis import AnalysisRequest, InternalStandard, StandardScan, parse_regions, parse_standard
from mixrd.analysis.inputs.exclusion import within_regions
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
        {"amorphous": ("22:8",)},
    ],
)
def test_another_request_has_another_one(other: dict[str, object]) -> None:
    assert fingerprint(AnalysisRequest(("halite",), **other)) != fingerprint(AnalysisRequest(("halite",)))


hundredths = st.integers(10, 9000)
regions = st.lists(
    st.tuples(hundredths, hundredths).filter(lambda r: r[0] != r[1]).map(sorted), min_size=1, max_size=5
)
#: Ways to write a number of hundredths.
ways = st.sampled_from(["{:.2f}", "{:.6f}", "{:g}", "0{:.2f}"])


@given(regions, st.randoms(use_true_random=False), ways, ways, hundredths)
def test_another_way_to_type_it_is_no_other_request(spans, random, way, other, percent) -> None:
    def asked(spans, way: str) -> AnalysisRequest:
        def text(number: int) -> str:
            return way.format(number / 100)

        return AnalysisRequest(
            ("halite",),
            radiation=text(154),
            standard=parse_standard(f"halite:{text(percent)}"),
            amorphous=(f"{text(2200)}:{text(800)}:{text(100)}", f"{text(410)}A:{text(900)}"),
            exclude=parse_regions([f"{text(low)}-{text(high)}" for low, high in spans]),
        )

    shuffled = random.sample(spans, len(spans))
    low, high = random.choice(spans)
    middle = random.randint(low, high)
    # A region may be given in two parts, or twice.
    split = [part for part in ((low, middle), (middle, high), (low, high)) if part[0] < part[1]]
    assert fingerprint(asked(spans, way)) == fingerprint(asked([*shuffled, *split], other))


@given(regions)
def test_regions_that_are_joined_leave_out_the_same(spans) -> None:
    typed = [(low / 100, high / 100) for low, high in spans]
    kept = AnalysisRequest(("halite",), exclude=tuple(typed)).exclude
    angles = np.arange(0.0, 95.0, 0.005)
    assert (within_regions(angles, kept) == within_regions(angles, typed)).all()
    assert all(one[1] < other[0] for one, other in itertools.pairwise(kept))


def test_what_a_certificate_says_is_part_of_it() -> None:
    plain, certified = (
        AnalysisRequest(("halite",), standard=InternalStandard("halite", 40, crystallinity_percent=share))
        for share in (100, 95)
    )
    assert fingerprint(plain)["sample"]["standard"] == "halite:40"
    assert fingerprint(certified)["sample"]["standard"] == "halite:40:crystallinity_percent=95"
