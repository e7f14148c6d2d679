"""What particles of unknown size do to answers and intervals of the weighed scans.

``python studies/particles.py`` reads the analyses in studies/results (`studies/run.py`) and writes
studies/results/particles.json: errors as if all particles of a scan had one diameter, and coverage and width
of the intervals with less in them. Needs the measured scans (MIXRD_DATA, default ../shared/data).
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from mixrd.analysis.contents.absorption_uncertainty import microabsorption_uncertainty, weights_of_sizes
from mixrd.analysis.result.intervals import DEGREES_OF_FREEDOM, LEVEL, WIDENING
from mixrd.diffraction.radiation import radiation
from mixrd.experiments.weighed_table import PhaseNames, read_rows

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "studies" / "results"
SETS = {"weighed-cpd": "cpd", "weighed-dara": "dara", "weighed-dara-2min": "dara"}
SIZES_UM = (0.0, 0.5, 1.0, 2.0, 3.0, 5.0)
#: All of these were measured with it.
BEAM = radiation("CuKa")
#: Share of the intervals that must hold.
LEAST_COVERAGE = 0.8

Percent = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sample:
    """wt% of the P phases of a scan.

    Attributes
    ----------
    truth, refined, half_width, without : (P,) array
        Weighed, found, half width of the interval, the same without the term of microabsorption.
    of_size : dict
        (P,) arrays: found, corrected for particles of a size in micrometres; and the mean over all sizes.
    """

    truth: Percent
    refined: Percent
    half_width: Percent
    without: Percent
    of_size: dict[str, Percent]


def samples(name: str, folder: Path) -> list[Sample]:
    """The scans of a set, as they were analysed."""
    content = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    rows = read_rows(folder)
    names = PhaseNames(folder, rows)
    given = {names.label(phase): phase for row in rows for phase in row.weighed}
    return [_sample(scan, names, given) for scan in content["samples"]]


def _sample(scan: dict[str, Any], names: PhaseNames, given: dict[str, str]) -> Sample:
    phases = list(scan["truth"])
    crystals = [names.crystal(given[phase]) for phase in phases]
    truth, refined = (np.array([scan[key][phase] for phase in phases]) for key in ("truth", "refined"))
    apparent = np.array([scan["apparent"][phase] for phase in phases]) / 100
    rows = np.array([[size] * len(phases) for size in SIZES_UM])
    corrected = 100 * weights_of_sizes(crystals, apparent, BEAM, rows)
    unknown = microabsorption_uncertainty(crystals, apparent, BEAM)
    reach = WIDENING * float(stdtrit(DEGREES_OF_FREEDOM, 0.5 + LEVEL / 2)) * 100
    by_absorption = reach * np.sqrt(np.diag(unknown.covariance))
    half = np.array([np.diff(scan["intervals"][phase])[0] / 2 for phase in phases])
    of_size = {f"{size:g}": row for size, row in zip(SIZES_UM, corrected, strict=True)}
    of_size["mean"] = 100 * (apparent + unknown.mean_shift)
    without = np.sqrt(np.clip(half**2 - by_absorption**2, 0, None))
    return Sample(truth, refined, half, without, of_size)


def errors(scans: list[Sample]) -> dict[str, dict[str, float]]:
    """Errors by particle size."""
    found = {}
    for size in scans[0].of_size:
        off = [np.abs(scan.of_size[size] - scan.truth) for scan in scans]
        means = [float(x.mean()) for x in off]
        found[size] = {
            "mean_wt": float(np.mean(means)),
            "median_wt": float(np.median(means)),
            "worst_wt": float(max(x.max() for x in off)),
            "median_phase_wt": float(np.median(np.concatenate(off))),
        }
    return found


def widths(scans: list[Sample]) -> dict[str, dict[str, float]]:
    """Coverage, and median half width over median error, of intervals with less in them."""
    off = np.concatenate([np.abs(scan.refined - scan.truth) for scan in scans])
    half = np.concatenate([scan.half_width for scan in scans])
    # The factor at which just enough intervals hold.
    narrowest = float(np.sort(off / half)[int(np.ceil(LEAST_COVERAGE * len(off))) - 1])
    chosen = {
        "stated": half,
        "without microabsorption": np.concatenate([scan.without for scan in scans]),
        f"all times {narrowest:.2f}, where {100 * LEAST_COVERAGE:.0f} % hold": narrowest * half,
    }
    return {
        name: {
            "covered": float((off <= width * (1 + 1e-9)).mean()),
            "median_half_width_wt": float(np.median(width)),
            "over_median_error": float(np.median(width) / np.median(off)),
        }
        for name, width in chosen.items()
    }


def main() -> None:
    """Write and print both tables of all sets."""
    data = Path(os.environ.get("MIXRD_DATA", ROOT.parent / "shared" / "data"))
    found = {}
    for name, folder in SETS.items():
        scans = samples(name, data / "measured" / folder)
        found[name] = {"errors": errors(scans), "widths": widths(scans)}
        print(f"{name}: mean, median, worst error in wt%")
        for size, row in found[name]["errors"].items():
            label = "mean over all sizes" if size == "mean" else f"particles of {size} um"
            print(f"  {label:<28}{row['mean_wt']:6.2f}{row['median_wt']:6.2f}{row['worst_wt']:7.2f}")
        print("  intervals: hold, median half width in wt%, over the median error")
        for label, row in found[name]["widths"].items():
            print(f"  {label:<36}{row['covered']:5.0%}{row['median_half_width_wt']:6.2f}"
                  f"{row['over_median_error']:6.1f}")  # fmt: skip
    (RESULTS / "particles.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
