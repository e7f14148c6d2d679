"""The client of the Crystallography Open Database, against a server that answers as it does."""

from __future__ import annotations

import itertools
import re
import time
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path

import pytest
from cod_server import Answer, FakeCod, cif_text

from mixrd.errors import CrystalError, DatabaseError, PhaseNotFoundError, UsageError
from mixrd.phases import CodClient, CodMirror, CodQuery, CodRecord


class Clock:
    """Remembers what was waited for instead of waiting."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.waits.append(seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(cod: FakeCod, clock: Clock, tmp_path: Path) -> CodClient:
    return CodClient(tmp_path / "cod", base_url=cod.url, delay_seconds=0, timeout_seconds=5, sleep=clock)


def test_a_structure_by_its_number(cod: FakeCod, client: CodClient) -> None:
    path = client.cif(9000001)
    assert path.read_text(encoding="utf-8") == cod.cifs[9000001]
    assert path.relative_to(client.folder).as_posix() == "9/00/00/9000001.cif"
    assert cod.paths() == ["/cod/9000001.cif"]
    assert cod.requests[0][2].startswith("mixrd/")


def test_what_is_there_is_not_asked_for_again(cod: FakeCod, client: CodClient) -> None:
    client.cif(9000001)
    again = CodClient(client.folder, base_url=cod.url, delay_seconds=0)
    again.cif(9000001)
    assert len(cod.requests) == 1


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        (CodQuery(formula="NaCl"), [9000001, 9000002]),
        (CodQuery(elements=("Cl",)), [9000001, 9000002, 9000003]),
        (CodQuery(elements=("Cl",), without=("K",)), [9000001, 9000002]),
        (CodQuery(elements=("O", "Mg"), only=True), [9000004]),
        (CodQuery(elements=("Cl",), only=True), []),
        (CodQuery(mineral="sylvite"), [9000003]),
        (CodQuery(mineral="Halite", elements=("K",)), []),
    ],
)
def test_search_gives_the_same_over_the_network_and_from_a_mirror(
    cod: FakeCod, client: CodClient, tmp_path: Path, query: CodQuery, numbers: list[int]
) -> None:
    folder = tmp_path / "mirror"
    folder.mkdir()
    for number, text in cod.cifs.items():
        (folder / f"{number}.cif").write_text(text, encoding="utf-8")
    mirror = CodMirror(folder, index_folder=tmp_path)
    assert [r.number for r in client.search(query)] == numbers
    assert [r.number for r in mirror.search(query)] == numbers
    assert {r.formula for r in client.search(query)} == {r.formula for r in mirror.search(query)}


def test_text_search_alone_does_not_make_a_mineral(cod: FakeCod, client: CodClient) -> None:
    """COD's text search also finds papers that mention a mineral."""
    cod.cifs[9000005] = cif_text(9000005, "K Br", "Bromide").replace("Bromide", "Bromide\n_comment halite")
    assert [r.number for r in client.search(CodQuery(mineral="halite"))] == [9000001, 9000002]


def test_record_from_json_as_cod_writes_it() -> None:
    entry = {"file": "9009668", "formula": "- C Ca O3 -", "mineral": "Calcite", "sg": "R -3 c :H",
             "commonname": None, "chemname": "Calcium carbonate", "title": None, "a": "4.992"}  # fmt: skip
    record = CodRecord.from_json(entry)
    assert record == CodRecord(9009668, "C Ca O3", "Calcite", "Calcium carbonate", "R -3 c :H", "")


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_passing_faults_are_tried_again(cod: FakeCod, client: CodClient, clock: Clock, status: int) -> None:
    cod.arranged["/cod/9000001.cif"] = [Answer(status), Answer(status)]
    client.cif(9000001)
    assert len(cod.requests) == 3
    assert clock.waits == [0.5, 1.0], "each pause is longer than the one before"


