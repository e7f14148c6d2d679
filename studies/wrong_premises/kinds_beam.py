"""Wrong premises about the instrument and about the state of the sample."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Mapping, Sequence

from mixrd.crystal import Crystal
from mixrd.diffraction import Radiation, radiation
from mixrd.pattern import Instrument, Profile
from wrong_premises import wrong_scans as wrong
from wrong_premises.premise import (
    Premise,
    PremiseKind,
    Trial,
    as_it_is,
    columns,
    on_scan,
    premise_of,
)
from wrong_premises.sample import HIGH_ANGLE, PLATES, Draw, Sample


def _taken_for(change: Callable[[Instrument], Instrument]) -> Callable[[Sample, Trial], Premise]:
    """Bare columns, and an instrument that is not the one that measured."""

    def perturb(sample: Sample, trial: Trial) -> Premise:
        path = columns(trial.folder / "scan.xy", sample.scan.two_theta, sample.scan.counts)
        return premise_of(sample, scan=path, instrument=change(sample.named_instrument))

    return perturb


def _beam(rays: Radiation) -> Callable[[Instrument], Instrument]:
    return lambda instrument: dataclasses.replace(instrument, radiation=rays)


def _with(**changes: object) -> Callable[[Instrument], Instrument]:
    return lambda instrument: dataclasses.replace(instrument, **changes)  # type: ignore[arg-type]


def _measured_with(change: Callable[[Instrument], Instrument], **settings: object) -> Draw:
    return Draw(made_with=change, settings=lambda crystals, chance: settings)


def _wide(instrument: Instrument) -> Instrument:
    """Slits twice as wide as those of the preset."""
    p = instrument.profile
    return dataclasses.replace(instrument, profile=Profile(4 * p.u, 4 * p.v, 4 * p.w, 2 * p.x, 2 * p.y, 0.03))


def _monochromator(instrument: Instrument) -> Instrument:
    """None where there is one, one where there is none."""
    angle = 0.0 if instrument.monochromator_two_theta else 26.6
    return dataclasses.replace(instrument, monochromator_two_theta=angle)


_KA = radiation("CuKa")
_LINES = (_KA.lines[0].wavelength_angstrom, _KA.lines[1].wavelength_angstrom)

BEAM = (
    *(
        PremiseKind(f"{tube} tube named", "beam", _taken_for(_beam(radiation(f"{tube}Ka"))))
        for tube in ("Cr", "Fe", "Co")
    ),
    # Of small cells: others have thousands of reflections at so short a wavelength.
    PremiseKind(
        "Mo tube named", "beam", _taken_for(_beam(radiation("MoKa"))), Draw(phases=HIGH_ANGLE, count=(2,)),
        bases=("simulated",),
    ),
    PremiseKind(
        "measured with Mo, taken for Cu", "beam", _taken_for(_with()),
        Draw(phases=HIGH_ANGLE, made_with=_beam(radiation("MoKa"))), bases=("simulated",),
    ),
    PremiseKind(
        "measured with Co, taken for Cu", "beam", _taken_for(_with()),
        _measured_with(_beam(radiation("CoKa"))), bases=("simulated",),
    ),
    PremiseKind("K alpha1 named", "beam", _taken_for(_beam(radiation("CuKa1")))),
    PremiseKind("1.5418 A named", "beam", _taken_for(_beam(radiation(1.5418)))),
    PremiseKind(
        "K alpha1 alone in the beam", "beam", as_it_is, _measured_with(_beam(radiation("CuKa1"))),
        bases=("simulated",),
    ),
    PremiseKind("K alpha2 stripped", "beam", on_scan(wrong.kalpha2_stripped(_LINES))),
    PremiseKind("K beta 20 %", "beam", as_it_is, _measured_with(_with(), kbeta=0.2), bases=("simulated",)),
    PremiseKind("K beta 3 %", "beam", as_it_is, _measured_with(_with(), kbeta=0.03), bases=("simulated",)),
    PremiseKind("W lines", "beam", as_it_is, _measured_with(_with(), tungsten=0.08), bases=("simulated",)),
    PremiseKind("monochromator wrong", "beam", _taken_for(_monochromator)),
    PremiseKind(
        "radius wrong", "beam", _taken_for(_with(goniometer_radius_mm=150.0)),
        _measured_with(_with(), displacement_mm=0.2), harmless=True,
    ),
    PremiseKind("variable slit", "beam", on_scan(wrong.on_counts(wrong.variable_slit))),
    PremiseKind("fixed slit taken for variable", "beam", _taken_for(_with(divergence_slit="automatic"))),
    PremiseKind(
        "lines twice as wide as the preset's", "beam", as_it_is, _measured_with(_wide), bases=("simulated",),
        harmless=True,
    ),
)  # fmt: skip


def _state(**settings: object) -> Draw:
    return Draw(settings=lambda crystals, chance: settings)


def _textured(r: float, *, all_of_them: bool = False) -> Draw:
    """Plates (r below 1) or needles of the first phase, or of every phase that has an axis here."""

    def settings(crystals: Sequence[Crystal], chance: random.Random) -> Mapping[str, object]:
        chosen = [c.name for c in crystals if c.name in PLATES]
        return {"texture": {name: (PLATES[name], r) for name in (chosen if all_of_them else chosen[:1])}}

    pool = tuple(PLATES) if all_of_them else ()
    return Draw(phases=pool, first=tuple(PLATES), settings=settings)


def _one_small(nm: float) -> Draw:
    """The first phase of such crystallites."""
    return Draw(settings=lambda crystals, chance: {"phase_size_nm": {crystals[0].name: nm}}, little=(20, 60))


def _kind(name: str, draw: Draw, *, harmless: bool = False) -> PremiseKind:
    return PremiseKind(name, "state of the sample", as_it_is, draw, bases=("simulated",), harmless=harmless)


STATE = (
    _kind("plates, r = 0.4", _textured(0.4)),
    _kind("needles, r = 1.6", _textured(1.6)),
    _kind("all phases plates, r = 0.5", _textured(0.5, all_of_them=True)),
    _kind("grains of 20 um", _state(graininess=0.25, particle_size_um=20.0)),
    _kind("few grains", _state(graininess=0.5)),
    _kind("microabsorption, 10 um", _state(particle_size_um=10.0)),
    _kind("one phase of 2 nm", _one_small(2.0)),
    _kind("all of 4 nm", _state(size_nm=4.0)),
    _kind("overspill to 47 deg", _state(overspill=0.4)),
    _kind("thin layer", _state(mu_t=0.3)),
    _kind("transparent", _state(transparency=True, packing_fraction=0.3)),
    _kind("rough surface", _state(roughness=(0.4, 0.1))),
    _kind("0.6 mm too high", _state(displacement_mm=0.6)),
    _kind("cells 1 % from the catalog's", _state(max_strain=0.01)),
    _kind("12 impurity lines", _state(impurities=12, impurity_strength=0.1), harmless=True),
    _kind("fluorescence", _state(fluorescence_counts=20_000.0), harmless=True),
)
