"""Files are there as a whole or as they were, whatever fails on the way."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from mixrd.errors import MixrdError, ModelError, UsageError
from mixrd.files import (
    refuse_existing,
    remove_leftovers,
    whole_file,
    without_waiting,
    write_whole,
    writing,
)
from mixrd.network import NetworkEstimator
from mixrd.paper.result import write_json
from mixrd.pattern import load_instrument, save_instrument
from mixrd.phases import keep_phase, load_phase
from mixrd.report.paper_figure import write_figure
from mixrd.report.shown_figure import save_figure
from mixrd.scan import Scan, write_scan
from mixrd.training.checkpoint import save_checkpoint


def refused(what: Any, *_: Any, **__: Any) -> Any:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    # The operating system names a file where it is asked for one by its name.
    full.filename = str(what) if isinstance(what, Path) else None
    raise full


@pytest.fixture(params=["open", "write", "fsync", "mode", "replace"])
def full(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full when the new content is opened, written, synchronised or put in place."""
    written = Path.write_text

    def half(path: Path, data: Any, **_: Any) -> Any:
        written(path, str(data)[:2])
        return refused(path)

    match request.param:
        case "open" | "write" as step:
            for name in ("write_text", "write_bytes"):
                monkeypatch.setattr(Path, name, half if step == "write" else refused)
        case "fsync":
            monkeypatch.setattr(os, "fsync", refused)
        case "mode":
            monkeypatch.setattr(shutil, "copymode", lambda _, new: refused(new))
        case "replace":
            monkeypatch.setattr(Path, "replace", refused)


@pytest.mark.parametrize("content", ["new", b"new"])
@pytest.mark.usefixtures("full")
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "a.txt"
    path.touch()
    os.truncate(path, 3)
    with pytest.raises(OSError, match="No space") as failure:
        write_whole(path, content)
    assert failure.value.filename in (str(path), None)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a.txt", bytes(3))]


def _writers(folder: Path) -> dict[str, Callable[[], object]]:
    """Everything that keeps something of a user's in `folder`."""
    scan = Scan(two_theta=np.linspace(20.0, 30.0, 50), counts=np.full(50, 7.0))
    estimator = NetworkEstimator("mlp", torch.nn.Linear(64, 3), loss="tvd", points=64, materials=3)
    network = torch.nn.Linear(2, 1)
    return {
        "a.toml": lambda: save_instrument(load_instrument("lab-cu"), folder / "a.toml"),
        "a.xy": lambda: write_scan(scan, folder / "a.xy", overwrite=True),
        "a.json": lambda: write_json(folder / "a.json", {"a": 1}),
        "a.safetensors": lambda: estimator.save(folder / "a.safetensors"),
        "a.png": lambda: save_figure(Figure(), folder / "a.png"),
        "a.pdf": lambda: write_figure(Figure(), folder / "a.pdf"),
        "a.state": lambda: save_checkpoint(
            folder / "a.state", network, torch.optim.SGD(network.parameters()), 3, []
        ),
        "My phase.json": lambda: keep_phase(load_phase("zincite"), "My phase", force=True),
        "my-phase.json": lambda: keep_phase(load_phase("rutile"), "my-phase", force=True),
    }


@pytest.mark.parametrize("name", list(_writers(Path())))
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_whoever_writes_keeps_the_old_file(
    name: str, step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIXRD_PHASES", str(tmp_path))
    write = _writers(tmp_path)
    before = "My phase.json" if name == "my-phase.json" else name
    write[before]()
    old = (tmp_path / before).read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refused) if step == "fsync" else patch.setattr(Path, "replace", refused)
        with pytest.raises((MixrdError, OSError), match="No space"):
            write[name]()
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [(before, old)]
    write[name]()
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_two_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with whole_file(path) as one:
        with whole_file(path) as other:
            one.write_text("one", encoding="utf-8")
            other.write_text("other", encoding="utf-8")
            assert not path.exists()
        assert path.read_text(encoding="utf-8") == "other"
    assert path.read_text(encoding="utf-8") == "one"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_an_interruption_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), whole_file(tmp_path / "a.txt") as part:
        part.write_text("half", encoding="utf-8")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="is killed otherwise there")
def test_what_a_killed_process_leaves_is_removed(tmp_path: Path) -> None:
    code = (
        "import os, sys; from mixrd.files import whole_file\n"
        "with whole_file(sys.argv[1]) as part: part.touch(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.txt")], check=False)
    mine = tmp_path / ".mine.part"
    mine.touch()
    assert len(list(tmp_path.iterdir())) == 2
    remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == [mine]


def test_a_name_as_long_as_names_can_be(tmp_path: Path) -> None:
    path = tmp_path / ("µ" * 120 + ".txt")
    write_whole(path, "all")
    assert path.read_text(encoding="utf-8") == "all"


@pytest.mark.skipif(os.name == "nt", reason="rights and links are others there")
def test_rights_and_links_stay(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "target.txt", tmp_path / "a.txt"
    target.write_text("old", encoding="utf-8")
    target.chmod(0o640)
    link.symlink_to(target)
    write_whole(link, "new")
    assert link.is_symlink() and target.read_text(encoding="utf-8") == "new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(pipe, b"through")
    assert os.read(reader, 100) == b"through"
    assert pipe.is_fifo()
    os.close(reader)


def test_the_error_tells_file_and_remedy(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "a.txt"
    says = pytest.raises(ModelError, match="the model cannot be written")
    with says as told, writing(path, what="the model", error=ModelError, remedy="Make room"):
        write_whole(path, "text")
    assert (told.value.file, told.value.remedy) == (str(path), "Make room")


def test_nothing_is_overwritten_without_force(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    refuse_existing([tmp_path / "a"], force=True)
    refuse_existing([tmp_path / "b"], force=False)
    with pytest.raises(UsageError, match="exists"):
        refuse_existing([tmp_path / "b", tmp_path / "a"], force=False)


def test_many_small_files_need_not_wait_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(os, "fsync", asked.append)
    with without_waiting():
        write_whole(tmp_path / "a.txt", "a")
    assert not asked and (tmp_path / "a.txt").read_text(encoding="utf-8") == "a"
    write_whole(tmp_path / "b.txt", "b")
    assert len(asked) == 1
