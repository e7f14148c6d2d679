"""What holds for the package as a whole: version, exports, cost of import, size and names of its files."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import mixrd

REPOSITORY = Path(__file__).resolve().parents[1]
SOURCES = sorted((REPOSITORY / "src").rglob("*.py"))
LINE_LIMIT = 400
NAMES_THAT_SAY_NOTHING = {"common", "helper", "helpers", "misc", "util", "utils"}


@pytest.fixture(scope="module")
def project_version() -> str:
    with (REPOSITORY / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def test_installed_version_is_the_projects(project_version: str) -> None:
    assert mixrd.__version__ == project_version


def test_citation_states_the_projects_version(project_version: str) -> None:
    citation = (REPOSITORY / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^version: *(\S+)$", citation, flags=re.MULTILINE) == [project_version]


def test_import_loads_nothing_heavy() -> None:
    code = "import sys, mixrd; dir(mixrd); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "mixrd" in loaded
    assert loaded.isdisjoint({"torch", "numpy", "scipy", "matplotlib", "gemmi", "rietx"})


@pytest.mark.parametrize("name", mixrd.__all__)
def test_export_is_there_and_is_itself(name: str) -> None:
    exported = getattr(mixrd, name)
    assert getattr(exported, "__name__", name) == name


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Crystall'"):
        _ = mixrd.Crystall


def test_no_source_file_is_too_long() -> None:
    lines = {str(path.relative_to(REPOSITORY)): len(path.read_bytes().splitlines()) for path in SOURCES}
    assert lines
    assert {path: n for path, n in lines.items() if n > LINE_LIMIT} == {}


def test_modules_are_named_for_what_they_hold() -> None:
    assert [path for path in SOURCES if {path.stem, path.parent.name} & NAMES_THAT_SAY_NOTHING] == []
