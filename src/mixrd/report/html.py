"""The report: one HTML file of an analysis or a batch that needs nothing from outside."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup, escape

from mixrd.report import html_facts, html_phases, sentences
from mixrd.report.html_batch import Batch, batch_of
from mixrd.report.numbers import counted, two_digits
from mixrd.warning_texts import WarningText, warning_texts

if TYPE_CHECKING:
    from mixrd.analysis import Analysis
    from mixrd.report.plot import IntensityScale

#: A batch's report shows the plots of so many scans and no more, so that it stays small enough to be opened.
MOST_PLOTS = 20
#: The paper whose method mixrd started from; a test holds it against CITATION.cff.
PAPER = {
    "text": "Höfer, H. H., Orth, A., Schweidler, S., Breitung, B., Aghassi-Hagmann, J. & Reischl, M. (2024). "
    "Quantitative Convolutional Neural Network Based Multi-Phase XRD Pattern Analysis. Current Directions in "
    "Biomedical Engineering.",
    "link": "https://doi.org/10.1515/cdbme-2024-2075",
}
_INDEX = re.compile(r"(?<=[A-Za-z)\]])(\d+(?:\.\d+)?)")
_R_FACTOR = re.compile(r"\bR_(wp|exp)\b")


def analysis_report(
    results: Sequence[tuple[str, Analysis]],
    *,
    title: str | None = None,
    date: str | None = None,
    plots: Mapping[str, bytes] | None = None,
    scale: IntensityScale = "sqrt",
) -> str:
    """The report as the text of an HTML file.

    Parameters
    ----------
    results : sequence of (name, Analysis)
        One analysis, or several: a batch. The sequence is walked through twice and may load each result
        when it is asked for. Curves may be there or not.
    title : str, optional
        Default the scan's name, or the number of scans.
    date : str, optional
        Printed as it is; default none.
    plots : mapping of name to PNG, optional
        Pictures that exist already (`plot_analysis`); a result with curves that is not among them is drawn.
        A batch shows the first `MOST_PLOTS`.
    scale : "linear" or "sqrt"
        Of plots that are drawn.

    Raises
    ------
    ValueError
        If there is no result.
    """
    if not results:
        raise ValueError("a report needs at least one result")
    page = environment().get_template("report.html")
    batch, shared, version = _together(results) if len(results) > 1 else (None, None, "")
    version = version or _version(results)
    return page.render(
        title=title or (results[0][0] if batch is None else counted(len(results), "scan")),
        date=date,
        batch=batch,
        scans=_pages(results, plots or {}, scale, shared),
        common=shared,
        explained=_explained(batch),
        most_plots=MOST_PLOTS,
        citations=(
            {"text": f"mixrd contributors. mixrd, version {version} [computer software].", "link": ""},
            PAPER,
        ),
        version=version,
    )


def _pages(
    results: Sequence[tuple[str, Analysis]],
    plots: Mapping[str, bytes],
    scale: IntensityScale,
    shared: Mapping[str, Any] | None,
) -> Iterator[dict[str, Any]]:
    """All that is shown of each scan, one after the other: what has been set in the page can be forgotten."""
    left = MOST_PLOTS
    texts = warning_texts()
    for number, (name, analysis) in enumerate(results, 1):
        picture = _picture(name, analysis, plots, scale) if left else None
        left -= picture is not None
        yield {
            "number": number,
            "name": name,
            "analysis": analysis,
            "headline": sentences.headline(analysis),
            "trust": sentences.trust(analysis),
            "phases": html_phases.phase_rows(analysis),
            "whole": html_phases.whole_rows(analysis),
            "warnings": [{**vars(w), "text": texts.get(w.code)} for w in analysis.warnings],
            "agreement": html_facts.agreement(analysis),
            "assumptions": (() if shared else html_facts.machine(analysis)) + html_facts.conditions(analysis),
            "origin": html_facts.origin(analysis),
            "crystals": html_phases.crystal_rows(analysis),
            "structures": html_phases.structure_rows(analysis),
            "opinion": html_phases.opinion_rows(analysis),
            "methods": sentences.methods(analysis),
            "level": sentences.level_text(analysis) if analysis.interval_level else "",
            "plot": picture,
        }


def _together(results: Sequence[tuple[str, Analysis]]) -> tuple[Batch, dict[str, Any] | None, str]:
    """The batch, what its scans share (None where instrument or structures differ), and the version."""
    found: list[dict[str, Any]] = []
    versions: list[str] = []

    def seen() -> Iterator[tuple[str, Analysis]]:
        for name, analysis in results:
            if analysis.status == "ok":
                machine, structures = html_facts.machine(analysis), html_phases.structure_rows(analysis)
                own = {"assumptions": machine, "structures": structures}
                found.extend([own] if own not in found else [])
                versions.append(str(analysis.provenance.get("mixrd") or ""))
            yield name, analysis

    batch = batch_of(seen())
    return batch, found[0] if len(found) == 1 else None, next(filter(None, versions), "")


def _version(results: Sequence[tuple[str, Analysis]]) -> str:
    """Version that made the results, else this one."""
    from mixrd import __version__

    return next((str(a.provenance["mixrd"]) for _, a in results if a.provenance.get("mixrd")), __version__)


def _picture(name: str, analysis: Analysis, plots: Mapping[str, bytes], scale: IntensityScale) -> str | None:
    """The plot as the address of an image that holds its own data."""
    png = plots.get(name)
    if png is None and analysis.curves is not None:
        from mixrd.report.plot import analysis_png

        png = analysis_png(analysis, scale=scale)
    return None if png is None else f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"


def _explained(batch: Batch | None) -> tuple[tuple[WarningText, int], ...]:
    """What the codes of a batch mean, once each, with the number of scans."""
    texts = warning_texts()
    return () if batch is None else tuple((texts[c], n) for c, n in batch.codes if c in texts)


@cache
def environment() -> jinja2.Environment:
    """Where templates are found, and how they are filled in."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("mixrd.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    made.filters |= {"marked": _marked, "formula": _formula, "two_digits": two_digits}
    return made


def _marked(text: str) -> Markup:
    """Text with what stands between backticks set as code, and R_wp with its index; the rest is escaped."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part)
        if i % 2
        else Markup(_R_FACTOR.sub(r"R<sub>\1</sub>", str(escape(part))))
        for i, part in enumerate(parts)
    )


def _formula(text: str) -> Markup:
    """A chemical formula with its numbers as indices."""
    return Markup(_INDEX.sub(r"<sub>\1</sub>", str(escape(text))))