def test_retry_after_is_obeyed(cod: FakeCod, client: CodClient, clock: Clock) -> None:
    at = formatdate(time.time() + 30, usegmt=True)
    cod.arranged["/cod/9000001.cif"] = [
        Answer(429, headers={"Retry-After": "7"}),
        Answer(503, headers={"Retry-After": at}),
        Answer(429, headers={"Retry-After": "soon"}),
    ]
    client.cif(9000001)
    assert clock.waits[0] == 7.0
    assert clock.waits[1] == pytest.approx(30, abs=3)
    assert clock.waits[2] == 2.0, "a header without sense leaves the usual pause"


def test_a_server_that_wants_long_peace_is_left_alone(cod: FakeCod, client: CodClient, clock: Clock) -> None:
    cod.arranged["/cod/9000001.cif"] = [Answer(429, headers={"Retry-After": "7200"})]
    with pytest.raises(DatabaseError, match="7200 s"):
        client.cif(9000001)
    assert clock.waits == []
    assert len(cod.requests) == 1


def test_lasting_faults_end_with_a_remedy(cod: FakeCod, client: CodClient) -> None:
    cod.arranged["/cod/9000001.cif"] = [Answer(500)] * 9
    with pytest.raises(DatabaseError, match=r"answers 500.*mirror"):
        client.cif(9000001)
    assert len(cod.requests) == 4
    assert not list(client.folder.rglob("*.cif*"))


def test_forbidden_is_not_tried_again(cod: FakeCod, client: CodClient) -> None:
    cod.arranged["/cod/9000001.cif"] = [Answer(403)]
    with pytest.raises(DatabaseError, match="403"):
        client.cif(9000001)
    assert len(cod.requests) == 1


def test_missing_structure(cod: FakeCod, client: CodClient) -> None:
    with pytest.raises(PhaseNotFoundError, match="9999999"):
        client.cif(9999999)
    assert len(cod.requests) == 1, "404 is an answer, not a fault"


SPOILED = {
    "web page": Answer(body=b"<!DOCTYPE html><html>maintenance</html>"),
    "cut off or no CIF": Answer(body=cif_text(9000001).encode()[:-30]),
    "not the structure 9000001": Answer(body=cif_text(9000002).encode()),
    "is cut off$": Answer(cut_at=100),
    "not the structure": Answer(body=b"data_empty"),
}


@pytest.mark.parametrize("cause", SPOILED)
def test_what_is_not_the_structure_is_asked_for_again(cod: FakeCod, client: CodClient, cause: str) -> None:
    cod.arranged["/cod/9000001.cif"] = [replace(SPOILED[cause])]
    assert client.cif(9000001).read_text(encoding="utf-8") == cod.cifs[9000001]
    assert len(cod.requests) == 2


@pytest.mark.parametrize("cause", SPOILED)
def test_what_is_never_the_structure_is_not_kept(cod: FakeCod, client: CodClient, cause: str) -> None:
    cod.arranged["/cod/9000001.cif"] = [replace(SPOILED[cause]) for _ in range(client.attempts)]
    with pytest.raises(DatabaseError) as caught:
        client.cif(9000001)
    assert re.search(cause, caught.value.cause)
    assert len(cod.requests) == client.attempts
    assert not any(path.is_file() for path in client.folder.rglob("*"))


@pytest.mark.parametrize(
    "body", [b"<html>sorry</html>", b'{"error": 1}', b"[1, 2]", b'[{"file": "x"}]', b"[{", b'[{"file": "1"}]']
)
def test_search_that_answers_nonsense(cod: FakeCod, client: CodClient, body: bytes) -> None:
    cod.arranged["/cod/result"] = [Answer(body=body)] * 9
    with pytest.raises(DatabaseError, match="no list of structures"):
        client.search(CodQuery(formula="NaCl"))


@pytest.mark.parametrize("body", [b"[]", b"{}", b"null"])
def test_search_without_result_is_an_empty_list(cod: FakeCod, client: CodClient, body: bytes) -> None:
    cod.arranged["/cod/result"] = [Answer(body=body)]
    assert client.search(CodQuery(formula="NaCl")) == []


