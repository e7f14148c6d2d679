"""The readers of other packages: geddes (fast, arrays only) and rietx (slow to import, whole headers)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import version
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixrd.errors import ScanError
from mixrd.scan.headers import ScanHeader, element_symbol, positive, wavelength

GEDDES_SUFFIX = {"xrdml": ".xrdml", "brml": ".brml", "rasx": ".rasx", "uxd": ".uxd"}
"""Formats whose arrays geddes reads, with the file-name ending that it expects."""


@dataclass(frozen=True, eq=False)
class Arrays:
    """Angles and intensities as a reader gave them, with its name."""

    two_theta: NDArray[np.float64]
    intensity: NDArray[np.float64]
    sigma: NDArray[np.float64] | None
    reader: str


def geddes_arrays(data: bytes, kind: str, index: int, file: str | PathLike[str]) -> Arrays:
    """Angles and intensities of scan `index` (from 0) through geddes.

    Raises
    ------
    ScanError
        If geddes cannot read it.
    """
    import geddes

    try:
        pattern = geddes.read_bytes(data, "scan" + GEDDES_SUFFIX[kind], index=index)
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


def rietx_headers(path: str | PathLike[str], kind: str) -> list[ScanHeader]:
    """Range and axis of each scan in a file that rietx reads."""
    from rietx.io import formats, readers

    if kind in ("udf", "philips_rd"):
        return [ScanHeader()]
    try:
        if kind == "gsas":
            banks = formats.gsas_banks(Path(path))
            return [ScanHeader() for _ in banks] or [ScanHeader()]
        return [
            ScanHeader(first=float(one.two_theta_range[0]), last=float(one.two_theta_range[1]))
            for one in readers.list_scans(Path(path))
        ]
    except Exception as problem:
        raise _unreadable(problem, path) from problem


def rietx_scan(path: str | PathLike[str], kind: str, index: int) -> tuple[Arrays, ScanHeader]:
    """Arrays and header of scan `index` (from 0) through rietx.

    Raises
    ------
    ScanError
        If rietx cannot read it, or its axis is a time of flight.
    """
    from rietx.io import formats, readers

    options: dict[str, Any] = {"scan": index}
    notes: list[Any] = []
    try:
        if kind == "gsas":
            banks = formats.gsas_banks(Path(path))
            options = {"bank": banks[index].number} if len(banks) > 1 else {}
        with np.errstate(invalid="ignore"):  # a damaged number is named later
            pattern = readers.read_pattern(Path(path), diagnostics=notes, **options)
        axis, meta = str(pattern.axis), dict(pattern.metadata)
        x, y = np.array(pattern.x(), dtype=np.float64), np.array(pattern.y(), dtype=np.float64)
        sigma = None if pattern.sigma is None else np.array(pattern.sigma, dtype=np.float64)
    except Exception as problem:
        raise _unreadable(problem, path) from problem
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


def _unreadable(problem: Exception, path: str | PathLike[str]) -> ScanError:
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
