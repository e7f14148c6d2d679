"""The process that reads files from strangers: ``python -m mixrd.web.reading``.

It answers each request with what is in the file, or with the reason why it cannot be used.
"""

from __future__ import annotations

import contextlib
import itertools
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixrd.errors import CrystalError, InstrumentError, ModelError, ScanError
from mixrd.files import whole_file
from mixrd.web.answers import HeaderAnswer
from mixrd.web.child import Conversation
from mixrd.web.library import about_crystal, about_instrument

#: Address space in bytes that reading may take: files are bounded, but what they ask for is not.
MOST_MEMORY = 6 * 2**30
#: Points of the curve that shows an uploaded scan.
PREVIEW_POINTS = 2000
LARGEST_INSTRUMENT_BYTES = 100_000


def main() -> None:
    """Answer until the server goes."""
    _bound_memory()
    Conversation().answer(_read)


def _read(message: dict[str, Any]) -> dict[str, Any]:
    try:
        return _READERS[message["do"]](message)
    except (MemoryError, RecursionError):
        kind = _ERRORS.get(message["do"], ScanError)
        raise kind("it asks for more than a file of its kind needs", remedy="Check the file") from None


def read_scan_file(message: dict[str, Any]) -> dict[str, Any]:
    """Read a scan, keep its arrays in a file of the server, and say what is to be known of it."""
    from mixrd.scan import read_scan

    scan = read_scan(message["path"], scan=message.get("scan"))
    arrays = {"two_theta": scan.two_theta, "counts": scan.counts}
    if scan.sigma is not None:
        arrays["sigma"] = scan.sigma
    with whole_file(message["out"]) as part, part.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    shown = preview(scan.two_theta, scan.counts, PREVIEW_POINTS)
    return {
        "file": message["file"],
        "points": len(scan),
        "two_theta_min": float(scan.two_theta[0]),
        "two_theta_max": float(scan.two_theta[-1]),
        "step": float(np.round(np.median(np.diff(scan.two_theta)), 6)),
        "header": {name: getattr(scan, name) for name in HeaderAnswer.model_fields},
        "optics": None if scan.optics is None else scan.optics.to_dict(),
        "warnings": [{"code": code, "message": text} for code, text in scan.warnings],
        "preview": {
            "two_theta": np.round(scan.two_theta[shown], 5).tolist(),
            "intensity": scan.counts[shown].tolist(),
        },
    }


def read_cif_file(message: dict[str, Any]) -> dict[str, Any]:
    """Read the structure of a CIF and say what is to be known of it."""
    from mixrd.crystal import read_cif

    path = Path(message["path"])
    crystal = read_cif(path, block=message.get("block"), name=message["name"])
    about = about_crystal(crystal)
    return {**about, "reference": about["reference"].replace(path.name, message["file"])}


def read_instrument_file(message: dict[str, Any]) -> dict[str, Any]:
    """Read an instrument and say what is to be known of it."""
    from mixrd.pattern import load_instrument

    path = Path(message["path"])
    if path.stat().st_size > LARGEST_INSTRUMENT_BYTES:
        raise InstrumentError("it is too large for an instrument", remedy="Give the TOML of an instrument")
    try:
        instrument = load_instrument(path)
    except InstrumentError as error:
        if error.cause != "no such instrument":
            raise
        raise InstrumentError(
            "it is no text", remedy="Give a TOML file, such as `mixrd calibrate` writes"
        ) from None
    return about_instrument(instrument)


def read_model_file(message: dict[str, Any]) -> dict[str, Any]:
    """Read a trained network and say what is to be known of it."""
    from mixrd.network import Model

    problem = Model.load(message["path"]).problem
    beam = problem.instrument.radiation
    return {
        "title": message["file"],
        "phases": [crystal.name for crystal in problem.crystals],
        "radiation": beam.name,
        "wavelength_angstrom": beam.wavelength_angstrom,
        "two_theta_range": [float(problem.bin_edges[0]), float(problem.bin_edges[-1])],
    }


def preview(two_theta: NDArray[np.float64], counts: NDArray[np.float64], most: int) -> NDArray[np.int64]:
    """Indices of at most so many points that show a curve with all its peaks.

    Of each stretch of equal length the lowest and the highest point remain.
    """
    size = two_theta.size
    if size <= most:
        return np.arange(size)
    edges = np.linspace(0, size, most // 2 + 1).astype(int)
    stretches = [np.arange(a, b) for a, b in itertools.pairwise(edges) if b > a]
    kept = [index[f(counts[index])] for index in stretches for f in (np.argmin, np.argmax)]
    return np.unique(np.array(kept, dtype=np.int64))


def _bound_memory() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))


_READERS = {
    "scan": read_scan_file,
    "cif": read_cif_file,
    "instrument": read_instrument_file,
    "model": read_model_file,
}
#: Errors of files that are no scans.
_ERRORS = {"cif": CrystalError, "instrument": InstrumentError, "model": ModelError}

if __name__ == "__main__":
    main()
