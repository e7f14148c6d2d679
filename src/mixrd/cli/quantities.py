"""Numbers with units, alone or for a phase, as options take them: 500ms, zincite:20nm, calcite:104:0.8."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from mixrd.cli.options import load_phases
from mixrd.errors import UsageError

Axis = tuple[int, int, int]
V = TypeVar("V")
_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*([a-zµμ]*)", flags=re.IGNORECASE)


@dataclass(frozen=True)
class Quantity:
    """An option that takes a number with a unit.

    Attributes
    ----------
    option : str
        Its name, for messages.
    units : mapping
        Factor to the unit that is meant where none is written, by unit.
    example : str
        What to write.
    """

    option: str
    units: Mapping[str, float]
    example: str

    def parse(self, text: str) -> float:
        """The number in the usual unit.

        Raises
        ------
        UsageError
            If it is no number, or the unit is unknown.
        """
        if match := _NUMBER.fullmatch(text.strip()):
            factor = {"": 1.0, **self.units}.get(match[2].replace("µ", "u").replace("μ", "u"))
            if factor is not None:
                return float(match[1]) * factor
        raise UsageError(f"{self.option} cannot be {text!r}", remedy=f"Write for example {self.example}")

    def by_phase(self, parts: Sequence[str] | None) -> tuple[float | None, dict[str, float]]:
        """What `VALUE` and `PHASE:VALUE` say: the value of all phases, and those of single ones."""
        named = [_split(part) for part in parts or ()]
        alone = [self.parse(value) for name, value in named if not name]
        if len(alone) > 1:
            raise UsageError(
                f"{self.option} is given twice for all phases", remedy=f"Write for example {self.example}"
            )
        entries = [(phase_name(name), self.parse(value)) for name, value in named if name]
        return (alone[0] if alone else None), without_repeats(self.option, entries)

    def by_name(self, parts: Sequence[str] | None) -> dict[str, float]:
        """What `NAME:VALUE` say."""
        named = [_split(part) for part in parts or ()]
        return without_repeats(self.option, [(name, self.parse(value)) for name, value in named])


def _split(part: str) -> tuple[str, str]:
    """Name and value; the name may hold colons itself (a path on Windows)."""
    name, _, value = part.rpartition(":")
    return name, value


TIME = Quantity("--time", {"s": 1.0, "ms": 1e-3, "min": 60.0, "h": 3600.0}, "1s, 500ms or 2min")
DEAD_TIME = Quantity("--dead-time", {"us": 1.0, "ns": 1e-3, "ms": 1e3}, "2us")
SIZE = Quantity("--size", {"nm": 1.0, "um": 1e3}, "40nm or zincite:20nm")
PARTICLE_SIZE = Quantity("--particle-size", {"um": 1.0, "nm": 1e-3, "mm": 1e3}, "10um or zincite:5um")
MICROSTRAIN = Quantity("--microstrain", {}, "0.001 or zincite:0.002")
CORRECTION = Quantity("--correction", {}, "film_depth:0.1")


def axis_and_number(option: str, parts: Sequence[str] | None, example: str) -> dict[str, tuple[Axis, float]]:
    """Axis and number by phase of PHASE:HKL:NUMBER; indices stand together (104) or with commas (1,0,-4).

    Raises
    ------
    UsageError
        If one is written otherwise, or a phase has two.
    """
    entries = []
    for part in parts or ():
        try:
            name, indices, number = part.rsplit(":", 2)
            h, k, l = (int(x) for x in (indices.split(",") if "," in indices else indices))
            value = float(number)
        except ValueError:
            raise UsageError(f"{option} cannot be {part!r}", remedy=f"Write {example}") from None
        entries.append((phase_name(name), ((h, k, l), value)))
    return without_repeats(option, entries)


def two_numbers(option: str, text: str, example: str) -> tuple[float, float]:
    """Both numbers of A:B.

    Raises
    ------
    UsageError
        If it is written otherwise.
    """
    try:
        first, second = (float(part) for part in text.split(":"))
    except ValueError:
        raise UsageError(f"{option} cannot be {text!r}", remedy=f"Write {example}") from None
    return first, second


def phase_and_amount(part: str) -> tuple[str, float]:
    """Name and amount of a PHASE:AMOUNT; the name may hold colons itself (a path on Windows).

    Raises
    ------
    UsageError
        If it is written otherwise.
    """
    name, _, amount = part.rpartition(":")
    try:
        if name:
            return name, float(amount)
    except ValueError:
        pass
    raise UsageError(f"{part!r} is not a phase with its amount", remedy="Write for example corundum:30")


def phase_name(text: str) -> str:
    """Name of the phase that a catalog name or CIF file stands for.

    Raises
    ------
    CrystalError
        If there is none.
    """
    return load_phases([text])[0].name


def without_repeats(option: str, entries: Sequence[tuple[str, V]]) -> dict[str, V]:
    """Entries by phase.

    Raises
    ------
    UsageError
        If a phase has two.
    """
    result = dict(entries)
    for name in result:
        if sum(name == other for other, _ in entries) > 1:
            raise UsageError(f"{option} is given twice for {name}", remedy="Give it once for each phase")
    return result
