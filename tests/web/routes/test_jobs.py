from __future__ import annotations

import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cod_server import cif_text
from fastapi.testclient import TestClient

from mixrd import analysis
from mixrd.cli import main
from mixrd.phases import load_phase
from mixrd.scan import read_scan, write_scan

PHASES = ["fluorite", "halite"]


def test_an_analysis_finds_what_the_library_finds(done, scan_file: Path) -> None:
    assert done["state"] == "done"
    assert done["error"] is None
    assert done["title"] == "mixture.xy: fluorite, halite"
    (result,) = done["results"]
    assert (result["file"], result["status"], result["error"]) == ("mixture.xy", "ok", None)
    expected = analysis.analyze(read_scan(scan_file), [load_phase(name) for name in PHASES])
    found = {phase["name"]: phase["weight_percent"] for phase in result["analysis"]["phases"]}
    assert found == pytest.approx(expected.fractions, abs=0.01)
    assert result["analysis"]["provenance"]["scan_sha256"] == expected.provenance["scan_sha256"]
    assert result["analysis"]["file"] == "mixture.xy"


def test_a_network_is_trained_with_progress(user, scan) -> None:
    job = user.finished(user.ask([scan["id"]])["id"])
    assert job["state"] == "done", job
    progress = job["progress"]
    assert (progress["step"], progress["steps"], progress["scans_done"]) == (3, 3, 1)
    assert progress["loss"] > 0
    assert [point[0] for point in progress["curve"]][-1] == 3
    phases = job["results"][0]["analysis"]["phases"]
    assert all(phase["network_percent"] is not None for phase in phases)
    again = user.finished(user.ask([scan["id"]], refine=False)["id"])
    assert again["state"] == "done"
    assert again["progress"]["curve"] == []


