"""Wrong premises about the phases: not all named, others named, structures that are wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mixrd.crystal import Crystal
from mixrd.phases import load_phase
from wrong_premises.premise import Premise, PremiseKind, Trial, as_it_is, premise_of
from wrong_premises.sample import (
    HIGH_ANGLE,
    HYDROUS,
    LOW_ANGLE,
    LOW_SYMMETRY,
    POLYMORPH,
    SIMILAR,
    USUAL,
    Draw,
    Sample,
    renormalised,
)
from wrong_premises.wrong_structures import (
    CifContent,
    Fault,
    atom_exchanged,
    b_as_u,
    cell_scaled,
    displacement,
    edges_exchanged,
    half_exchanged,
    hydrogen_missing,
    occupancy_halved,
    operations_missing,
    origin_shifted,
    site_missing,
    site_moved,
    symmetry_missing,
)


def _named(sample: Sample, candidates: list[Crystal]) -> Premise:
    truth = renormalised(sample.truth, [c.name for c in candidates])
    return premise_of(sample, phases=candidates, truths=(truth,) if truth else ())


def strangers(sample: Sample, trial: Trial, count: int) -> list[Crystal]:
    """Phases that have no element but oxygen and hydrogen with the sample in common."""
    known = {element for c in sample.crystals for element in c.cell_content} - {"O", "H"}
    found: list[Crystal] = []
    names = list(USUAL)
    trial.chance.shuffle(names)
    for name in names:
        crystal = load_phase(name)
        if not known & set(crystal.cell_content) and name not in sample.truth:
            found.append(crystal)
        if len(found) == count:
            break
    return found


def _wrong(count: int) -> Callable[[Sample, Trial], Premise]:
    return lambda sample, trial: _named(sample, strangers(sample, trial, count))


def _added(count: int) -> Callable[[Sample, Trial], Premise]:
    return lambda sample, trial: _named(sample, [*sample.crystals, *strangers(sample, trial, count)])


def _without(which: Callable[[Mapping[str, float]], str]) -> Callable[[Sample, Trial], Premise]:
    def perturb(sample: Sample, trial: Trial) -> Premise:
        gone = which({name: value for name, value in sample.truth.items() if value >= 2})
        return _named(sample, [c for c in sample.crystals if c.name != gone])

    return perturb


def _first_missing(sample: Sample, trial: Trial) -> Premise:
    return _named(sample, list(sample.crystals[1:]))


def _exchanged(table: Mapping[str, str]) -> Callable[[Sample, Trial], Premise]:
    """Another phase named in place of one that is there."""

    def perturb(sample: Sample, trial: Trial) -> Premise:
        gone = next(c.name for c in sample.crystals if c.name in table)
        others = [load_phase(table[gone]) if c.name == gone else c for c in sample.crystals]
        names = {c.name: c for c in others}
        return _named(sample, list(names.values()))

    return perturb


def _holds(names: Mapping[str, str] | tuple[str, ...]) -> Callable[[Sample], bool]:
    return lambda sample: any(name in names for name in sample.truth)


def _cif(fault: Fault, *, bare: bool = False) -> Callable[[Sample, Trial], Premise]:
    """The CIF of one phase of 10 wt% or more is wrong; of those that can be wrong in this way."""

    def perturb(sample: Sample, trial: Trial) -> Premise:
        order = sorted(sample.crystals, key=lambda c: -sample.truth[c.name])
        if fault is hydrogen_missing:
            order = [c for c in order if "H" in {s.element for s in c.sites}]
        chosen = trial.chance.choice([c for c in order if sample.truth[c.name] >= 10] or order[:1])
        content = CifContent.of(chosen)
        path = fault(content.bare() if bare else content, trial.chance).write(trial.folder)
        return premise_of(sample, phases=[path if c is chosen else c for c in sample.crystals])

    return perturb


def _unchanged(content: CifContent, chance: object) -> CifContent:
    return content


_THREE = Draw(count=(3, 3, 4))
_HYDROUS = Draw(first=HYDROUS, count=(2, 3), little=(20, 60))
_LOW = Draw(first=LOW_SYMMETRY, phases=LOW_SYMMETRY, count=(2,))


def _hydrous(sample: Sample) -> bool:
    return any("H" in {s.element for s in c.sites} for c in sample.crystals)


def _three_edges(sample: Sample) -> bool:
    return all(len({round(x, 3) for x in c.cell[:3]}) == 3 for c in sample.crystals)


PHASES = (
    PremiseKind("as it is", "nothing wrong", as_it_is, harmless=True),
    PremiseKind("three absent candidates more", "nothing wrong", _added(3), harmless=True),
    PremiseKind("own CIF", "nothing wrong", _cif(_unchanged), harmless=True),
    PremiseKind("wrong phases", "phases", _wrong(3), hopeless=True),
    PremiseKind("two wrong phases", "phases", _wrong(2), hopeless=True),
    PremiseKind("one wrong phase", "phases", _wrong(1), hopeless=True),
    PremiseKind("most of it not named", "phases", _without(lambda t: max(t, key=lambda n: t[n])), _THREE),
    PremiseKind("least of it not named", "phases", _without(lambda t: min(t, key=lambda n: t[n])), _THREE),
    PremiseKind(
        "2-8 % with lines below all others not named", "phases", _first_missing,
        Draw(phases=HIGH_ANGLE, first=LOW_ANGLE, count=(3,), little=(2, 8)), bases=("simulated",),
    ),
    PremiseKind(
        "30-60 % with lines below all others not named", "phases", _first_missing,
        Draw(phases=HIGH_ANGLE, first=LOW_ANGLE, count=(3,), little=(30, 60)), bases=("simulated",),
    ),
    PremiseKind(
        "a compound of the same structure named", "phases", _exchanged(SIMILAR),
        Draw(first=tuple(k for k in SIMILAR if k in USUAL)), applies=_holds(SIMILAR),
    ),
    PremiseKind(
        "a polymorph named", "phases", _exchanged(POLYMORPH), Draw(first=tuple(POLYMORPH)),
        applies=_holds(POLYMORPH),
    ),
)  # fmt: skip

STRUCTURES = (
    PremiseKind("origin shifted", "structure file", _cif(origin_shifted)),
    PremiseKind("origin shifted, no formula", "structure file", _cif(origin_shifted, bare=True)),
    PremiseKind("B = 0", "structure file", _cif(displacement(1e-6))),
    PremiseKind("B = 10", "structure file", _cif(displacement(0.127))),
    PremiseKind("B in the column of U", "structure file", _cif(b_as_u)),
    PremiseKind("occupancy halved", "structure file", _cif(occupancy_halved)),
    PremiseKind("occupancy halved, no formula", "structure file", _cif(occupancy_halved, bare=True)),
    PremiseKind("an element exchanged", "structure file", _cif(atom_exchanged)),
    PremiseKind("an element exchanged, no formula", "structure file", _cif(atom_exchanged, bare=True)),
    PremiseKind("a solid solution", "structure file", _cif(half_exchanged)),
    PremiseKind("hydrogen missing", "structure file", _cif(hydrogen_missing), _HYDROUS, applies=_hydrous),
    PremiseKind(
        "hydrogen missing, no formula", "structure file", _cif(hydrogen_missing, bare=True), _HYDROUS,
        applies=_hydrous,
    ),
    PremiseKind("a site missing, no formula", "structure file", _cif(site_missing, bare=True)),
    PremiseKind(
        "a coordinate off by 0.04", "structure file", _cif(site_moved), Draw(phases=LOW_SYMMETRY, count=(2,)),
        applies=_holds(("zincite", "corundum", "anatase", "baddeleyite", "bismite", "shcherbinaite")),
    ),
    PremiseKind("cell 3 % off", "structure file", _cif(cell_scaled(1.03, 1.03, 1.03))),
    PremiseKind("cell 1 % off", "structure file", _cif(cell_scaled(0.99, 0.99, 0.99))),
    PremiseKind("edges 1.5 % off, unlike", "structure file", _cif(cell_scaled(1.015, 1.0, 0.985))),
    PremiseKind("edges exchanged", "structure file", _cif(edges_exchanged), _LOW, applies=_three_edges),
    PremiseKind("operations missing", "structure file", _cif(operations_missing)),
    PremiseKind("symmetry missing, no formula", "structure file", _cif(symmetry_missing, bare=True)),
)  # fmt: skip
