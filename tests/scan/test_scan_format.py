"""Formats are asked in order; one that others register is asked first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from mixrd.batch.scan_files import find_scans
from mixrd.errors import ParameterError, ScanError
from mixrd.scan import Arrays, OpenedFile, ScanFormat, ScanHeader, chosen, read_scan, register_format
from mixrd.scan.scan_format import _REGISTRY, all_endings, folder_endings, scan_formats

Save = Callable[..., Path]


def _read(opened: OpenedFile, scan: int | None) -> tuple[Arrays, ScanHeader]:
    x = np.arange(10.0, 20.0, 0.02)
    counts = 100.0 + 37 * np.arange(x.size) % 41
    return chosen([(Arrays(x, counts, None, "mine"), ScanHeader())], scan)


@pytest.fixture
def mine() -> Iterator[ScanFormat]:
    """A binary format that begins as HDF5, which mixrd refuses otherwise."""
    one = ScanFormat(
        "mine", lambda opened: opened.data.startswith(b"\x89HDF mine"), _read, (".nxs",), (".h5",)
    )
    register_format(one)
    yield one
    del _REGISTRY._things["mine"]


def test_a_format_of_others_is_read_first(save: Save, mine: ScanFormat) -> None:
    path = save(b"\x89HDF mine\0", "a.nxs")
    scan = read_scan(path)
    assert (scan.format, scan.reader, len(scan)) == ("mine", "mine", 500)
    with pytest.raises(ScanError, match="there is no scan 2"):
        read_scan(path, scan=2)
    with pytest.raises(ScanError, match="an HDF5 file"):
        read_scan(save(b"\x89HDF another\0"))
    assert find_scans([str(path.parent)]).paths[0] == path
    assert ".h5" in all_endings() and ".h5" not in folder_endings()
    with pytest.raises(ParameterError, match="'mine' already"):
        register_format(mine)


def test_text_columns_take_what_is_left() -> None:
    formats = scan_formats()
    assert formats[-1].name == "text columns"
    assert [one.name for one in formats[:2]] == ["Bruker RAW", "Bruker RAW version 1"]


def test_endings() -> None:
    assert folder_endings() == (
        ".brml", ".fxye", ".gda", ".gsa", ".gsas", ".ras", ".rasx", ".raw", ".uxd", ".xrdml", ".xy", ".xye",
    )  # fmt: skip
    assert {".csv", ".txt", ".dat", ".prn", ".asc", ".gss", ".cif", ".xml", ".mdi"} <= {*all_endings()}