def test_a_scan_that_fails_does_not_stop_the_others(user, scan, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.xy"
    text = "# wavelength 1.5406\n" + "".join(f"{5 + 0.02 * i:.2f} {100 + i % 7}\n" for i in range(500))
    elsewhere.write_text(text, encoding="utf-8")
    low = user.upload(elsewhere)
    job = user.finished(user.ask([low["id"], scan["id"]], network=False, radiation="CuKa")["id"])
    assert job["state"] == "done"
    assert [result["status"] for result in job["results"]] == ["failed", "ok"]
    error = job["results"][0]["error"]
    assert error["code"] == "SCAN"
    assert error["file"] == "elsewhere.xy"
    assert error["remedy"]
    alone = user.finished(user.ask([low["id"]], network=False, radiation="CuKa")["id"])
    assert alone["state"] == "failed"
    assert alone["error"] == error


def _refused(client: TestClient, scan: dict[str, Any], **more: Any) -> dict[str, Any]:
    request = {"kind": "analysis", "scans": [scan["id"]], "phases": PHASES, "network": False, **more}
    answer = client.post("/api/jobs", json=request)
    assert answer.status_code in (404, 422), answer.text
    return dict(answer.json()["error"])


def test_a_missing_wavelength_is_asked_for_at_once(client: TestClient, user, nameless_scan: Path) -> None:
    nameless = user.upload(nameless_scan)
    error = _refused(client, nameless)
    assert error["code"] == "RADIATION"
    assert error["file"] == "nameless.xy"
    assert "radiation" in error["remedy"]
    job = user.finished(user.ask([nameless["id"]], network=False, radiation="CuKa")["id"])
    assert job["state"] == "done"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"phases": ["unobtainium"]}, "NOT_FOUND"),
        ({"phases": []}, "INPUT"),
        ({"phases": ["halite", "halite"]}, "CRYSTAL"),
        ({"scans": ["none"]}, "NOT_FOUND"),
        ({"scans": []}, "INPUT"),
        ({"instrument": "none"}, "NOT_FOUND"),
        ({"instrument": "../lab-cu"}, "NOT_FOUND"),
        ({"instrument": "lab-cu", "radiation": "CuKa"}, "INPUT"),
        ({"radiation": "UnKa"}, "RADIATION"),
        ({"refine": False}, "INPUT"),
        ({"refine": False, "network": True, "particle_size_um": 3}, "INPUT"),
        ({"particle_size_um": -1}, "INPUT"),
        ({"standard": {"phase": "corundum", "percent": 20}}, "PARAMETER"),
        ({"standard": {"phase": "halite", "percent": 120}}, "INPUT"),
        ({"grinding": "well"}, "INPUT"),
        ({"grinding": "by-hand", "particle_size_um": 3}, "INPUT"),
        ({"refine": False, "network": True, "grinding": "by-hand"}, "INPUT"),
        ({"external_standard": {"phase": "halite"}}, "INPUT"),
        ({"external_standard": {"phase": "halite", "scan": "none"}}, "NOT_FOUND"),
        ({"external_standard": {"phase": "unobtainium", "scan": "none"}}, "NOT_FOUND"),
        ({"surprise": 1}, "INPUT"),
        ({"kind": "magic"}, "INPUT"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(client: TestClient, scan, wrong, code: str) -> None:
    assert _refused(client, scan, **wrong)["code"] == code


def test_no_json_and_too_much_json_are_refused(client: TestClient) -> None:
    header = {"Content-Type": "application/json"}
    assert client.post("/api/jobs", content=b"{", headers=header).status_code == 422
    assert client.post("/api/jobs", content=b"[" * 100_000, headers=header).status_code in (400, 422)
    for kind in ("application/json", "multipart/form-data; boundary=x", "text/plain"):
        answer = client.post("/api/jobs", content=b" " * 1_100_000, headers={"Content-Type": kind})
        assert answer.status_code == 413
        assert answer.json()["error"]["code"] == "TOO_LARGE"


def test_what_is_said_of_the_sample_reaches_the_analysis(user, scan) -> None:
    standard = {"phase": "halite", "percent": 40}
    job = user.finished(user.ask([scan["id"]], network=False, particle_size_um=3, standard=standard)["id"])
    found = job["results"][0]["analysis"]
    assert found["absolute"]["method"] == "internal standard"
    plain = user.finished(user.ask([scan["id"]], network=False)["id"])["results"][0]["analysis"]
    assert found["phases"][0]["weight_percent"] != plain["phases"][0]["weight_percent"]


def test_grinding_reaches_the_analysis(user, scan) -> None:
    def sigma(**said: Any) -> float:
        job = user.finished(user.ask([scan["id"]], network=False, **said)["id"])
        return float(job["results"][0]["analysis"]["phases"][0]["sigma_percent"])

    assert sigma(grinding="mccrone") < sigma() < sigma(grinding="by-hand")


def test_an_external_standard_and_what_is_amorphous(client: TestClient, user, scan, tmp_path: Path) -> None:
    assert main(["simulate", "halite:1", "--instrument", "lab-cu", "--range", "24", "62",
                 "-o", str(tmp_path / "pure.xy")]) == 0  # fmt: skip
    pure = read_scan(tmp_path / "pure.xy")
    write_scan(dataclasses.replace(pure, counts=4 * pure.counts), tmp_path / "bright.xy")
    bright = user.upload(tmp_path / "bright.xy")
    standard = {"phase": "halite", "scan": bright["id"]}

    def amorphous(**more: Any) -> float:
        asked = user.ask([scan["id"]], network=False, external_standard={**standard, **more})
        job = user.finished(asked["id"])
        assert job["state"] == "done", job
        found = job["results"][0]["analysis"]["absolute"]
        assert found["method"] == "external standard"
        return float(found["amorphous_percent"])

    assert amorphous(amorphous_formula="B2O3") > amorphous() + 1
    assert client.delete(f"/api/scans/{bright['id']}").status_code == 409  # a job uses it
    for wrong, code in (
        ({"amorphous_formula": "sand"}, "CRYSTAL"), ({"amorphous_formula": " "}, "CRYSTAL"),
    ):  # fmt: skip
        assert _refused(client, scan, external_standard={**standard, **wrong})["code"] == code
    both = {"external_standard": standard, "standard": {"phase": "halite", "percent": 20}}
    assert _refused(client, scan, **both)["code"] == "INPUT"


def test_two_own_phases_of_one_name_are_told_apart(client: TestClient, user, scan) -> None:
    ids = [
        client.post("/api/phases/cif", files={"file": ("halite.cif", text)}).json()["id"]
        for text in (cif_text(9000001), cif_text(9000003, "K Cl", "Sylvite", 6.29))
    ]
    job = user.finished(user.ask([scan["id"]], network=False, phases=["fluorite", *ids])["id"])
    assert job["state"] == "done", job
    names = [phase["name"] for phase in job["results"][0]["analysis"]["phases"]]
    assert names == ["fluorite", "halite", "halite-2"]
    same = user.finished(user.ask([scan["id"]], network=False, phases=["halite", ids[0]])["id"])
    assert same["state"] == "failed"
    assert same["error"]["code"] == "CRYSTAL"


def test_a_calibrated_instrument_can_be_used(client: TestClient, user, scan, pure_scan: Path) -> None:
    pure = user.upload(pure_scan)
    request = {"kind": "calibration", "scan": pure["id"], "phase": "fluorite", "name": "Room <7>"}
    answer = client.post("/api/jobs", json=request)
    assert answer.status_code == 201, answer.text
    job = user.finished(answer.json()["id"])
    assert job["state"] == "done", job
    assert 0 < job["results"][0]["calibration"]["r_wp"] < 0.2
    made = next(one for one in client.get("/api/instruments").json() if one["id"] == job["instrument"])
    assert (made["kind"], made["title"]) == ("own", "Room <7>")
    assert "fluorite" in made["note"]
    used = user.finished(user.ask([scan["id"]], network=False, instrument=made["id"])["id"])
    assert used["results"][0]["analysis"]["provenance"]["instrument"] == "Room <7>"
    assert client.get(f"/api/jobs/{job['id']}/results/0/curves").json()["names"] == ["fluorite"]
    assert client.get(f"/api/jobs/{job['id']}/results/0/plot.png").content.startswith(b"\x89PNG")
    assert client.get(f"/api/jobs/{job['id']}/results.csv").status_code == 409


def test_a_scan_of_something_else_calibrates_nothing(client: TestClient, user, pure_scan: Path) -> None:
    pure = user.upload(pure_scan)
    request = {"kind": "calibration", "scan": pure["id"], "phase": "corundum", "name": "wrong"}
    job = user.finished(client.post("/api/jobs", json=request).json()["id"])
    assert job["state"] == "failed"
    assert job["error"]["code"] == "SCAN"
    assert job["error"]["file"] == "fluorite.xy"
    assert job["instrument"] is None
    assert client.get(f"/api/jobs/{job['id']}/results/0/plot.png").status_code == 404


def test_events_tell_a_job_to_its_end(client: TestClient, user, scan) -> None:
    job = user.ask([scan["id"]], network=False)
    with client.stream("GET", f"/api/jobs/{job['id']}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        told = [json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: ")]
    assert told[-1]["state"] == "done"
    assert all(one["id"] == job["id"] for one in told)
    assert told[-1]["results"][0]["status"] == "ok"
    assert told[-1]["results"][0]["analysis"] is None


