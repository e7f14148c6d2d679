"""PANalytical XRDML: XML, one scan or several; arrays by geddes."""

from __future__ import annotations

from typing import Literal
from xml.etree.ElementTree import Element

import numpy as np

from mixrd.errors import ScanError
from mixrd.scan.axis_names import axis_key
from mixrd.scan.declared import refuse_other_number, refuse_stretched_range
from mixrd.scan.headers import (
    EXPORT_AGAIN,
    Arrays,
    ScanHeader,
    element_symbol,
    number,
    numbers,
    positive,
    refuse_map,
    share,
    soller_opening,
    wavelength,
)
from mixrd.scan.opened_file import XML_TYPE, OpenedFile, child, children, local_name, parse_xml, text_of
from mixrd.scan.optics import Monochromator, Optics, primary_monochromator, secondary_monochromator
from mixrd.scan.scan_format import XML, ScanFormat, register_format
from mixrd.scan.vendor import through_geddes


def _matches(opened: OpenedFile) -> bool:
    return opened.xml is not None and local_name(opened.xml) == "xrdMeasurements"


def _read(opened: OpenedFile, scan: int | None) -> tuple[Arrays, ScanHeader]:
    return through_geddes(opened, _headers(opened.data), ".xrdml", scan)


register_format(ScanFormat("PANalytical XRDML", _matches, _read, (".xrdml",), (".xml",), XML))


def _headers(data: bytes) -> list[ScanHeader]:
    """One header for each scan of an XRDML document, in its order.

    The wavelength is that of K-alpha-1 as stated, whatever the header calls the intended radiation:
    K-alpha-2 is in the beam of a tube unless a monochromator takes it out, which `Scan.optics` tells.
    """
    root = parse_xml(data, what="the XRDML document")
    found: list[ScanHeader] = []
    for measurement in children(root, "xrdMeasurement"):
        scans = children(measurement, "scan")
        kind = measurement.get("measurementType") or ""
        step_axis = measurement.get("measurementStepAxis")
        if "area" in kind.lower() or (step_axis and len(scans) > 1 and axis_key(step_axis) != "2theta"):
            raise refuse_map(step_axis, len(scans))
        found += [_xrdml_scan(measurement, scan) for scan in scans]
    if not found:
        raise ScanError("the XRDML document holds no scan", remedy="Export the measured scan itself.")
    return found


def _xrdml_scan(measurement: Element, scan: Element) -> ScanHeader:
    points = child(scan, "dataPoints")
    if points is None:
        raise ScanError("a scan without data points", remedy=EXPORT_AGAIN)
    data = child(points, "intensities")
    data = child(points, "counts") if data is None else data
    first, last, listed = _xrdml_range(points)
    times = numbers(text_of(points, "countingTimes"), "countingTimes")
    common = positive(text_of(points, "commonCountingTime"))
    attenuation = numbers(text_of(points, "beamAttenuationFactors"), "beamAttenuationFactors")
    warnings: list[tuple[str, str]] = []
    status = scan.get("status") or ""
    if status and status.lower() != "completed":
        warnings.append(("INCOMPLETE", f"the file says that the scan is {status.lower()!r}, not completed"))
    if times is not None and times.size and np.ptp(times) > 0.01 * times.mean():
        text = f"the time per step runs from {times.min():g} to {times.max():g} s"
        warnings.append(("VARIABLE_COUNTING_TIME", text))
    radii = (text_of(measurement, f"{side}BeamPath", "radius") for side in ("diffracted", "incident"))
    radius = positive(next(filter(None, radii), None))
    count = len((text_of(data) or "").split())
    if listed is None:
        refuse_stretched_range(first, last, count, radius)
    if times is not None and times.size and data is not None:
        refuse_other_number(count, int(times.size))
    return ScanHeader(
        axis=scan.get("scanAxis"),
        detector_only=True,
        first=first,
        last=last,
        points=listed,
        wavelength_angstrom=wavelength(text_of(measurement, "usedWavelength", "kAlpha1")),
        anode=element_symbol(text_of(measurement, "incidentBeamPath", "xRayTube", "anodeMaterial")),
        counting_time_s=common or (float(times.mean()) if times is not None and times.size else None),
        goniometer_radius_mm=radius,
        optics=xrdml_optics(measurement),
        rate=data is not None and (data.get("unit") or "counts").lower() != "counts",
        times_s=times,
        attenuation=attenuation if attenuation is not None and np.any(attenuation != 1.0) else None,
        warnings=tuple(warnings),
    )


