from __future__ import annotations

from pathlib import Path

import pytest
from cod_server import Answer, FakeCod, cif_text
from fastapi.testclient import TestClient

from mixrd.pattern import load_instrument, preset_names, to_toml
from mixrd.phases import catalog_names, load_phase, search_catalog


def _cif(client: TestClient, text: str, name: str = "my phase.cif", query: str = ""):
    return client.post(f"/api/phases/cif{query}", files={"file": (name, text.encode())})


def test_the_catalog_is_there_and_is_searched_as_the_command_line_does(client: TestClient) -> None:
    every = client.get("/api/phases").json()
    assert {phase["id"] for phase in every if phase["kind"] == "catalog"} == set(catalog_names())
    found = client.get("/api/phases", params={"q": "calcium carb"}).json()
    catalog = [phase["id"] for phase in found if phase["kind"] == "catalog"]
    assert catalog == [entry.name for entry in search_catalog("calcium carb")]
    corundum = client.get("/api/phases", params={"q": "sapphire"}).json()[0]
    assert corundum["cell"] == list(load_phase("corundum").cell)
    assert corundum["reference"].startswith("Lewis")
    assert client.get("/api/phases", params={"q": "no such phase"}).json() == []


def test_a_cif_becomes_a_phase_that_is_found_and_can_be_forgotten(client: TestClient) -> None:
    answer = _cif(client, cif_text(9000009, "K Cl", "Sylvite", 6.29))
    assert answer.status_code == 201
    phase = answer.json()
    assert (phase["kind"], phase["name"], phase["formula"]) == ("cif", "my-phase", "KCl")
    assert phase["cell"][0] == 6.29
    assert phase["notes"]
    assert "my phase.cif" in phase["reference"]
    assert client.get("/api/phases", params={"q": "my phase"}).json()[0]["id"] == phase["id"]
    assert client.get("/api/phases", params={"q": "KCl"}).json()[0]["id"] == phase["id"]
    assert _cif(client, cif_text(9000009, "K Cl", "Sylvite", 6.29)).json()["id"] == phase["id"]
    assert client.delete(f"/api/phases/{phase['id']}").status_code == 204
    assert client.delete(f"/api/phases/{phase['id']}").status_code == 404
    assert client.delete("/api/phases/corundum").status_code == 404


@pytest.mark.parametrize(
    "text",
    ["", "no cif", "data_x\n_cell_length_a 5", cif_text(9000001).replace("_cell_length_a", "_cell_x")],
)
def test_a_bad_cif_is_refused_with_reason_and_remedy(client: TestClient, text: str) -> None:
    answer = _cif(client, text, "bad.cif")
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["code"] == "CRYSTAL"
    assert error["remedy"]
    assert error["file"] == "bad.cif"


def test_the_block_of_a_cif_can_be_chosen(client: TestClient) -> None:
    two = cif_text(9000001) + cif_text(9000003, "K Cl", "Sylvite", 6.29)
    assert _cif(client, two).status_code == 422
    assert _cif(client, two, query="?block=9000003").json()["formula"] == "KCl"
    assert _cif(client, two, query="?block=9000001").json()["formula"] == "NaCl"


def test_a_structure_of_cod_is_fetched_once_and_only_when_asked_for(
    client: TestClient, cod: FakeCod, monkeypatch: pytest.MonkeyPatch
) -> None:
    _use(client, cod.url, monkeypatch)
    client.get("/api/phases", params={"q": "halite"})
    assert cod.requests == []
    answer = client.post("/api/phases/cod", json={"number": 9000004})
    assert answer.status_code == 201
    assert (answer.json()["kind"], answer.json()["name"]) == ("cod", "periclase")
    assert "9000004" in answer.json()["reference"]
    again = client.post("/api/phases/cod", json={"number": 9000004})
    assert again.json()["id"] == answer.json()["id"]
    assert cod.paths() == ["/cod/9000004.cif"]


def test_what_cod_does_not_have_or_give_is_told(
    client: TestClient, cod: FakeCod, monkeypatch: pytest.MonkeyPatch
) -> None:
    _use(client, cod.url, monkeypatch)
    missing = client.post("/api/phases/cod", json={"number": 1234567})
    assert missing.status_code == 422
    assert missing.json()["error"]["code"] == "PHASE_NOT_FOUND"
    cod.arranged["/cod/9000001.cif"] = [Answer(400)]
    broken = client.post("/api/phases/cod", json={"number": 9000001})
    assert broken.status_code == 502
    assert broken.json()["error"]["code"] == "DATABASE"
    for number in (5, "x", None, 12345678):
        assert client.post("/api/phases/cod", json={"number": number}).status_code == 422


def test_cod_that_cannot_be_reached_is_told(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    _use(client, "http://127.0.0.1:9/cod", monkeypatch)
    answer = client.post("/api/phases/cod", json={"number": 9000002})
    assert answer.status_code == 502
    error = answer.json()["error"]
    assert error["code"] == "DATABASE"
    assert "cannot be reached" in error["message"]
    assert error["file"] == "COD 9000002"
    assert "--" not in error["remedy"]


def test_instruments_that_ship_and_those_of_users(client: TestClient) -> None:
    shipped = client.get("/api/instruments").json()
    assert {one["id"] for one in shipped if one["kind"] == "preset"} == set(preset_names())
    text = to_toml(load_instrument("lab-co")).replace("Co K alpha", "of room 7", 1)
    answer = client.post("/api/instruments", files={"file": ("mine.toml", text)})
    assert answer.status_code == 201
    mine = answer.json()
    assert (mine["kind"], mine["radiation"]) == ("own", "CoKa")
    assert "of room 7" in mine["title"]
    assert client.get("/api/instruments").json()[0] == mine
    file = client.get(f"/api/instruments/{mine['id']}.toml")
    assert file.text == text
    assert "attachment" in file.headers["content-disposition"]
    assert client.get("/api/instruments/lab-cu.toml").text == to_toml(load_instrument("lab-cu"))
    assert client.delete(f"/api/instruments/{mine['id']}").status_code == 204
    assert client.get(f"/api/instruments/{mine['id']}.toml").status_code == 404
    assert client.delete("/api/instruments/lab-cu").status_code == 404


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"name = 5", b"a = [", b"x" * 200_000])
def test_what_is_no_instrument_is_refused(client: TestClient, content: bytes) -> None:
    answer = client.post("/api/instruments", files={"file": ("mine.toml", content)})
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "INSTRUMENT"
    assert answer.json()["error"]["file"] == "mine.toml"


def test_radiations_of_laboratory_tubes(client: TestClient) -> None:
    found = {one["id"]: one for one in client.get("/api/radiations").json()}
    assert found["CuKa"]["title"] == "Cu Kα1 + Kα2"
    assert found["MoKa1"]["wavelength_angstrom"] == pytest.approx(0.7093, abs=1e-4)


def _use(client: TestClient, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another address for COD; the settings are frozen."""
    services = client.app.state.services
    settings = type(services.settings)(services.settings.data, cod_url=url)
    monkeypatch.setattr(services, "settings", settings)


def test_a_phase_is_never_a_path(client: TestClient, scan, tmp_path: Path) -> None:
    file = tmp_path / "secret.cif"
    file.write_text(cif_text(9000001), encoding="utf-8")
    for name in (str(file), f"{file}#9000001", "../catalog/quartz", "alumina"):
        answer = client.post(
            "/api/jobs", json={"kind": "analysis", "scans": [scan["id"]], "phases": [name], "network": False}
        )
        assert answer.status_code == 404
        assert answer.json()["error"]["message"].startswith("there is no phase")
