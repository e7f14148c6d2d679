"""Bruker BRML: zipped XML; arrays by geddes, or by rietx where an absorber was in the beam."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from mixrd.errors import ScanError
from mixrd.scan.axes import axis_key
from mixrd.scan.containers import Archive, child, descendant, local_name, parse_xml, text_of
from mixrd.scan.headers import (
    ScanHeader,
    element_symbol,
    number,
    positive,
    refuse_map,
    soller_opening,
    wavelength,
)
from mixrd.scan.opened_file import OpenedFile
from mixrd.scan.optics import Optics, primary_monochromator, secondary_monochromator
from mixrd.scan.scan_format import ARCHIVE, ScanFormat, register_format
from mixrd.scan.vendor import Arrays, chosen_header, geddes_arrays, rietx_scan

_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


def _matches(opened: OpenedFile) -> bool:
    return any(name.endswith("DataContainer.xml") for name in opened.members)


def _read(opened: OpenedFile, scan: int | None) -> tuple[Arrays, ScanHeader]:
    headers = brml_headers(Archive(opened.data, opened.file))
    index, header = chosen_header(opened, headers, ".brml", scan)
    if header.attenuation is None:
        return geddes_arrays(opened.data, ".brml", index, opened.file), header
    # which of the two columns carries the absorber is rietx's to know: its sigma follows from it
    arrays, _ = rietx_scan(opened.file, {"scan": index})
    note = ("ATTENUATED", "an absorber was in the beam at some points; intensities are corrected")
    return arrays, replace(header, attenuation=None, warnings=(*header.warnings, note))


register_format(ScanFormat("Bruker BRML", _matches, _read, (".brml",), order=ARCHIVE))


def brml_headers(archive: Archive) -> list[ScanHeader]:
    """One header for each raw-data member that the archive's manifest names."""
    manifest = next((name for name in archive.names if name.endswith("DataContainer.xml")), None)
    if manifest is None:
        raise ScanError("no DataContainer.xml in it", remedy="Export the scan again.", file=archive.file)
    root = parse_xml(archive.read(manifest), archive.file, what=manifest)
    listed = descendant(root, "RawDataReferenceList")
    names = [text for part in (listed if listed is not None else []) if (text := text_of(part))]
    if not names:
        raise ScanError("the archive names no raw data", remedy="Export the scan again.", file=archive.file)
    found = [_scan(parse_xml(archive.read(name), archive.file, what=name), archive.file) for name in names]
    if len(found) > 1 and any(axis_key(header.axis or "") in ("psdfixed", "recspx") for header in found):
        raise refuse_map(None, len(found), archive.file)
    return found


def _scan(root: Element, file: str | Path) -> ScanHeader:
    info = descendant(root, "ScanInformation")
    if info is None:
        raise ScanError("the raw data describe no scan", remedy="Export the scan again.", file=file)
    axes = {str(axis.get("AxisId")): axis for axis in info.iter() if local_name(axis) == "ScanAxisInfo"}
    two_theta = axes.get("TwoTheta")
    named = info.get("VisibleName") or info.get("ScanName")
    alpha1 = descendant(root, "WaveLengthAlpha1")
    secondary = descendant(root, "SecondaryTracks")
    radius = None if secondary is None else descendant(secondary, "Radius")
    time = positive(text_of(child(info, "TimePerStepEffective")) or text_of(child(info, "TimePerStep")))
    absorbed = _absorbed(root)
    parts = [part for part in root.iter() if local_name(part) == "SubScanInfo"]
    measured = number(parts[0].get("MeasuredSteps")) if len(parts) == 1 else None
    return ScanHeader(
        axis=named if two_theta is not None or not axes else ", ".join(axes),
        first=number(text_of(child(two_theta, "Start"))),
        last=number(text_of(child(two_theta, "Stop"))),
        points=None if not measured else round(measured),
        step=positive(text_of(child(two_theta, "Increment"))),
        wavelength_angstrom=None if alpha1 is None else wavelength(alpha1.get("Value")),
        anode=element_symbol(text_of(descendant(root, "TubeMaterial"))),
        counting_time_s=None if time is None else float(f"{time:.6g}"),
        goniometer_radius_mm=None if radius is None else positive(radius.get("Value")),
        attenuation=absorbed,
        optics=brml_optics(root),
    )


def _absorbed(root: Element) -> np.ndarray[tuple[int], np.dtype[np.float64]] | None:
    """Absorber factor of each point where one was ever in the beam."""
    for view in root.iter():
        if local_name(view) == "RawDataView" and view.get("LogicName") == "AbsorptionFactor":
            try:
                column = int(view.get("Start", ""))
                rows = [(d.text or "").split(",") for d in root.iter() if local_name(d) == "Datum"]
                factors = np.array([float(row[column]) for row in rows])
            except (ValueError, IndexError):
                return None
            return factors if np.any(factors != 1.0) else None
    return None


def brml_optics(root: Element) -> Optics:
    """What the raw data of a BRML archive say of the beam: the optics mounted on its two tracks."""
    primary, secondary = (_mounted(descendant(root, f"{side}Tracks")) for side in ("Primary", "Secondary"))
    ratio = descendant(root, "WaveLengthRatio")
    value = None if ratio is None else number(ratio.get("Value"))
    alpha2 = descendant(root, "WaveLengthAlpha2")
    if value == 0 and alpha2 is not None and (number(alpha2.get("Value")) or 0) > 0:
        value = None  # a line that is named and has no intensity: one of the two was never filled in
    before, behind = (
        _optic(primary, "monochromator", "johans"),
        _optic(secondary, "monochromator", "analyzer"),
    )
    beta = _optic(primary + secondary, "filter")
    mirror = _optic(primary, "mirror", "goebel", "göbel")
    return Optics(
        kalpha2_ratio=value if value is not None and 0 <= value <= 1 else None,
        primary=primary_monochromator(None if before is None else _name_of(before)),
        secondary=secondary_monochromator(None if behind is None else _name_of(behind)),
        beta_filter=None if beta is None else _filter_of(_name_of(beta)),
        mirror=None if mirror is None else _name_of(mirror),
        soller_rad=(_brml_soller(primary), _brml_soller(secondary)),
    )


def _mounted(tracks: Element | None) -> list[Element]:
    return [] if tracks is None else [part for part in tracks.iter() if local_name(part) == "InfoData"]


def _optic(mounted: list[Element], *words: str) -> Element | None:
    """First of the optics whose type or name holds one of the words."""
    for part in mounted:
        named = f"{part.get(_TYPE) or ''} {part.get('LogicName') or ''} {_name_of(part)}".lower()
        if any(word in named for word in words) and "detector" not in named:
            return part
    return None


def _name_of(part: Element) -> str:
    return part.get("VisibleName") or part.get("LogicName") or ""


def _filter_of(name: str) -> str | None:
    """Material of a K beta filter, or its name; an absorber is none."""
    if "absor" in name.lower() or "atten" in name.lower():
        return None
    words = name.replace("_", " ").replace("-", " ").split()
    metals = [word for word in words if word in ("Ni", "Fe", "Zr", "Mn", "V", "Rh", "Pd", "Nb")]
    return metals[0] if metals else name


def _brml_soller(mounted: list[Element]) -> float | None:
    part = _optic(mounted, "soller")
    if part is None:
        return None
    for name in ("SollerSlitAngle", "Opening", "AxialDivergence", "Angle", "Divergence"):
        value = descendant(part, name)
        if value is not None and (opening := soller_opening(value.get("Value"))) is not None:
            return opening
    return soller_opening(_name_of(part))
