"""Strained sticks beside pymatgen's XRDCalculator and, where it is installed, xrd-rust.

Over the frozen set of the tests if its structures are at hand (MIXRD_DATA), else over the catalog. Ours are
made in batches of strained copies, theirs one by one, as both are meant to be used. Lines are compared
first, with f', f'' and displacement switched off, which the others lack; they are left on in what is timed.
"""

from __future__ import annotations

import importlib
import os
import statistics
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from timing import median_seconds

from mixrd.crystal import Crystal, catalog_names, load_phase
from mixrd.diffraction import lorentz_polarization, radiation, reflections, strained_sticks
from mixrd.diffraction.reflections import Reflections

WAVELENGTH = 1.5405929
RANGE = (5.0, 90.0)
MAX_STRAIN = 0.01
#: Of the strongest line. The form factors are from another table, which for a few elements is off by more.
INTENSITY_TOLERANCE = 0.03
POSITION_TOLERANCE_DEG = 2e-3
#: Numbers that one batch of strained copies works on: it then stays in the processor's cache.
BATCH_NUMBERS = 100_000

Lines = tuple[NDArray[np.float64], NDArray[np.float64]]


def structures() -> tuple[str, list[Crystal]]:
    """Name of the set and its crystals."""
    root = Path(__file__).resolve().parents[1]
    data = Path(os.environ.get("MIXRD_DATA", root.parent / "shared" / "data"))
    if data.is_dir():
        sys.path.insert(0, str(root / "tests" / "reference"))
        frozen = importlib.import_module("frozen_set")
        pairs: Iterator[tuple[object, Crystal]] = frozen.frozen_crystals(data)
        return "frozen set", [crystal for _, crystal in pairs]
    return "catalog", [load_phase(name) for name in catalog_names()]


def pymatgen_structure(crystal: Crystal) -> Any:
    """The same crystal for pymatgen; atoms that share a place become one disordered site."""
    from pymatgen.core.lattice import Lattice
    from pymatgen.core.structure import Structure

    species: list[dict[str, float]] = []
    places: list[NDArray[np.float64]] = []
    for index, fract in zip(crystal.atoms.site, crystal.atoms.fract, strict=True):
        site = crystal.sites[index]
        element = "H" if site.element == "D" else site.element
        for place, content in zip(places, species, strict=True):
            if np.allclose((place - fract + 0.5) % 1.0, 0.5, atol=1e-3):
                content[element] = content.get(element, 0.0) + site.occupancy
                break
        else:
            places.append(fract)
            species.append({element: site.occupancy})
    # Published occupancies may add up to a little over 1, which pymatgen refuses.
    species = [{e: o / max(1.0, sum(content.values())) for e, o in content.items()} for content in species]
    return Structure(Lattice(crystal.lattice), species, places)


def our_lines(crystal: Crystal) -> Lines:
    """Lines without what the others lack."""
    plain = replace(crystal, sites=tuple(replace(s, u_iso=0.0, u_aniso=None) for s in crystal.sites))
    table = reflections(plain, radiation(WAVELENGTH), two_theta_range=RANGE, margin=0.0)
    table = replace(table, anomalous=torch.zeros_like(table.anomalous))
    two_theta, intensity = _patterns(table, torch.zeros(1, len(table.strain_basis), dtype=torch.float64))
    return np.degrees(two_theta[0].numpy()), intensity[0].numpy()


def disagreement(ours: Lines, theirs: Lines) -> tuple[float, float]:
    """Worst of the positions (degrees, lines above 2 %) and of the intensities (of the strongest)."""
    (angle, _), (other_angle, other_intensity) = ours, theirs
    strong = other_angle[other_intensity > 0.02 * other_intensity.max()]
    position = max(float(np.abs(angle - x).min()) for x in strong)
    # Bins whose edges fall into gaps, so that rounding moves no line from one into the next.
    merged = np.sort(np.concatenate([angle, other_angle]))
    gaps = np.flatnonzero(np.diff(merged) > 0.02)
    edges = np.concatenate([[merged[0] - 1], (merged[gaps] + merged[gaps + 1]) / 2, [merged[-1] + 1]])
    sums = [np.histogram(a, bins=edges, weights=i)[0] for a, i in (ours, theirs)]
    return position, float(np.abs(sums[0] / sums[0].max() - sums[1] / sums[1].max()).max())


