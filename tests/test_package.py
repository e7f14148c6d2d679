"""What holds for the package as a whole: version, exports, cost of import, size and names of its files."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

import mixrd

REPOSITORY = Path(__file__).resolve().parents[1]
SOURCES = sorted(file for folder in ("src", "studies") for file in (REPOSITORY / folder).rglob("*.py"))
LINE_LIMIT = 400
FUNCTION_LIMIT = 60
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


def test_no_function_is_too_long() -> None:
    """Counted is the body, without signature and docstring (which is the help of a command)."""
    found = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
                found[f"{path.relative_to(REPOSITORY)}:{node.lineno} {node.name}"] = lines
    assert found
    assert {name: n for name, n in found.items() if n > FUNCTION_LIMIT} == {}


def test_no_import_goes_in_a_circle() -> None:
    """Imports within functions and for types alike; only the package itself binds all rooms together."""
    graph = grimp.build_graph("mixrd", cache_dir=None)
    rooms = graph.modules - {"mixrd"}
    assert len(rooms) > 100
    TopologicalSorter(
        {name: graph.find_modules_directly_imported_by(name) - {"mixrd"} for name in rooms}
    ).prepare()


def test_modules_are_named_for_what_they_hold() -> None:
    assert [path for path in SOURCES if {path.stem, path.parent.name} & NAMES_THAT_SAY_NOTHING] == []
