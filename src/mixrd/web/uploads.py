"""An upload, streamed to a file of the server's own naming under a limit."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from mixrd.web.database import Database, new_id
from mixrd.web.problems import ApiError, shown_name

FIELD = "file"
#: Boundaries and headers beside the file itself.
_OVERHEAD_BYTES = 20_000
#: Seconds without a byte after which an upload is given up.
SILENCE_SECONDS = 30.0
#: What comes after the limit is read for so long, and so much, that a browser gets the answer.
_DRAIN_SECONDS, _DRAIN_BYTES = 60.0, 4 * 2**30


@dataclass(frozen=True)
class Upload:
    """A file that came.

    Attributes
    ----------
    path : path
        Where it is while it is read.
    name : str
        The client's name for it, to be shown and nothing else.
    """

    path: Path
    name: str


@asynccontextmanager
async def received(request: Request, database: Database, limit: int) -> AsyncIterator[Upload]:
    """The file in the form field "file" of a multipart request; it is gone afterwards.

    Parameters
    ----------
    request : Request
    database : Database
        In whose folder it is kept.
    limit : int
        Largest size in bytes.

    Raises
    ------
    ApiError
        If it is too large (413), stops coming (408), is no multipart form with one file (400), or the disk
        is full (507).
    """
    boundary = _boundary(request)
    _check_room(database.folder, limit)
    path = database.path("uploads", new_id())
    try:
        with path.open("xb") as file:
            form = _Form(boundary, file, limit)
            await _fill(request, form, limit)
        yield Upload(path, form.file_name())
    finally:
        path.unlink(missing_ok=True)


async def _fill(request: Request, form: _Form, limit: int) -> None:
    stream = request.stream()
    try:
        if _declared(request) > limit + _OVERHEAD_BYTES:
            raise _too_large(limit)
        while True:
            chunk = await asyncio.wait_for(anext(stream, None), SILENCE_SECONDS)
            if chunk is None:
                break
            form.feed(chunk)
        form.end()
    except TimeoutError:
        raise ApiError(
            408, "INPUT", f"nothing came for {SILENCE_SECONDS:g} s", "Send the file again"
        ) from None
    except ClientDisconnect:
        raise ApiError(400, "INPUT", "the upload was cut off", "Send the file again") from None
    except ApiError as refusal:
        if refusal.status == 413 and request.headers.get("expect", "").lower() != "100-continue":
            await _drain(stream)
        raise


async def _drain(stream: AsyncIterator[bytes]) -> None:
    """Read on without keeping anything: a browser that cannot finish sending does not read the answer."""
    end, left = time.monotonic() + _DRAIN_SECONDS, _DRAIN_BYTES
    with contextlib.suppress(TimeoutError, ClientDisconnect):
        while left > 0 and time.monotonic() < end:
            chunk = await asyncio.wait_for(anext(stream, None), 5.0)
            if chunk is None:
                return
            left -= len(chunk)


class _Form:
    """Writes the file of a form as it comes."""

    def __init__(self, boundary: bytes, file: IO[bytes], limit: int) -> None:
        self._file, self._limit = file, limit
        self._came = self._written = 0
        self._header: tuple[bytearray, bytearray] = (bytearray(), bytearray())
        self._disposition = b""
        self._is_file = self._ended = False
        self._name: str | None = None
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_header_begin": self._on_header_begin,
                "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_end": self._on_end,
            },
        )

    def feed(self, chunk: bytes) -> None:
        self._came += len(chunk)
        if self._came > self._limit + _OVERHEAD_BYTES:
            raise _too_large(self._limit)
        try:
            self._parser.write(chunk)
        except MultipartParseError:
            raise _no_form() from None
        except OSError as error:
            raise ApiError(
                507, "INTERNAL", f"the upload cannot be kept ({error.strerror})", "Make room on the disk"
            ) from None

    def end(self) -> None:
        if self._name is None or not self._ended:
            raise _no_form()

    def file_name(self) -> str:
        return shown_name(self._name or "")

    def _on_part_begin(self) -> None:
        self._disposition, self._is_file = b"", False

    def _on_header_begin(self) -> None:
        self._header = bytearray(), bytearray()

    def _on_header_end(self) -> None:
        if bytes(self._header[0]).lower() == b"content-disposition":
            self._disposition = bytes(self._header[1])

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        if options.get(b"name") == FIELD.encode() and b"filename" in options:
            if self._name is not None:
                raise ApiError(400, "INPUT", "the form holds several files", "Send one file in each request")
            self._is_file = True
            self._name = options[b"filename"].decode("utf-8", errors="replace")

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._written += end - start
            if self._written > self._limit:
                raise _too_large(self._limit)
            self._file.write(data[start:end])

    def _on_end(self) -> None:
        self._ended = True


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 0 < len(boundary) <= 200:
        raise _no_form()
    return boundary


def _declared(request: Request) -> int:
    text = request.headers.get("content-length", "")
    return int(text) if text.isdigit() and len(text) < 20 else 0


def _check_room(folder: Path, limit: int) -> None:
    if os.access(folder, os.W_OK) and shutil.disk_usage(folder).free < limit:
        raise ApiError(507, "INTERNAL", "the server's disk is nearly full", "Make room on it")


def _no_form() -> ApiError:
    return ApiError(
        400,
        "INPUT",
        f'this is no multipart form with a whole file in its field "{FIELD}"',
        f"Send it as curl -F {FIELD}=@NAME does",
    )


def _too_large(limit: int) -> ApiError:
    return ApiError(
        413,
        "TOO_LARGE",
        f"the file is larger than {limit / 1e6:g} MB, more than this server takes",
        "Export the one-dimensional scan alone, or start the server with a larger --max-upload",
    )
