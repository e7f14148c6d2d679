"""A scan from columns of text: the table, what the lines above it say, and what its axis is."""

from __future__ import annotations

import re
from os import PathLike

from mixrd.scan.axes import judge_axis
from mixrd.scan.axis_conversion import SMALL_ANGLE_DEG, small_angle_error, two_theta_from_axis
from mixrd.scan.axis_shape import judge_unnamed_axis
from mixrd.scan.declared import judge_declared_range, text_declaration
from mixrd.scan.headers import ScanHeader, choose_scan
from mixrd.scan.opened_file import OpenedFile
from mixrd.scan.scan_format import LAST, ScanFormat, register_format
from mixrd.scan.text_columns import read_columns
from mixrd.scan.text_headers import text_facts
from mixrd.scan.vendor import Arrays

_SMALL_ANGLE = re.compile(r"u?saxs|sans\b|small[- _]?angle|desmear", re.IGNORECASE)


def text_scan(text: str, file: str | PathLike[str]) -> tuple[Arrays, ScanHeader]:
    """Arrays and header of a table of text columns.

    Raises
    ------
    ScanError
        If it is no table of angles and intensities, or its axis is none that becomes 2-theta.
    """
    columns = read_columns(text, file)
    facts = text_facts(columns.header)
    x, axis = columns.first, columns.axis
    sign = _SMALL_ANGLE.search("\n".join(columns.header))
    if sign and x.size and x.max() < SMALL_ANGLE_DEG:
        raise small_angle_error(f"its header says {sign[0]!r}, its axis ends at {x.max():.3g}", file)
    if axis is not None:
        two_theta, doubts = two_theta_from_axis(x, axis, facts.wavelength_angstrom, file)
    else:
        two_theta, doubts = judge_unnamed_axis(x, facts.wavelength_angstrom, file)
    points, declared = text_declaration(columns.header, x.size)
    step, range_doubts = judge_declared_range(two_theta, declared)
    header = ScanHeader(
        axis=facts.scan_axis,
        points=points,
        step=step,
        wavelength_angstrom=facts.wavelength_angstrom,
        anode=facts.anode,
        counting_time_s=facts.counting_time_s,
        goniometer_radius_mm=facts.goniometer_radius_mm,
        rate=columns.rate,
        warnings=columns.warnings + doubts + range_doubts + judge_axis(facts.scan_axis, file=file),
    )
    return Arrays(two_theta, columns.intensity, columns.sigma, "mixrd"), header


def _read(opened: OpenedFile, scan: int | None) -> tuple[Arrays, ScanHeader]:
    choose_scan([ScanHeader()], scan, opened.file)
    return text_scan(opened.text, opened.file)


register_format(
    ScanFormat(
        "text columns", lambda _: True, _read, (".xy", ".xye"), (".csv", ".txt", ".dat", ".prn", ".asc"), LAST
    )
)
