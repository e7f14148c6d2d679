"""Hand-over of results to other programs (TOPAS, FullProf, GSAS-II, BGMN, rietx, CIF), and their opinions."""

from mixrd.export.export_format import (
    export,
    export_format,
    export_format_named,
    export_formats,
    network_export_format,
)
from mixrd.export.handover import HandedPhase, Handover, handover
from mixrd.export.scan_of import find_scan
from mixrd.export.second_opinion import with_second_opinion

__all__ = [
    "HandedPhase",
    "Handover",
    "export",
    "export_format",
    "export_format_named",
    "export_formats",
    "find_scan",
    "handover",
    "network_export_format",
    "with_second_opinion",
]
