"""What the report shows of each phase: texts and lengths, ready to be set in a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mixrd.report.colours import phase_style
from mixrd.report.numbers import NOTHING, amount_text, two_digits, value_with_sigma, with_su

if TYPE_CHECKING:
    from mixrd.analysis import Analysis, PhaseResult, Statement

_CELL_SYMBOLS = ("a", "b", "c", "α", "β", "γ")
_EDGES = 3


@dataclass(frozen=True)
class Bar:
    """A bar from 0 to `length` with an interval from `low` to `high`, in percent of the axis."""

    length: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class PhaseRow:
    """A phase in the table of results."""

    name: str
    formula: str
    colour: str
    amount: str
    interval: str
    limit: str
    network: str
    bar: Bar


@dataclass(frozen=True)
class CrystalRow:
    """A phase for the crystallographer."""

    name: str
    formula: str
    cell: tuple[str, ...]
    size: str
    microstrain: str
    texture: str
    density: str
    attenuation: str
    mass_attenuation: str
    quantified_from: str


@dataclass(frozen=True)
class StructureRow:
    """Where a structure is from."""

    name: str
    space_group: str
    source: str
    displacement: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class OpinionRow:
    """A phase as two programs find it, and how far apart in combined standard uncertainties."""

    name: str
    ours: str
    theirs: str
    difference: str


def phase_rows(analysis: Analysis) -> tuple[PhaseRow, ...]:
    """The rows of the table of results, in the order of the candidates; none where nothing is stated."""
    stated = analysis.statement
    if stated.kind == "none":
        return ()
    return tuple(_phase_row(phase, phase_style(i)[0], stated) for i, phase in enumerate(analysis.phases))


def whole_rows(analysis: Analysis) -> tuple[PhaseRow, ...]:
    """The same of the whole sample, its amorphous part last; empty without a standard."""
    whole = analysis.absolute
    if whole is None or analysis.statement.kind == "none":
        return ()
    colours = {phase.name: phase_style(i)[0] for i, phase in enumerate(analysis.phases)}
    formulas = {phase.name: phase.formula for phase in analysis.phases}
    rows = [
        _whole_row(
            name, formulas.get(name, ""), colours.get(name, "#555555"), value, whole.sigma_percent[name]
        )
        for name, value in whole.weight_percent.items()
    ]
    rest = _whole_row("amorphous", "", "#8a8a8a", whole.amorphous_percent, whole.amorphous_sigma_percent)
    return (*rows, rest)


def crystal_rows(analysis: Analysis) -> tuple[CrystalRow, ...]:
    """Cells, sizes, texture, density and attenuation."""
    stated = analysis.statement.kind == "amounts"
    return tuple(_crystal_row(phase, amounts=stated) for phase in analysis.phases)


def opinion_rows(analysis: Analysis) -> tuple[OpinionRow, ...]:
    """What another program finds beside our refinement; empty where none was asked or none answered.

    Ours is before microabsorption is corrected, which no other program does. Empty, too, where no amounts
    are stated.
    """
    opinion = analysis.second_opinion
    if opinion is None or analysis.statement.kind != "amounts":
        return ()
    phases = [phase for phase in analysis.phases if phase.name in opinion.weight_percent]
    return tuple(
        OpinionRow(
            phase.name,
            NOTHING
            if phase.apparent_percent is None
            else value_with_sigma(phase.apparent_percent, phase.sigma_percent),
            value_with_sigma(opinion.weight_percent[phase.name], opinion.sigma_percent.get(phase.name)),
            f"{opinion.differences[phase.name]:+.1f}",
        )
        for phase in phases
    )


def structure_rows(analysis: Analysis) -> tuple[StructureRow, ...]:
    """The structures that intensities were calculated from; empty for results that do not hold them."""
    structures: dict[str, dict[str, Any]] = analysis.provenance.get("structures") or {}
    return tuple(
        StructureRow(
            name,
            str(data.get("space_group", "")),
            str(data.get("source", "")),
            _displacement(data),
            tuple(str(note) for note in data.get("notes", ())),
        )
        for name, data in structures.items()
    )


def _phase_row(phase: PhaseResult, colour: str, stated: Statement) -> PhaseRow:
    low, high = phase.interval_percent or (None, None)
    limit = phase.detection_limit_percent if stated.kind == "amounts" else None
    return PhaseRow(
        name=phase.name,
        formula=phase.formula,
        colour=colour,
        amount=amount_text(phase, stated),
        interval="" if low is None or high is None else f"{low:.1f} to {high:.1f}",
        limit="" if limit is None else two_digits(limit),
        network="" if phase.network_percent is None else f"{phase.network_percent:.1f}",
        bar=Bar(_on_axis(phase.weight_percent), *(_on_axis(x) for x in (low, high))),
    )


def _whole_row(name: str, formula: str, colour: str, value: float, sigma: float) -> PhaseRow:
    text = value_with_sigma(value, sigma)
    bar = Bar(_on_axis(value), _on_axis(value - sigma), _on_axis(value + sigma))
    return PhaseRow(name, formula, colour, text, "", "", "", bar)


def _on_axis(value: float | None) -> float:
    """A percentage kept between the ends of the axis; nothing (or no number) is 0."""
    return 0.0 if value is None or value != value else round(min(max(value, 0.0), 100.0), 2)


def _crystal_row(phase: PhaseResult, *, amounts: bool) -> CrystalRow:
    texture, quantified = phase.texture, phase.quantification_limit_percent if amounts else None
    return CrystalRow(
        name=phase.name,
        formula=phase.formula,
        cell=() if phase.cell is None else _cell_lines(phase.cell, phase.cell_sigma),
        size=_size(phase),
        microstrain="" if phase.microstrain is None else f"{1e4 * phase.microstrain:.1f}",
        texture=""
        if texture is None
        else f"r = {with_su(texture.r, texture.sigma)} along {' '.join(map(str, texture.axis))}",
        density=f"{phase.density_g_cm3:.3f}",
        attenuation=_number(phase.linear_attenuation_per_mm),
        mass_attenuation=_number(phase.mass_attenuation_cm2_g),
        quantified_from="" if quantified is None else two_digits(quantified),
    )


def _cell_lines(cell: tuple[float, ...], sigma: tuple[float, ...] | None) -> tuple[str, ...]:
    """Edges that differ and angles that are not 90 or 120 degrees, each with its uncertainty."""
    uncertain = sigma or (None,) * len(cell)
    lines = []
    for i, (symbol, value, su) in enumerate(zip(_CELL_SYMBOLS, cell, uncertain, strict=True)):
        if i < _EDGES:
            if i == 0 or abs(value - cell[0]) > 5e-5:
                lines.append(f"{symbol} = {with_su(value, su)} Å")
        elif su or min(abs(value - 90), abs(value - 120)) > 5e-3:
            lines.append(f"{symbol} = {with_su(value, su)}°")
    return tuple(lines)


def _size(phase: PhaseResult) -> str:
    if phase.crystallite_size_nm is None:
        return "" if phase.cell is None else "not broadened"
    return with_su(phase.crystallite_size_nm, phase.crystallite_size_sigma_nm)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _displacement(data: dict[str, Any]) -> str:
    low, high = data.get("b_angstrom2") or (None, None)
    if low is None or high is None:
        return ""
    kind = " (anisotropic)" if data.get("anisotropic") else ""
    span = f"{low:.2f}" if abs(high - low) < 5e-3 else f"{low:.2f} to {high:.2f}"
    return f"{span}{kind}"
