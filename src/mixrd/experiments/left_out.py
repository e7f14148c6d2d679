"""Benchmark on what is not explained: each weighed phase left out of the candidates in turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mixrd.analysis import analyze
from mixrd.crystal import Crystal
from mixrd.errors import MixrdError, UsageError
from mixrd.experiments.weighed_table import PhaseNames, WeighedRow, read_rows
from mixrd.pattern import Instrument
from mixrd.scan import read_scan

#: Codes that say that something is missing among the candidates.
MISSING_CODES = ("UNEXPLAINED_LINES", "WRONG_WAVELENGTH", "NO_PHASE_FOUND")
#: Phases of less than this (wt%) are not left out.
LEAST_PERCENT = 2.0


@dataclass(frozen=True)
class LeftOut:
    """One analysis.

    Attributes
    ----------
    file : str
    phase : str or None
        Left out; None if all weighed phases were candidates.
    weighed_percent : float
        Of it, in wt%.
    warned : bool
        Whether one of `MISSING_CODES` came, or no amounts were stated.
    message : str
        Of that warning, why no amounts were stated, or why the analysis failed.
    """

    file: str
    phase: str | None
    weighed_percent: float
    warned: bool
    message: str


@dataclass(frozen=True)
class LeftOutBenchmark:
    """All analyses."""

    cases: tuple[LeftOut, ...]

    @property
    def found(self) -> tuple[int, int]:
        """How many of the analyses with a phase left out warned, of how many."""
        cases = [case for case in self.cases if case.phase is not None]
        return sum(case.warned for case in cases), len(cases)

    @property
    def false_alarms(self) -> tuple[int, int]:
        """How many of those with all weighed phases warned, of how many."""
        cases = [case for case in self.cases if case.phase is None]
        return sum(case.warned for case in cases), len(cases)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        keys = ("warned", "of")
        return {
            "cases": [asdict(case) for case in self.cases],
            "left_out": dict(zip(keys, self.found, strict=True)),
            "complete": dict(zip(keys, self.false_alarms, strict=True)),
        }


def benchmark_left_out(
    folder: str | Path,
    *,
    instrument: Instrument | None = None,
    select: Mapping[str, str] | None = None,
    impurities: Mapping[str, str] | None = None,
    on_case: Callable[[LeftOut], None] | None = None,
) -> LeftOutBenchmark:
    """Refine each scan of a folder with all weighed phases, and with each of them left out.

    Parameters
    ----------
    folder : path
        As `benchmark_weighed` takes it.
    instrument : Instrument, optional
        Default a generic one for the tube that each scan's header names.
    select : mapping, optional
        Only the rows that have these values in these columns.
    impurities : mapping, optional
        What comes with a weighed phase though nobody weighed it, by the phase's name: a further candidate
        wherever that phase is one.
    on_case : callable, optional
        Called with each case when it is done.

    Raises
    ------
    InputError
        If the tables cannot be used, no row is selected, or impurities are those of a phase that no sample
        holds.
    """
    folder = Path(folder)
    rows = read_rows(folder, select=select)
    names = PhaseNames(folder, rows)
    impure = _impure(rows, names, impurities or {})
    cases = []
    for row in rows:
        for phase in (None, *(n for n, value in row.weighed.items() if value >= LEAST_PERCENT)):
            if phase is not None and len(row.weighed) == 1:
                continue
            cases.append(_case(folder, row, names, phase, impure, instrument))
            if on_case:
                on_case(cases[-1])
    return LeftOutBenchmark(tuple(cases))


def _impure(rows: list[WeighedRow], names: PhaseNames, impurities: Mapping[str, str]) -> dict[str, Crystal]:
    """Crystals of impurities, by the label of the phase that they come with."""
    weighed = {names.label(name) for row in rows for name in row.weighed}
    unknown = [phase for phase in impurities if phase not in weighed]
    if unknown:
        raise UsageError(
            f"an impurity of {unknown[0]}, which was not weighed into any of these samples",
            remedy=f"Weighed were: {', '.join(sorted(weighed))}",
        )
    return {phase: names.crystal(impurity) for phase, impurity in impurities.items()}


def _case(
    folder: Path,
    row: WeighedRow,
    names: PhaseNames,
    phase: str | None,
    impure: Mapping[str, Crystal],
    instrument: Instrument | None,
) -> LeftOut:
    weighed = row.weighed.get(phase or "", 0.0)
    try:
        given = [name for name in row.weighed if name != phase]
        crystals = [names.crystal(name) for name in given]
        further = [impure[label] for label in map(names.label, given) if label in impure]
        crystals += [crystal for crystal in further if crystal.name not in {c.name for c in crystals}]
        result = analyze(read_scan(folder / row.file), crystals, instrument)
    except MixrdError as error:
        return LeftOut(row.file, phase, weighed, False, f"failed: {error}")
    if result.statement.kind == "none":
        return LeftOut(row.file, phase, weighed, True, result.statement.sentence)
    said = [warning.message for warning in result.warnings if warning.code in MISSING_CODES]
    return LeftOut(row.file, phase, weighed, bool(said), said[0] if said else "")
