"""The ordinary laboratory case: how near the refinement comes to the bound, against counting time.

``python studies/laboratory_floor.py`` simulates scans of corundum, fluorite and zincite on `lab-cu`, 20-80
deg: random compositions of at least 3 wt% each, cells up to 1 % off the catalog's, crystallites of 20-100 nm,
zero shift and displacement as training draws them, the virtual diffractometer's backgrounds, Poisson counts,
and nothing that the bound leaves out (no texture, grains, impurities). Each is analysed as `mixrd analyze`
does without a network, from the catalog's cells. The same samples are counted for each time.

It prints and writes to studies/results/laboratory-floor.json, for each counting time: the mean total
variation distance (TVD) of all analyses, the share in the wrong basin (a cell length off by more than 0.3 %,
about a line's width), the Cramer-Rao bound of the same samples and the ratio of the two with its standard
error. Two more ratios say where it comes from: of analyses of the same samples on a background that the
analysis' polynomial can follow, as the bound assumes, and of fits to the first scans that are told where to
start and how large the noise is. Last what `mixrd bound` foresees for catalog cells and one mean size, and
the time of an analysis. Some three minutes.
"""

from __future__ import annotations

import dataclasses
import json
import math
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mixrd import __version__
from mixrd.analysis import ExpectedScan, Measurement, analyze, overlap
from mixrd.crystal import Crystal, strained_cell
from mixrd.fit import Restraints, expected_tvd, fraction_covariance, refine
from mixrd.fit.refinement import BACKGROUND_DEGREE
from mixrd.fit.restraints import make_priors
from mixrd.mixture import Composition, SampleRanges, ScanSettings, simulate
from mixrd.pattern import ForwardModel, Instrument, Parameters, background_basis, load_instrument
from mixrd.phases import load_phase
from mixrd.scan import Scan

RESULTS = Path(__file__).resolve().parents[1] / "studies" / "results"
PHASES = ("corundum", "fluorite", "zincite")
RANGE_DEG = (20.0, 80.0)
SECONDS_PER_STEP = (0.004, 0.02, 0.1, 0.5, 2.0, 10.0)
SAMPLES = 40
LEAST_FRACTION = 0.03
MAX_STRAIN = 0.01
SIZE_NM = (20.0, 100.0)
#: A cell length that is off by more than this (relative) is that of another basin.
BASIN = 0.003
SEED = 20


@dataclass(frozen=True, eq=False)
class Sample:
    """A sample and its scan. P phases, N points.

    Attributes
    ----------
    composition : Composition
    scan : Scan
        Of one second per step; its grid and header serve all times.
    expected : (N,) tensor
        Counts in one second.
    state : Parameters
        What is true of the peaks.
    cells : (P, 3) array
        Cell lengths in angstrom.
    peak_counts : float
        Of the strongest point in one second.
    """

    composition: Composition
    scan: Scan
    expected: Tensor
    state: Parameters
    cells: NDArray[np.float64]
    peak_counts: float

    def inside(self, crystals: Sequence[Crystal], instrument: Instrument) -> NDArray[np.bool_]:
        """(N,): which points an analysis uses."""
        low, high = overlap(self.scan, crystals, instrument)
        used: NDArray[np.bool_] = (self.scan.two_theta >= low) & (self.scan.two_theta <= high)
        return used


def draw_sample(crystals: Sequence[Crystal], instrument: Instrument, generator: torch.Generator) -> Sample:
    """One of the samples that the head of this file describes."""

    def uniform(low: float, high: float, count: int) -> list[float]:
        drawn = torch.rand(count, generator=generator, dtype=torch.float64)
        return (low + (high - low) * drawn).tolist()

    names = tuple(c.name for c in crystals)
    # Exponential numbers over their sum are uniform on the simplex.
    weights = -torch.log1p(-torch.rand(len(names), generator=generator, dtype=torch.float64))
    weights = LEAST_FRACTION + (1 - len(names) * LEAST_FRACTION) * weights / weights.sum()
    ranges = SampleRanges()
    settings = ScanSettings(
        max_strain=MAX_STRAIN,
        phase_size_nm=dict(zip(names, uniform(*SIZE_NM, len(names)), strict=True)),
        zero_deg=uniform(-ranges.max_zero_deg, ranges.max_zero_deg, 1)[0],
        displacement_mm=uniform(-ranges.max_displacement_mm, ranges.max_displacement_mm, 1)[0],
        graininess=0.0,
    )
    composition = Composition(names, tuple(weights.tolist()))
    made = simulate(crystals, composition, instrument, generator=generator, settings=settings)
    phases: Any = made.truth["phases"]
    strains = [np.array(phases[name]["strain"]) for name in names]
    cells = [strained_cell(c, s)[:3] for c, s in zip(crystals, strains, strict=True)]
    reference = ForwardModel(crystals, instrument, made.scan.two_theta).reference()

    def row(values: Sequence[float]) -> Tensor:
        return torch.tensor([list(values)], dtype=torch.float64)

    state = dataclasses.replace(
        reference,
        strain=row(np.concatenate(strains).tolist()),
        inverse_size=row([1 / phases[name]["crystallite_size_nm"] for name in names]),
        microstrain=row([phases[name]["microstrain"] for name in names]),
        zero=reference.zero + settings.zero_deg,
        displacement=reference.displacement + settings.displacement_mm,
    )
    return Sample(
        composition, made.scan, torch.tensor(made.expected), state, np.array(cells), settings.peak_counts
    )


