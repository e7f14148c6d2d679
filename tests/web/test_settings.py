from __future__ import annotations

from pathlib import Path

import pytest

from mixrd.errors import UsageError
from mixrd.web.settings import ServerSettings, default_data_folder, is_loopback


def test_other_computers_need_a_token() -> None:
    with pytest.raises(UsageError, match="other computers"):
        ServerSettings(Path("data"), host="0.0.0.0")
    assert ServerSettings(Path("data"), host="0.0.0.0", token="0123456789abcdef").token


@pytest.mark.parametrize("token", ["short", "", "0123456789 äbcdef", "0123456789abcde\n"])
def test_a_token_that_can_be_guessed_or_not_be_sent_is_refused(token: str) -> None:
    with pytest.raises(UsageError, match="token"):
        ServerSettings(Path("data"), token=token)


@pytest.mark.parametrize(
    "wrong", [{"port": 70000}, {"workers": 0}, {"max_upload_bytes": 0}, {"training_steps": 0}]
)
def test_values_out_of_range_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        ServerSettings(Path("data"), **wrong)  # type: ignore[arg-type]


def test_loopback() -> None:
    assert all(is_loopback(host) for host in ("127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost"))
    assert not any(is_loopback(host) for host in ("0.0.0.0", "::", "192.168.0.1", "localhost.evil.example"))


def test_the_folder_can_be_named_in_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MIXRD_DATA_HOME", str(tmp_path))
    assert default_data_folder() == tmp_path
    monkeypatch.delenv("MIXRD_DATA_HOME")
    assert default_data_folder().name == "mixrd"
