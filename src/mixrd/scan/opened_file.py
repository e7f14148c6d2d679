"""A file of which it is not yet known what it is, with the views by which formats know their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree.ElementTree import Element

from mixrd.errors import ScanError
from mixrd.scan.containers import Archive, decode, load_bytes, parse_xml, without_dos_end


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
        self.whole = load_bytes(file)
        self.data = without_dos_end(self.whole)

    @cached_property
    def _decoded(self) -> str | None:
        return decode(self.data)

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
        return tuple(Archive(self.data, str(self.file)).names) if self.data.startswith(b"PK") else ()

    @cached_property
    def xml(self) -> Element | None:
        """Root element of an XML document, None if it is none.

        Raises
        ------
        ScanError
            If it begins as XML and goes on otherwise.
        """
        return parse_xml(self.data, str(self.file)) if self.start.startswith("<") else None

    @contextmanager
    def on_disk(self) -> Iterator[Path]:
        """A file that holds `data`, for readers that open files themselves; errors name the file as it is."""
        if self.data is self.whole:
            yield self.file
            return
        with TemporaryDirectory() as folder:
            copy = Path(folder) / self.file.name
            copy.write_bytes(self.data)
            try:
                yield copy
            except ScanError as error:
                raise ScanError(error.cause, remedy=error.remedy, file=self.file) from error
