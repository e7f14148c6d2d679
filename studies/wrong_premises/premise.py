"""A premise: what a user gives, scans as files among it, and which answers would be right."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from mixrd.crystal import Crystal
from mixrd.pattern import Instrument
from mixrd.phases import load_phase
from mixrd.scan import Scan, read_scan, write_scan
from wrong_premises.sample import Base, Draw, Sample
from wrong_premises.wrong_scans import Change, Column

#: Wavelength of the scans' tube (Cu K alpha, weighted mean) in angstrom, for axes that are not angles.
WAVELENGTH_ANGSTROM = 1.5418


@dataclass(frozen=True)
class Premise:
    """What is analysed.

    Attributes
    ----------
    scan : path or Scan
        A file is read within the trial: refusing it counts.
    phases : sequence of Crystal or path
        Likewise.
    instrument : Instrument or None
    truths : tuple of mapping
        Compositions in wt%, each of which would be a right answer; none where no amounts could be.
    present : frozenset of str
        Candidates that are in the sample.
    """

    scan: Path | Scan
    phases: Sequence[Crystal | Path]
    instrument: Instrument | None
    truths: tuple[Mapping[str, float], ...]
    present: frozenset[str]

    def read(self) -> tuple[Scan, list[Crystal], Instrument | None]:
        """What `mixrd.analysis.analyze` takes."""
        scan = read_scan(self.scan) if isinstance(self.scan, Path) else self.scan
        crystals = [load_phase(phase) if isinstance(phase, Path) else phase for phase in self.phases]
        return scan, crystals, self.instrument


@dataclass(frozen=True)
class Trial:
    """Around a premise: chance, a folder for its files, the other samples of the same base."""

    chance: random.Random
    folder: Path
    others: Sequence[Sample] = ()

    @property
    def generator(self) -> np.random.Generator:
        """For arrays."""
        return np.random.default_rng(self.chance.randrange(2**32))


Perturb = Callable[[Sample, Trial], Premise]


@dataclass(frozen=True)
class PremiseKind:
    """One way of being wrong.

    Attributes
    ----------
    name, group : str
    perturb : callable
    draw : Draw
        How its simulated samples are drawn.
    bases : tuple of str
        Of what it can be made.
    applies : callable
        Whether it can be made of a weighed sample.
    harmless : bool
        Whether the true composition can be told in spite of it: refusing is a loss.
    hopeless : bool
        Whether no amounts could be right.
    """

    name: str
    group: str
    perturb: Perturb
    draw: Draw = field(default=Draw())
    bases: tuple[Base, ...] = ("weighed", "simulated")
    applies: Callable[[Sample], bool] = field(default=lambda sample: True)
    harmless: bool = False
    hopeless: bool = False


def as_it_is(sample: Sample, trial: Trial) -> Premise:
    """Nothing is wrong."""
    return premise_of(sample)


def premise_of(
    sample: Sample,
    *,
    scan: Path | Scan | None = None,
    phases: Sequence[Crystal | Path] | None = None,
    instrument: Instrument | None = None,
    truths: tuple[Mapping[str, float], ...] | None = None,
) -> Premise:
    """The premise of `sample` with what is given in place of its own."""
    return Premise(
        scan=sample.scan if scan is None else scan,
        phases=sample.crystals if phases is None else phases,
        instrument=instrument or sample.instrument,
        truths=(sample.truth,) if truths is None else truths,
        present=frozenset(sample.truth),
    )


def on_scan(change: Change, *, nothing_left: bool = False) -> Perturb:
    """A change of the scan, written with its header.

    Parameters
    ----------
    change : callable
    nothing_left : bool
        Whether nothing of the sample is left in it, so that no amounts could be right.
    """

    def perturb(sample: Sample, trial: Trial) -> Premise:
        changed = change(sample.scan, trial.generator)
        made = premise_of(
            sample, scan=with_header(changed, trial.folder), truths=() if nothing_left else None
        )
        return replace(made, present=frozenset()) if nothing_left else made

    return perturb


def with_header(scan: Scan, folder: Path) -> Path:
    """As mixrd writes it."""
    path = folder / ("scan.xy" if scan.sigma is None else "scan.xye")
    write_scan(scan, path, overwrite=True)
    return path


def columns(path: Path, *values: Column, header: str = "") -> Path:
    """Bare columns, below one line if there is a header."""
    lines = [header] if header else []
    lines += [" ".join(f"{x:.8g}" for x in row) for row in zip(*values, strict=True)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def q_per_angstrom(two_theta: Column) -> Column:
    """Q = 4 pi sin(theta) / lambda."""
    return np.asarray(4 * math.pi * np.sin(np.radians(two_theta / 2)) / WAVELENGTH_ANGSTROM)


def d_angstrom(two_theta: Column) -> Column:
    """Bragg: d = lambda / (2 sin(theta))."""
    return np.asarray(WAVELENGTH_ANGSTROM / (2 * np.sin(np.radians(two_theta / 2))))
