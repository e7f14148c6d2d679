"""Headers of the XML formats: PANalytical XRDML, Bruker BRML and Rigaku RASX (both zipped XML)."""

from __future__ import annotations

import re
from os import PathLike
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from mixrd.errors import ScanError
from mixrd.scan.axes import axis_key
from mixrd.scan.containers import (
    Archive,
    child,
    children,
    descendant,
    local_name,
    parse_xml,
    text_of,
)
from mixrd.scan.declared import refuse_other_number, refuse_stretched_range
from mixrd.scan.declared_records import refuse_short_rows
from mixrd.scan.headers import (
    ScanHeader,
    element_symbol,
    number,
    numbers,
    positive,
    refuse_map,
    wavelength,
)
from mixrd.scan.optics_xml import brml_optics, rasx_optics, xrdml_optics

_RASX_PROFILE = re.compile(r"(?:^|/)Data(\d+)/Profile\1\.txt$")


def xrdml_headers(data: bytes, file: str | PathLike[str]) -> list[ScanHeader]:
    """One header for each scan of an XRDML document, in its order.

    The wavelength is that of K-alpha-1 as stated, whatever the header calls the intended radiation:
    K-alpha-2 is in the beam of a tube unless a monochromator takes it out, which `Scan.optics` tells.

    Raises
    ------
    ScanError
        If there is no scan in it, or it is an area measurement.
    """
    root = parse_xml(data, str(file), what="the XRDML document")
    found: list[ScanHeader] = []
    for measurement in children(root, "xrdMeasurement"):
        scans = children(measurement, "scan")
        kind = measurement.get("measurementType") or ""
        step_axis = measurement.get("measurementStepAxis")
        if "area" in kind.lower() or (step_axis and len(scans) > 1 and axis_key(step_axis) != "2theta"):
            raise refuse_map(step_axis, len(scans), file)
        found += [_xrdml_scan(measurement, scan, file) for scan in scans]
    if not found:
        raise ScanError(
            "the XRDML document holds no scan", remedy="Export the measured scan itself.", file=file
        )
    return found


def _xrdml_scan(measurement: Element, scan: Element, file: str | PathLike[str]) -> ScanHeader:
    points = child(scan, "dataPoints")
    if points is None:
        raise ScanError("a scan without data points", remedy="Export the scan again.", file=file)
    data = child(points, "intensities")
    data = child(points, "counts") if data is None else data
    first, last, listed = _xrdml_range(points, file)
    times = numbers(text_of(child(points, "countingTimes")), "countingTimes", file)
    common = positive(text_of(child(points, "commonCountingTime")))
    attenuation = numbers(text_of(child(points, "beamAttenuationFactors")), "beamAttenuationFactors", file)
    warnings: list[tuple[str, str]] = []
    status = scan.get("status") or ""
    if status and status.lower() != "completed":
        warnings.append(("INCOMPLETE", f"the file says that the scan is {status.lower()!r}, not completed"))
    if times is not None and times.size and np.ptp(times) > 0.01 * times.mean():
        warnings.append(
            ("VARIABLE_COUNTING_TIME", f"the time per step runs from {times.min():g} to {times.max():g} s")
        )
    radius = text_of(child(measurement, "diffractedBeamPath", "radius"))
    radius = radius or text_of(child(measurement, "incidentBeamPath", "radius"))
    count = len((text_of(data) or "").split())
    if listed is None:
        refuse_stretched_range(first, last, count, positive(radius), file)
    if times is not None and times.size and data is not None:
        refuse_other_number(count, int(times.size), file)
    return ScanHeader(
        axis=scan.get("scanAxis"),
        detector_only=True,
        first=first,
        last=last,
        points=listed,
        wavelength_angstrom=wavelength(text_of(child(measurement, "usedWavelength", "kAlpha1"))),
        anode=element_symbol(text_of(child(measurement, "incidentBeamPath", "xRayTube", "anodeMaterial"))),
        counting_time_s=common or (float(times.mean()) if times is not None and times.size else None),
        goniometer_radius_mm=positive(radius),
        optics=xrdml_optics(measurement),
        rate=data is not None and (data.get("unit") or "counts").lower() != "counts",
        times_s=times,
        attenuation=attenuation if attenuation is not None and np.any(attenuation != 1.0) else None,
        warnings=tuple(warnings),
    )


