"""mixrd beside rietx on the same weighed scans: error and time of both; writes weighed-rietx.json.

``python benchmarks/weighed_rietx.py [--dara] [--plan PLAN]``. Needs the measured scans (MIXRD_DATA, default
../shared/data): the four of ``measured/cpd``, with ``--dara`` also the ten of 8 minutes of ``measured/dara``.
The two take turns scan by scan on one thread, from the same files; a time is from opening scan and CIFs to
the weight fractions, and the CPU time says what it would be on an idle machine. What was weighed is looked at
only when both have answered.

rietx is driven as its own guide for programs has it (``rietx skill --print``, "A worked default"): background
of an order that the data choose, starting widths from its peak search, a staged plan, and no number from a
result that it calls unusable. The plan is the one that `rietx.Refinement.fit` takes if none is named,
`mccusker_default`, the guide's for the first fit of a known structure. The guide's example goes on to atoms
and displacement factors (``--plan mccusker_structural``), which is further from these weights: the plan was
chosen knowing that, in rietx's favour. mixrd is `mixrd.analysis.analyze` without a network, as it is.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import signal
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RIETX_COMPILED_THREADS"):
    os.environ[_name] = "1"  # read when numpy, torch and rietx are imported

import numpy as np  # noqa: E402
import rietx  # noqa: E402
import torch  # noqa: E402

from mixrd.analysis import analyze, calibrate, generic_instrument  # noqa: E402
from mixrd.experiments.weighed_table import PhaseNames, WeighedRow, read_rows  # noqa: E402
from mixrd.pattern import Instrument  # noqa: E402
from mixrd.phases import load_phase  # noqa: E402
from mixrd.scan import read_scan  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "weighed-rietx.json"
PACKAGES = ("mixrd", "rietx", "rietx-kernels", "numpy", "scipy", "torch")
PROGRAMS = ("mixrd", "rietx")
PLAN = "mccusker_default"
#: An analysis that takes longer than this (seconds) counts as failed.
LIMIT_S = 120


@dataclass(frozen=True)
class ScanSet:
    """Scans of one diffractometer: rows of `compositions.csv` to take, and what is known of the machine.

    `standard` is the scan of a pure phase that mixrd is calibrated on, outside the times. rietx fits the
    widths to each scan instead: its plans for a calibrated machine (`lab_calibrate`, `lab_sample_refine`)
    were tried on the first set and are further from the weights.
    """

    folder: str
    select: dict[str, str]
    monochromator_two_theta: float
    goniometer_radius_mm: float
    standard: tuple[str, str] | None


CPD = ScanSet("cpd", {}, 26.6, 173.0, ("corundum-pure.prn", "corundum"))
DARA = ScanSet("dara", {"scan": "8min"}, 0.0, 145.0, None)


@dataclass
class Answer:
    """What one program says of one scan: wt% by phase, or why there is nothing."""

    percent: dict[str, float] | None = None
    failure: str | None = None
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    notes: list[str] = field(default_factory=list)


class OutOfTimeError(BaseException):
    """Not an Exception, so that no program's own handling takes it for a failed fit of its own."""


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Raise OutOfTimeError in what runs longer."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise OutOfTimeError

    previous = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


def by_mixrd(scan: Path, cifs: dict[str, Path], instrument: Instrument | None) -> Answer:
    """Refinement alone, candidates from their CIFs."""
    crystals = [dataclasses.replace(load_phase(cif), name=name) for name, cif in cifs.items()]
    result = analyze(read_scan(scan), crystals, instrument)
    notes = sorted({warning.code for warning in result.warnings})
    found = {p.name: p.refined_percent for p in result.phases if p.refined_percent is not None}
    if len(found) < len(cifs):
        return Answer(failure=result.statement.sentence or "no refinement", notes=notes)
    return Answer(found, notes=notes)


