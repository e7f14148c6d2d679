from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

import numpy as np
from fastapi.testclient import TestClient

from mixrd.analysis import Analysis
from mixrd.export import export
from mixrd.scan import read_scan


def test_one_result(client: TestClient, done) -> None:
    assert client.get(f"/api/jobs/{done['id']}/results/0").json() == done["results"][0]
    assert client.get(f"/api/jobs/{done['id']}/results/1").status_code == 404


def test_curves_add_up(client: TestClient, done) -> None:
    found = client.get(f"/api/jobs/{done['id']}/results/0/curves").json()
    assert found["names"] == ["fluorite", "halite"]
    total = np.array(found["background"]) + np.array(found["contributions"]).sum(axis=0)
    assert np.allclose(total, found["calculated"], rtol=1e-6)
    assert all(min(marks) > 20 for marks in found["marks"])
    assert client.get(f"/api/jobs/{done['id']}/results/7/curves").status_code == 404


def test_without_refinement_there_is_no_curve(client: TestClient, user, scan) -> None:
    job = user.finished(user.ask([scan["id"]], refine=False)["id"])
    assert job["state"] == "done", job
    assert client.get(f"/api/jobs/{job['id']}/results/0/curves").status_code == 404
    assert client.get(f"/api/jobs/{job['id']}/results/0/plot.png").status_code == 404
    assert client.get(f"/api/jobs/{job['id']}/report.html").status_code == 200


def test_plot(client: TestClient, done) -> None:
    for _ in range(2):
        answer = client.get(f"/api/jobs/{done['id']}/results/0/plot.png")
        assert answer.headers["content-type"] == "image/png"
        assert answer.content.startswith(b"\x89PNG")
        assert len(answer.content) > 20_000


def test_json_is_that_of_the_command_line(client: TestClient, done) -> None:
    answer = client.get(f"/api/jobs/{done['id']}/results.json")
    assert 'filename="mixture.json"' in answer.headers["content-disposition"]
    again = json.loads(Analysis.from_json(answer.text).to_json())
    assert again == json.loads(answer.text)
    shown = done["results"][0]["analysis"]
    assert shown == {key: value for key, value in again.items() if key != "refined_model"}


def test_csv_has_a_row_for_each_phase_and_no_formula(client: TestClient, user, scan_file: Path) -> None:
    evil = user.upload(scan_file, name="=cmd|calc!A1.xy")
    other = user.upload(scan_file)
    job = user.finished(user.ask([evil["id"], other["id"]], network=False)["id"])
    answer = client.get(f"/api/jobs/{job['id']}/results.csv")
    assert 'filename="mixrd 2 scans.csv"' in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["phase"] for row in rows] == ["fluorite", "halite"] * 2
    assert rows[0]["file"] == "'=cmd|calc!A1.xy"
    assert rows[2]["file"] == "mixture.xy"
    many = client.get(f"/api/jobs/{job['id']}/results.json").json()
    assert [one["file"] for one in many] == ["=cmd|calc!A1.xy", "mixture.xy"]


def test_report_is_one_harmless_file(client: TestClient, user, scan_file: Path) -> None:
    evil = user.upload(scan_file, name="<script>alert(1)</script>.xy")
    job = user.finished(user.ask([evil["id"]], network=False)["id"])
    answer = client.get(f"/api/jobs/{job['id']}/report.html")
    assert answer.status_code == 200, answer.text
    assert "attachment" in answer.headers["content-disposition"]
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "alert(1)" not in answer.text or "&lt;script&gt;alert(1)" in answer.text
    assert "<script>alert(1)" not in answer.text
    assert "fluorite" in answer.text
    assert "data:image/" in answer.text
    shown = client.get(f"/api/jobs/{job['id']}/report.html", params={"download": "false"})
    assert "content-disposition" not in shown.headers


def test_a_job_without_results_has_nothing_to_download(client: TestClient, user, scan) -> None:
    job = user.ask([scan["id"]], network=False)
    client.post(f"/api/jobs/{job['id']}/cancel")
    end = user.finished(job["id"])
    if not end["results"]:
        for name in ("report.html", "results.csv", "results.json"):
            assert client.get(f"/api/jobs/{job['id']}/{name}").status_code == 409
    assert client.get("/api/jobs/none/report.html").status_code == 404


def test_a_result_goes_to_other_programs(client: TestClient, done, scan_file: Path) -> None:
    base = f"/api/jobs/{done['id']}/results"
    answer = client.get(f"{base}/0/export/topas")
    assert answer.status_code == 200, answer.text
    assert "mixture-topas.zip" in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        written = {name: archive.read(name).decode() for name in archive.namelist()}
    found = Analysis.from_json(client.get(f"/api/jobs/{done['id']}/results.json").text)
    assert written == export(found, read_scan(scan_file), "topas")
    unknown = client.get(f"{base}/0/export/abacus")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (422, "PARAMETER")
    assert client.get(f"{base}/7/export/topas").status_code == 404
