"""Results as tables for the terminal; nothing is calculated here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from mixrd.report.numbers import (
    NOT_REFINED,
    agreement_text,
    amount_text,
    cell_text,
    codes_text,
    percent,
    phase_names,
    two_digits,
    value_with_sigma,
)
from mixrd.report.sentences import level_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mixrd.analysis import Analysis, AnalysisWarning, Calibration, PhaseResult
    from mixrd.analysis.result.second_opinion import SecondOpinion
    from mixrd.experiments.catalog_check import EntryCheck, StrongestLine
    from mixrd.pattern import Instrument
    from mixrd.phases import CatalogEntry


def new_table(*columns: str, right: Iterable[str] = (), title: str | None = None) -> Table:
    """An empty table in the house's style; the columns in `right` are flush right."""
    table = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        title=title,
        title_justify="left",
        title_style="bold",
    )
    flush_right = set(right)
    for column in columns:
        table.add_column(column, justify="right" if column in flush_right else "left", overflow="fold")
    return table


def analysis_table(analysis: Analysis) -> Table:
    """Weight fractions of one scan, with cells and sizes where they were refined.

    The network's estimate stands beside the answer where there is one, the refinement's where it is not
    the answer. Where no amounts are stated there are none; `statement_lines` says why.
    """
    phases, stated = analysis.phases, analysis.statement
    refined = any(p.refined_percent is not None for p in phases)
    with_network = refined and any(p.network_percent is not None for p in phases)
    with_refined = any(p.refined_percent not in (None, p.weight_percent) for p in phases)
    with_interval = any(p.interval_percent for p in phases)
    columns = ["phase", *{"amounts": ["wt%"], "presence": ["presence"], "none": []}[stated.kind]]
    columns += [f"{level_text(analysis)} interval"] if with_interval else []
    columns += ["network"] if with_network else []
    columns += ["refined"] if with_refined else []
    columns += ["cell", "size (nm)"] if any(p.cell for p in phases) else []
    table = new_table(*columns, right=columns[1:-2] if "cell" in columns else columns[1:])
    for phase in phases:
        row = [phase.name, *([] if stated.kind == "none" else [amount_text(phase, stated)])]
        row += ["-".join(f"{end:.2f}" for end in phase.interval_percent or ())] if with_interval else []
        row += [_number(phase.network_percent)] if with_network else []
        row += [_number(phase.refined_percent)] if with_refined else []
        if "cell" in columns:
            row += ["" if phase.cell is None else cell_text(phase.cell), _size(phase)]
        table.add_row(*row)
    return table


def truth_table(analysis: Analysis, truth_percent: Mapping[str, float]) -> Table:
    """Weight fractions beside those that are known."""
    table = new_table("phase", "true wt%", "network", "found wt%", right=("true wt%", "network", "found wt%"))
    for phase in analysis.phases:
        found = amount_text(phase, analysis.statement)
        table.add_row(
            phase.name, _number(truth_percent.get(phase.name)), _number(phase.network_percent), found
        )
    return table


def statement_lines(analysis: Analysis) -> list[Text]:
    """What stands above the table where no amounts are stated: that, and why."""
    said = analysis.statement.sentence
    return [Text(said, style="bold red" if analysis.statement.kind == "none" else "bold")] if said else []


def analysis_lines(analysis: Analysis) -> list[Text]:
    """What stands below the table: agreement, time and warnings."""
    parts = [agreement_text(analysis.r_wp, analysis.r_exp) or NOT_REFINED]
    if analysis.zero_deg is not None:
        parts.append(f"zero {analysis.zero_deg:+.3f}°")
    if analysis.displacement_mm is not None:
        parts.append(f"displacement {analysis.displacement_mm:+.3f} mm")
    times = [f"{name} {two_digits(s)} s" for name, s in analysis.seconds.items() if s is not None]
    parts += [" + ".join(times)] if times else []
    lines = [Text(", ".join(parts)), *_whole_lines(analysis)]
    if analysis.second_opinion is not None and analysis.statement.kind == "amounts":
        lines.append(Text(opinion_line(analysis.second_opinion)))
    return [*lines, *(warning_line(w) for w in analysis.warnings)]


def _whole_lines(analysis: Analysis) -> list[Text]:
    """What is said of the whole sample, its amorphous part included."""
    lines = []
    whole = analysis.absolute
    if whole is not None and analysis.statement.kind != "none":
        rows = [
            f"{name} {value_with_sigma(value, whole.sigma_percent[name])}"
            for name, value in whole.weight_percent.items()
        ]
        rest = value_with_sigma(whole.amorphous_percent, whole.amorphous_sigma_percent)
        lines.append(Text(f"wt% of {whole.whole} ({whole.method}): {', '.join(rows)}, amorphous {rest}"))
    for name, share in (analysis.hump_shares or {}).items():
        lines.append(Text(f"{name}: {percent(share)} of the counts above the background (not of the weight)"))
    return lines