def by_rietx(scan: Path, cifs: dict[str, Path], machine: ScanSet, plan: str) -> Answer:
    """The worked default of rietx's guide, with all phases at once."""
    data = rietx.read_pattern(scan)
    parts = [rietx.Structure.from_cif(cif) for cif in cifs.values()]
    structure = rietx.Structure(phases=[phase for part in parts for phase in part.phases])
    for name, phase in zip(cifs, structure.phases, strict=True):
        phase.name = name
    instrument = rietx.Instrument.bragg_brentano(
        radiation="CuKa",
        goniometer_radius_mm=machine.goniometer_radius_mm,
        monochromator_two_theta=machine.monochromator_two_theta or None,
    )
    instrument.background = rietx.auto_background(data, kind="chebyshev").background
    strongest = sorted(rietx.pick_peaks(data, instrument).peaks, key=lambda peak: -peak.intensity)[:12]
    width = float(np.median([peak.fwhm for peak in strongest]))
    instrument.profile.w.value, instrument.profile.x.value = (0.6 * width) ** 2, 0.6 * width
    refinement = rietx.Refinement(structure, instrument, history=False)
    result = refinement.fit(data, plan=plan, telemetry=False)
    notes = sorted({diagnostic.code for diagnostic in result.diagnostics})
    if not result.usable or result.qpa is None:
        return Answer(failure=f"unusable ({result.status}; {', '.join(notes)})", notes=notes)
    return Answer({p.name: 100.0 * float(p.weight_fraction) for p in result.qpa.phases}, notes=notes)


def timed(run: Callable[[], Answer]) -> Answer:
    """The answer with its times; whatever goes wrong is a failure of this scan."""
    begin, cpu = time.perf_counter(), time.process_time()
    try:
        with limited(LIMIT_S), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answer = run()
    except OutOfTimeError:
        answer = Answer(failure=f"stopped after {LIMIT_S} s")
    except Exception as error:  # any failure of either program is a result
        answer = Answer(failure=f"{type(error).__name__}: {error}")
    answer.seconds, answer.cpu_seconds = time.perf_counter() - begin, time.process_time() - cpu
    return answer


def compare(folder: Path, machine: ScanSet, plan: str) -> list[dict[str, Any]]:
    """Both programs on all scans of a set, in turns."""
    rows = read_rows(folder, select=machine.select)
    names = PhaseNames(folder, rows)
    instrument = None
    if machine.standard:
        file, phase = machine.standard
        start = generic_instrument(
            "CuKa",
            monochromator_two_theta=machine.monochromator_two_theta,
            goniometer_radius_mm=machine.goniometer_radius_mm,
        )
        crystal = names.crystal(phase)
        instrument = calibrate(read_scan(folder / file), crystal, start, name=machine.folder).instrument
    compared = []
    for row in rows:
        scan, cifs = folder / row.file, {name: names.files[name.lower()] for name in row.weighed}
        answers = {
            "mixrd": timed(partial(by_mixrd, scan, cifs, instrument)),
            "rietx": timed(partial(by_rietx, scan, cifs, machine, plan)),
        }
        compared.append(_beside_weighed(row, answers))
        print("\n".join(lines_of(compared[-1])), flush=True)
    return compared


def _beside_weighed(row: WeighedRow, answers: dict[str, Answer]) -> dict[str, Any]:
    return {"file": row.file, "weighed": row.weighed} | {
        name: dataclasses.asdict(a) for name, a in answers.items()
    }


def errors(row: dict[str, Any], program: str) -> list[float]:
    """Absolute errors in wt% of the phases of a scan."""
    return [abs(row[program]["percent"][name] - weighed) for name, weighed in row["weighed"].items()]


