"""Wrong premises about the scan: its axis, its columns, what was done with its intensities."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mixrd.mixture import ScanSettings
from mixrd.pattern import load_instrument
from mixrd.phases import load_phase
from wrong_premises import wrong_scans as wrong
from wrong_premises.premise import (
    Premise,
    PremiseKind,
    Trial,
    columns,
    d_angstrom,
    on_scan,
    premise_of,
    q_per_angstrom,
    with_header,
)
from wrong_premises.sample import Draw, Sample, simulated_scan

Column = wrong.Column


def _axis(
    convert: Callable[[Column], wrong.Values], *, header: str = ""
) -> Callable[[Sample, Trial], Premise]:
    """Another axis than 2theta in the first column, without a word of it unless in `header`."""

    def perturb(sample: Sample, trial: Trial) -> Premise:
        axis, counts = np.asarray(convert(sample.scan.two_theta), dtype=np.float64), sample.scan.counts
        if axis[0] > axis[-1]:
            axis, counts = axis[::-1], counts[::-1]
        path = columns(trial.folder / "scan.xy", axis, counts, header=header)
        return premise_of(sample, scan=path, instrument=sample.named_instrument)

    return perturb


def _swapped(sample: Sample, trial: Trial) -> Premise:
    path = columns(trial.folder / "scan.xy", sample.scan.counts, sample.scan.two_theta)
    return premise_of(sample, scan=path, instrument=sample.named_instrument)


def _sigma(
    third: Callable[[Column, Column], Column], *, header: str = ""
) -> Callable[[Sample, Trial], Premise]:
    """A third column, of (angles, counts)."""

    def perturb(sample: Sample, trial: Trial) -> Premise:
        x, y = sample.scan.two_theta, sample.scan.counts
        path = columns(trial.folder / "scan.xye", x, y, third(x, y), header=header)
        return premise_of(sample, scan=path, instrument=sample.named_instrument)

    return perturb


def _root(y: Column) -> Column:
    return np.asarray(np.sqrt(np.maximum(y, 1.0)))


def _holder(sample: Sample, trial: Trial) -> Premise:
    """Lines of the aluminium holder, up to a quarter of the strongest."""
    machine = load_instrument("lab-cu")
    pure = simulated_scan([load_phase("aluminium")], [100.0], machine, ScanSettings(background_counts=0.0), 1)
    changed = wrong.with_added(pure, 0.25)(sample.scan, trial.generator)
    return premise_of(sample, scan=with_header(changed, trial.folder))


def _two_samples(sample: Sample, trial: Trial) -> Premise:
    """From the middle on another sample of the same phases, or of others if there is none."""
    if sample.base == "simulated":
        assert sample.made_with is not None and sample.settings is not None
        amounts = [sample.truth[c.name] for c in sample.crystals]
        turned = amounts[1:] + amounts[:1]
        seed = trial.chance.randrange(2**31)
        other = simulated_scan(sample.crystals, turned, sample.made_with, sample.settings, seed)
        second = dict(zip([c.name for c in sample.crystals], turned, strict=True))
        crystals = list(sample.crystals)
    else:
        others = [s for s in trial.others if s.name != sample.name and s.scan.two_theta[-1] > 90]
        same = [s for s in others if set(s.truth) == set(sample.truth)] or others
        partner = trial.chance.choice(same)
        other, second = partner.scan, dict(partner.truth)
        crystals = list({c.name: c for c in (*sample.crystals, *partner.crystals)}.values())
    changed = wrong.joined(other)(sample.scan, trial.generator)
    names = [c.name for c in crystals]
    truths = tuple({n: truth.get(n, 0.0) for n in names} for truth in (dict(sample.truth), second))
    return premise_of(sample, scan=with_header(changed, trial.folder), phases=crystals, truths=truths)


_NAMES = "# 2theta I sigma"

AXIS = (
    *(
        PremiseKind(f"stretched {percent:+g} %", "axis", on_scan(wrong.stretched(1 + percent / 100)))
        for percent in (0.5, 1, 2, -1)
    ),
    *(
        PremiseKind(f"shifted {degrees:+g} deg", "axis", on_scan(wrong.shifted(degrees)))
        for degrees in (0.1, 0.3, 0.6, -1)
    ),
    PremiseKind("theta", "axis", _axis(lambda x: 0.5 * x)),
    PremiseKind("Q in 1/angstrom", "axis", _axis(q_per_angstrom)),
    PremiseKind("Q in 1/nm", "axis", _axis(lambda x: 10 * q_per_angstrom(x))),
    PremiseKind("Q in 1/nm, named", "axis", _axis(lambda x: 10 * q_per_angstrom(x), header="# q_nm^-1 I")),
    PremiseKind("d in angstrom", "axis", _axis(d_angstrom)),
    PremiseKind("radians", "axis", _axis(np.radians)),
    PremiseKind("index of the point", "axis", _axis(lambda x: np.arange(len(x)) * 1.0)),
    PremiseKind("index over 100", "axis", _axis(lambda x: np.arange(1, len(x) + 1) / 100)),
    PremiseKind("channel of 2048", "axis", _axis(lambda x: 2.0 + 0.03 * (x - x[0]) ** 1.15)),
    PremiseKind("columns exchanged", "axis", _swapped),
)

SIGMA = (
    PremiseKind("sigma is right", "nothing wrong", _sigma(lambda x, y: _root(y)), harmless=True),
    PremiseKind("sigma is a background", "sigma", _sigma(lambda x, y: np.round(30 + 2000 / x, 2))),
    PremiseKind("sigma is nearly constant", "sigma", _sigma(lambda x, y: np.where(x > x[9], 5.0, 5.1))),
    PremiseKind("sigma is the counting time", "sigma", _sigma(lambda x, y: np.where(x > 60, 0.6, 0.5))),
    PremiseKind("sigma ten times too large", "sigma", _sigma(lambda x, y: 10 * _root(y), header=_NAMES)),
    PremiseKind("sigma ten times too small", "sigma", _sigma(lambda x, y: 0.1 * _root(y), header=_NAMES)),
    PremiseKind("sigma is the calculated pattern", "sigma", _sigma(lambda x, y: 0.9 * y + 3)),
    PremiseKind("sigma is relative", "sigma", _sigma(lambda x, y: 1 / _root(y))),
)  # fmt: skip

_NOTHING = "nothing to weigh"
COUNTS = (
    PremiseKind("clipped at 30 %", "intensities", on_scan(wrong.clipped(0.3))),
    PremiseKind("clipped at 70 %", "intensities", on_scan(wrong.clipped(0.7))),
    PremiseKind("dead time takes 40 %", "intensities", on_scan(wrong.dead_time(0.4))),
    PremiseKind("smoothed", "intensities", on_scan(wrong.smoothed(9, whole=False))),
    PremiseKind("smoothed and rounded", "intensities", on_scan(wrong.smoothed(5, whole=True))),
    PremiseKind(
        "background subtracted", "intensities", on_scan(wrong.on_counts(wrong.background_subtracted))
    ),
    PremiseKind("times 0.01", "intensities", on_scan(wrong.scaled(0.01, digits=4))),
    PremiseKind("times 7.3", "intensities", on_scan(wrong.scaled(7.3))),
    PremiseKind("times 25, whole", "intensities", on_scan(wrong.scaled(25, digits=0))),
    PremiseKind("over 20, whole", "intensities", on_scan(wrong.scaled(0.05, digits=0))),
    PremiseKind(
        "square root of the counts", "intensities",
        on_scan(wrong.on_counts(lambda x, y, g: np.sqrt(y), whole=False)),
    ),
    PremiseKind(
        "logarithm of the counts", "intensities",
        on_scan(wrong.on_counts(lambda x, y, g: np.log10(np.maximum(y, 1.0)), whole=False)),
    ),
    PremiseKind("tube loses 40 %", "intensities", on_scan(wrong.drifting(0.4))),
    PremiseKind("second half counted longer", "intensities", on_scan(wrong.second_half(2.5))),
    PremiseKind("spikes", "intensities", on_scan(wrong.spikes(8))),
    PremiseKind("100 counts at most", "intensities", on_scan(wrong.thinned(100)), harmless=True),
    PremiseKind(
        "1e9 counts", "intensities", on_scan(wrong.scaled(1.0)),
        Draw(settings=lambda c, r: {"peak_counts": 1e9, "background_counts": 1e7}), bases=("simulated",),
        harmless=True,
    ),
    PremiseKind("20-30 deg", "range", on_scan(wrong.on_points(lambda x: (x > 20) & (x < 30)))),
    PremiseKind("to 45 deg", "range", on_scan(wrong.on_points(lambda x: x < 45)), harmless=True),
    PremiseKind(
        "gap of 8 deg", "range", on_scan(wrong.on_points(lambda x: (x < 33) | (x > 41))), harmless=True
    ),
    PremiseKind("steps of 0.1 deg", "range", on_scan(wrong.coarse(0.1)), harmless=True),
    PremiseKind("noise", _NOTHING, on_scan(wrong.noise(200), nothing_left=True), hopeless=True),
    PremiseKind("noise of few counts", _NOTHING, on_scan(wrong.noise(3), nothing_left=True), hopeless=True),
    PremiseKind(
        "constant", _NOTHING, on_scan(wrong.on_counts(wrong.constant), nothing_left=True), hopeless=True
    ),
    PremiseKind("glass", _NOTHING, on_scan(wrong.hump(3000), nothing_left=True), hopeless=True),
    PremiseKind(
        "one line", _NOTHING, on_scan(wrong.on_counts(wrong.one_line), nothing_left=True), hopeless=True
    ),
    PremiseKind("glass as high as the lines", "more in it", on_scan(wrong.with_hump(1.0)), harmless=True),
    PremiseKind("glass a quarter as high", "more in it", on_scan(wrong.with_hump(0.25)), harmless=True),
    PremiseKind("lines of the holder", "more in it", _holder),
    PremiseKind("two samples in one scan", "more in it", _two_samples),
)  # fmt: skip
