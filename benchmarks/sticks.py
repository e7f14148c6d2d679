"""Strained sticks beside pymatgen's XRDCalculator and, where it is installed, xrd-rust.

Over the frozen set of the tests if its structures are at hand (MIXRD_DATA), and over the catalog. Ours are
made in batches of strained copies, theirs one by one, as both are meant to be used. Lines are compared
first, with f', f'' and displacement switched off and with the others' form factors, as the tests of the
frozen set do; all are on, and the form factors ours, in what is timed.
"""

from __future__ import annotations

import importlib
import os
import statistics
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from timing import median_seconds

from mixrd.crystal import Crystal
from mixrd.diffraction import lorentz_polarization, radiation, reflections, strained_sticks
from mixrd.diffraction.reflections import Reflections
from mixrd.phases import catalog_names, load_phase

ROOT = Path(__file__).resolve().parents[1]
#: The comparison itself is that of the tests.
sys.path.insert(0, str(ROOT / "tests" / "reference"))

from frozen_set import frozen_crystals  # noqa: E402
from pymatgen_oracle import (  # noqa: E402
    TWO_THETA_RANGE,
    WAVELENGTH,
    deviation,
    pattern_of,
    plain_lines,
    pymatgen_structure,
)

MAX_STRAIN = 0.01
#: Of the strongest line; relative in d.
INTENSITY_TOLERANCE = 1e-3
POSITION_TOLERANCE = 1e-6
#: Lines in one batch of strained copies: what is in work then stays in the processor's cache.
BATCH_LINES = 50_000

Row = dict[str, Any]


def frozen_structures() -> list[Crystal]:
    """The frozen set, empty where its structures are not at hand."""
    data = Path(os.environ.get("MIXRD_DATA", ROOT.parent / "shared" / "data"))
    return [crystal for _, crystal in frozen_crystals(data)] if data.is_dir() else []


def sticks_against_others() -> dict[str, Any]:
    """Ratio of times per strained pattern over both sets, for each of the other calculators."""
    from pymatgen.analysis.diffraction.xrd import XRDCalculator

    calculators = {"pymatgen": XRDCalculator(WAVELENGTH)}
    try:
        rust = importlib.import_module("xrd_rust_calculator")
        calculators["xrd_rust"] = rust.XRDCalculatorRust(wavelength=WAVELENGTH)
    except ImportError:
        pass
    catalog = [measure(load_phase(name), calculators) for name in catalog_names()]
    frozen = [measure(crystal, calculators) for crystal in frozen_structures()]
    return summary("frozen set" if frozen else "catalog", frozen or catalog, catalog, calculators)


def measure(crystal: Crystal, calculators: dict[str, Any]) -> Row:
    """Largest deviation from the others and seconds of each, for one structure."""
    structure, ours = pymatgen_structure(crystal), plain_lines(crystal, TWO_THETA_RANGE)
    row: Row = {"name": crystal.name, "position": 0.0, "intensity": 0.0}
    for key, calculator in calculators.items():
        found = deviation(ours, pattern_of(calculator, structure, TWO_THETA_RANGE))
        row["position"] = max(row["position"], found.position)
        row["intensity"] = max(row["intensity"], found.intensity)
        row[key] = median_seconds(
            lambda: pattern_of(calculator, structure, TWO_THETA_RANGE),  # noqa: B023
            3,
            warm_up=False,
        )
    row["setup"], row["mixrd"] = our_seconds(crystal)
    return row


def our_seconds(crystal: Crystal) -> tuple[float, float]:
    """Seconds to prepare the crystal once, and per strained pattern."""
    # The same crystal under new names: what was calculated for one that is in use is kept.
    copies = iter([replace(crystal, name=f"{crystal.name} {number}") for number in range(3)])

    def prepare() -> Reflections:
        return reflections(next(copies), radiation(WAVELENGTH), two_theta_range=TWO_THETA_RANGE)

    table = prepare()
    batch = int(np.clip(BATCH_LINES // len(table), 8, 512))
    strain = MAX_STRAIN * (2 * torch.rand(batch, len(table.strain_basis), dtype=torch.float64) - 1)
    return median_seconds(prepare, 1), median_seconds(lambda: _patterns(table, strain)) / batch


def summary(name: str, rows: list[Row], catalog: list[Row], calculators: Sequence[str]) -> dict[str, Any]:
    """Ratios over the structures whose lines agree; those that do not are named and not counted."""
    agreeing, left_out = _parted(rows)
    result: dict[str, Any] = {"set": name, "structures": len(agreeing)}
    result["left_out"] = [{k: row[k] for k in ("name", "position", "intensity")} for row in left_out]
    result |= {f"{key}_ms": 1e3 * statistics.median(r[key] for r in agreeing) for key in ("mixrd", "setup")}
    of_catalog, left_out = _parted(catalog)
    result["catalog_structures"] = len(of_catalog)
    result["catalog_left_out"] = [{k: row[k] for k in ("name", "position", "intensity")} for row in left_out]
    for key in ("pymatgen", "xrd_rust"):
        if key not in calculators:
            result[key] = None
            continue
        result[key] = _ratios(agreeing, key)
        result[key] |= {f"catalog_{k}": value for k, value in _ratios(of_catalog, key).items()}
    return result


def _parted(rows: list[Row]) -> tuple[list[Row], list[Row]]:
    """Those whose lines agree, and the others."""
    fits = [r["position"] < POSITION_TOLERANCE and r["intensity"] < INTENSITY_TOLERANCE for r in rows]
    agreeing = [row for row, fit in zip(rows, fits, strict=True) if fit]
    return agreeing, [row for row, fit in zip(rows, fits, strict=True) if not fit]


def _ratios(rows: list[Row], key: str) -> dict[str, Any]:
    ratios = [row[key] / row["mixrd"] for row in rows]
    return {
        "median": statistics.median(ratios),
        "worst": min(ratios),
        "worst_structure": rows[int(np.argmin(ratios))]["name"],
        "their_ms": 1e3 * statistics.median(row[key] for row in rows),
    }


def _patterns(table: Reflections, strain: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """2theta in radians and intensity of strained copies, (B, R) each."""
    sticks = strained_sticks(table, strain)
    two_theta = 2 * torch.arcsin((0.5 * WAVELENGTH * sticks.g_squared.sqrt()).clamp_max(1.0))
    return two_theta, sticks.intensity * lorentz_polarization(two_theta, monochromator_two_theta=0.0)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for title, value in sticks_against_others().items():
        print(title, value)
