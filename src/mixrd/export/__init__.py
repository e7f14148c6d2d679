"""Hand-over of results to other programs (TOPAS, FullProf, GSAS-II, BGMN, rietx, CIF), and their opinions."""

from mixrd.export.formats import FORMATS, export
from mixrd.export.handover import HandedPhase, Handover, handover
from mixrd.export.scan_of import find_scan
from mixrd.export.second_opinion import with_second_opinion

__all__ = ["FORMATS", "HandedPhase", "Handover", "export", "find_scan", "handover", "with_second_opinion"]
