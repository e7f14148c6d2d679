"""Hand-over of a refined result to other programs: TOPAS, FullProf, GSAS-II, BGMN, rietx, CIF."""

from mixrd.export.formats import FORMATS, export
from mixrd.export.handover import HandedPhase, Handover, handover
from mixrd.export.scan_of import find_scan

__all__ = ["FORMATS", "HandedPhase", "Handover", "export", "find_scan", "handover"]
