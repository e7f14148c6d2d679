"""`mixrd cod`: over a local server and from a mirror."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from cod_server import Answer, FakeCod, cif_text

from mixrd.paper.pool import load_pool


@pytest.fixture
def network(cod: FakeCod) -> tuple[str, ...]:
    return "--url", cod.url, "--delay", "0"


def test_get_by_number(run, cod: FakeCod, network) -> None:
    shown = run("cod", "get", "9000001", *network)
    assert shown.code == 0
    assert Path("9000001.cif").read_text(encoding="utf-8") == cod.cifs[9000001]
    assert "kept" in shown.out


def test_get_filters_and_counts_reasons(run, cod: FakeCod, network) -> None:
    cod.cifs[9000005] = cif_text(9000005, "Cl Li").replace("'Cl Li'", "'Cl2 Li'")
    shown = run("cod", "get", "--elements", "Cl", *network, "-o", "chlorides", "--json")
    assert shown.code == 0
    data = json.loads(shown.out)
    assert data["kept"] == 2
    assert {r: n for r, n in data["rejected"].items() if n} == {"composition": 1, "duplicate": 1}
    assert sorted(p.name for p in Path("chlorides").iterdir()) == ["9000001.cif", "9000003.cif"]
    table = run("cod", "get", "--elements", "Cl", *network, "-o", "chlorides").out
    rows = [line.split()[:2] for line in table.splitlines() if line]
    counts = [row for row in rows if row[0] in ("kept", "composition", "duplicate")]
    assert counts == [["kept", "2"], ["composition", "1"], ["duplicate", "1"]]
    run("cod", "get", "--elements", "Cl", *network, "-o", "all", "--all")
    assert len(list(Path("all").iterdir())) == 4


def test_get_named_structures_whatever_the_filter_says(run, cod: FakeCod, network) -> None:
    shown = run("cod", "get", "9000001", "9000002", *network)
    assert Path("9000002.cif").is_file()
    assert "duplicate: the same structure as 9000001" in shown.out


def test_get_says_what_is_missing_and_gets_the_rest(run, network) -> None:
    shown = run("cod", "get", "9999999", "9000001", *network)
    assert shown.code == 3
    assert Path("9000001.cif").is_file()
    assert "not found" in shown.out and "9999999" in shown.out


def test_get_overwrites_only_with_force(run, network) -> None:
    assert run("cod", "get", "9000001", *network).code == 0
    assert run("cod", "get", "9000001", *network).code == 0, "the same file stays"
    Path("9000001.cif").write_text("mine", encoding="utf-8")
    shown = run("cod", "get", "9000001", *network)
    assert shown.code == 2 and "--force" in shown.err
    assert Path("9000001.cif").read_text(encoding="utf-8") == "mine"
    assert run("cod", "get", "9000001", *network, "--force").code == 0


def test_search(run, network) -> None:
    shown = run("cod", "search", "--formula", "NaCl", *network)
    assert shown.code == 0
    assert shown.out.count("Halite") == 2
    found = json.loads(run("cod", "search", "--mineral", "sylvite", *network, "--json").out)
    assert [(r["number"], r["formula"]) for r in found] == [(9000003, "Cl K")]


def test_server_that_fails_is_exit_1_and_a_remedy(run, cod: FakeCod, network) -> None:
    cod.arranged["/cod/result"] = [Answer(404)]
    shown = run("cod", "search", "--formula", "NaCl", *network)
    assert shown.code == 1
    assert shown.err.startswith("error: there is no search at") and "Traceback" not in shown.err
    cod.arranged["/cod/9000001.cif"] = [Answer(403)]
    shown = run("cod", "get", "9000001", *network)
    assert shown.code == 1
    assert "403" in shown.err


def test_sample_over_the_network_and_from_what_was_fetched(run, cod: FakeCod, network) -> None:
    command = ("cod", "sample", "--n", "2", "--spare-lines", "0", "--elements", "Cl", *network)
    shown = run(*command, "-o", "pool.json")
    assert shown.code == 0
    crystals = load_pool(path="pool.json")
    assert len(crystals) == 2
    data = json.loads(Path("pool.json").read_text(encoding="utf-8"))
    assert all(len(s["sha256"]) == 64 for s in data["structures"])
    before = len(cod.requests)
    again = run(*command, "-o", "again.json", "--json")
    assert json.loads(again.out)["kept"] >= 2
    assert Path("again.json").read_bytes() == Path("pool.json").read_bytes()
    assert len(cod.requests) == before + 1, "only the search is asked again"


def test_sample_from_a_mirror(run, tmp_path: Path, cod: FakeCod) -> None:
    folder, any_lines = tmp_path / "mirror", ("--spare-lines", "0")
    folder.mkdir()
    for number, text in cod.cifs.items():
        (folder / f"a{number}.cif").write_text(text, encoding="utf-8")
    shown = run("cod", "sample", *any_lines, "--n", "3", "--mirror", folder, "-o", "pool.json", "--count-all")
    assert shown.code == 0
    assert cod.requests == []
    assert "3 of 4 structures" in shown.err
    assert any(line.split()[:2] == ["duplicate", "1"] for line in shown.out.splitlines())
    assert run("cod", "sample", *any_lines, "--n", "3", "--mirror", folder, "-o", "pool.json").code == 2
    refused = run("cod", "sample", *any_lines, "--n", "4", "--mirror", folder, "-o", "b.json")
    assert "only 3 of 4" in refused.err


def test_sample_counts_structures_with_too_few_lines(run, cod: FakeCod, network) -> None:
    # Between 10 and 50 degrees halite has 111, 200 and 220, sylvite only the latter two.
    command = ("cod", "sample", "--elements", "Cl", *network, "-o", "pool.json", "--count-all")
    assert "only 0 of 3 structures" in run(*command, "--n", "1").err
    shown = run(*command, "--n", "1", "--spare-lines", "2")
    assert shown.code == 0
    rows = [line.split()[:4] for line in shown.out.splitlines()]
    assert ["too", "few", "lines", "1"] in rows and ["kept", "1"] in rows
    told = run(*command, "--n", "2", "--force", "--range", "10", "90", "--wavelength", "1.5", "--json")
    data = json.loads(told.out)
    assert data["rejected"] == {"duplicate": 1}
    assert data["criterion"] == {
        "spare_lines": 3,
        "two_theta_range": [10.0, 90.0],
        "wavelength_angstrom": 1.5,
    }
    assert all(s["lines"] >= 4 for s in data["structures"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["get"], "nothing is asked for"),
        (["get", "12"], "no COD number"),
        (["search"], "nothing is asked for"),
        (["search", "--elements", "Xx"], "no element"),
        (["sample", "-o", "p.json"], "--mirror"),
        (["sample", "-o", "p.json", "--mirror", "nowhere"], "no such folder"),
        (["sample", "-o", "p.json", "--spare-lines", "-1"], "spare_lines = -1"),
        (["sample", "-o", "p.json", "--range", "50", "10"], "two_theta_range = 50 to 10"),
    ],
)
def test_wrong_use_is_exit_2(run, arguments: list[str], said: str) -> None:
    shown = run("cod", *arguments)
    assert shown.code == 2
    assert said in shown.err


@pytest.mark.skipif(os.name == "nt", reason="sends SIGKILL")
def test_a_killed_command_goes_on_where_it_was(tmp_path: Path, cod: FakeCod) -> None:
    cod.cifs |= {n: cif_text(n, "Rb Cl", "X", 6.0 + 0.5 * (n - 9000010)) for n in range(9000010, 9000016)}
    command = [sys.executable, "-m", "mixrd", "cod", "get", "--elements", "Cl", "--all",
               "--url", cod.url, "-o", str(tmp_path / "out")]  # fmt: skip
    environment = {**os.environ, "MIXRD_CACHE": str(tmp_path / "cache")}
    process = subprocess.Popen([*command, "--delay", "0.3"], env=environment, stderr=subprocess.DEVNULL)
    while sum(path.endswith(".cif") for path in cod.paths()) < 3 and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=20)
    done = subprocess.run([*command, "--delay", "0"], env=environment, capture_output=True, timeout=60)
    assert done.returncode == 0
    assert len(list((tmp_path / "out").glob("*.cif"))) == 9
    fetched = [path for path in cod.paths() if path.endswith(".cif")]
    # At most the structure that was on its way is asked for twice.
    assert len(fetched) <= 10 and set(fetched) == {f"/cod/{n}.cif" for n in cod.cifs if n != 9000004}


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")
def test_ctrl_c_says_that_nothing_is_lost(tmp_path: Path, cod: FakeCod) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "mixrd", "cod", "get", "--elements", "Cl", "--url", cod.url,
         "--delay", "1", "-o", str(tmp_path / "out")],
        env={**os.environ, "MIXRD_CACHE": str(tmp_path / "cache")}, stderr=subprocess.PIPE, text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    while len(cod.requests) < 2 and process.poll() is None:
        time.sleep(0.02)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "goes on from there" in said and "Traceback" not in said
