"""Scans in powder CIFs (pdCIF dictionary), read with gemmi."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import Any

import numpy as np

from mixrd.errors import ScanError
from mixrd.scan.headers import (
    X_RAYS_ONLY,
    Arrays,
    Floats,
    ScanHeader,
    element_symbol,
    number,
    positive,
    wavelength,
)
from mixrd.scan.opened_file import OpenedFile
from mixrd.scan.scan_format import TEXT, Found, ScanFormat, one_of, register_format

_ANGLES = ("_pd_meas_2theta_scan", "_pd_meas_2theta_corrected", "_pd_proc_2theta_corrected")
_COUNTS = ("_pd_meas_counts_total", "_pd_meas_intensity_total", "_pd_proc_intensity_total")
_RANGES = ("_pd_meas_2theta_range_", "_pd_proc_2theta_range_")
_NO_ANGLE = ("_pd_meas_time_of_flight", "_pd_proc_d_spacing", "_pd_proc_energy_incident")


def _scans(opened: OpenedFile) -> list[Found]:
    """Arrays and header of each data block that holds a measured powder pattern.

    Angles come from a loop or from range and step; uncertainties from the least-squares weights (their
    inverse square root) where given.
    """
    from mixrd.crystal.cif_document import parse_cif

    try:
        blocks = list(parse_cif(opened.text))
    except Exception as problem:
        raise ScanError(
            f"the CIF cannot be read: {' '.join(str(problem).split())[:200]}",
            remedy="It is damaged or cut off: download it again.",
        ) from problem
    found = [one for block in blocks if (one := _block(block)) is not None]
    if not found:
        raise ScanError(
            "a CIF without a measured powder pattern in it: a crystal structure is no scan",
            remedy="Name the measured scan; structures are given as phases.",
        )
    return found


def _block(block: Any) -> Found | None:
    from mixrd.crystal.cif_document import text_value

    counts = next((col for tag in _COUNTS if (col := _column(block, tag)) is not None), None)
    if counts is None:
        return None
    value = text_value(block, "_diffrn_radiation_wavelength")
    stated = [text_value(block, f"_diffrn_radiation_{tag}") or "" for tag in ("probe", "type")]
    probe = next((kind for kind in ("neutron", "electron") if kind in " ".join(stated).lower()), None)
    if probe:
        cause = f"powder CIF of {probe} data (wavelength {value or 'not given'}), not X-rays"
        raise ScanError(cause, remedy=X_RAYS_ONLY)
    angles = next((col for tag in _ANGLES if (col := _column(block, tag)) is not None), None)
    if angles is None:
        angles = _from_range(block, counts.size)
    if angles is None:
        other = next((tag for tag in _NO_ANGLE if block.find_loop(tag)), None)
        cause = f"the powder CIF gives {other or 'no 2-theta'} for the axis"
        raise ScanError(cause, remedy="Export the scan over 2-theta.")
    declared = (number(text_value(block, f"_pd_{kind}_number_of_points")) for kind in ("meas", "proc"))
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
        anode=element_symbol(text_value(block, "_diffrn_source_target")),
        counting_time_s=positive(text_value(block, "_pd_meas_step_count_time")),
    )
    return Arrays(angles, counts, sigma, f"gemmi {version('gemmi')}"), header


def _from_range(block: Any, size: int) -> Floats | None:
    from mixrd.crystal.cif_document import text_value

    for stem in _RANGES:
        stated = (text_value(block, stem + end) or "" for end in ("min", "max", "inc"))
        first, last, step = (number(text.partition("(")[0]) for text in stated)
        if first is not None and last is not None and step and round((last - first) / step) + 1 == size:
            return np.linspace(first, last, size)
    return None


def _column(block: Any, tag: str) -> Floats | None:
    """Numbers of a looped tag (standard uncertainties dropped), None where absent or not numbers."""
    import gemmi

    values = [gemmi.cif.as_number(str(text)) for text in block.find_loop(tag)]
    column = np.array(values, dtype=np.float64)
    return column if column.size and np.isfinite(column).any() else None


def _matches(opened: OpenedFile) -> bool:
    return all(re.search(mark, opened.head, re.MULTILINE) for mark in (r"^\s*data_\S", r"^\s*(_\w+|loop_)"))


register_format(ScanFormat("powder CIF", _matches, one_of(_scans), other_endings=(".cif",), order=TEXT + 10))
