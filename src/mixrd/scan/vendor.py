"""The readers of other packages: geddes (fast, arrays only) and rietx (slow to import, whole headers)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixrd.errors import ScanError
from mixrd.scan.axes import judge_axis
from mixrd.scan.headers import ScanHeader, choose_scan, element_symbol, noted, positive, wavelength
from mixrd.scan.opened_file import OpenedFile


@dataclass(frozen=True, eq=False)
class Arrays:
    """Angles and intensities as a reader gave them, with its name."""

    two_theta: NDArray[np.float64]
    intensity: NDArray[np.float64]
    sigma: NDArray[np.float64] | None
    reader: str


def geddes_arrays(data: bytes, ending: str, index: int, file: str | PathLike[str]) -> Arrays:
    """Angles and intensities of scan `index` (from 0) through geddes, which knows the format by the ending.

    Raises
    ------
    ScanError
        If geddes cannot read it.
    """
    import geddes

    try:
        pattern = geddes.read_bytes(data, f"scan{ending}", index=index)
        x, y = np.asarray(pattern.x, dtype=np.float64), np.asarray(pattern.y, dtype=np.float64)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as problem:  # a panic of its Rust code is not an Exception
        raise ScanError(
            f"the file cannot be read: {_short(problem, file)}",
            remedy="It is damaged or cut off: copy or export it again.",
            file=file,
        ) from problem
    return Arrays(x, y, None, f"geddes {version('geddes')}")


def chosen_header(
    opened: OpenedFile, headers: list[ScanHeader], ending: str, scan: int | None
) -> tuple[int, ScanHeader]:
    """Index (from 0) and header of the scan to read in a file whose arrays geddes reads.

    Raises
    ------
    ScanError
        If no scan is over 2-theta, or as `mixrd.scan.headers.choose_scan`.
    """
    _refuse_if_no_scan_is_over_two_theta(headers, opened.file)
    if len(headers) > 1 and any(header.last is None for header in headers):
        headers = [_with_range(opened, ending, i, header) for i, header in enumerate(headers)]
    index = choose_scan(headers, scan, opened.file)
    return index, _judged(headers, headers[index], scan, opened.file)


def _judged(
    headers: list[ScanHeader], header: ScanHeader, scan: int | None, file: str | PathLike[str]
) -> ScanHeader:
    doubts = judge_axis(header.axis, file=file, detector_only=header.detector_only)
    return noted(headers, replace(header, warnings=header.warnings + doubts), scan)


def _refuse_if_no_scan_is_over_two_theta(headers: list[ScanHeader], file: Path) -> None:
    """A pole figure is refused for its axis, before anyone is asked which of its scans is meant."""
    refusals = []
    for header in headers:
        try:
            judge_axis(header.axis, file=file)
        except ScanError as refusal:
            refusals.append(refusal)
    if refusals and len(refusals) == len(headers):
        raise refusals[0]


def _with_range(opened: OpenedFile, ending: str, index: int, header: ScanHeader) -> ScanHeader:
    x = geddes_arrays(opened.data, ending, index, opened.file).two_theta
    return replace(header, first=float(x[0]), last=float(x[-1])) if x.size else header


def rietx_ranges(path: Path) -> list[ScanHeader]:
    """Range of each scan in a file that rietx reads."""
    from rietx.io import readers

    try:
        return [
            ScanHeader(first=float(one.two_theta_range[0]), last=float(one.two_theta_range[1]))
            for one in readers.list_scans(path)
        ]
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
        index = choose_scan(headers, scan, path)
        arrays, header = rietx_scan(path, options(path, index))
        header = completed(header, index, arrays)
    return arrays, _judged(headers, header, scan, opened.file)


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
        raise ScanError(
            "its axis is a time of flight: neutron data, not an X-ray scan over 2-theta",
            remedy="mixrd analyses X-ray powder scans only.",
            file=path,
        )
    attenuated = any(getattr(note, "code", "") == "RAS_ATTENUATOR_PRESENT" for note in notes)
    doubt = ("ATTENUATOR", "the file has a column of attenuator factors other than 1, which was not applied")
    time = positive(meta.get("count_time_s"))
    header = ScanHeader(
        axis=meta.get("scan_axis"),
        wavelength_angstrom=wavelength(meta.get("wavelength")),
        anode=element_symbol(meta.get("anode")),
        counting_time_s=None if time is None else float(f"{time:.6g}"),
        goniometer_radius_mm=positive(meta.get("goniometer_radius_mm")),
        rate=meta.get("intensity_unit", "counts").lower() in ("cps", "counts/s"),
        warnings=(doubt,) if attenuated else (),
    )
    return Arrays(x, y, sigma, f"rietx {version('rietx')}"), header


def unreadable(problem: Exception, path: str | PathLike[str]) -> ScanError:
    """Error for what rietx says of a file."""
    return ScanError(
        f"the file cannot be read: {_short(problem, path)}",
        remedy="It is damaged, cut off or of an unsupported kind: export it again, or as .xy.",
        file=path,
    )


def _short(problem: BaseException, file: str | PathLike[str]) -> str:
    """First sentence of a reader's message, without the file's name at its head."""
    text = " ".join(str(problem).split()) or type(problem).__name__
    text = text.removeprefix("Parse error: ").removeprefix(str(file)).removeprefix(Path(file).name)
    return re.split(r"(?<=[a-z0-9)'\"])\. ", text.lstrip(": "), maxsplit=1)[0].rstrip(".")[:240]
