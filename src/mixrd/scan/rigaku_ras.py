"""Rigaku RAS: text with a header for each scan; arrays by rietx."""

from __future__ import annotations

import re
from dataclasses import replace

from mixrd.scan.declared import refuse_short_rows
from mixrd.scan.headers import Arrays, ScanHeader, positive, soller_opening, whole
from mixrd.scan.opened_file import OpenedFile
from mixrd.scan.optics import Optics, beta_filter, primary_monochromator, secondary_monochromator
from mixrd.scan.scan_format import MARKED_TEXT, ScanFormat, register_format
from mixrd.scan.vendor import through_rietx

_POINTS = re.compile(rb"^\*RAS_INT_START\s*$(.*?)^\*RAS_INT_END", re.MULTILINE | re.DOTALL)


def _read(opened: OpenedFile, scan: int | None) -> tuple[Arrays, ScanHeader]:
    for block in _POINTS.findall(opened.data):
        refuse_short_rows(block)

    def completed(header: ScanHeader, index: int, _: Arrays) -> ScanHeader:
        own, beams = _headers(opened.data), ras_optics(opened.data)
        told = own[index] if index < len(own) else ScanHeader()
        return replace(
            header,
            axis=told.axis or header.axis,
            detector_only=True,
            goniometer_radius_mm=header.goniometer_radius_mm or told.goniometer_radius_mm,
            points=told.points,
            step=told.step,
            optics=beams[index] if index < len(beams) else None,
        )

    return through_rietx(opened, scan, completed)


def _matches(opened: OpenedFile) -> bool:
    return opened.start.startswith("*RAS_DATA_START")


register_format(ScanFormat("Rigaku RAS", _matches, _read, (".ras",), order=MARKED_TEXT))


def _headers(data: bytes) -> list[ScanHeader]:
    """What rietx leaves out of the header of each scan in a RAS file: axis, radius, declared points and step.

    The axis has a language-free name (the plain one is Shift-JIS). Of the eight distances of the goniometer
    the fourth is that of source and sample (0 on a MiniFlex) and the sixth that of sample and receiving
    slit; both are the radius.
    """
    found = []
    for part in re.split(rb"^\*RAS_HEADER_START", data, flags=re.MULTILINE)[1:]:
        keys = {
            key.decode("ascii", "replace"): value.decode("ascii", "replace")
            for key, value in re.findall(rb'^\*([A-Z0-9_-]+)\s+"([^"\r\n]*)"', part, re.MULTILINE)
        }
        radius = positive(keys.get("HW_GONIOMETER_RADIUS-3")) or positive(keys.get("HW_GONIOMETER_RADIUS-5"))
        uneven = keys.get("MEAS_SCAN_UNEQUALY_SPACED", "0").lower() not in ("0", "false", "")
        found.append(
            ScanHeader(
                axis=keys.get("MEAS_SCAN_AXIS_X_INTERNAL"),
                goniometer_radius_mm=radius,
                points=whole(keys.get("MEAS_DATA_COUNT")),
                step=None if uneven else positive(keys.get("MEAS_SCAN_STEP")),
            )
        )
    return found


def ras_optics(data: bytes) -> list[Optics]:
    """What each scan of a RAS file says of the beam, in their order."""
    text = data.decode("latin-1")
    parts = re.split(r"^\*RAS_HEADER_START", text, flags=re.MULTILINE)[1:]
    return [_ras_scan(part.split("*RAS_INT_START", 1)[0]) for part in parts]


def _ras_scan(header: str) -> Optics:
    names = dict(re.findall(r'^\*MEAS_COND_AXIS_NAME_INTERNAL-(\d+)\s+"([^"\n]*)"', header, re.MULTILINE))
    places = dict(re.findall(r'^\*MEAS_COND_AXIS_POSITION-(\d+)\s+"([^"\n]*)"', header, re.MULTILINE))
    axes = {name: places[index] for index, name in names.items() if index in places}
    divergence = re.fullmatch(r"\s*(\d*[.,]?\d+)\s*deg\s*", axes.get("IncidentSlitBox", ""))
    return Optics(
        primary=primary_monochromator(axes.get("IncidentMonochromator")),
        secondary=secondary_monochromator(axes.get("CounterMonochromator")),
        beta_filter=beta_filter(axes.get("Filter"), axes.get("Filter", "")),
        soller_rad=(
            soller_opening(axes.get("IncidentSollerSlit")),
            soller_opening(axes.get("ReceivingSollerSlit")),
        ),
        divergence_deg=positive(divergence[1]) if divergence else None,
    )