def on_polynomial(sample: Sample, crystals: Sequence[Crystal], instrument: Instrument) -> Tensor:
    """(N,) expected counts in one second, the background its nearest polynomial where an analysis looks."""
    inside = torch.from_numpy(sample.inside(crystals, instrument))
    model = ForwardModel(crystals, instrument, sample.scan.two_theta, precision="exact")
    signal = (_fractions(sample) @ model.columns(sample.state)[0])[0]
    signal = signal * sample.peak_counts / signal.max()
    # Without the last of the basis, 1/(2theta), which these polynomials all but contain.
    basis = background_basis(model.two_theta[inside], degree=BACKGROUND_DEGREE)[:-1].mT
    background = sample.expected - signal
    background[inside] = basis @ torch.linalg.lstsq(basis, background[inside, None]).solution[:, 0]
    return signal + background.clamp_min(0)


def bounds_of(sample: Sample, crystals: Sequence[Crystal], instrument: Instrument) -> list[float]:
    """Mean TVD of an efficient analysis of scans of this very sample: its cells, sizes and background."""
    inside = sample.inside(crystals, instrument)
    fractions = _fractions(sample)
    whole = ForwardModel(crystals, instrument, sample.scan.two_theta).columns(sample.state)[0]
    masses = sample.peak_counts / (fractions @ whole).max() * fractions
    model = ForwardModel(crystals, instrument, sample.scan.two_theta[inside])
    priors = make_priors(model, Restraints(), ())
    free = priors.sigma > 0
    basis = background_basis(model.two_theta, degree=BACKGROUND_DEGREE).mT
    unknown = torch.cat([model.tangents(sample.state, masses, free)[0][:, free], basis], dim=-1)
    seconds = torch.tensor(SECONDS_PER_STEP, dtype=torch.float64)
    covariance = fraction_covariance(
        model.columns(sample.state).mT.expand(len(seconds), -1, -1),
        seconds[:, None, None] * unknown,
        (seconds[:, None] * sample.expected[torch.from_numpy(inside)]).sqrt(),
        seconds[:, None] * masses,
        nuisance_sigma=torch.cat([priors.sigma[free], torch.full_like(basis[0], math.inf)]),
    )
    return expected_tvd(covariance).tolist()


def foreseen(sample: Sample, crystals: Sequence[Crystal], instrument: Instrument) -> list[float]:
    """The bound as `mixrd bound` gives it: cells of the catalog, one size for all phases, flat background."""
    size = float(torch.exp(-sample.state.inverse_size.log().mean()))
    measurement = Measurement(sample.peak_counts, float(sample.expected.median()), size)
    scan = ExpectedScan(crystals, sample.composition, instrument, measurement)
    return [scan.bound(seconds, instrument.two_theta_range).tvd for seconds in SECONDS_PER_STEP]


def _fractions(sample: Sample) -> Tensor:
    return torch.tensor([sample.composition.fractions], dtype=torch.float64)


def distance(fractions: NDArray[np.float64], sample: Sample) -> float:
    """Total variation distance of weight fractions from the truth."""
    return float(0.5 * np.abs(fractions - np.array(sample.composition.fractions)).sum())


def analysed(
    sample: Sample, counts: NDArray[np.float64], crystals: Sequence[Crystal], instrument: Instrument
) -> dict[str, float]:
    """How one scan is analysed: TVD, largest error of a cell length, CPU time, whether a step was left."""
    begin = time.process_time()
    result = analyze(dataclasses.replace(sample.scan, counts=counts), crystals, instrument)
    seconds = time.process_time() - begin
    fractions = np.array([phase.weight_percent for phase in result.phases]) / 100
    cells = np.array([phase.cell[:3] for phase in result.phases if phase.cell])
    return {
        "tvd": distance(fractions, sample),
        "cell_error": float(np.abs(cells / sample.cells - 1).max()),
        "cpu_seconds": seconds,
        "unfinished": float(any(w.code == "NOT_CONVERGED" for w in result.warnings)),
    }


def told(
    sample: Sample, counts: Tensor, seconds: float, crystals: Sequence[Crystal], instrument: Instrument
) -> float:
    """TVD of a fit that starts at the truth and knows the size of the noise."""
    inside = sample.inside(crystals, instrument)
    noise = (seconds * sample.expected).sqrt().numpy()[None, inside]
    grid, start = sample.scan.two_theta[inside], sample.state.flat()
    (fit,) = refine(
        crystals, instrument, grid, counts.numpy()[None, inside], noise, start=start, stages_deg=()
    )
    return distance(fit.weight_fractions, sample)