def summarise(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Errors over the scans that both answered; times over all, those of failures included."""
    both = [row for row in rows if all(row[program]["percent"] for program in PROGRAMS)]
    summary: dict[str, Any] = {"scans": len(rows), "compared": len(both)}
    for program in PROGRAMS:
        summary[program] = {
            "failed": sum(row[program]["failure"] is not None for row in rows),
            "mae_wt": statistics.mean(statistics.mean(errors(r, program)) for r in both) if both else None,
            "worst_wt": max(max(errors(r, program)) for r in both) if both else None,
            "median_s": statistics.median(row[program]["seconds"] for row in rows),
            "median_cpu_s": statistics.median(row[program]["cpu_seconds"] for row in rows),
        }
    for name in ("seconds", "cpu_seconds"):
        ratios = [row["rietx"][name] / row["mixrd"][name] for row in rows]
        summary[f"median_ratio_of_{name}"] = statistics.median(ratios)
    return summary


HEAD = f"{'scan':30} {'phase':20} {'weighed':>8} {'mixrd':>8} {'rietx':>8} {'mixrd s':>8} {'rietx s':>8}"


def lines_of(row: dict[str, Any]) -> list[str]:
    """A line for each phase of a scan, and one for each failure."""
    lines = []
    for number, (name, weighed) in enumerate(row["weighed"].items()):
        percents = [(row[p]["percent"] or {}).get(name) for p in PROGRAMS]
        values = "".join(f" {'-' if value is None else format(value, '.2f'):>8}" for value in percents)
        times = "" if number else "".join(f" {row[p]['seconds']:8.2f}" for p in PROGRAMS)
        file = "" if number else row["file"].removesuffix(".xrdml").removesuffix("--8min")
        lines.append(f"{file:30.30} {name:20.20} {weighed:8.2f}{values}{times}")
    return lines + [f"  {p} failed: {row[p]['failure']}" for p in PROGRAMS if row[p]["failure"]]


def summary_lines(summary: dict[str, Any]) -> list[str]:
    """Errors and times of both."""
    lines = [f"{summary['compared']} of {summary['scans']} scans answered by both"]
    for program in PROGRAMS:
        own = summary[program]
        errs = "" if own["mae_wt"] is None else f"mean {own['mae_wt']:.2f}, worst {own['worst_wt']:.2f} wt%; "
        lines.append(
            f"  {program}: {errs}median {own['median_s']:.2f} s a scan ({own['median_cpu_s']:.2f} s of CPU); "
            f"failed: {own['failed']}"
        )
    ratios = [summary[f"median_ratio_of_{name}"] for name in ("seconds", "cpu_seconds")]
    return [*lines, f"  rietx takes {ratios[0]:.1f} times as long ({ratios[1]:.1f} times the CPU time)"]


def main() -> None:
    """Compare and write; results of a set or plan that is not run again stay."""
    parser = argparse.ArgumentParser(description="mixrd beside rietx on weighed scans")
    parser.add_argument("--dara", action="store_true", help="also the ten 8-minute scans of measured/dara")
    parser.add_argument("--plan", default=PLAN, choices=sorted(rietx.PLAN_INFO), help="of rietx")
    parser.add_argument("-o", "--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    measured = Path(os.environ.get("MIXRD_DATA", ROOT.parent / "shared" / "data")) / "measured"
    document = json.loads(options.out.read_text()) if options.out.is_file() else {}
    versions = {"python": platform.python_version()}
    versions |= {name: version(name).split("+")[0] for name in PACKAGES}
    for machine in (CPD, DARA) if options.dara else (CPD,):
        folder = measured / machine.folder
        if not (folder / "compositions.csv").is_file():
            print(f"beside rietx: skipped, {folder} was not found (set MIXRD_DATA to the measured scans)")
            continue
        print(HEAD)
        rows = compare(folder, machine, options.plan)
        summary = summarise(rows)
        print("\n".join(summary_lines(summary)))
        document.setdefault(machine.folder, {})[options.plan] = {
            "threads": 1, "limit_s": LIMIT_S, "versions": versions, "summary": summary, "rows": rows
        }  # fmt: skip
        options.out.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
