"""Formats of other programs, by name: mixrd's own and those of other packages.

A module writes a format and registers it under its own name. Those in `mixrd.export.formats` are found by
themselves; another package names its module as an entry point::

    [project.entry-points."mixrd.export_formats"]
    name-of-the-format = "package.module"
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from mixrd.analysis import Analysis
from mixrd.errors import UsageError
from mixrd.export.handover import Handover, handover
from mixrd.extensions import Registry
from mixrd.network import Model
from mixrd.scan import Scan

WriteResult = Callable[[Handover], dict[str, str]]
WriteNetwork = Callable[[Model], bytes]
Write = TypeVar("Write", WriteResult, WriteNetwork)


@dataclass(frozen=True)
class ExportFormat:
    """What `mixrd export` writes.

    Attributes
    ----------
    write_result : callable or None
        Contents by file name from a refined result.
    write_network : callable or None
        Content of a file from a trained network.
    """

    write_result: WriteResult | None = None
    write_network: WriteNetwork | None = None


_REGISTRY: Registry[ExportFormat] = Registry(
    "format", group="mixrd.export_formats", room="mixrd.export.formats"
)
#: All by name.
export_formats = _REGISTRY.all
export_format_named = _REGISTRY.named


def export_format(name: str) -> Callable[[WriteResult], WriteResult]:
    """Register a function that writes refined results.

    Raises
    ------
    ParameterError
        If there is one of that name.
    """
    return lambda write: _registered(name, write, ExportFormat(write_result=write))


def network_export_format(name: str) -> Callable[[WriteNetwork], WriteNetwork]:
    """Register a function that writes networks.

    Raises
    ------
    ParameterError
        If there is one of that name.
    """
    return lambda write: _registered(name, write, ExportFormat(write_network=write))


def _registered(name: str, write: Write, one: ExportFormat) -> Write:
    _REGISTRY.add(name, one)
    return write


def export(analysis: Analysis, scan: Scan, to: str) -> dict[str, str]:
    """Files that let another program go on where the refinement of `scan` ended.

    Parameters
    ----------
    analysis : Analysis
        With a refinement.
    scan : Scan
        The scan that was analysed.
    to : str
        One of `export_formats` that takes results.

    Returns
    -------
    dict
        Contents by file name.

    Raises
    ------
    InputError
        If the result holds no refinement, the scan is another, or there is no such format.
    """
    write = export_format_named(to).write_result
    if write is None:
        raise UsageError(f"{to} holds no result but a network", remedy="Export a model file, *.mixrd")
    return write(handover(analysis, scan))
