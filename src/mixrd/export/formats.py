"""The formats by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mixrd.analysis import Analysis
from mixrd.errors import UsageError
from mixrd.export.bgmn import bgmn_files
from mixrd.export.cif import cif_files
from mixrd.export.fullprof import fullprof_files
from mixrd.export.gsas2 import gsas2_files
from mixrd.export.handover import Handover, handover
from mixrd.export.rietx_project import rietx_files
from mixrd.export.topas import topas_files
from mixrd.scan import Scan

#: What writes each format: contents by file name.
FORMATS: Mapping[str, Callable[[Handover], dict[str, str]]] = {
    "topas": topas_files,
    "fullprof": fullprof_files,
    "gsas2": gsas2_files,
    "bgmn": bgmn_files,
    "rietx": rietx_files,
    "cif": cif_files,
}


def export(analysis: Analysis, scan: Scan, to: str) -> dict[str, str]:
    """Files that let another program go on where the refinement of `scan` ended.

    Parameters
    ----------
    analysis : Analysis
        With a refinement.
    scan : Scan
        The scan that was analysed.
    to : str
        One of `FORMATS`.

    Returns
    -------
    dict
        Contents by file name.

    Raises
    ------
    InputError
        If the result holds no refinement or the scan is another.
    UsageError
        If there is no such format.
    """
    if to not in FORMATS:
        raise UsageError(f"there is no format {to!r}", remedy=f"Use one of {', '.join(FORMATS)}")
    return FORMATS[to](handover(analysis, scan))
