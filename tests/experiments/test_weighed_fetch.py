"""Fetching from a server of our own: whole, damaged, missing, silent, interrupted."""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mixrd.errors import DatabaseError, UsageError
from mixrd.experiments import weighed_fetch
from mixrd.experiments.weighed_fetch import WeighedSet, fetch_weighed, weighed_sets
from mixrd.experiments.weighed_table import read_rows

FILES = {"a (1).xy": b"20 5\n21 7\n", "b.xy": b"20 50\n21 70\n"}


@dataclass
class Web:
    """A folder on the web: requests that came, names that are answered slowly."""

    url: str
    folder: Path
    requests: list[str] = field(default_factory=list)
    slow: set[str] = field(default_factory=set)


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *arguments: Any, web: Web, **more: Any) -> None:
        self.web = web
        super().__init__(*arguments, directory=str(web.folder), **more)

    def do_GET(self) -> None:
        name = self.path.rsplit("/", 1)[-1]
        self.web.requests.append(name)
        if name in self.web.slow:
            time.sleep(1.0)
        super().do_GET()

    def log_message(self, *arguments: object) -> None:
        """Nothing."""


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    folder = tmp_path / "web"
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    found = Web("", folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, web=found))
    found.url = f"http://127.0.0.1:{server.server_port}/"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def registry(web: Web, monkeypatch: pytest.MonkeyPatch) -> WeighedSet:
    """A registry of one set with two scans."""
    rows = tuple({"file": name, "wt_pct": "fluorite=40;halite=60", "scan": "8min"} for name in FILES)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    made = WeighedSet("made", "title", web.url, "page", "free", "nobody", rows, hashes)
    monkeypatch.setattr(weighed_fetch, "weighed_sets", lambda: {"made": made})
    return made


def test_fetched_into_the_layout_of_the_benchmark(web: Web, tmp_path: Path) -> None:
    seen: list[str] = []
    written = fetch_weighed("made", tmp_path / "here", on_file=seen.append)
    assert sorted(p.name for p in written) == ["a (1).xy", "b.xy", "compositions.csv"]
    assert seen == list(FILES)
    rows = read_rows(tmp_path / "here", select={"scan": "8min"})
    assert [row.file for row in rows] == list(FILES)
    assert rows[0].weighed == {"fluorite": 40.0, "halite": 60.0}


def test_what_is_there_is_not_asked_for_again(web: Web, tmp_path: Path) -> None:
    (web.folder / "b.xy").unlink()
    with pytest.raises(DatabaseError, match="status 404"):
        fetch_weighed("made", tmp_path / "here")
    assert not (tmp_path / "here" / "compositions.csv").exists()
    (web.folder / "b.xy").write_bytes(FILES["b.xy"])
    web.requests.clear()
    fetch_weighed("made", tmp_path / "here")
    assert web.requests == ["b.xy"]


def test_a_file_that_was_cut_is_fetched_anew(web: Web, tmp_path: Path) -> None:
    fetch_weighed("made", tmp_path / "here")
    (tmp_path / "here" / "b.xy").write_bytes(b"20 5")
    web.requests.clear()
    fetch_weighed("made", tmp_path / "here")
    assert web.requests == ["b.xy"]
    assert (tmp_path / "here" / "b.xy").read_bytes() == FILES["b.xy"]


def test_other_contents_are_refused_and_not_kept(web: Web, tmp_path: Path) -> None:
    (web.folder / "a (1).xy").write_bytes(b"20 6\n")
    with pytest.raises(DatabaseError, match="SHA-256"):
        fetch_weighed("made", tmp_path / "here")
    assert not (tmp_path / "here" / "a (1).xy").exists()


def test_a_silent_server(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weighed_fetch, "TIMEOUT_SECONDS", 0.3)
    web.slow.add("b.xy")
    with pytest.raises(DatabaseError, match="Try again"):
        fetch_weighed("made", tmp_path / "here")
    assert (tmp_path / "here" / "a (1).xy").exists()
    monkeypatch.setattr(weighed_fetch, "TIMEOUT_SECONDS", 10)
    assert len(fetch_weighed("made", tmp_path / "here")) == 3


def test_no_server(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="ConnectionError"):
        fetch_weighed("made", tmp_path / "here", url="http://127.0.0.1:9/")


def test_files_that_one_has_already(web: Web, tmp_path: Path) -> None:
    fetch_weighed("made", tmp_path / "here", local=web.folder)
    assert web.requests == []
    (web.folder / "b.xy").write_bytes(b"0 0\n")
    with pytest.raises(DatabaseError, match="SHA-256"):
        fetch_weighed("made", tmp_path / "there", local=web.folder)
    shutil.rmtree(web.folder)
    with pytest.raises(DatabaseError, match="not there"):
        fetch_weighed("made", tmp_path / "elsewhere", local=web.folder)


def test_nowhere_to_fetch_from(registry: WeighedSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    homeless = replace(registry, url=None)
    monkeypatch.setattr(weighed_fetch, "weighed_sets", lambda: {"made": homeless})
    with pytest.raises(UsageError, match="--from"):
        fetch_weighed("made", tmp_path / "here")
    with pytest.raises(UsageError, match="made"):
        fetch_weighed("other", tmp_path / "here")


def test_the_registry_that_ships() -> None:
    for name, one in weighed_sets().items():
        assert one.licence and one.citation and one.name == name
        assert {row["file"] for row in one.compositions} <= set(one.files)
        assert all(len(sha) == 64 for sha in one.files.values())
        for row in one.compositions:
            values = [float(part.partition("=")[2]) for part in row["wt_pct"].split(";")]
            assert sum(values) == pytest.approx(100, abs=0.1)


@pytest.mark.parametrize("name", ["cpd", "dara"])
def test_hashes_are_those_of_the_measured_scans(name: str, tmp_path: Path) -> None:
    import os

    data = Path(os.environ.get("MIXRD_DATA", "../shared/data")) / "measured" / name
    if not data.is_dir():
        pytest.skip(f"the measured scans are not at {data}")
    for file, sha256 in weighed_sets()[name].files.items():
        assert hashlib.sha256((data / file).read_bytes()).hexdigest() == sha256
