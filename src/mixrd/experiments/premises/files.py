"""Scans as files of columns, with or without a header: what a reader gets to see."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mixrd.scan import Scan, write_scan

Column = NDArray[np.float64]
#: Wavelength of the scans' tube (Cu K alpha, weighted mean) in angstrom, for axes that are not angles.
WAVELENGTH_ANGSTROM = 1.5418


def with_header(scan: Scan, folder: Path) -> Path:
    """As mixrd writes it."""
    path = folder / ("scan.xy" if scan.sigma is None else "scan.xye")
    write_scan(scan, path, overwrite=True)
    return path


def columns(path: Path, *values: Column, header: str = "") -> Path:
    """Bare columns, below one line if there is a header."""
    lines = [header] if header else []
    lines += [" ".join(f"{x:.8g}" for x in row) for row in zip(*values, strict=True)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def q_per_angstrom(two_theta: Column) -> Column:
    """Q = 4 pi sin(theta) / lambda."""
    return np.asarray(4 * math.pi * np.sin(np.radians(two_theta / 2)) / WAVELENGTH_ANGSTROM)


def d_angstrom(two_theta: Column) -> Column:
    """Bragg: d = lambda / (2 sin(theta))."""
    return np.asarray(WAVELENGTH_ANGSTROM / (2 * np.sin(np.radians(two_theta / 2))))
