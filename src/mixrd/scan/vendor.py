"""The readers of other packages: geddes (fast, arrays only) and rietx (slow to import, whole headers)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from mixrd.errors import ScanError
from mixrd.scan.axis_names import judge_axis
from mixrd.scan.headers import (
    X_RAYS_ONLY,
    Arrays,
    ScanHeader,
    choose_scan,
    element_symbol,
    noted,
    positive,
    wavelength,
)
from mixrd.scan.opened_file import OpenedFile

#: A doubt of formats whose attenuator factors no reader applies.
ATTENUATOR = ("ATTENUATOR", "the file has a column of attenuator factors other than 1, which was not applied")


def through_geddes(
    opened: OpenedFile, headers: Sequence[ScanHeader], ending: str, scan: int | None
) -> tuple[Arrays, ScanHeader]:
    """Arrays and header of the scan to read in a file whose arrays geddes reads.

    Parameters
    ----------
    opened : OpenedFile
    headers : sequence of ScanHeader
        Of each scan in it.
    ending : str
        By which geddes knows the format.
    scan : int or None
        The user's choice, counted from 1.

    Raises
    ------
    ScanError
        If no scan is over 2-theta, geddes cannot read it, or as `mixrd.scan.headers.choose_scan`.
    """
    index, header = chosen_header(opened, headers, ending, scan)
    return geddes_arrays(opened, ending, index), header


def chosen_header(
    opened: OpenedFile, headers: Sequence[ScanHeader], ending: str, scan: int | None
) -> tuple[int, ScanHeader]:
    """Index (from 0) and header of the scan that `through_geddes` reads."""
    _refuse_if_no_scan_is_over_two_theta(headers)
    if len(headers) > 1 and any(header.last is None for header in headers):
        headers = [_with_range(opened, ending, i, header) for i, header in enumerate(headers)]
    index = choose_scan(headers, scan)
    return index, _judged(headers, headers[index], scan)


def geddes_arrays(opened: OpenedFile, ending: str, index: int) -> Arrays:
    """Angles and intensities of the scan of that index (from 0)."""
    import geddes

    try:
        pattern = geddes.read_bytes(opened.data, f"scan{ending}", index=index)
        x, y = np.asarray(pattern.x, dtype=np.float64), np.asarray(pattern.y, dtype=np.float64)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as problem:  # a panic of its Rust code is not an Exception
        raise ScanError(
            f"the file cannot be read: {_short(problem, opened.file)}",
            remedy="It is damaged or cut off: copy or export it again.",
        ) from problem
    return Arrays(x, y, None, f"geddes {version('geddes')}")


def _judged(headers: Sequence[ScanHeader], header: ScanHeader, scan: int | None) -> ScanHeader:
    doubts = judge_axis(header.axis, detector_only=header.detector_only)
    return noted(headers, replace(header, warnings=header.warnings + doubts), scan)


def _refuse_if_no_scan_is_over_two_theta(headers: Sequence[ScanHeader]) -> None:
    """A pole figure is refused for its axis, before anyone is asked which of its scans is meant."""
    refusals = []
    for header in headers:
        try:
            judge_axis(header.axis)
        except ScanError as refusal:
            refusals.append(refusal)
    if refusals and len(refusals) == len(headers):
        raise refusals[0]


def _with_range(opened: OpenedFile, ending: str, index: int, header: ScanHeader) -> ScanHeader:
    x = geddes_arrays(opened, ending, index).two_theta
    return replace(header, first=float(x[0]), last=float(x[-1])) if x.size else header


def rietx_ranges(path: Path) -> list[ScanHeader]:
    """Range of each scan in a file that rietx reads."""
    from rietx.io import readers

    try:
        ranges = [one.two_theta_range for one in readers.list_scans(path)]
        return [ScanHeader(first=float(low), last=float(high)) for low, high in ranges]
    except Exception as problem:
        raise unreadable(problem, path) from problem


def through_rietx(
    opened: OpenedFile,
    scan: int | None,
    completed: Callable[[ScanHeader, int, Arrays], ScanHeader],
    *,
    ranges: Callable[[Path], list[ScanHeader]] = rietx_ranges,
    options: Callable[[Path, int], dict[str, Any]] = lambda _, index: {"scan": index},
) -> tuple[Arrays, ScanHeader]:
    """Arrays and header of binary or intricate formats, of which rietx reads the header too.

    Parameters
    ----------
    opened : OpenedFile
    scan : int or None
        The user's choice, counted from 1.
    completed : callable
        From header, index (from 0) and arrays of the scan to the header with what rietx leaves out.
    ranges : callable
        Header of each scan in a file, for the choice.
    options : callable
        What rietx is told to read the scan of that index.
    """
    with opened.on_disk() as path:
        headers = ranges(path)
        index = choose_scan(headers, scan)
        arrays, header = rietx_scan(path, options(path, index))
        header = completed(header, index, arrays)
    return arrays, _judged(headers, header, scan)


def rietx_scan(path: Path, options: dict[str, Any]) -> tuple[Arrays, ScanHeader]:
    """Arrays and header of a scan through rietx, with these options of its `read_pattern`.

    Raises
    ------
    ScanError
        If rietx cannot read it, or its axis is a time of flight.
    """
    from rietx.io import readers

    notes: list[Any] = []
    try:
        with np.errstate(invalid="ignore"):  # a damaged number is named later
            pattern = readers.read_pattern(path, diagnostics=notes, **options)
        axis, meta = str(pattern.axis), dict(pattern.metadata)
        x, y = np.array(pattern.x(), dtype=np.float64), np.array(pattern.y(), dtype=np.float64)
        sigma = None if pattern.sigma is None else np.array(pattern.sigma, dtype=np.float64)
    except Exception as problem:
        raise unreadable(problem, path) from problem
    if axis != "two_theta":
        cause = "its axis is a time of flight: neutron data, not an X-ray scan over 2-theta"
        raise ScanError(cause, remedy=X_RAYS_ONLY)
    attenuated = any(getattr(note, "code", "") == "RAS_ATTENUATOR_PRESENT" for note in notes)
    time = positive(meta.get("count_time_s"))
    header = ScanHeader(
        axis=meta.get("scan_axis"),
        wavelength_angstrom=wavelength(meta.get("wavelength")),
        anode=element_symbol(meta.get("anode")),
        counting_time_s=None if time is None else float(f"{time:.6g}"),
        goniometer_radius_mm=positive(meta.get("goniometer_radius_mm")),
        rate=meta.get("intensity_unit", "counts").lower() in ("cps", "counts/s"),
        warnings=(ATTENUATOR,) if attenuated else (),
    )
    return Arrays(x, y, sigma, f"rietx {version('rietx')}"), header


def unreadable(problem: Exception, path: Path) -> ScanError:
    """Error for what rietx says of a file."""
    return ScanError(
        f"the file cannot be read: {_short(problem, path)}",
        remedy="It is damaged, cut off or of an unsupported kind: export it again, or as .xy.",
    )


def _short(problem: BaseException, file: Path) -> str:
    """First sentence of a reader's message, without the file's name at its head."""
    text = " ".join(str(problem).split()) or type(problem).__name__
    text = text.removeprefix("Parse error: ").removeprefix(str(file)).removeprefix(file.name)
    return re.split(r"(?<=[a-z0-9)'\"])\. ", text.lstrip(": "), maxsplit=1)[0].rstrip(".")[:240]