def test_jobs_are_listed_newest_first_without_their_analyses(client: TestClient, done) -> None:
    every = client.get("/api/jobs").json()
    assert done["id"] in [job["id"] for job in every]
    assert [job["created"] for job in every] == sorted((job["created"] for job in every), reverse=True)
    assert all(result["analysis"] is None for job in every for result in job["results"])
    assert len(client.get("/api/jobs", params={"limit": 1}).json()) == 1


def test_a_job_at_its_end_can_be_neither_cancelled_nor_restarted(client: TestClient, done) -> None:
    for what in ("cancel", "restart"):
        answer = client.post(f"/api/jobs/{done['id']}/{what}")
        assert answer.status_code == 409
        assert answer.json()["error"]["code"] == "CONFLICT"
        assert client.post(f"/api/jobs/none/{what}").status_code == 404


def test_a_failed_job_can_be_restarted_and_deleted(client: TestClient, user, scan) -> None:
    one = client.post(
        "/api/phases/cif", files={"file": ("k.cif", cif_text(9000003, "K Cl", "S", 6.3))}
    ).json()
    job = user.ask([scan["id"]], network=False, phases=["fluorite", one["id"]])
    user.finished(job["id"])
    client.delete(f"/api/phases/{one['id']}")
    again = user.ask([scan["id"]], network=False, phases=["fluorite"])
    user.finished(again["id"])
    assert client.delete(f"/api/jobs/{job['id']}").status_code == 204
    assert client.get(f"/api/jobs/{job['id']}").status_code == 404
    assert client.delete(f"/api/jobs/{job['id']}").status_code == 404


def test_two_users_at_once_get_each_their_own(
    client: TestClient, user, scan_file: Path, pure_scan: Path
) -> None:
    def work(path: Path) -> tuple[str, dict[str, Any]]:
        mine = user.upload(path)
        return path.name, user.finished(user.ask([mine["id"]], network=False)["id"])

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(work, [scan_file, pure_scan] * 2))
    for name, job in found:
        assert job["state"] == "done"
        assert job["results"][0]["file"] == name
        share = {p["name"]: p["weight_percent"] for p in job["results"][0]["analysis"]["phases"]}
        assert share["fluorite"] > 99 if name == "fluorite.xy" else share["fluorite"] < 70
