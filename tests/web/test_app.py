from __future__ import annotations

from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

import mixrd
from mixrd.warning_texts import warning_texts
from mixrd.web.security import UPLOAD_PATHS


def test_health_tells_version_queue_and_limits(client: TestClient) -> None:
    health = client.get("/api/health").json()
    assert health["version"] == mixrd.__version__
    assert health["max_upload_bytes"] == 1_000_000
    assert {".xy", ".csv", ".rasx"} <= {*health["scan_endings"]}
    assert health["training_steps"] == 3
    assert health["running"] >= 0
    assert health["queued"] >= 0


def test_warnings_are_explained_with_their_titles(client: TestClient) -> None:
    explained = {one["code"]: one for one in client.get("/api/warnings").json()}
    assert explained["POOR_FIT"]["title"] == "The fit is poor"
    assert set(explained) == set(warning_texts())


def test_the_page_asks_nothing_from_outside(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    for page in (answer.text, client.get("/docs").text):
        assert 'src="http' not in page
        assert 'href="http' not in page


def test_every_answer_has_the_headers_of_security(client: TestClient) -> None:
    for path in ("/", "/api/health", "/api/none", "/static/none", "/docs"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"
    assert client.get("/api/health").headers["cache-control"] == "no-store"


def test_an_unforeseen_error_has_them_too(client: TestClient) -> None:
    app = client.app
    assert isinstance(app, FastAPI)

    async def broken() -> None:
        raise RuntimeError("broken")

    route = APIRoute("/api/broken", broken)
    app.router.routes.insert(0, route)
    try:
        answer = TestClient(app, base_url=str(client.base_url), raise_server_exceptions=False).get(route.path)
    finally:
        app.router.routes.remove(route)
    assert answer.status_code == 500
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'self'" in answer.headers["content-security-policy"]


def test_openapi_describes_every_path_and_field(client: TestClient) -> None:
    api = client.get("/openapi.json").json()
    operations = [what for methods in api["paths"].values() for what in methods.values()]
    assert len(operations) > 20
    assert all(what["description"] for what in operations)
    upload = api["paths"]["/api/scans"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert upload["schema"]["properties"]["file"]["format"] == "binary"
    assert api["components"]["schemas"]["AnalysisRequest"]["examples"][0]["phases"]
    assert "ErrorAnswer" in api["components"]["schemas"]


def test_every_path_that_takes_a_file_is_known_to_the_guard(client: TestClient) -> None:
    """All other bodies have the small limit of JSON."""
    paths = client.get("/openapi.json").json()["paths"]
    takes = {
        path
        for path, methods in paths.items()
        for what in methods.values()
        if "multipart/form-data" in what.get("requestBody", {}).get("content", {})
    }
    assert takes == UPLOAD_PATHS


def test_the_documentation_page_names_every_path(client: TestClient) -> None:
    page = client.get("/docs").text
    for path in client.get("/openapi.json").json()["paths"]:
        assert path in page
    assert "<script" not in page


def test_what_is_not_there_is_an_error_of_the_documented_form(client: TestClient) -> None:
    for path in (
        "/api/none",
        "/static/none.js",
        "/api/jobs/none",
        "/api/scans/none",
        "/api/jobs/none/events",
    ):
        answer = client.get(path)
        assert answer.status_code == 404
        assert set(answer.json()["error"]) == {"code", "message", "remedy", "file"}
        assert answer.json()["error"]["code"] == "NOT_FOUND"


def test_static_files_stay_within_their_folder(client: TestClient) -> None:
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py"):
        assert client.get(path).status_code == 404