def _xrdml_range(points: Element, file: str | PathLike[str]) -> tuple[float | None, float | None, int | None]:
    """First and last 2-theta, and the number of points where they are listed one by one."""
    for positions in children(points, "positions"):
        if positions.get("axis") == "2Theta":
            listed = numbers(text_of(child(positions, "listPositions")), "listPositions", file)
            if listed is not None and listed.size:
                return float(listed[0]), float(listed[-1]), int(listed.size)
            if child(positions, "commonPosition") is not None:
                raise ScanError(
                    f"2-theta stood still at {text_of(child(positions, 'commonPosition'))} deg",
                    remedy="Choose a file with a coupled theta/2-theta scan.",
                    file=file,
                )
            start = number(text_of(child(positions, "startPosition")))
            return start, number(text_of(child(positions, "endPosition"))), None
    raise ScanError("the scan gives no 2-theta positions", remedy="Export a theta/2-theta scan.", file=file)


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
    found = [
        _brml_scan(parse_xml(archive.read(name), archive.file, what=name), archive.file) for name in names
    ]
    if len(found) > 1 and any(axis_key(header.axis or "") in ("psdfixed", "recspx") for header in found):
        raise refuse_map(None, len(found), archive.file)
    return found


def _brml_scan(root: Element, file: str | Path) -> ScanHeader:
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
    absorbed = _brml_absorbed(root)
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


def _brml_absorbed(root: Element) -> np.ndarray[tuple[int], np.dtype[np.float64]] | None:
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


def rasx_headers(archive: Archive) -> list[ScanHeader]:
    """One header for each profile of a RASX archive, in numeric order."""
    numbered = sorted(
        (int(match[1]), name) for name in archive.names if (match := _RASX_PROFILE.search(name))
    )
    if not numbered:
        raise ScanError("no profile in the archive", remedy="Export the scan again.", file=archive.file)
    found: list[ScanHeader] = []
    for index, profile in numbered:
        folder = profile.rpartition("/")[0]
        conditions = next(
            (
                name
                for name in archive.names
                if re.fullmatch(rf"{re.escape(folder)}/Mea?surementConditions{index}\.xml", name)
            ),
            None,
        )
        if conditions is None:
            found.append(ScanHeader(warnings=(("NO_HEADER", "the archive has no measurement conditions"),)))
            continue
        refuse_short_rows(archive.read(profile).removeprefix(b"\xef\xbb\xbf"), archive.file)
        root = parse_xml(archive.read(conditions), archive.file, what=conditions)
        step_axis = text_of(descendant(root, "StepAxisName"))
        if step_axis and len(numbered) > 1:
            raise refuse_map(step_axis, len(numbered), archive.file)
        found.append(_rasx_scan(root, archive.read(profile)))
    return found


def _rasx_scan(root: Element, profile: bytes) -> ScanHeader:
    info = descendant(root, "ScanInformation")
    tube = descendant(root, "XrayGenerator")
    radius = next(
        (
            part.get("Value")
            for part in root.iter()
            if local_name(part) == "Distance"
            and part.get("From") == "XrayGenerator"
            and part.get("To") == "AttachmentStage"
        ),
        None,
    )
    speed, step = positive(text_of(child(info, "Speed"))), positive(text_of(child(info, "Step")))
    unit = (text_of(child(info, "SpeedUnit")) or "").lower()
    time = None
    if unit in ("sec", "s"):
        time = speed
    elif speed and step and unit in ("deg/min", "deg/sec", "deg/s"):
        time = float(f"{step / speed * (60.0 if unit == 'deg/min' else 1.0):.6g}")
    count = number(text_of(child(info, "DataCount")))
    uneven = (text_of(child(info, "UnequalySpaced")) or "").lower() == "true"
    columns = {line.split()[2] for line in profile.splitlines()[1:] if len(line.split()) > 2}
    attenuated = any(number(value.decode("latin-1")) not in (1.0, None) for value in columns)
    doubt = ("ATTENUATOR", "the file has a column of attenuator factors other than 1, which was not applied")
    return ScanHeader(
        axis=text_of(child(info, "AxisName")),
        detector_only=True,
        first=number(text_of(child(info, "Start"))),
        last=number(text_of(child(info, "Stop"))),
        points=None if not count else round(count),
        step=None if uneven else step,
        wavelength_angstrom=wavelength(text_of(child(tube, "WavelengthKalpha1"))),
        anode=element_symbol(text_of(child(tube, "TargetName"))),
        counting_time_s=time,
        goniometer_radius_mm=positive(radius),
        optics=rasx_optics(root),
        rate=(text_of(child(info, "IntensityUnit")) or "counts").lower() in ("cps", "counts/s"),
        warnings=(doubt,) if attenuated else (),
    )
