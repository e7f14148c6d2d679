"""Samples of known composition, weighed or simulated, that premises are made wrong of.

And phases that they are made of: which are taken for one another, which have lines where.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch

from mixrd.analysis import calibrate, generic_instrument
from mixrd.crystal import Crystal
from mixrd.experiments.weighed_table import PhaseNames, read_rows
from mixrd.mixture import Composition, ScanSettings, simulate
from mixrd.pattern import Instrument, load_instrument
from mixrd.phases import catalog_names, load_phase
from mixrd.scan import Scan, read_scan

Base = Literal["weighed", "simulated"]
#: What simulated scans cover, in degrees.
RANGE_DEG = (10.0, 80.0)
#: Least of a simulated phase in wt%.
LEAST_PERCENT = 3.0
#: Two hundred reflections and more: an analysis that fails takes ten times as long.
COSTLY = (
    "albite", "alpha-tcp", "beta-tcp", "bismite", "gibbsite", "kaolinite", "larnite", "microcline",
    "newberyite", "octacalcium-phosphate", "struvite", "tetracalcium-phosphate", "uric-acid", "weddellite",
    "whewellite",
)  # fmt: skip
#: What samples and candidates are drawn from.
USUAL = tuple(name for name in catalog_names() if name not in COSTLY)
#: The same type of structure, or nearly: another compound.
SIMILAR = {
    "aluminium": "gold", "barite": "celestine", "brucite": "portlandite",
    "bunsenite": "periclase", "calcite": "rhodochrosite", "celestine": "barite", "cerianite": "fluorite",
    "cobalt-oxide": "magnetite", "copper": "nickel", "corundum": "hematite", "dolomite": "calcite",
    "fluorapatite": "hydroxyapatite", "fluorite": "cerianite", "galena": "sylvite", "gold": "silver",
    "gypsum": "brushite", "halite": "galena", "hematite": "corundum", "hydroxyapatite": "fluorapatite",
    "indium oxide": "yttrium-oxide", "indium-oxide": "yttrium-oxide", "iron": "tungsten", "lime": "bunsenite",
    "magnesite": "siderite", "magnetite": "spinel", "nickel": "copper",
    "periclase": "bunsenite", "portlandite": "brucite", "rhodochrosite": "siderite", "siderite": "magnesite",
    "silicon": "sphalerite", "silver": "aluminium", "sphalerite": "silicon", "spinel": "magnetite",
    "sylvite": "galena", "titanium-carbide": "titanium-nitride", "titanium-nitride": "titanium-carbide",
    "tungsten": "iron", "yttrium-oxide": "indium-oxide",
}  # fmt: skip
#: The same compound, or another hydrate of it: another structure.
POLYMORPH = {
    "anatase": "rutile", "anhydrite": "gypsum", "aragonite": "calcite",
    "baddeleyite": "zirconia-tetragonal", "bassanite": "anhydrite",
    "brookite": "anatase", "calcite": "aragonite", "cristobalite": "quartz", "diamond": "graphite",
    "goethite": "hematite", "gypsum": "bassanite", "magnetite": "hematite", "quartz": "cristobalite",
    "rutile": "anatase", "vaterite": "calcite", "zirconia-tetragonal": "baddeleyite",
}  # fmt: skip
#: Strongest or first line below where the lines of `HIGH_ANGLE` begin.
LOW_ANGLE = (
    "boehmite", "brucite", "brushite", "gibbsite", "gypsum", "kaolinite", "newberyite", "struvite",
    "weddellite", "whewellite",
)  # fmt: skip
#: First line above 28 degrees (Cu K alpha).
HIGH_ANGLE = (
    "aluminium", "bunsenite", "copper", "fluorite", "iron", "lime", "nickel", "periclase", "silicon",
    "titanium-nitride", "tungsten", "zincite", "cuprite", "titanium-carbide", "cerianite",
)  # fmt: skip
#: With hydrogen among the sites.
HYDROUS = ("boehmite", "brucite", "brushite", "gibbsite", "goethite", "gypsum", "kaolinite", "portlandite")
#: Orthorhombic, monoclinic or triclinic: the edges are three.
LOW_SYMMETRY = (
    "albite", "anhydrite", "aragonite", "baddeleyite", "barite", "bismite", "celestine", "diopside",
    "forsterite", "goethite", "gypsum", "shcherbinaite", "tenorite", "zabuyelite",
)  # fmt: skip
#: Phases that lie flat, and on which plane.
PLATES = {
    "brucite": (0, 0, 1), "gibbsite": (0, 0, 1), "gypsum": (0, 1, 0), "kaolinite": (0, 0, 1),
    "portlandite": (0, 0, 1), "calcite": (1, 0, 4), "corundum": (0, 0, 1), "hematite": (0, 0, 1),
    "albite": (0, 1, 0), "zincite": (0, 0, 1), "barite": (0, 0, 1), "dolomite": (1, 0, 4),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Sample:
    """A scan, what is in it, and what a user would give with it.

    Attributes
    ----------
    name : str
    base : "weighed" or "simulated"
    scan : Scan
    crystals : tuple of Crystal
    truth : dict
        wt% by name of the crystals, summing to 100.
    instrument : Instrument or None
        What the user gives; None where the header says enough.
    made_with : Instrument or None
        What a simulated scan was measured with.
    settings : ScanSettings or None
        Likewise.
    """

    name: str
    base: Base
    scan: Scan
    crystals: tuple[Crystal, ...]
    truth: Mapping[str, float]
    instrument: Instrument | None
    made_with: Instrument | None = None
    settings: ScanSettings | None = None

    @property
    def named_instrument(self) -> Instrument:
        """The instrument where no header speaks."""
        return self.instrument or generic_instrument(
            "CuKa", goniometer_radius_mm=self.scan.goniometer_radius_mm
        )


@dataclass(frozen=True)
class Draw:
    """How simulated samples are drawn.

    Attributes
    ----------
    phases : tuple of str
        Of the catalog; `USUAL` if empty.
    first : tuple of str
        One of these is in the sample.
    count : tuple of int
        Numbers of phases to choose from.
    little : tuple of float or None
        wt% of the first phase, from a range.
    settings : callable
        (crystals, chance) to changes of the settings.
    made_with : callable
        The user's instrument to the one that measures.
    """

    phases: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    count: tuple[int, ...] = (2, 3, 3, 4)
    little: tuple[float, float] | None = None
    settings: Callable[[Sequence[Crystal], random.Random], Mapping[str, object]] = field(
        default=lambda crystals, chance: {}
    )
    made_with: Callable[[Instrument], Instrument] = field(default=lambda instrument: instrument)

    def __call__(self, chance: random.Random) -> Sample:
        """One more sample."""
        names = self._names(chance)
        crystals = [load_phase(name) for name in names]
        amounts = self._amounts(len(names), chance)
        settings = ScanSettings(**{**_usual(chance), **self.settings(crystals, chance)})  # type: ignore[arg-type]
        machine = load_instrument("lab-cu")
        made_with = dataclasses.replace(self.made_with(machine), two_theta_range=RANGE_DEG)
        seed = chance.randrange(2**31)
        scan = simulated_scan(crystals, amounts, made_with, settings, seed)
        shown = "+".join(f"{name}:{amount:.1f}" for name, amount in zip(names, amounts, strict=True))
        truth = dict(zip(names, amounts, strict=True))
        return Sample(shown, "simulated", scan, tuple(crystals), truth, machine, made_with, settings)

    def _names(self, chance: random.Random) -> list[str]:
        pool = list(self.phases or USUAL)
        first = [chance.choice(self.first)] if self.first else []
        others = [name for name in pool if name not in first]
        return first + chance.sample(others, chance.choice(self.count) - len(first))

    def _amounts(self, count: int, chance: random.Random) -> list[float]:
        shares = [chance.expovariate(1.0) + 0.05 for _ in range(count)]
        spare = 100 - count * LEAST_PERCENT
        amounts = [LEAST_PERCENT + spare * share / sum(shares) for share in shares]
        if self.little is not None:
            amounts[0] = chance.uniform(*self.little)
            rest = sum(amounts[1:])
            amounts[1:] = [amount * (100 - amounts[0]) / rest for amount in amounts[1:]]
        return amounts


def _usual(chance: random.Random) -> dict[str, object]:
    """A good sample on an adjusted diffractometer."""
    return {
        "peak_counts": float(chance.choice((3_000, 10_000, 50_000))),
        "background_counts": float(chance.choice((50, 200, 400))),
        "graininess": chance.choice((0.01, 0.03)),
        "zero_deg": chance.uniform(-0.02, 0.02),
        "displacement_mm": chance.uniform(-0.05, 0.05),
    }


def simulated_scan(
    crystals: Sequence[Crystal],
    weight_percent: Sequence[float],
    instrument: Instrument,
    settings: ScanSettings,
    seed: int,
) -> Scan:
    """A scan of this mixture; the same seed gives the same scan."""
    composition = Composition(
        tuple(c.name for c in crystals), tuple(a / 100 for a in weight_percent), "weight"
    )
    generator = torch.Generator().manual_seed(seed)
    return simulate(crystals, composition, instrument, generator=generator, settings=settings).scan


def weighed_samples(data: Path) -> list[Sample]:
    """The round robin on its calibrated instrument, and the oxides (8 minutes) as their headers say."""
    cpd, dara = data / "measured" / "cpd", data / "measured" / "dara"
    return samples_of_folder(cpd, calibrated_cpd(data), None) + samples_of_folder(
        dara, None, {"scan": "8min"}
    )


def calibrated_cpd(data: Path) -> Instrument:
    """The instrument of the round robin, calibrated on its pure corundum."""
    start = generic_instrument("CuKa", monochromator_two_theta=26.6)
    standard = read_scan(data / "measured" / "cpd" / "corundum-pure.prn")
    return calibrate(standard, load_phase("corundum"), start, name="round robin").instrument


def samples_of_folder(
    folder: Path, instrument: Instrument | None, select: Mapping[str, str] | None
) -> list[Sample]:
    """Scans of a folder as `benchmark_weighed` takes it, truths scaled to 100 wt%."""
    rows = read_rows(folder, select=select)
    names = PhaseNames(folder, rows)
    samples = []
    for row in rows:
        total = sum(row.weighed.values())
        truth = {names.label(name): 100 * value / total for name, value in row.weighed.items()}
        crystals = tuple(names.crystal(name) for name in row.weighed)
        scan = read_scan(folder / row.file)
        samples.append(Sample(row.file, "weighed", scan, crystals, truth, instrument))
    return samples


def renormalised(truth: Mapping[str, float], names: Sequence[str]) -> dict[str, float]:
    """wt% among these candidates alone; 0 for those that are not in the sample, {} if none is."""
    total = sum(truth.get(name, 0.0) for name in names)
    return {name: 100 * truth.get(name, 0.0) / total for name in names} if total > 0 else {}
