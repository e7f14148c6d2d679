"""A request as the journal of a batch keeps it: by this a batch knows that it is the same one again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from mixrd.analysis import AnalysisRequest, InternalStandard, parse_humps
from mixrd.analysis.inputs.exclusion import region_text
from mixrd.crystal import Crystal
from mixrd.diffraction import radiation
from mixrd.pattern import Instrument, instrument_to_dict

#: Digits of a digest: enough to tell files apart.
_DIGITS = 16


def fingerprint(request: AnalysisRequest) -> dict[str, Any]:
    """A request that is resolved, as plain data; in the words of the command line, which older journals have.

    Files are told by their content: an instrument that was calibrated anew is another one. What has the same
    meaning is the same, however it was typed.
    """
    from mixrd import __version__
    from mixrd.analysis.result.analysis import SCHEMA

    standard, external = request.standard, request.external_standard
    return {
        "mixrd": __version__,
        "schema of results": SCHEMA,
        "phases": {crystal.name: _digest(crystal.to_dict()) for crystal in request.crystals},
        "model": _known(request.model),
        "instrument": {
            "instrument": _known(request.instrument),
            "radiation": request.radiation and _numbers(radiation(request.radiation).name),
            "monochromator": request.monochromator_two_theta,
            "radius": request.goniometer_radius_mm,
        },
        "sample": {
            "particle_size": request.particle_size_um,
            "grinding": request.grinding,
            "standard": standard and _standard(standard),
            "external_standard": external and f"{_phase(external.phase)}:{_known(external.scan)}",
            "amorphous_formula": request.amorphous_formula,
            "amorphous": [_amorphous(text) for text in request.amorphous] or None,
            "exclude": [region_text(region) for region in request.exclude] or None,
        },
        "network": request.network,
        "refinement": request.refine,
        "scan": request.scan,
        "check": request.second_opinion,
    }


def _phase(phase: str | Crystal) -> str:
    return phase if isinstance(phase, str) else _digest(phase.to_dict())


def _standard(standard: InternalStandard) -> str:
    """Name and percent, and what is said beyond that of the certificate and the balance."""
    unless_told = InternalStandard(standard.name, standard.weight_percent)
    more = vars(standard).items() - vars(unless_told).items()
    told = [f"{name}={value:.12g}" for name, value in sorted(more)]
    return ":".join([standard.name, f"{standard.weight_percent:.12g}", *told])


def _amorphous(text: str) -> str | None:
    """A scan by its content, humps as they are written shortest."""
    if Path(text).is_file():
        return _known(text)
    humps = []
    for hump in parse_humps(text):
        parts = [f"{hump.position:.12g}{'A' if hump.unit == 'd' else ''}", f"{hump.fwhm_deg:.12g}"]
        humps.append(":".join([*parts, *([f"{hump.height:.12g}"] if hump.height != 1 else [])]))
    return ",".join(humps)


def _numbers(text: str) -> str:
    try:
        return f"{float(text):.12g}"
    except ValueError:
        return text


def _known(value: str | Instrument | None) -> str | None:
    """A name; a file or an instrument by its content."""
    if isinstance(value, Instrument):
        return _digest(instrument_to_dict(value))
    if value is None or not Path(value).is_file():
        return value
    return hashlib.sha256(Path(value).read_bytes()).hexdigest()[:_DIGITS]


def _digest(data: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:_DIGITS]
