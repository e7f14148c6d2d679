"""A request: plain data that comes back as it was, and what contradicts itself in it."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mixrd import analysis
from mixrd.analysis import GRINDINGS, AnalysisRequest, InternalStandard, StandardScan
from mixrd.errors import CrystalError, InputError, InstrumentError, ParameterError, RequestError, UsageError
from mixrd.pattern import load_instrument
from mixrd.phases import load_phase

names = st.text(min_size=1, max_size=12)
sizes = st.floats(0.0, 1e3)
angles = st.floats(0.0, 180.0)
phases = st.one_of(names, st.sampled_from(["halite", "quartz"]).map(load_phase))
shares = st.floats(0.1, 99.0)
instruments = st.one_of(
    st.just({}),
    st.one_of(names, st.just(load_instrument("lab-cu"))).map(lambda chosen: {"instrument": chosen}),
    st.fixed_dictionaries(
        {}, optional={"radiation": names, "monochromator_two_theta": angles, "goniometer_radius_mm": sizes}
    ),
)
sample = st.one_of(
    st.builds(InternalStandard, names, shares).map(lambda one: {"standard": one}),
    st.fixed_dictionaries(
        {"external_standard": st.builds(StandardScan, phases, names)},
        optional={"amorphous_formula": st.sampled_from(["SiO2", "B2O3"])},
    ),
    st.just({}),
)
grains = st.one_of(
    sizes.map(lambda size: {"particle_size_um": size}),
    st.sampled_from(GRINDINGS).map(lambda way: {"grinding": way}),
    st.just({}),
)
rest = st.fixed_dictionaries(
    {"phases": st.lists(phases, min_size=1, max_size=3, unique=True).map(tuple)},
    optional={
        "network": st.booleans(),
        "training_steps": st.integers(1, 1000),
        "scan": st.integers(1, 9),
        "second_opinion": st.just("rietx"),
        "amorphous": st.lists(names, max_size=2).map(tuple),
        "exclude": st.lists(
            st.tuples(angles, angles).map(sorted).filter(lambda r: r[0] < r[1]).map(tuple), max_size=2
        ).map(tuple),
    },
)


@settings(max_examples=60, deadline=None)
@given(st.tuples(instruments, sample, grains, rest))
def test_it_comes_back_from_json_as_it_was(parts: tuple[dict[str, Any], ...]) -> None:
    chosen = {key: value for part in parts for key, value in part.items()}
    given, standard = chosen["phases"], chosen.get("standard")
    # A standard that is not among given structures is refused.
    assume(standard is None or any(isinstance(one, str) or one.name == standard.name for one in given))
    request = AnalysisRequest(**chosen)
    assert AnalysisRequest.from_dict(json.loads(json.dumps(request.to_dict()))) == request


def test_what_is_left_out_is_as_unless_given() -> None:
    assert AnalysisRequest.from_dict({"phases": ["quartz"]}) == AnalysisRequest(("quartz",))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"phases": ["quartz"], "surprise": 1, "wonder": 2}, "surprise, wonder"),
        ({"phases": ["quartz"], "schema": 99}, "schema 99"),
        ({"phases": 7}, "wrong kind"),
        ({"phases": ["quartz"], "network": "no"}, "network is 'no'"),
        ({"phases": ["quartz"], "standard": {"phase": "quartz"}}, "wrong kind"),
        ({"phases": ["quartz"], "exclude": [[20]]}, "wrong kind"),
        ({}, "no candidate phase"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(data: dict[str, Any], said: str) -> None:
    with pytest.raises(RequestError, match=said):
        AnalysisRequest.from_dict(data)


EXTERNAL = StandardScan("quartz", "pure.xy")
CONTRADICTIONS: list[tuple[dict[str, Any], type[InputError]]] = [
    ({"network": False, "refine": False}, RequestError),
    ({"network": False, "model": "a.mixrd"}, RequestError),
    ({"refine": False, "second_opinion": "rietx"}, RequestError),
    ({"refine": False, "exclude": ((20.0, 21.0),)}, RequestError),
    ({"refine": False, "amorphous": ("22:8",)}, RequestError),
    ({"refine": False, "grinding": "by-hand"}, RequestError),
    ({"grinding": "by-hand", "particle_size_um": 3.0}, RequestError),
    ({"standard": InternalStandard("quartz", 20), "external_standard": EXTERNAL}, RequestError),
    ({"amorphous_formula": "SiO2"}, RequestError),
    ({"amorphous_formula": "sand", "external_standard": EXTERNAL}, CrystalError),
    ({"particle_size_um": -1.0}, ParameterError),
    ({"particle_size_um": float("nan")}, ParameterError),
    ({"grinding": "well"}, ParameterError),
    ({"exclude": ((27.0, 26.0),)}, UsageError),
    ({"phases": ("halite", "quartz", "halite")}, CrystalError),
    ({"phases": (load_phase("halite"), "quartz", load_phase("rock salt"))}, CrystalError),
    ({"phases": (load_phase("halite"),), "standard": InternalStandard("quartz", 20)}, ParameterError),
    ({"scan": 0}, RequestError),
    ({"training_steps": 0}, RequestError),
    ({"instrument": "lab-cu", "goniometer_radius_mm": 173.0}, RequestError),
    ({"instrument": "lab-cu", "radiation": "CuKa"}, RequestError),
]


@pytest.mark.parametrize(("said", "kind"), CONTRADICTIONS)
def test_contradictions_have_a_type_and_name_what_they_concern(
    said: dict[str, Any], kind: type[InputError]
) -> None:
    with pytest.raises(kind) as refused:
        AnalysisRequest(**{"phases": ("quartz",), **said})
    if isinstance(refused.value, RequestError):
        assert set(refused.value.fields) <= {field.name for field in dataclasses.fields(AnalysisRequest)}
        assert set(said) & set(refused.value.fields)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"phases": ("unobtainium",)}, CrystalError),
        ({"phases": ("sapphire", "corundum")}, CrystalError),
        ({"instrument": "nowhere.toml"}, InstrumentError),
        ({"standard": InternalStandard("corundum", 20)}, ParameterError),
        ({"amorphous": ("nonsense",)}, ParameterError),
    ],
)
def test_what_names_nothing_is_refused_before_a_scan_is_read(
    said: dict[str, Any], kind: type[InputError]
) -> None:
    with pytest.raises(kind):
        AnalysisRequest(**{"phases": ("quartz",), **said}).resolved()


def test_names_become_structures() -> None:
    resolved = AnalysisRequest(("sapphire", "quartz"), standard=InternalStandard("corundum", 20)).resolved()
    assert resolved.crystals == (load_phase("corundum"), load_phase("quartz"))
    assert resolved.resolved() == resolved


def test_a_part_of_an_instrument_completes_the_headers() -> None:
    part = AnalysisRequest(("quartz",), monochromator_two_theta=26.6)
    assert not part.stands_alone
    with pytest.raises(RequestError, match="without its radiation"):
        part.chosen_instrument()


def test_it_is_made_and_contradicted_without_torch() -> None:
    code = """
import sys
from mixrd.analysis import AnalysisRequest, parse_regions, parse_standard
from mixrd.errors import RequestError

said = dict(standard=parse_standard("corundum:20"), exclude=parse_regions(["26-27"]))
request = AnalysisRequest(("quartz", "corundum"), instrument="lab-cu", **said)
assert AnalysisRequest.from_dict(request.to_dict()) == request
try:
    AnalysisRequest(("quartz", "corundum"), refine=False, **said)
except RequestError:
    print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "mixrd.analysis.request" in loaded
    assert loaded.isdisjoint({"torch", "scipy", "matplotlib"})


def test_every_name_of_the_room_is_there() -> None:
    assert {name: getattr(analysis, name) for name in analysis.__all__}.keys() <= set(dir(analysis))
    with pytest.raises(AttributeError, match="no attribute 'analyse'"):
        _ = analysis.analyse  # type: ignore[attr-defined]
