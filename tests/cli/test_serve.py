"""`mixrd serve`: what it refuses before it listens. Real servers: tests/web/test_serving.py."""

from __future__ import annotations

import importlib.util

import pytest


def test_a_missing_extra_is_named(run, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "mixrd.cli.serve.find_spec", lambda name: None if name in ("fastapi", "uvicorn") else find(name)
    )
    shown = run("serve", "--no-browser")
    assert shown.code == 2
    assert "fastapi, uvicorn" in shown.err
    assert "pip install 'mixrd[web]'" in shown.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--port", "70000"), "port"),
        (("--workers", "0"), "workers"),
        (("--max-upload", "0"), "--max-upload"),
        (("--token", "short"), "token"),
        (("--host", "203.0.113.77"), "cannot listen"),
        (("--host", "no.such.host.invalid"), "cannot listen"),
    ],
)
def test_what_cannot_be_is_refused(run, tmp_path, options: tuple[str, ...], said: str) -> None:
    shown = run("serve", "--no-browser", "--data", tmp_path / "data", *options)
    assert shown.code == 2
    assert said in shown.err


def test_the_help_shows_examples(run) -> None:
    shown = run("serve", "--help")
    assert shown.code == 0
    for word in ("--no-browser", "--token", "--training-steps", "mixrd serve --host 0.0.0.0", "Ctrl-C"):
        assert word in shown.out
