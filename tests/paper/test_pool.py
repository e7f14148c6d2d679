"""The pool of structures: drawn with a seed, written, read, the one that ships."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest
from cod_server import cif_text
from hypothesis import given
from hypothesis import strategies as st

import mixrd.paper.pool
from mixrd.errors import UsageError
from mixrd.paper.pool import LineCriterion, load_pool, read_pool, write_pool
from mixrd.paper.pool_draw import distinct_lines, draw_order, line_fault, sample_pool
from mixrd.phases import CodMirror, check_distinct, find_polymer

PAIRS = ["Na Cl", "K Cl", "K Br", "Mg O", "Ca O", "Ti N", "Li F", "Pb S", "Ag Cl", "Ni O"]
CRITERION = {"spare_lines": 3, "two_theta_range": [10, 50], "wavelength_angstrom": 1.54184}


@pytest.fixture
def mirror(tmp_path: Path) -> CodMirror:
    """Ten structures of the halite type and one more of the first."""
    folder = tmp_path / "structures"
    folder.mkdir()
    for i, elements in enumerate([*PAIRS, PAIRS[0]]):
        number = 9000001 + i
        text = cif_text(number, elements, "Salt", 5.0)
        (folder / f"{number}.cif").write_text(text, encoding="utf-8")
    return CodMirror(folder, index_folder=tmp_path / "index")


def test_the_same_seed_draws_the_same_and_another_differs(mirror: CodMirror) -> None:
    one = sample_pool(mirror, mirror.numbers, n=6, seed=1)
    assert sample_pool(mirror, reversed(mirror.numbers), n=6, seed=1) == one
    other = sample_pool(mirror, mirror.numbers, n=6, seed=2)
    assert [e.number for e in other.entries] != [e.number for e in one.entries]


def test_a_smaller_pool_is_the_beginning_of_a_larger(mirror: CodMirror) -> None:
    large = sample_pool(mirror, mirror.numbers, n=9, seed=3)
    small = sample_pool(mirror, mirror.numbers, n=4, seed=3)
    assert large.entries[:4] == small.entries


def test_numbers_hashes_and_counts_are_recorded(mirror: CodMirror) -> None:
    pool = sample_pool(mirror, mirror.numbers, n=10, seed=0, screen_all=True)
    for entry in pool.entries:
        assert entry.sha256 == sha256(mirror.cif(entry.number).read_bytes()).hexdigest()
        assert entry.crystal.source == f"COD {entry.number}"
    assert (pool.population, pool.screened, pool.passed) == (11, 11, 10)
    assert pool.reasons == {"duplicate": 1}
    assert {pool.rejected[0].number, *(e.number for e in pool.entries)} == set(mirror.numbers)
    names = [entry.crystal.name for entry in pool.entries]
    assert names[0] == "salt" and len(set(names)) == 10


def test_structures_with_too_few_lines_are_left_out(mirror: CodMirror) -> None:
    everything = sample_pool(mirror, mirror.numbers, n=10, seed=0, screen_all=True)
    # Up to 50 degrees halite with a = 5 A has 111 and 200, and 111 is faint where both atoms weigh the same.
    assert {distinct_lines(e.crystal, 1.54184, (10, 50)) for e in everything.entries} == {1, 2}
    one_more = LineCriterion(1)
    pool = sample_pool(mirror, mirror.numbers, n=6, seed=0, criterion=one_more, screen_all=True)
    enough = [e for e in everything.entries if distinct_lines(e.crystal, 1.54184, (10, 50)) == 2]
    assert [e.number for e in pool.entries] == [e.number for e in enough][:6]
    assert all(e.lines == 2 for e in pool.entries) and pool.criterion == one_more
    assert (pool.screened, pool.passed) == (11, len(enough))
    assert pool.reasons == {"too few lines": 10 - len(enough), "duplicate": 1}
    with pytest.raises(UsageError, match=r"only 0 of 11 .*--spare-lines"):
        sample_pool(mirror, mirror.numbers, n=1, seed=0, criterion=LineCriterion())
    wide = LineCriterion(3, (10.0, 90.0))
    assert sample_pool(mirror, mirror.numbers, n=10, seed=0, criterion=wide).passed == 10


def test_structures_whose_lines_are_unknown_are_counted(mirror: CodMirror) -> None:
    file = mirror.cif(9000002)
    file.write_text(file.read_text(encoding="utf-8").replace("K", "Fm"), encoding="utf-8")
    wide = LineCriterion(3, (10.0, 90.0))
    pool = sample_pool(mirror, mirror.numbers, n=9, seed=0, criterion=wide, screen_all=True)
    assert pool.reasons == {"duplicate": 1, "no pattern": 1}
    assert [r.number for r in pool.rejected if r.reason == "no pattern"] == [9000002]


def test_drawing_stops_when_the_pool_is_full(mirror: CodMirror) -> None:
    told: list[tuple[int, int]] = []
    pool = sample_pool(mirror, mirror.numbers, n=3, seed=0, on_structure=lambda *x: told.append(x))
    assert pool.screened == len(told) < 11
    assert told[-1] == (pool.screened - 1, 11)


def test_more_than_there_are_is_an_error(mirror: CodMirror) -> None:
    with pytest.raises(UsageError, match="only 10 of 11 structures pass"):
        sample_pool(mirror, mirror.numbers, n=11, seed=0)
    with pytest.raises(UsageError, match="n = 0"):
        sample_pool(mirror, mirror.numbers, n=0, seed=0)


def test_number_without_structure_is_counted(mirror: CodMirror) -> None:
    pool = sample_pool(mirror, [*mirror.numbers, 9999999], n=10, seed=0, screen_all=True)
    assert pool.reasons == {"duplicate": 1, "not found": 1}


@given(st.sets(st.integers(1_000_000, 9_999_999), min_size=2, max_size=30), st.integers(0, 9), st.data())
def test_order_is_a_permutation_that_others_do_not_disturb(numbers: set[int], seed: int, data) -> None:
    order = draw_order(numbers, seed)
    assert sorted(order) == sorted(numbers)
    some = data.draw(st.sets(st.sampled_from(order), min_size=1))
    assert draw_order(some, seed) == [n for n in order if n in some]


def test_every_position_is_equally_likely() -> None:
    firsts = [draw_order(range(9_000_000, 9_000_004), seed)[0] for seed in range(2000)]
    counts = [firsts.count(n) for n in range(9_000_000, 9_000_004)]
    # Binomial with p = 1/4: standard deviation 19.4.
    assert all(abs(count - 500) < 5 * 19.4 for count in counts)


def test_written_and_read_again(mirror: CodMirror, tmp_path: Path) -> None:
    pool = sample_pool(mirror, mirror.numbers, n=5, seed=0)
    write_pool(pool, tmp_path / "pool.json")
    assert read_pool(tmp_path / "pool.json") == pool
    assert load_pool(3, tmp_path / "pool.json") == tuple(e.crystal for e in pool.entries[:3])
    criterion = LineCriterion(1, (20.0, 90.0), 1.5)
    counted = sample_pool(mirror, mirror.numbers, n=5, seed=0, criterion=criterion)
    write_pool(counted, tmp_path / "pool.json")
    assert read_pool(tmp_path / "pool.json") == counted != pool


def test_accents_of_cif_become_letters(mirror: CodMirror, tmp_path: Path) -> None:
    file = mirror.cif(9000001)
    head = r"""_journal_name_full 'Zeitschrift f\"ur Kristallographie'
