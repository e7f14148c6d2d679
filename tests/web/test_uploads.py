"""Uploads as streams: limits, odd forms, odd names."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

BOUNDARY = "b0undary"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
HEAD = (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="big.xy"\r\n\r\n').encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()


def _form(name: str, content: bytes = b"1 2\n", field: str = "file") -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
    return head.encode() + content + TAIL


def _streamed(size: int) -> Iterator[bytes]:
    yield HEAD
    for _ in range(size // 100_000):
        yield b"20.0 1234567890\n" * 6250
    yield TAIL


def _peak_memory_mb(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return float(line.split()[1]) / 1000


def test_a_file_at_the_limit_is_read_and_one_above_is_not(client: TestClient) -> None:
    at = client.post("/api/scans", files={"file": ("a.xy", b"x" * 1_000_000)})
    assert at.status_code == 422
    above = client.post("/api/scans", files={"file": ("a.xy", b"x" * 1_000_001)})
    assert above.status_code == 413
    error = above.json()["error"]
    assert error["code"] == "TOO_LARGE"
    assert "1 MB" in error["message"]
    assert error["remedy"]


def test_a_form_that_hides_its_size_in_headers_or_other_fields_is_too_large(client: TestClient) -> None:
    big = _form("a.xy", b"x" * 1_100_000, field="other")
    assert client.post("/api/scans", content=big, headers=FORM).status_code == 413


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_an_upload_far_above_the_limit_is_never_in_memory(start) -> None:
    server = start("--max-upload", "5")
    user = server.user()
    before = _peak_memory_mb(server.process.pid)
    answer = user.http.post("/api/scans", content=_streamed(300_000_000), headers=FORM)
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "TOO_LARGE"
    assert _peak_memory_mb(server.process.pid) - before < 50
    assert user.http.get("/api/health").status_code == 200


def test_a_client_that_asks_first_is_refused_before_it_sends(start) -> None:
    server = start("--max-upload", "5")
    base = httpx.URL(server.address)
    import socket

    with socket.create_connection((base.host, base.port), timeout=10) as connection:
        head = (
            f"POST /api/scans HTTP/1.1\r\nHost: {base.host}\r\nContent-Type: {FORM['Content-Type']}\r\n"
            "Content-Length: 1000000000\r\nExpect: 100-continue\r\n\r\n"
        )
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (b"", FORM),
        (b"nonsense", FORM),
        (HEAD + b"cut off", FORM),
        (_form("a.xy", field="other"), FORM),
        (HEAD + b"1 2" + TAIL, {"Content-Type": "multipart/form-data"}),
        (HEAD + b"1 2" + TAIL, {"Content-Type": "application/octet-stream"}),
        (HEAD + b"1 2" + TAIL, {"Content-Type": f"multipart/form-data; boundary={'x' * 300}"}),
        (_form("a.xy")[: -len(TAIL)] + b"\r\n" + _form("b.xy"), FORM),
    ],
)
def test_what_is_no_form_with_one_file_is_refused(
    client: TestClient, content: bytes, headers: dict[str, str]
) -> None:
    answer = client.post("/api/scans", content=content, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "INPUT"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../../etc/passwd", "passwd"),
        ("..\\\\..\\\\boot.ini", "boot.ini"),
        ("/etc/cron.d/evil", "evil"),
        ("a%00b.xy", "a%00b.xy"),
        ("<img src=x onerror=alert(1)>.xy", "<img src=x onerror=alert(1)>.xy"),
        ("Größe α.xy", "Größe α.xy"),
        ("x" * 3000 + ".xy", "x" * 117 + ".xy"),
        ("", "unnamed"),
    ],
)
def test_a_hostile_name_is_a_text_and_no_path(
    client: TestClient, scan_file: Path, name: str, shown: str
) -> None:
    folder = client.app.state.services.database.folder
    before = {path for path in folder.rglob("*") if path.parent.name not in ("scans", "uploads")}
    answer = client.post("/api/scans", content=_form(name, scan_file.read_bytes()), headers=FORM)
    assert answer.status_code == 201, answer.text
    assert answer.json()["file"] == shown
    after = {path for path in folder.rglob("*") if path.parent.name not in ("scans", "uploads")}
    assert after == before
    assert [path.name for path in (folder / "scans").iterdir() if path.stem == answer.json()["id"]]


def test_nothing_of_an_upload_is_left_behind(client: TestClient) -> None:
    client.post("/api/scans", files={"file": ("a.xy", b"no scan")})
    client.post("/api/scans", files={"file": ("a.xy", b"x" * 1_100_000)})
    folder = client.app.state.services.database.folder / "uploads"
    assert list(folder.iterdir()) == []