def _xrdml_range(points: Element) -> tuple[float | None, float | None, int | None]:
    """First and last 2-theta, and the number of points where they are listed one by one."""
    for positions in children(points, "positions"):
        if positions.get("axis") == "2Theta":
            listed = numbers(text_of(positions, "listPositions"), "listPositions")
            if listed is not None and listed.size:
                return float(listed[0]), float(listed[-1]), int(listed.size)
            if child(positions, "commonPosition") is not None:
                raise ScanError(
                    f"2-theta stood still at {text_of(positions, 'commonPosition')} deg",
                    remedy="Choose a file with a coupled theta/2-theta scan.",
                )
            start = number(text_of(positions, "startPosition"))
            return start, number(text_of(positions, "endPosition")), None
    raise ScanError("the scan gives no 2-theta positions", remedy="Export a theta/2-theta scan.")


def xrdml_optics(measurement: Element) -> Optics:
    """What an <xrdMeasurement> says of its beam."""
    incident, diffracted = (child(measurement, f"{side}BeamPath") for side in ("incident", "diffracted"))
    slit = child(incident, "divergenceSlit")
    kind = "" if slit is None else (slit.get(XML_TYPE) or slit.get("type") or "").lower()
    divergence: Literal["fixed", "automatic"] | None = None
    if "automatic" in kind or (slit is not None and child(slit, "irradiatedLength") is not None):
        divergence = "automatic"
    elif slit is not None:
        divergence = "fixed"
    filters = [
        text_of(part, "material") or part.get("name")
        for path in (incident, diffracted)
        for part in (path if path is not None else ())
        if local_name(part) == "filter"
    ]
    mirror = child(incident, "xRayMirror")
    return Optics(
        kalpha2_ratio=share(text_of(measurement, "usedWavelength", "ratioKAlpha2KAlpha1")),
        primary=_xrdml_monochromator(incident),
        secondary=_xrdml_secondary(diffracted),
        beta_filter=next((element_symbol(name) or name for name in filters if name), None),
        mirror=None if mirror is None else mirror.get("name"),
        soller_rad=(_xrdml_soller(incident), _xrdml_soller(diffracted)),
        divergence_slit=divergence,
        divergence_deg=positive(text_of(slit, "angle")) if divergence == "fixed" else None,
    )


def _xrdml_monochromator(path: Element | None) -> Monochromator | None:
    part = child(path, "monochromator")
    if part is None:
        return None
    indices = [text_of(part, "hkl", index) for index in "hkl"]
    return primary_monochromator(
        part.get("name") or "without a name",
        crystal=text_of(part, "crystal"),
        planes="".join(i for i in indices if i) if all(indices) else None,
        hybrid=(part.get("hybrid") or "").lower() == "true",
    )


def _xrdml_secondary(path: Element | None) -> Monochromator | None:
    part = child(path, "monochromator")
    if part is None:
        return None
    name = part.get("name") or "without a name"
    return secondary_monochromator(name, crystal=text_of(part, "crystal"))


def _xrdml_soller(path: Element | None) -> float | None:
    part = child(path, "sollerSlit")
    if part is None:
        return None
    opening = child(part, "opening")
    unit = "deg" if opening is not None and (opening.get("unit") or "").startswith("deg") else "rad"
    return soller_opening(text_of(opening), unit=unit) or soller_opening(part.get("name"))