def test_silent_server_is_given_up(cod: FakeCod, clock: Clock, tmp_path: Path) -> None:
    client = CodClient(
        tmp_path, base_url=cod.url, delay_seconds=0, timeout_seconds=0.1, attempts=2, sleep=clock
    )
    cod.arranged["/cod/9000001.cif"] = [Answer(wait_seconds=0.5), Answer(wait_seconds=0.5)]
    with pytest.raises(DatabaseError, match="silent"):
        client.cif(9000001)


def test_slow_server_is_waited_for_within_reason(cod: FakeCod, clock: Clock, tmp_path: Path) -> None:
    cod.arranged["/cod/9000001.cif"] = [Answer(wait_seconds=0.3)]
    patient = CodClient(tmp_path / "a", base_url=cod.url, delay_seconds=0, timeout_seconds=5, sleep=clock)
    assert patient.cif(9000001).is_file()
    # Each byte comes soon after the last, but the whole would take 20 s.
    cod.arranged["/cod/9000003.cif"] = [Answer(trickle_seconds=0.03)]
    hasty = CodClient(tmp_path / "b", base_url=cod.url, delay_seconds=0, timeout_seconds=5,
                      answer_seconds=0.2, attempts=1, sleep=clock)  # fmt: skip
    with pytest.raises(DatabaseError, match="takes longer"):
        hasty.cif(9000003)
    # A count of bytes, not of seconds: the client left while some were still to come.
    assert 0 < cod.trickled < len(cod.cifs[9000003])


def test_nobody_there(clock: Clock, tmp_path: Path) -> None:
    client = CodClient(tmp_path, base_url="http://127.0.0.1:9/cod", delay_seconds=0, attempts=2, sleep=clock)
    with pytest.raises(DatabaseError, match="cannot be reached"):
        client.cif(9000001)


def test_requests_are_spaced(cod: FakeCod, tmp_path: Path) -> None:
    client = CodClient(tmp_path, base_url=cod.url, delay_seconds=0.15)
    for number in (9000001, 9000002, 9000003):
        client.cif(number)
    times = [at for at, _, _ in cod.requests]
    assert min(b - a for a, b in itertools.pairwise(times)) >= 0.14


def test_what_was_fetched_is_a_mirror(cod: FakeCod, client: CodClient, tmp_path: Path) -> None:
    for number in cod.cifs:
        client.cif(number)
    mirror = CodMirror(client.folder, index_folder=tmp_path / "index")
    assert mirror.numbers == tuple(sorted(cod.cifs))
    assert mirror.cif(9000001).read_bytes() == client.cif(9000001).read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "nothing is asked for"),
        ({"without": ("C",)}, "nothing is asked for"),
        ({"elements": tuple("HBCNOFPSI")}, "up to 8"),
        ({"elements": ("Xx",)}, "'Xx' is no element"),
        ({"elements": ("na",)}, "'na' is no element"),
        ({"formula": "salt"}, "no chemical formula"),
        ({"mineral": "halite", "only": True}, "to be the only ones"),
    ],
)
def test_queries_that_make_no_sense(arguments: dict[str, object], said: str) -> None:
    with pytest.raises((UsageError, CrystalError), match=said):
        CodQuery(**arguments)


def test_parameters_are_those_of_the_interface() -> None:
    query = CodQuery("Ca(OH)2", ("Ca", "O"), ("C",), mineral="Portlandite")
    assert query.parameters() == {
        "formula": "Ca H2 O2", "el1": "Ca", "el2": "O", "nel1": "C", "text": "Portlandite"
    }  # fmt: skip
    assert CodQuery(elements=("Ti", "O"), only=True).parameters()["strictmax"] == "2"


@pytest.mark.parametrize("number", [123, 10_000_000])
def test_numbers_have_seven_digits(client: CodClient, number: int) -> None:
    with pytest.raises(UsageError, match="no COD number"):
        client.cif(number)


@pytest.mark.parametrize("arguments", [{"base_url": "ftp://x"}, {"attempts": 0}, {"delay_seconds": -1.0}])
def test_settings_of_the_client(tmp_path: Path, arguments: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        CodClient(tmp_path, **arguments)
