"""Opening files from strangers: bounded reading of bytes, zip archives and XML."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path
from xml.etree.ElementTree import Element

from mixrd.errors import ScanError

MAX_FILE_BYTES = 128 * 2**20
"""Largest file that is opened; a powder scan of 100 000 points takes about 3 MB as text."""

MAX_UNPACKED_BYTES = 512 * 2**20
"""Largest total that the members of an archive may unpack to."""

MAX_MEMBERS = 20_000
_CHUNK = 2**20
_ENCODINGS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def load_bytes(path: str | Path) -> bytes:
    """All bytes of a regular file.

    Raises
    ------
    ScanError
        If there is no such file, it is a folder or device, is empty, too large, or may not be read.
    """
    file = Path(path)
    try:
        if file.is_dir():
            raise ScanError("this is a folder, not a scan", remedy="Name a file in it.", file=path)
        if not file.exists():
            raise ScanError("no such file", remedy="Check the name and the folder.", file=path)
        if not file.is_file():
            raise ScanError("not a regular file", remedy="Name a file that holds a scan.", file=path)
        size = file.stat().st_size
        if size > MAX_FILE_BYTES:
            raise ScanError(
                f"{size / 2**20:.0f} MB is too large for a powder scan (limit {MAX_FILE_BYTES // 2**20} MB)",
                remedy="Export the one-dimensional scan alone.",
                file=path,
            )
        data = file.read_bytes()
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise ScanError(
            f"the file cannot be opened ({reason})", remedy="Check its name and permissions.", file=path
        ) from problem
    if not data.strip(b"\0 \t\r\n"):
        raise ScanError("the file is empty", remedy="Export or copy the scan again.", file=path)
    return data


def without_dos_end(data: bytes) -> bytes:
    """The same bytes, of text without the end-of-file mark of DOS (0x1A) and what padding follows it."""
    bare = data.rstrip(b"\0\r\n \t")
    if not bare.endswith(b"\x1a"):
        return data
    text = bare.rstrip(b"\x1a\0\r\n \t")
    return data if b"\0" in text else text + b"\n"


def decode(data: bytes) -> str | None:
    """Text of a file: UTF-8 or UTF-16 by its byte-order mark, UTF-8, else Latin-1.

    None if there are zero bytes in it, so that it is no text.
    """
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
    file : path
        Its name, for messages.

    Raises
    ------
    ScanError
        If it is damaged, encrypted, or unpacks to more than `MAX_UNPACKED_BYTES`.
    """

    def __init__(self, data: bytes, file: str | Path) -> None:
        self.file = file
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            self.names = self._zip.namelist()
            total = 0
            for member in self._zip.infolist()[:MAX_MEMBERS]:
                with self._zip.open(member) as stream:
                    while block := stream.read(_CHUNK):
                        total += len(block)
                        if total > MAX_UNPACKED_BYTES:
                            raise self._too_large()
        except ScanError:
            raise
        except Exception as problem:  # zipfile raises eight unrelated types on damaged input
            raise self._damaged(problem) from problem
        if len(self.names) > MAX_MEMBERS:
            raise self._too_large()

    def read(self, name: str) -> bytes:
        """Unpacked bytes of one member."""
        try:
            return self._zip.read(name)
        except Exception as problem:
            raise self._damaged(problem) from problem

    def _too_large(self) -> ScanError:
        return ScanError(
            f"the archive unpacks to more than {MAX_UNPACKED_BYTES // 2**20} MB or {MAX_MEMBERS} members",
            remedy="Export the one-dimensional scan alone.",
            file=self.file,
        )

    def _damaged(self, problem: Exception) -> ScanError:
        return ScanError(
            f"the zip archive is damaged or cut off ({problem})",
            remedy="Copy the file again from the instrument.",
            file=self.file,
        )


class _Builder(ElementTree.TreeBuilder):
    """Tree builder that stops at a document type declaration, where entities are defined."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise ValueError("it has a document type declaration, which no diffractometer writes")


def parse_xml(data: bytes, file: str | Path, *, what: str = "the XML") -> Element:
    """Root element of an XML document without document type or entities.

    Raises
    ------
    ScanError
        If it is not well-formed, cut off, or declares a document type.
    """
    try:
        root = ElementTree.XML(data, parser=ElementTree.XMLParser(target=_Builder()))
    except (ElementTree.ParseError, ValueError, LookupError) as problem:
        raise ScanError(
            f"{what} cannot be read: {problem}",
            remedy="The file is damaged or cut off: copy or export it again.",
            file=file,
        ) from problem
    return root


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


def descendant(element: Element, name: str) -> Element | None:
    """First descendant with this local name."""
    return next((part for part in element.iter() if local_name(part) == name), None)


def text_of(element: Element | None) -> str | None:
    """Stripped text, None where there is none."""
    return (element.text or "").strip() or None if element is not None else None
