"""What the report shows of each phase: texts and lengths, ready to be set in a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mixrd.report.colours import phase_style
from mixrd.report.numbers import NOTHING, amount_text, two_digits, value_with_sigma, with_su

if TYPE_CHECKING:
    from mixrd.analysis import Analysis, PhaseResult, Statement

_CELL_SYMBOLS = "abcαβγ"


#: A row of a table: what its cells show, by name.
Row = dict[str, Any]


def phase_rows(analysis: Analysis) -> list[Row]:
    """The rows of the table of results, in the order of the candidates; none where nothing is stated."""
    stated = analysis.statement
    if stated.kind == "none":
        return []
    return [_phase_row(phase, phase_style(i)[0], stated) for i, phase in enumerate(analysis.phases)]


def whole_rows(analysis: Analysis) -> list[Row]:
    """The same of the whole sample, its amorphous part last; empty without a standard."""
    whole = analysis.absolute
    if whole is None or analysis.statement.kind == "none":
        return []
    known = {phase.name: (phase.formula, phase_style(i)[0]) for i, phase in enumerate(analysis.phases)}
    rows = [
        _whole_row(name, *known.get(name, ("", "#555555")), value, whole.sigma_percent[name])
        for name, value in whole.weight_percent.items()
    ]
    rest = _whole_row("amorphous", "", "#8a8a8a", whole.amorphous_percent, whole.amorphous_sigma_percent)
    return [*rows, rest]


def opinion_rows(analysis: Analysis) -> list[Row]:
    """What another program finds beside our refinement; empty where none was asked or none answered.

    Ours is before microabsorption is corrected, which no other program does. Empty, too, where no amounts
    are stated. The difference is in combined standard uncertainties.
    """
    opinion = analysis.second_opinion
    if opinion is None or analysis.statement.kind != "amounts":
        return []
    theirs, sigmas = opinion.weight_percent, opinion.sigma_percent
    return [
        {
            "name": p.name,
            "ours": NOTHING
            if p.apparent_percent is None
            else value_with_sigma(p.apparent_percent, p.sigma_percent),
            "theirs": value_with_sigma(theirs[p.name], sigmas.get(p.name)),
            "difference": f"{opinion.differences[p.name]:+.1f}",
        }
        for p in analysis.phases
        if p.name in theirs
    ]


def structure_rows(analysis: Analysis) -> list[Row]:
    """The structures that intensities were calculated from; empty for results that do not hold them."""
    structures: dict[str, dict[str, Any]] = analysis.provenance.get("structures") or {}
    return [
        {
            "name": name,
            "space_group": str(data.get("space_group", "")),
            "source": str(data.get("source", "")),
            "displacement": _displacement(data),
            "notes": [str(note) for note in data.get("notes", ())],
        }
        for name, data in structures.items()
    ]


def crystal_rows(analysis: Analysis) -> list[Row]:
    """Cells, sizes, texture, density and attenuation of each phase, for the crystallographer."""
    stated = analysis.statement.kind == "amounts"
    return [_crystal_row(phase, amounts=stated) for phase in analysis.phases]


def _phase_row(phase: PhaseResult, colour: str, stated: Statement) -> Row:
    low, high = phase.interval_percent or (None, None)
    limit = phase.detection_limit_percent if stated.kind == "amounts" else None
    return {
        "name": phase.name,
        "formula": phase.formula,
        "colour": colour,
        "amount": amount_text(phase, stated),
        "interval": "" if low is None or high is None else f"{low:.1f} to {high:.1f}",
        "limit": "" if limit is None else two_digits(limit),
        "network": "" if phase.network_percent is None else f"{phase.network_percent:.1f}",
        "bar": _bar(phase.weight_percent, low, high),
    }


def _whole_row(name: str, formula: str, colour: str, value: float, sigma: float) -> Row:
    amount, bar = value_with_sigma(value, sigma), _bar(value, value - sigma, value + sigma)
    return {"name": name, "formula": formula, "colour": colour, "amount": amount, "bar": bar}


def _bar(length: float | None, low: float | None, high: float | None) -> dict[str, float]:
    """A bar from 0 to `length` with an interval from `low` to `high`, in percent of the axis."""
    return {"length": _on_axis(length), "low": _on_axis(low), "high": _on_axis(high)}


def _on_axis(value: float | None) -> float:
    """A percentage kept between the ends of the axis; nothing (or no number) is 0."""
    return 0.0 if value is None or value != value else round(min(max(value, 0.0), 100.0), 2)


def _crystal_row(phase: PhaseResult, *, amounts: bool) -> Row:
    texture, quantified = phase.texture, phase.quantification_limit_percent if amounts else None
    along = "" if texture is None else " ".join(map(str, texture.axis))
    return {
        "name": phase.name,
        "formula": phase.formula,
        "cell": [] if phase.cell is None else _cell_lines(phase.cell, phase.cell_sigma),
        "size": _size(phase),
        "microstrain": "" if phase.microstrain is None else f"{1e4 * phase.microstrain:.1f}",
        "texture": "" if texture is None else f"r = {with_su(texture.r, texture.sigma)} along {along}",
        "density": f"{phase.density_g_cm3:.3f}",
        "attenuation": _number(phase.linear_attenuation_per_mm),
        "mass_attenuation": _number(phase.mass_attenuation_cm2_g),
        "quantified_from": "" if quantified is None else two_digits(quantified),
    }


def _cell_lines(cell: tuple[float, ...], sigma: tuple[float, ...] | None) -> list[str]:
    """Edges that differ and angles that are not 90 or 120 degrees, each with its uncertainty."""
    uncertain = sigma or (None,) * len(cell)
    lines = []
    for symbol, value, su in zip(_CELL_SYMBOLS, cell, uncertain, strict=True):
        if symbol in "abc":
            if symbol == "a" or abs(value - cell[0]) > 5e-5:
                lines.append(f"{symbol} = {with_su(value, su)} Å")
        elif su or min(abs(value - 90), abs(value - 120)) > 5e-3:
            lines.append(f"{symbol} = {with_su(value, su)}°")
    return lines


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
