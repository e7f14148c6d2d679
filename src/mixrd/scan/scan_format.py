"""A format of scans, and the registry of all: mixrd's own and those of other packages.

A module that reads a format registers it when it is imported. Those of this room are found by themselves;
another package names its module as an entry point::

    [project.entry-points."mixrd.scan_formats"]
    anything = "package.module"
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mixrd.extensions import Registry
from mixrd.scan.headers import Arrays, ScanHeader, chosen
from mixrd.scan.opened_file import OpenedFile

#: Where mixrd's own formats stand in the order in which all are asked. After each of these groups, files of
#: other programs are refused by name (`mixrd.scan.readers`).
BINARY, ARCHIVE, XML, MARKED_TEXT, TEXT, LAST = 100, 200, 300, 400, 500, 900

Found = tuple[Arrays, ScanHeader]


@dataclass(frozen=True)
class ScanFormat:
    """A format of scans.

    Attributes
    ----------
    name : str
        As people call it and `Scan.format` has it.
    matches : callable
        Whether an `OpenedFile` is of this format, by its content and never by its name. It must be sure:
        the first format that says yes reads the file.
    read : callable
        Arrays and header of an `OpenedFile` and the number of the scan in it, counted from 1; None if the
        user named none (`mixrd.scan.chosen` chooses). What is wrong with the file is raised as
        `ScanError`.
    endings : tuple of str
        File endings that only scans have: a folder is searched for them.
    other_endings : tuple of str
        Endings of this format that a folder is not searched for: text and tables may be anything.
    order : int
        Formats are asked in this order: those of other packages (0) before mixrd's own.
    """

    name: str
    matches: Callable[[OpenedFile], bool]
    read: Callable[[OpenedFile, int | None], Found]
    endings: tuple[str, ...] = ()
    other_endings: tuple[str, ...] = ()
    order: int = 0


_REGISTRY: Registry[ScanFormat] = Registry("scan format", group="mixrd.scan_formats", room="mixrd.scan")


def register_format(one: ScanFormat) -> None:
    """Let mixrd read one more format.

    Raises
    ------
    ParameterError
        If there is one of that name.
    """
    _REGISTRY.add(one.name, one)


def one_of(scans: Callable[[OpenedFile], Sequence[Found]]) -> Callable[[OpenedFile, int | None], Found]:
    """What a `ScanFormat` takes as `read`, from a function that reads all scans of a file."""
    return lambda opened, scan: chosen(scans(opened), scan)


def scan_formats() -> tuple[ScanFormat, ...]:
    """All formats, in the order in which they are asked."""
    return tuple(sorted(_REGISTRY.all().values(), key=lambda one: one.order))


def folder_endings() -> tuple[str, ...]:
    """Endings that only scans have."""
    return tuple(sorted({ending for one in scan_formats() for ending in one.endings}))


def all_endings() -> tuple[str, ...]:
    """Endings that files of scans may have."""
    return tuple(sorted({ending for one in scan_formats() for ending in (*one.endings, *one.other_endings)}))
