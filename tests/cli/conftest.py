"""The command line as a function: arguments in, exit code and output out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from mixrd.cli import main

#: Two cubic phases over a short range: quick to simulate, fit and train for.
MIXTURE = ("fluorite:60", "halite:40")
RANGE = ("--range", "24", "62")


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run `mixrd ARGUMENTS` in an empty folder with an empty cache."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("MIXRD_CACHE", str(tmp_path / "cache"))

    def call(*arguments: str | Path) -> Outcome:
        capsys.readouterr()
        code = main([str(a) for a in arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def scan_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated scan of fluorite and halite, 60 to 40 by weight."""
    path = tmp_path_factory.mktemp("scans") / "mixture.xy"
    assert main(["simulate", *MIXTURE, "--instrument", "lab-cu", *RANGE, "-o", str(path)]) == 0
    return path


@pytest.fixture(scope="session")
def nameless_scan(scan_file: Path) -> Path:
    """The same scan without a header: nothing says what the radiation was."""
    path = scan_file.with_name("nameless.xy")
    lines = scan_file.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line for line in lines if not line.startswith("#")), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def network_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of hardly any training for fluorite and halite."""
    folder = tmp_path_factory.mktemp("network")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIXRD_CACHE", str(folder))
        path = folder / "two.mixrd"
        code = main(
            ["train", "fluorite", "halite", "--instrument", "lab-cu", "--range", "25", "61",
             "--steps", "2", "-o", str(path)]
        )  # fmt: skip
    assert code == 0
    return path
