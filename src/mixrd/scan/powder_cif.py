"""Scans in powder CIFs (pdCIF dictionary), read with gemmi."""

from __future__ import annotations

import re
from importlib.metadata import version
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixrd.errors import ScanError
from mixrd.scan.headers import ScanHeader, chosen, element_symbol, number, positive, wavelength
from mixrd.scan.opened_file import OpenedFile
from mixrd.scan.scan_format import TEXT, ScanFormat, register_format
from mixrd.scan.vendor import Arrays

_ANGLES = ("_pd_meas_2theta_scan", "_pd_meas_2theta_corrected", "_pd_proc_2theta_corrected")
_COUNTS = ("_pd_meas_counts_total", "_pd_meas_intensity_total", "_pd_proc_intensity_total")
_RANGES = ("_pd_meas_2theta_range_", "_pd_proc_2theta_range_")
_NO_ANGLE = ("_pd_meas_time_of_flight", "_pd_proc_d_spacing", "_pd_proc_energy_incident")


def cif_scans(text: str, file: str | PathLike[str]) -> list[tuple[Arrays, ScanHeader]]:
    """Arrays and header of each data block that holds a measured powder pattern.

    Angles come from a loop or from range and step; uncertainties from the least-squares weights (their
    inverse square root) where given.

    Raises
    ------
    ScanError
        If it is no CIF, a structure without a pattern, or neutron data.
    """
    from mixrd.crystal.cif_document import parse_cif

    try:
        blocks = list(parse_cif(text))
    except Exception as problem:
        raise ScanError(
            f"the CIF cannot be read: {' '.join(str(problem).split())[:200]}",
            remedy="It is damaged or cut off: download it again.",
            file=file,
        ) from problem
    found = [one for block in blocks if (one := _block(block, file)) is not None]
    if not found:
        raise ScanError(
            "a CIF without a measured powder pattern in it: a crystal structure is no scan",
            remedy="Name the measured scan; structures are given as phases.",
            file=file,
        )
    return found


def _block(block: Any, file: str | PathLike[str]) -> tuple[Arrays, ScanHeader] | None:
    counts = next((col for tag in _COUNTS if (col := _column(block, tag)) is not None), None)
    if counts is None:
        return None
    value = _single(block, "_diffrn_radiation_wavelength")
    stated = [_single(block, f"_diffrn_radiation_{tag}") or "" for tag in ("probe", "type")]
    probe = next((kind for kind in ("neutron", "electron") if kind in " ".join(stated).lower()), None)
    if probe:
        raise ScanError(
            f"powder CIF of {probe} data (wavelength {value or 'not given'}), not X-rays",
            remedy="mixrd analyses X-ray powder scans only.",
            file=file,
        )
    angles = next((col for tag in _ANGLES if (col := _column(block, tag)) is not None), None)
    if angles is None:
        angles = _from_range(block, counts.size)
    if angles is None:
        other = next((tag for tag in _NO_ANGLE if block.find_loop(tag)), None)
        raise ScanError(
            f"the powder CIF gives {other or 'no 2-theta'} for the axis",
            remedy="Export the scan over 2-theta.",
            file=file,
        )
    declared = (number(_single(block, f"_pd_{kind}_number_of_points")) for kind in ("meas", "proc"))
    points = next((round(value) for value in declared if value), None)
    weights = _column(block, "_pd_proc_ls_weight")
    sigma = None
    if weights is not None and weights.size == counts.size and np.all(weights > 0):
        sigma = 1.0 / np.sqrt(weights)
    header = ScanHeader(
        first=float(angles[0]),
        last=float(angles[-1]),
        points=points,
        wavelength_angstrom=wavelength(value),
        anode=element_symbol(_single(block, "_diffrn_source_target")),
        counting_time_s=positive(_single(block, "_pd_meas_step_count_time")),
    )
    return Arrays(angles, counts, sigma, f"gemmi {version('gemmi')}"), header


def _from_range(block: Any, size: int) -> NDArray[np.float64] | None:
    for stem in _RANGES:
        first, last, step = (number(_plain(_single(block, stem + end))) for end in ("min", "max", "inc"))
        if first is not None and last is not None and step and round((last - first) / step) + 1 == size:
            return np.linspace(first, last, size)
    return None


def _column(block: Any, tag: str) -> NDArray[np.float64] | None:
    """Numbers of a looped tag (standard uncertainties dropped), None where absent or not numbers."""
    import gemmi

    values = [gemmi.cif.as_number(str(text)) for text in block.find_loop(tag)]
    column = np.array(values, dtype=np.float64)
    return column if column.size and np.isfinite(column).any() else None


def _single(block: Any, tag: str) -> str | None:
    """One value of a tag, also from a loop of one row; None where absent, unknown or not applicable."""
    import gemmi

    raw = block.find_value(tag) or next(iter(block.find_loop(tag)), None)
    text = None if raw is None else gemmi.cif.as_string(str(raw)).strip()
    return text if text and text not in ("?", ".") else None


def _plain(text: str | None) -> str | None:
    return None if text is None else text.partition("(")[0]


def _matches(opened: OpenedFile) -> bool:
    return all(re.search(mark, opened.head, re.MULTILINE) for mark in (r"^\s*data_\S", r"^\s*(_\w+|loop_)"))


def _read(opened: OpenedFile, scan: int | None) -> tuple[Arrays, ScanHeader]:
    return chosen(cif_scans(opened.text, opened.file), scan, opened.file)


register_format(ScanFormat("powder CIF", _matches, _read, other_endings=(".cif",), order=TEXT + 10))