_journal_volume 156
_journal_year 1981
_journal_page_first 233
loop_
_publ_author_name
'Gra\<zulis, S.'
'M\"uller, U.'
"""
    file.write_text(file.read_text().replace("_cell_length_a", head + "_cell_length_a"), encoding="utf-8")
    (entry,) = sample_pool(mirror, [9000001], n=1, seed=0).entries
    assert entry.reference == "Gražulis, S. et al., Zeitschrift für Kristallographie 156 (1981) 233"


@pytest.mark.parametrize(
    "spoil",
    [lambda d: "{", lambda d: "[]", lambda d: json.dumps({**d, "format": "other"}),
     lambda d: json.dumps({**d, "structures": [{}]}),
     lambda d: json.dumps({**d, "criterion": {"spare_lines": 3}}),
     lambda d: json.dumps({**d, "criterion": {**CRITERION, "two_theta_range": [50, 10]}}),
     lambda d: json.dumps({**d, "structures": [{**d["structures"][0], "cell": [1, 1, 1, 0, 0, 0]}]}),
     lambda d: json.dumps({**d, "structures": [{**d["structures"][0], "sites": [["Na", "Na"]]}]})],
)  # fmt: skip
def test_files_that_are_no_pool(mirror: CodMirror, tmp_path: Path, spoil) -> None:
    file = tmp_path / "pool.json"
    write_pool(sample_pool(mirror, mirror.numbers, n=2, seed=0), file)
    file.write_text(spoil(json.loads(file.read_text(encoding="utf-8"))), encoding="utf-8")
    with pytest.raises(UsageError, match="no pool of structures"):
        read_pool(file)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_pool(tmp_path / "pool.json")


@pytest.mark.parametrize("n", [0, -1, 51])
def test_the_pool_has_fifty(n: int) -> None:
    assert len(load_pool()) == 50
    with pytest.raises(UsageError, match=f"n = {n} structures"):
        load_pool(n)


def test_the_shipped_pool_is_what_the_filter_lets_through() -> None:
    crystals = load_pool()
    check_distinct(list(crystals))
    assert len({c.name for c in crystals}) == 50
    assert all(len(c.atoms.site) <= 300 for c in crystals)
    assert all(find_polymer(c) is None for c in crystals)
    pool = read_pool()
    assert pool.criterion == LineCriterion(3, (10.0, 50.0), 1.54184)
    for entry in pool.entries:
        assert entry.lines == distinct_lines(entry.crystal, 1.54184, (10.0, 50.0))
        assert line_fault(entry.crystal, entry.lines, pool.criterion) == ""
    assert load_pool(5) == crystals[:5]


def shipped_file() -> Path:
    return Path(mixrd.paper.pool.__file__).parent / "data" / "pool-50.json"


def test_the_shipped_pool_is_drawn_again_from_its_source(data_dir: Path, tmp_path: Path) -> None:
    folder = data_dir / "structures" / "openchemistry"
    if not folder.is_dir():
        pytest.skip(f"no structures at {folder}")
    mirror = CodMirror(folder, index_folder=tmp_path)
    shipped = read_pool()
    drawn = sample_pool(mirror, mirror.numbers, n=50, seed=0, criterion=LineCriterion(), screen_all=True)
    assert [(e.number, e.sha256) for e in drawn.entries] == [(e.number, e.sha256) for e in shipped.entries]
    assert drawn == shipped
    write_pool(drawn, tmp_path / "pool.json")
    assert (tmp_path / "pool.json").read_bytes() == shipped_file().read_bytes()
    assert shipped.passed + len(shipped.rejected) == shipped.screened == shipped.population
