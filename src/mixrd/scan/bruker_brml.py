"""Bruker BRML: zipped XML; arrays by geddes, or by rietx where an absorber was in the beam."""

from __future__ import annotations

from dataclasses import replace
from xml.etree.ElementTree import Element

import numpy as np

from mixrd.errors import ScanError
from mixrd.scan.axis_names import axis_key
from mixrd.scan.headers import (
    EXPORT_AGAIN,
    Arrays,
    Floats,
    ScanHeader,
    element_symbol,
    number,
    positive,
    refuse_map,
    share,
    soller_opening,
    wavelength,
    whole,
)
from mixrd.scan.opened_file import XML_TYPE, Archive, OpenedFile, descendant, descendants, parse_xml, text_of
from mixrd.scan.optics import Optics, primary_monochromator, secondary_monochromator
from mixrd.scan.scan_format import ARCHIVE, ScanFormat, register_format
from mixrd.scan.vendor import chosen_header, geddes_arrays, rietx_scan

_MANIFEST = "DataContainer.xml"


def _matches(opened: OpenedFile) -> bool:
    return any(name.endswith(_MANIFEST) for name in opened.members)


def _read(opened: OpenedFile, scan: int | None) -> tuple[Arrays, ScanHeader]:
    headers = _headers(Archive(opened.data))
    index, header = chosen_header(opened, headers, ".brml", scan)
    if header.attenuation is None:
        return geddes_arrays(opened, ".brml", index), header
    # which of the two columns carries the absorber is rietx's to know: its sigma follows from it
    arrays, _ = rietx_scan(opened.file, {"scan": index})
    note = ("ATTENUATED", "an absorber was in the beam at some points; intensities are corrected")
    return arrays, replace(header, attenuation=None, warnings=(*header.warnings, note))


register_format(ScanFormat("Bruker BRML", _matches, _read, (".brml",), order=ARCHIVE))


def _headers(archive: Archive) -> list[ScanHeader]:
    """One header for each raw-data member that the archive's manifest names."""
    manifest = next(name for name in archive.names if name.endswith(_MANIFEST))
    listed = descendant(parse_xml(archive.read(manifest), what=manifest), "RawDataReferenceList")
    names = [text for part in (listed if listed is not None else []) if (text := text_of(part))]
    if not names:
        raise ScanError("the archive names no raw data", remedy=EXPORT_AGAIN)
    found = [_header(parse_xml(archive.read(name), what=name)) for name in names]
    if len(found) > 1 and any(axis_key(header.axis or "") in ("psdfixed", "recspx") for header in found):
        raise refuse_map(None, len(found))
    return found


def _header(root: Element) -> ScanHeader:
    info = descendant(root, "ScanInformation")
    if info is None:
        raise ScanError("the raw data describe no scan", remedy=EXPORT_AGAIN)
    axes = {str(axis.get("AxisId")): axis for axis in descendants(info, "ScanAxisInfo")}
    two_theta = axes.get("TwoTheta")
    time = positive(text_of(info, "TimePerStepEffective") or text_of(info, "TimePerStep"))
    parts = descendants(root, "SubScanInfo")
    named = info.get("VisibleName") or info.get("ScanName")
    return ScanHeader(
        axis=named if two_theta is not None or not axes else ", ".join(axes),
        first=number(text_of(two_theta, "Start")),
        last=number(text_of(two_theta, "Stop")),
        points=(whole(parts[0].get("MeasuredSteps")) or None) if len(parts) == 1 else None,
        step=positive(text_of(two_theta, "Increment")),
        wavelength_angstrom=wavelength(_value(root, "WaveLengthAlpha1")),
        anode=element_symbol(text_of(descendant(root, "TubeMaterial"))),
        counting_time_s=None if time is None else float(f"{time:.6g}"),
        goniometer_radius_mm=positive(_value(descendant(root, "SecondaryTracks"), "Radius")),
        attenuation=_absorbed(root),
        optics=brml_optics(root),
    )


def _value(element: Element | None, name: str) -> str | None:
    """What the first descendant of this name has as its value."""
    part = descendant(element, name)
    return None if part is None else part.get("Value")


def _absorbed(root: Element) -> Floats | None:
    """Absorber factor of each point where one was ever in the beam."""
    for view in descendants(root, "RawDataView"):
        if view.get("LogicName") == "AbsorptionFactor":
            try:
                column = int(view.get("Start", ""))
                rows = [(datum.text or "").split(",") for datum in descendants(root, "Datum")]
                factors = np.array([float(row[column]) for row in rows])
            except (ValueError, IndexError):
                return None
            return factors if np.any(factors != 1.0) else None
    return None


def brml_optics(root: Element) -> Optics:
    """What the raw data of a BRML archive say of the beam: the optics mounted on its two tracks."""
    primary, secondary = (
        descendants(descendant(root, f"{side}Tracks"), "InfoData") for side in ("Primary", "Secondary")
    )
    ratio = share(_value(root, "WaveLengthRatio"))
    if ratio == 0 and positive(_value(root, "WaveLengthAlpha2")):
        ratio = None  # a line that is named and has no intensity: one of the two was never filled in
    return Optics(
        kalpha2_ratio=ratio,
        primary=primary_monochromator(_name_of(_optic(primary, "monochromator", "johans"))),
        secondary=secondary_monochromator(_name_of(_optic(secondary, "monochromator", "analyzer"))),
        beta_filter=_filter_of(_name_of(_optic(primary + secondary, "filter"))),
        mirror=_name_of(_optic(primary, "mirror", "goebel", "göbel")),
        soller_rad=(_soller(primary), _soller(secondary)),
    )


def _optic(mounted: list[Element], *words: str) -> Element | None:
    """First of the optics whose type or name holds one of the words."""
    for part in mounted:
        named = f"{part.get(XML_TYPE) or ''} {part.get('LogicName') or ''} {_name_of(part)}".lower()
        if any(word in named for word in words) and "detector" not in named:
            return part
    return None


def _name_of(part: Element | None) -> str | None:
    return None if part is None else part.get("VisibleName") or part.get("LogicName") or ""


def _filter_of(name: str | None) -> str | None:
    """Material of a K beta filter, or its name; an absorber is none."""
    if name is None or "absor" in name.lower() or "atten" in name.lower():
        return None
    words = name.replace("_", " ").replace("-", " ").split()
    metals = ("Ni", "Fe", "Zr", "Mn", "V", "Rh", "Pd", "Nb")
    return next((word for word in words if word in metals), name)


def _soller(mounted: list[Element]) -> float | None:
    part = _optic(mounted, "soller")
    names = ("SollerSlitAngle", "Opening", "AxialDivergence", "Angle", "Divergence")
    openings = (soller_opening(_value(part, name)) for name in names)
    stated = next((opening for opening in openings if opening is not None), None)
    return soller_opening(_name_of(part)) if stated is None else stated
