from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from mixrd.web.security import Guard
from mixrd.web.settings import ServerSettings

TOKEN = "a-token-of-some-length"


async def _application(scope: Any, receive: Any, send: Any) -> None:
    """Answers everything with 200 and reads the whole body."""
    more = True
    while more:
        more = (await receive()).get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"fine"})


def _client(tmp_path: Path, base: str = "http://127.0.0.1:8765", **settings: Any) -> TestClient:
    guard = Guard(_application, ServerSettings(tmp_path, **settings))
    return TestClient(guard, base_url=base, follow_redirects=False)


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "LOCALHOST", "[::1]:8765", "127.0.0.2"])
def test_names_of_this_computer_are_answered(tmp_path: Path, host: str) -> None:
    assert _client(tmp_path).get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8765", "", "[", "10.0.0.1", "localhost."]
)
def test_a_name_that_somebody_made_point_here_is_not(tmp_path: Path, host: str) -> None:
    answer = _client(tmp_path).get("/api/jobs", headers={"Host": host})
    if host == "localhost.":
        assert answer.status_code == 200
        return
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "FORBIDDEN"


def test_a_name_can_be_allowed(tmp_path: Path) -> None:
    client = _client(tmp_path, allowed_hosts=("XRD.lab.example",))
    assert client.get("/", headers={"Host": "xrd.lab.example"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "http://localhost:8765"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_site_cannot_change_anything(tmp_path: Path, headers: dict[str, str]) -> None:
    client = _client(tmp_path)
    for method in ("POST", "DELETE", "PUT", "PATCH"):
        assert client.request(method, "/api/jobs", headers=headers).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://127.0.0.1:8765", "Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}],
)
def test_our_page_and_programs_can(tmp_path: Path, headers: dict[str, str]) -> None:
    assert _client(tmp_path).post("/api/jobs", headers=headers).status_code == 200


def test_without_its_token_nothing_is_answered(tmp_path: Path) -> None:
    client = _client(tmp_path, token=TOKEN)
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": TOKEN},
        {"Cookie": "mixrd-8765=x"},
    ):
        answer = client.get("/api/jobs", headers=headers)
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "UNAUTHORISED"
        assert client.get("/static/app.js", headers=headers).status_code == 401
    assert client.get("/?token=wrong").status_code == 401
    assert client.get(f"/api/jobs?token={TOKEN}").status_code == 401
    assert (
        client.get("/api/jobs", headers={"Authorization": "Bearer fälsch".encode("latin-1")}).status_code
        == 401
    )


def test_a_bearer_is_let_in(tmp_path: Path) -> None:
    client = _client(tmp_path, token=TOKEN)
    assert client.get("/api/jobs", headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200


def test_the_printed_address_sets_a_cookie_and_hides_the_token(tmp_path: Path) -> None:
    client = _client(tmp_path, token=TOKEN)
    answer = client.get(f"/?token={TOKEN}&job=1")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/?job=1"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    client.cookies.set("mixrd-8765", TOKEN)
    assert client.get("/api/jobs").status_code == 200
    assert client.post("/api/jobs", headers={"Origin": "https://evil.example"}).status_code == 403


def test_behind_a_public_address_numbers_are_answered_and_names_are_not(tmp_path: Path) -> None:
    client = _client(tmp_path, host="0.0.0.0", token=TOKEN)
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert client.get("/", headers={"Host": "192.168.1.7:8765", **bearer}).status_code == 200
    assert client.get("/", headers={"Host": "evil.example", **bearer}).status_code == 403


def test_a_body_that_is_no_upload_has_a_limit() -> None:
    # The application below reads it all; FastAPI turns the refusal into an answer (see test_jobs).
    from starlette.exceptions import HTTPException

    client = _client(Path("data"))
    with pytest.raises(HTTPException, match="too large"):
        client.post("/api/jobs", content=b"x" * 1_100_000)