def opinion_line(opinion: SecondOpinion) -> str:
    """What another program says, and how far from us."""
    who = f"{opinion.program} {opinion.version}"
    if not opinion.weight_percent:
        return f"{who}: no usable answer ({opinion.remark})"
    rows = []
    for name, value in opinion.weight_percent.items():
        sigma = opinion.sigma_percent.get(name)
        stated = f"{value:.1f}" if sigma is None else value_with_sigma(value, sigma)
        rows.append(f"{name} {stated} ({opinion.differences[name]:+.1f} σ)")
    return f"{who} says, wt% (difference in combined uncertainties): {', '.join(rows)}"


def warning_line(warning: AnalysisWarning) -> Text:
    """A warning with its code first."""
    where = f" ({warning.phase})" if warning.phase else ""
    return Text.assemble((f"{warning.code}{where}", "bold yellow"), f": {warning.message}")


def batch_table(analyses: Sequence[tuple[str, Analysis]]) -> Table:
    """One line for each (label, scan): weight fractions, R_wp, codes of warnings; failures say why."""
    names = phase_names(a for _, a in analyses)
    table = new_table("scan", *names, "R_wp", "notes", right=[*names, "R_wp"])
    for scan, analysis in analyses:
        if analysis.status == "failed":
            note = Text(f"failed: {analysis.error}", style="red")
            table.add_row(scan, *[""] * len(names), "", note)
            continue
        found = {p.name: amount_text(p, analysis.statement) for p in analysis.phases}
        codes = Text(codes_text(analysis))
        agreement = "" if analysis.r_wp is None else percent(analysis.r_wp)
        why = statement_lines(analysis)
        notes = Text("; ").join([*why, *([codes] if codes.plain else [])])
        table.add_row(scan, *(found.get(n, "") for n in names), agreement, notes)
    return table


def catalog_table(entries: Sequence[CatalogEntry]) -> Table:
    """Phases of the catalog."""
    table = new_table("phase", "formula", "space group", "cell", "g/cm³", "source", right=["g/cm³"])
    for entry in entries:
        crystal = entry.crystal
        table.add_row(
            entry.name,
            entry.formula,
            crystal.space_group,
            cell_text(crystal.cell),
            f"{crystal.density_g_cm3:.3f}",
            crystal.source,
        )
    return table


def catalog_check_table(results: Sequence[EntryCheck]) -> Table:
    """Each entry against its second determination."""
    table = new_table(
        "phase", "density", "second", "I/Ic", "second", "verdict", right=["density", "second", "I/Ic"]
    )
    for result in results:
        verdict = Text("passes", "green") if result.passed else Text("; ".join(result.reasons), "red")
        table.add_row(
            result.name,
            f"{result.density:.3f}",
            _number(result.density_second, 3),
            f"{result.i_over_ic:.2f}",
            _number(result.i_over_ic_second),
            verdict,
        )
    return table


def i_over_ic_table(lines: Sequence[StrongestLine]) -> Table:
    """I/I_corundum of phases, with the line that it is of."""
    table = new_table(
        "phase", "formula", "d (Å)", "2θ (°)", "I/Ic", "g/cm³", right=["d (Å)", "2θ (°)", "I/Ic", "g/cm³"]
    )
    for line in lines:
        table.add_row(
            line.name,
            line.formula,
            f"{line.d_spacing:.3f}",
            f"{line.two_theta:.2f}",
            f"{line.i_over_ic:.2f}",
            f"{line.density:.3f}",
        )
    return table


def instruments_table(instruments: Sequence[tuple[str, Instrument]]) -> Table:
    """Instruments by the name under which they are found."""
    table = new_table("name", "radiation", "monochromator", "radius", "range", "description")
    for name, instrument in instruments:
        angle = instrument.monochromator_two_theta
        low, high = instrument.two_theta_range
        table.add_row(
            name,
            instrument.radiation.name,
            f"{angle:g}°" if angle else "none",
            f"{instrument.goniometer_radius_mm:g} mm",
            f"{low:g}-{high:g}°",
            instrument.name,
        )
    return table


def calibration_table(calibration: Calibration) -> Table:
    """Profile terms of a calibrated instrument and how well they fit."""
    p = calibration.instrument.profile
    table = new_table("term", "value", "unit", right=["value"])
    for name, unit in (("u", "deg²"), ("v", "deg²"), ("w", "deg²"), ("x", "deg"), ("y", "deg")):
        table.add_row(name.upper(), f"{getattr(p, name):.5f}", unit)
    table.add_row("(S + H)/L", f"{p.sh_l:.5f}", "")
    table.add_row("zero", f"{calibration.zero_deg:+.4f}", "deg")
    table.add_row("displacement", f"{calibration.displacement_mm:+.4f}", "mm")
    table.add_row("R_wp", percent(calibration.r_wp), "")
    table.add_row("R_exp", percent(calibration.r_exp), "")
    return table


def _number(value: float | None, decimals: int = 2) -> str:
    return "" if value is None else f"{value:.{decimals}f}"


def _size(phase: PhaseResult) -> str:
    if phase.crystallite_size_nm is None:
        return "no broadening" if phase.cell is not None else ""
    return f"{phase.crystallite_size_nm:.0f}"
