"""Lines of the catalog's phases, calculated once and shipped: a search need not wait for structure factors.

``python -m mixrd.diffraction.catalog_lines`` writes them anew after a change of the catalog.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mixrd.crystal import Crystal
from mixrd.diffraction.corrections import lorentz, polarization
from mixrd.diffraction.radiation import EmissionLine, Radiation, radiation
from mixrd.diffraction.reflections import reflections
from mixrd.diffraction.sticks import strained_sticks
from mixrd.phases import catalog_entry, catalog_names

FloatArray = NDArray[np.float64]

FILE = Path(__file__).with_name("catalog_lines.npz")
#: d-spacings (angstrom) of the lines that are kept.
D_RANGE = (0.9, 40.0)
#: Lines weaker than this at Cu K alpha, relative to the phase's strongest, are not kept.
WEAKEST = 0.002


@dataclass(frozen=True, eq=False)
class PhaseLines:
    """Lines of one unstrained phase.

    Attributes
    ----------
    d_spacing : (L,) array
        In angstroms, falling.
    intensity : (L,) array
        m |F|^2 / (V M) as `Sticks` has it, anomalous dispersion as at Cu K alpha1.
    """

    d_spacing: FloatArray
    intensity: FloatArray


@cache
def catalog_lines() -> Mapping[str, PhaseLines]:
    """Lines of every phase of the catalog by its name."""
    with np.load(FILE) as stored:
        parts = np.cumsum(stored["count"])[:-1]
        columns = [np.split(stored[key].astype(np.float64), parts) for key in ("d_spacing", "intensity")]
        return {str(name): PhaseLines(*rows) for name, *rows in zip(stored["name"], *columns, strict=True)}


def phase_lines(crystal: Crystal) -> PhaseLines:
    """Calculate what is stored of one phase."""
    beam = radiation("CuKa1")
    wavelength = beam.wavelength_angstrom
    alone = Radiation(beam.name, (EmissionLine(wavelength, 1.0),))
    least, most = D_RANGE
    low, high = (2 * float(np.degrees(np.arcsin(wavelength / 2 / d))) for d in (most, least))
    table = reflections(crystal, alone, two_theta_range=(low, high), margin=0.0)
    sticks = strained_sticks(table, table.g.new_zeros(1, len(table.strain_basis)))
    g = sticks.g_squared[0].sqrt()
    two_theta = 2 * (wavelength / 2 * g).clamp(max=1.0).arcsin()
    measured = sticks.intensity[0] * lorentz(two_theta) * polarization(two_theta)
    kept = (measured >= WEAKEST * measured.max()).numpy()
    order = np.argsort(g.numpy()[kept], kind="stable")
    return PhaseLines((1 / g).numpy()[kept][order], sticks.intensity[0].numpy()[kept][order])


def write_catalog_lines(path: Path = FILE) -> None:
    """Calculate and store the lines of the whole catalog."""
    names = catalog_names()
    lines = [phase_lines(catalog_entry(name).crystal) for name in names]
    np.savez_compressed(
        path,
        name=np.array(names),
        count=np.array([len(one.d_spacing) for one in lines]),
        d_spacing=np.concatenate([one.d_spacing for one in lines]).astype(np.float32),
        intensity=np.concatenate([one.intensity for one in lines]).astype(np.float32),
    )


if __name__ == "__main__":
    write_catalog_lines()