def sticks_against_others() -> dict[str, Any]:
    """Ratio of times per strained pattern over the whole set, for each of the other calculators."""
    from pymatgen.analysis.diffraction.xrd import XRDCalculator

    calculators = {"pymatgen": XRDCalculator(WAVELENGTH)}
    try:
        rust = importlib.import_module("xrd_rust_calculator")
        calculators["xrd_rust"] = rust.XRDCalculatorRust(wavelength=WAVELENGTH)
    except ImportError:
        pass
    name, crystals = structures()
    rows: list[dict[str, Any]] = []
    for crystal in crystals:
        structure = pymatgen_structure(crystal)
        row: dict[str, Any] = {"name": crystal.name, "degrees": 0.0, "intensity": 0.0}
        ours = our_lines(crystal)
        for key, calculator in calculators.items():
            run = _pattern_of(calculator, structure)
            pattern = run()
            worst = disagreement(ours, (np.asarray(pattern.x), np.asarray(pattern.y)))
            row["degrees"], row["intensity"] = np.maximum(worst, (row["degrees"], row["intensity"])).tolist()
            row[key] = median_seconds(run, 3, warm_up=False)
        row["setup"], row["mixrd"] = our_seconds(crystal)
        rows.append(row)
    return summary(name, rows, calculators)


def our_seconds(crystal: Crystal) -> tuple[float, float]:
    """Seconds to prepare the crystal once, and per strained pattern."""

    def prepare() -> Reflections:
        return reflections(crystal, radiation(WAVELENGTH), two_theta_range=RANGE)

    table = prepare()
    batch = int(np.clip(BATCH_NUMBERS // table.phase_sums[0].numel(), 8, 256))
    strain = MAX_STRAIN * (2 * torch.rand(batch, len(table.strain_basis), dtype=torch.float64) - 1)
    return median_seconds(prepare, 1), median_seconds(lambda: _patterns(table, strain)) / batch


def summary(name: str, rows: list[dict[str, Any]], calculators: dict[str, Any]) -> dict[str, Any]:
    """Ratios over the structures whose lines agree; those that do not are named and not counted."""
    agreeing: list[dict[str, Any]] = []
    left_out: list[dict[str, Any]] = []
    for row in rows:
        fits = row["degrees"] < POSITION_TOLERANCE_DEG and row["intensity"] < INTENSITY_TOLERANCE
        (agreeing if fits else left_out).append(row)
    result: dict[str, Any] = {"set": name, "structures": len(agreeing)}
    result["left_out"] = [{key: row[key] for key in ("name", "degrees", "intensity")} for row in left_out]
    result |= {f"{key}_ms": 1e3 * statistics.median(r[key] for r in agreeing) for key in ("mixrd", "setup")}
    for key in ("pymatgen", "xrd_rust"):
        if key not in calculators:
            result[key] = None
            continue
        ratios = [row[key] / row["mixrd"] for row in agreeing]
        result[key] = {
            "median": statistics.median(ratios),
            "worst": min(ratios),
            "worst_structure": agreeing[int(np.argmin(ratios))]["name"],
            "their_ms": 1e3 * statistics.median(row[key] for row in agreeing),
        }
    return result


def _patterns(table: Reflections, strain: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """2theta in radians and intensity of strained copies, (B, R) each."""
    sticks = strained_sticks(table, strain)
    two_theta = 2 * torch.arcsin((0.5 * WAVELENGTH * sticks.g_squared.sqrt()).clamp_max(1.0))
    return two_theta, sticks.intensity * lorentz_polarization(two_theta, monochromator_two_theta=0.0)


def _pattern_of(calculator: Any, structure: Any) -> Callable[[], Any]:
    def run() -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return calculator.get_pattern(structure, scaled=False, two_theta_range=RANGE)

    return run


if __name__ == "__main__":
    torch.set_num_threads(1)
    for title, value in sticks_against_others().items():
        print(title, value)
