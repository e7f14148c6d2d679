from __future__ import annotations

import csv
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from mixrd.scan import read_scan


def test_an_uploaded_scan_tells_what_the_reader_found(client: TestClient, scan, scan_file: Path) -> None:
    measured = read_scan(scan_file)
    assert scan["file"] == "mixture.xy"
    assert scan["points"] == len(measured)
    assert scan["two_theta_min"] == measured.two_theta[0]
    assert scan["two_theta_max"] == measured.two_theta[-1]
    assert scan["step"] == pytest.approx(0.02)
    assert scan["radiation"] == "CuKa"
    assert scan["header"]["sha256"] == measured.sha256
    assert max(scan["preview"]["intensity"]) == measured.counts.max()
    assert client.get(f"/api/scans/{scan['id']}").json() == scan


def test_a_scan_that_names_no_radiation_says_so(user, nameless_scan: Path) -> None:
    assert user.upload(nameless_scan)["radiation"] is None


@pytest.mark.parametrize(
    "content", [b"", b"%PDF-1.4 a document", b"\x89PNG....", b"PK\x03\x04 no zip", b"<xml", b"hello " * 100]
)
def test_a_wrong_file_is_refused_with_reason_and_remedy(client: TestClient, content: bytes) -> None:
    answer = client.post("/api/scans", files={"file": ("my scan.xy", content)})
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["code"] == "SCAN"
    assert error["message"]
    assert error["remedy"]
    assert error["file"] == "my scan.xy"


def test_scans_of_other_vendors_are_read_under_any_name(user, client: TestClient, data_dir: Path) -> None:
    """The server's files have no endings: formats are found by content."""
    with (data_dir / "formats" / "expected.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    tried = set()
    for row in rows:
        path = next((data_dir / "formats").rglob(Path(row["file"]).name))
        kind = path.parent.name
        if kind in tried or path.stat().st_size > 900_000:
            continue
        answer = client.post("/api/scans", files={"file": (path.name, path.read_bytes())})
        try:
            points = len(read_scan(path))
        except Exception as refusal:
            assert answer.status_code == 422
            assert answer.json()["error"]["message"] == refusal.cause
            continue
        assert answer.status_code == 201, (path, answer.text)
        assert answer.json()["points"] == points
        tried.add(kind)
    assert len(tried) >= 5


def test_one_of_several_scans_in_a_file_can_be_chosen(client: TestClient) -> None:
    counts = " ".join(str(i % 7 + 1) for i in range(100))
    blocks = "".join(
        f"_DRIVE='COUPLED'\n_STEPTIME=1\n_STEPSIZE=0.1\n_START={first}\n_COUNTS\n{counts}\n"
        for first in (20, 40)
    )
    text = f"; C:\\sample.raw\n_FILEVERSION=1\n_WL1=1.5406\n; Data for range 1\n{blocks}"
    first = client.post("/api/scans", files={"file": ("two.uxd", text)})
    second = client.post("/api/scans?scan=2", files={"file": ("two.uxd", text)})
    assert first.json()["two_theta_min"] == pytest.approx(20)
    assert second.json()["two_theta_min"] == pytest.approx(40)
    assert client.post("/api/scans?scan=3", files={"file": ("two.uxd", text)}).status_code == 422


def test_a_scan_can_be_forgotten_unless_a_job_uses_it(
    client: TestClient, user, scan_file: Path, done
) -> None:
    used = done["request"]["scans"][0]
    assert client.delete(f"/api/scans/{used}").status_code == 409
    mine = user.upload(scan_file)["id"]
    assert client.delete(f"/api/scans/{mine}").status_code == 204
    assert client.get(f"/api/scans/{mine}").status_code == 404
    assert client.delete(f"/api/scans/{mine}").status_code == 404