def ratio(tvd: NDArray[np.float64], bound: NDArray[np.float64]) -> tuple[float, float]:
    """Mean TVD over mean bound, and its standard error from the scatter among samples."""
    value = tvd.mean() / bound.mean()
    error = (tvd - value * bound).std(ddof=1) / math.sqrt(len(tvd)) / bound.mean()
    return float(value), float(error)


def summary(seconds: float, rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """What is said of one counting time."""
    column = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    tvd, bound = column["tvd"], column["bound"]
    right = column["cell_error"] <= BASIN
    result = {
        "seconds_per_step": seconds,
        "samples": len(rows),
        "mean_tvd": float(tvd.mean()),
        "median_tvd": float(np.median(tvd)),
        "p95_tvd": float(np.quantile(tvd, 0.95)),
        "worst_tvd": float(tvd.max()),
        "mean_tvd_in_basin": float(tvd[right].mean()),
        "wrong_basin_share": float(1 - right.mean()),
        "unfinished_share": float(column["unfinished"].mean()),
        "mean_bound": float(bound.mean()),
        "mean_bound_foreseen": float(column["foreseen"].mean()),
        "mean_tvd_polynomial_background": float(column["polynomial"].mean()),
        "mean_tvd_told_start_and_noise": float(column["told"].mean()),
        "median_ratio": float(np.median(tvd / bound)),
        "cpu_seconds_per_fit": float(column["cpu_seconds"].mean()),
    }
    ratios = {
        "": (tvd, bound),
        "_in_basin": (tvd[right], bound[right]),
        "_polynomial_background": (column["polynomial"], bound),
        "_told_start_and_noise": (column["told"], bound),
    }
    for name, (a, b) in ratios.items():
        result["ratio" + name], result[f"ratio{name}_standard_error"] = ratio(a, b)
    return result


def line_of(s: Mapping[str, float]) -> str:
    """One line of the table."""
    names = ("", "_polynomial_background", "_told_start_and_noise")
    ratios = "".join(f"{s['ratio' + n]:8.2f} ±{s[f'ratio{n}_standard_error']:5.2f}" for n in names)
    return (
        f"{s['seconds_per_step']:6g}{s['mean_tvd']:10.5f}{s['wrong_basin_share']:8.3f}{s['mean_bound']:9.5f}"
        f"{ratios}{s['mean_bound_foreseen']:13.5f}{s['cpu_seconds_per_fit']:8.2f}"
    )


def measure(generator: torch.Generator) -> list[dict[str, float]]:
    """One entry for each counting time, printed as it comes."""
    crystals = [load_phase(name) for name in PHASES]
    instrument = dataclasses.replace(load_instrument("lab-cu"), two_theta_range=RANGE_DEG)
    samples = [draw_sample(crystals, instrument, generator) for _ in range(SAMPLES)]
    smooth = [on_polynomial(sample, crystals, instrument) for sample in samples]
    bounds = [bounds_of(sample, crystals, instrument) for sample in samples]
    planned = [foreseen(sample, crystals, instrument) for sample in samples]
    print(f"{'':33}{'ratio to':>15}{'polynomial':>15}{'told start':>15}")
    print(
        f"s/step{'mean TVD':>10}{'wrong':>8}{'bound':>9}{'the bound':>15}{'background':>15}{'and noise':>15}"
        f"{'mixrd bound':>13}{'CPU s':>8}"
    )
    table = []
    for t, seconds in enumerate(SECONDS_PER_STEP):
        rows = []
        for i, sample in enumerate(samples):
            counts, easier = (
                torch.poisson(seconds * expected, generator=generator)
                for expected in (sample.expected, smooth[i])
            )
            row = analysed(sample, counts.numpy(), crystals, instrument)
            row["polynomial"] = analysed(sample, easier.numpy(), crystals, instrument)["tvd"]
            row["told"] = told(sample, counts, seconds, crystals, instrument)
            rows.append(row | {"bound": bounds[i][t], "foreseen": planned[i][t]})
        table.append(summary(seconds, rows))
        print(line_of(table[-1]), flush=True)
    return table


def main() -> None:
    """Measure, print the table and write it."""
    torch.set_num_threads(1)
    table = measure(torch.Generator().manual_seed(SEED))
    settings = {
        "phases": PHASES,
        "instrument": "lab-cu",
        "two_theta_range_deg": RANGE_DEG,
        "least_fraction": LEAST_FRACTION,
        "max_strain": MAX_STRAIN,
        "size_nm": SIZE_NM,
        "max_zero_deg": SampleRanges().max_zero_deg,
        "max_displacement_mm": SampleRanges().max_displacement_mm,
        "peak_counts_per_second": ScanSettings().peak_counts,
        "background_counts_per_second": ScanSettings().background_counts,
        "wrong_basin": f"a cell length is off by more than {BASIN:g} (relative)",
        "seed": SEED,
    }
    versions = {
        "mixrd": __version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
    data = {"settings": settings, "versions": versions, "times": table}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "laboratory-floor.json").write_text(json.dumps(data, indent=2) + "\n")


if __name__ == "__main__":
    main()
