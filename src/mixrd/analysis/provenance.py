"""Where a result comes from, and what was taken as given: enough to repeat it and to judge it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch

from mixrd.analysis.inputs.preparation import Preparation
from mixrd.crystal import B_OVER_U, Crystal
from mixrd.network import Model
from mixrd.pattern import Instrument, instrument_to_dict
from mixrd.scan import Scan

_HASHES: WeakKeyDictionary[Model, str] = WeakKeyDictionary()


def provenance(
    scan: Scan,
    crystals: Sequence[Crystal],
    instrument: Instrument,
    model: Model | None,
    *,
    limits: tuple[float, float],
    preparation: Preparation,
) -> dict[str, Any]:
    """Hashes, versions, seed, instrument, structures and preparation, as plain data for JSON.

    Parameters
    ----------
    scan, crystals, instrument, model, preparation
        Those of the analysis.
    limits : (low, high)
        Range of 2theta that was used, in degrees.
    """
    from mixrd import __version__

    used = (scan.two_theta >= limits[0]) & (scan.two_theta <= limits[1])
    return {
        "mixrd": __version__,
        "torch": torch.__version__,
        "scan_sha256": scan.sha256,
        "scan_format": scan.format,
        "scan_reader": scan.reader,
        "model_sha256": _hash_of(model) if model else None,
        "seed": model.recipe.get("seed") if model else None,
        "instrument": instrument.name,
        "radiation": instrument.radiation.name,
        "wavelengths_angstrom": [line.wavelength_angstrom for line in instrument.radiation.lines],
        "instrument_settings": instrument_to_dict(instrument),
        "two_theta_range_deg": [float(limits[0]), float(limits[1])],
        "points": int(np.count_nonzero(used)),
        "structures": {crystal.name: _structure(crystal) for crystal in crystals},
        "preparation": _preparation(preparation),
    }


def _hash_of(model: Model) -> str:
    """Of a model that is used, which changes no more: for scan after scan, hashed once."""
    if model not in _HASHES:
        _HASHES[model] = model.sha256
    return _HASHES[model]


def _structure(crystal: Crystal) -> dict[str, Any]:
    """Reference, cell and displacement factors of a structure as it was given."""
    displacement = [site.u_iso for site in crystal.sites]
    return {
        "source": crystal.source,
        "space_group": crystal.space_group,
        "cell": [float(x) for x in crystal.cell],
        "b_angstrom2": [B_OVER_U * min(displacement), B_OVER_U * max(displacement)],
        "anisotropic": any(site.u_aniso is not None for site in crystal.sites),
        "notes": list(crystal.notes),
    }


def _preparation(preparation: Preparation) -> dict[str, Any]:
    """What was said of the sample; empty where nothing was."""
    standard, external = preparation.standard, preparation.external
    said = {
        "particle_size_um": preparation.particle_size_um,
        "grinding": preparation.grinding,
        "standard": standard and {"phase": standard.name, "weight_percent": standard.weight_percent},
        "external_constant": external and external.value,
        "amorphous_formula": preparation.amorphous_formula,
        "humps": [component.name for component in preparation.humps],
        "excluded_deg": [list(region) for region in preparation.excluded],
    }
    return {name: value for name, value in said.items() if value not in (None, [])}
