"""Opening files from strangers: bounded reading of bytes, zip archives and XML."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree.ElementTree import Element

from mixrd.errors import ScanError

MAX_FILE_BYTES = 128 * 2**20
"""Largest file that is opened; a powder scan of 100 000 points takes about 3 MB as text."""

MAX_UNPACKED_BYTES = 512 * 2**20
"""Largest total that the members of an archive may unpack to."""

MAX_MEMBERS = 20_000
#: Attribute with the type of an element.
XML_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_CHUNK = 2**20
_ONE_SCAN = "Export the one-dimensional scan alone."
_ENCODINGS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def _all_bytes(file: Path) -> bytes:
    """All bytes of a regular file that is neither empty nor too large."""
    try:
        if file.is_dir():
            raise ScanError("this is a folder, not a scan", remedy="Name a file in it.")
        if not file.exists():
            raise ScanError("no such file", remedy="Check the name and the folder.")
        if not file.is_file():
            raise ScanError("not a regular file", remedy="Name a file that holds a scan.")
        size = file.stat().st_size
        if size > MAX_FILE_BYTES:
            limit = f"(limit {MAX_FILE_BYTES // 2**20} MB)"
            raise ScanError(f"{size / 2**20:.0f} MB is too large for a powder scan {limit}", remedy=_ONE_SCAN)
        data = file.read_bytes()
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise ScanError(
            f"the file cannot be opened ({reason})", remedy="Check its name and permissions."
        ) from problem
    if not data.strip(b"\0 \t\r\n"):
        raise ScanError("the file is empty", remedy="Export or copy the scan again.")
    return data


def _without_dos_end(data: bytes) -> bytes:
    """The same bytes, of text without the end-of-file mark of DOS (0x1A) and what padding follows it."""
    bare = data.rstrip(b"\0\r\n \t")
    if not bare.endswith(b"\x1a"):
        return data
    text = bare.rstrip(b"\x1a\0\r\n \t")
    return data if b"\0" in text else text + b"\n"


def _decoded(data: bytes) -> str | None:
    """Text of a file: UTF-8 or UTF-16 by its byte-order mark, UTF-8, else Latin-1; None if it is none."""
    for mark, encoding in _ENCODINGS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    head = data[:4000]
    if len(head) >= 8 and head.count(0) > 0.4 * len(head):
        for offset, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
            if not head[offset::2].strip(b"\0") and b"\0" not in head[1 - offset :: 2]:
                return data.decode(encoding, errors="replace")
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


class Archive:
    """A zip file whose members were all unpacked once, counted and checksummed.

    Parameters
    ----------
    data : bytes
        The whole archive.

    Raises
    ------
    ScanError
        If it is damaged, encrypted, or unpacks to more than `MAX_UNPACKED_BYTES`.
    """

    def __init__(self, data: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            self.names = self._zip.namelist()
            total = 0
            for member in self._zip.infolist()[:MAX_MEMBERS]:
                with self._zip.open(member) as stream:
                    while block := stream.read(_CHUNK):
                        total += len(block)
                        if total > MAX_UNPACKED_BYTES:
                            raise _too_large()
        except ScanError:
            raise
        except Exception as problem:  # zipfile raises eight unrelated types on damaged input
            raise _damaged(problem) from problem
        if len(self.names) > MAX_MEMBERS:
            raise _too_large()

    def read(self, name: str) -> bytes:
        """Unpacked bytes of one member."""
        try:
            return self._zip.read(name)
        except Exception as problem:
            raise _damaged(problem) from problem


def _too_large() -> ScanError:
    most = f"{MAX_UNPACKED_BYTES // 2**20} MB or {MAX_MEMBERS} members"
    return ScanError(f"the archive unpacks to more than {most}", remedy=_ONE_SCAN)


def _damaged(problem: Exception) -> ScanError:
    cause = f"the zip archive is damaged or cut off ({problem})"
    return ScanError(cause, remedy="Copy the file again from the instrument.")


class _Builder(ElementTree.TreeBuilder):
    """Tree builder that stops at a document type declaration, where entities are defined."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise ValueError("it has a document type declaration, which no diffractometer writes")


def parse_xml(data: bytes, *, what: str = "the XML") -> Element:
    """Root element of an XML document without document type or entities.

    Raises
    ------
    ScanError
        If it is not well-formed, cut off, or declares a document type.
    """
    try:
        return ElementTree.XML(data, parser=ElementTree.XMLParser(target=_Builder()))
    except (ElementTree.ParseError, ValueError, LookupError) as problem:
        raise ScanError(
            f"{what} cannot be read: {problem}",
            remedy="The file is damaged or cut off: copy or export it again.",
        ) from problem


def local_name(element: Element) -> str:
    """Tag without its namespace: vendors put a version number into the namespace."""
    return str(element.tag).rpartition("}")[2]


def child(element: Element | None, *names: str) -> Element | None:
    """Descend through the first children of these local names; None where one is missing."""
    for name in names:
        if element is None:
            return None
        element = next((part for part in element if local_name(part) == name), None)
    return element


def children(element: Element, name: str) -> list[Element]:
    """Direct children with this local name."""
    return [part for part in element if local_name(part) == name]


def descendants(element: Element | None, name: str) -> list[Element]:
    """All descendants with this local name."""
    return [] if element is None else [part for part in element.iter() if local_name(part) == name]


def descendant(element: Element | None, name: str) -> Element | None:
    """First descendant with this local name."""
    return next(iter(descendants(element, name)), None)


def text_of(element: Element | None, *names: str) -> str | None:
    """Stripped text of an element, or of what `child` finds in it; None where there is none."""
    part = child(element, *names)
    return None if part is None else (part.text or "").strip() or None


class OpenedFile:
    """All bytes of a file; views of them are made when they are asked for, once.

    Parameters
    ----------
    file : path
        It is read at once.

    Attributes
    ----------
    file : Path
    whole : bytes
        As they are on the disk.
    data : bytes
        The same without the end-of-file mark of DOS.

    Raises
    ------
    ScanError
        If it cannot be opened.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.whole = _all_bytes(file)
        self.data = _without_dos_end(self.whole)

    @cached_property
    def _decoded(self) -> str | None:
        return _decoded(self.data)

    @property
    def is_text(self) -> bool:
        """Whether the bytes are text in some encoding."""
        return self._decoded is not None

    @property
    def text(self) -> str:
        """The file as text, empty if it is none."""
        return self._decoded or ""

    @cached_property
    def start(self) -> str:
        """The text without the blanks before it."""
        return self.text.lstrip("\ufeff \t\r\n")

    @cached_property
    def head(self) -> str:
        """The first 20 000 characters of `start`."""
        return self.start[:20_000]

    @cached_property
    def members(self) -> tuple[str, ...]:
        """Names of the members of a zip archive, none if it is none.

        Raises
        ------
        ScanError
            If the archive is damaged or too large.
        """
        return tuple(Archive(self.data).names) if self.data.startswith(b"PK") else ()

    @cached_property
    def xml(self) -> Element | None:
        """Root element of an XML document, None if it is none.

        Raises
        ------
        ScanError
            If it begins as XML and goes on otherwise.
        """
        return parse_xml(self.data) if self.start.startswith("<") else None

    @contextmanager
    def on_disk(self) -> Iterator[Path]:
        """A file that holds `data`, for readers that open files themselves."""
        if self.data is self.whole:
            yield self.file
            return
        with TemporaryDirectory() as folder:
            copy = Path(folder) / self.file.name
            copy.write_bytes(self.data)
            yield copy
