"""Rigaku RASX: zipped XML and text; arrays by geddes."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from mixrd.errors import ScanError
from mixrd.scan.declared import refuse_short_rows
from mixrd.scan.headers import (
    EXPORT_AGAIN,
    Arrays,
    ScanHeader,
    element_symbol,
    number,
    positive,
    refuse_map,
    soller_opening,
    wavelength,
    whole,
)
from mixrd.scan.opened_file import Archive, OpenedFile, descendant, descendants, parse_xml, text_of
from mixrd.scan.optics import Optics, is_nothing, primary_monochromator, secondary_monochromator
from mixrd.scan.scan_format import ARCHIVE, ScanFormat, register_format
from mixrd.scan.vendor import ATTENUATOR, through_geddes

_PROFILE = re.compile(r"(?:^|/)Data(\d+)/Profile\1\.txt$")


def _matches(opened: OpenedFile) -> bool:
    return any(re.search(r"(^|/)Data\d+/Profile\d+\.txt$", name) for name in opened.members)


def _read(opened: OpenedFile, scan: int | None) -> tuple[Arrays, ScanHeader]:
    return through_geddes(opened, _headers(Archive(opened.data)), ".rasx", scan)


register_format(ScanFormat("Rigaku RASX", _matches, _read, (".rasx",), order=ARCHIVE + 1))


def _headers(archive: Archive) -> list[ScanHeader]:
    """One header for each profile of a RASX archive, in numeric order."""
    numbered = sorted((int(match[1]), name) for name in archive.names if (match := _PROFILE.search(name)))
    if not numbered:
        raise ScanError("no profile in the archive", remedy=EXPORT_AGAIN)
    found: list[ScanHeader] = []
    for index, profile in numbered:
        folder = profile.rpartition("/")[0]
        wanted = re.compile(rf"{re.escape(folder)}/Mea?surementConditions{index}\.xml")
        conditions = next(filter(wanted.fullmatch, archive.names), None)
        if conditions is None:
            found.append(ScanHeader(warnings=(("NO_HEADER", "the archive has no measurement conditions"),)))
            continue
        refuse_short_rows(archive.read(profile).removeprefix(b"\xef\xbb\xbf"))
        root = parse_xml(archive.read(conditions), what=conditions)
        step_axis = text_of(descendant(root, "StepAxisName"))
        if step_axis and len(numbered) > 1:
            raise refuse_map(step_axis, len(numbered))
        found.append(_scan(root, archive.read(profile)))
    return found


def _scan(root: Element, profile: bytes) -> ScanHeader:
    info = descendant(root, "ScanInformation")
    tube = descendant(root, "XrayGenerator")
    radii = (
        part.get("Value")
        for part in descendants(root, "Distance")
        if (part.get("From"), part.get("To")) == ("XrayGenerator", "AttachmentStage")
    )
    speed, step = positive(text_of(info, "Speed")), positive(text_of(info, "Step"))
    unit = (text_of(info, "SpeedUnit") or "").lower()
    time = None
    if unit in ("sec", "s"):
        time = speed
    elif speed and step and unit in ("deg/min", "deg/sec", "deg/s"):
        time = float(f"{step / speed * (60.0 if unit == 'deg/min' else 1.0):.6g}")
    uneven = (text_of(info, "UnequalySpaced") or "").lower() == "true"
    columns = {line.split()[2] for line in profile.splitlines()[1:] if len(line.split()) > 2}
    attenuated = any(number(value.decode("latin-1")) not in (1.0, None) for value in columns)
    return ScanHeader(
        axis=text_of(info, "AxisName"),
        detector_only=True,
        first=number(text_of(info, "Start")),
        last=number(text_of(info, "Stop")),
        points=whole(text_of(info, "DataCount")) or None,
        step=None if uneven else step,
        wavelength_angstrom=wavelength(text_of(tube, "WavelengthKalpha1")),
        anode=element_symbol(text_of(tube, "TargetName")),
        counting_time_s=time,
        goniometer_radius_mm=positive(next(radii, None)),
        optics=rasx_optics(root),
        rate=(text_of(info, "IntensityUnit") or "counts").lower() in ("cps", "counts/s"),
        warnings=(ATTENUATOR,) if attenuated else (),
    )


def rasx_optics(root: Element) -> Optics:
    """What the measurement conditions of a RASX profile say of the beam."""
    axes: dict[str, str] = {}
    for part in descendants(root, "Axis"):
        if part.get("Name"):
            axes.setdefault(str(part.get("Name")), part.get("Position") or "")
    attribute = text_of(descendant(root, "Attribute"))
    named = [axes.get(name) for name in ("PrimaryMonochromator", "IncidentMonochromator", "CMonochro")]
    # the attribute names the beam's form before the crystal: "PB-Ge(220)x2_Compress", "BB" has none
    named += [attribute] if attribute and ("ge(" in attribute.lower() or "kα1" in attribute.lower()) else []
    filters = [axes.get(name) for name in ("InFilter", "Filter", "Filter1", "Filter2")]
    stated = [name for name in filters if name is not None]
    used = [name for name in stated if not is_nothing(name)]
    beta = next((name for name in used if "beta" in name.lower()), None)
    return Optics(
        primary=next((one for name in named if (one := primary_monochromator(name)) is not None), None),
        secondary=secondary_monochromator(axes.get("DetectorMonochromator")),
        beta_filter=beta or ("none" if stated and not used else None),
        soller_rad=(soller_opening(axes.get("ISS")), soller_opening(axes.get("RSS"))),
    )
