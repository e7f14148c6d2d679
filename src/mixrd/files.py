"""Files that are there as a whole or not at all, even if the disk is full or the process is killed."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

from mixrd.errors import MixrdError, UsageError

#: Letters of a file's name that the name of its part begins with: names must not become too long.
_NAME_LETTERS = 30
_WAITS = ContextVar("waits", default=True)
_PART = re.compile(r"\.\d+-[0-9a-f]{8}\.part$")


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """A file beside `path` to write to, which takes its place once all of it is on the disk.

    If anything fails, it is gone and `path` is as it was. Each call has a file of its own, so that several
    processes may write the same `path`: the last one stays. What is no file (a pipe, a terminal) is written
    to as it is; a link stays one.

    Raises
    ------
    OSError
        If it cannot be written; `writing` makes an error of it that tells what to do.
    """
    path = Path(path)
    if path.is_fifo() or path.is_char_device():
        yield path
        return
    target = Path(os.path.realpath(path))
    part = target.with_name(f".{target.name[:_NAME_LETTERS]}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        yield part
        if _WAITS.get():
            with part.open("r+b") as file:
                os.fsync(file.fileno())
        if target.is_file():
            shutil.copymode(target, part)
        part.replace(target)
    except BaseException as problem:
        with suppress(OSError):
            part.unlink()
        if isinstance(problem, OSError) and str(problem.filename) == str(part):
            problem.filename, problem.filename2 = str(path), None
        raise


@contextmanager
def without_waiting() -> Iterator[None]:
    """Within it, files do not wait for the disk: for many small ones, which that takes longer than to write.

    They are whole whatever becomes of the process; if the computer stops, the last ones may be cut off.
    """
    before = _WAITS.set(False)
    try:
        yield
    finally:
        _WAITS.reset(before)


def remove_leftovers(folder: Path) -> None:
    """Remove what processes that were killed while they wrote to `folder` left there.

    For folders that nobody else writes to now.
    """
    for part in folder.glob(".*.part"):
        if _PART.search(part.name):
            with suppress(OSError):
                part.unlink()


def write_whole(path: str | Path, content: str | bytes) -> None:
    """Write text (as UTF-8) or bytes to a file, which is there as a whole or as it was.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    with whole_file(path) as part:
        if isinstance(content, bytes):
            part.write_bytes(content)
        else:
            part.write_text(content, encoding="utf-8")


@contextmanager
def writing(
    path: str | Path,
    *,
    what: str = "it",
    error: type[MixrdError] = UsageError,
    remedy: str = "Check folder, permissions and space",
) -> Iterator[None]:
    """Turn the operating system's refusal to write into an `error` that names the file."""
    try:
        yield
    except OSError as problem:
        raise error(
            f"{what} cannot be written ({problem.strerror or problem})",
            remedy=remedy,
            file=problem.filename or path,
        ) from problem


def refuse_existing(paths: Sequence[str | Path], *, force: bool) -> None:
    """Raise UsageError if any of these files exists and `force` is False."""
    found = [path for path in paths if Path(path).exists()]
    if found and not force:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise UsageError(
            f"the file exists{more}", remedy="Give another name, or --force to overwrite", file=found[0]
        )
