"""A result said in sentences: what is in the sample, whether to rely on it, how it was found."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from mixrd.report.numbers import counted, percent, two_digits
from mixrd.warning_texts import warning_texts

if TYPE_CHECKING:
    from mixrd.analysis import AbsoluteResult, Analysis, PhaseResult

Trust = Literal["good", "doubt", "stop"]
#: Share of the counts in lines that no phase explains, and R_wp (where noise is not what makes it), above
#: which nobody says that the phases explain the scan.
_MUCH_UNEXPLAINED, _LARGE_R_WP, _NOISE_RATIO = 0.01, 0.15, 1.5
_K_ALPHA = re.compile(r"^([A-Z][a-z]?)Ka([12]?)$")


def headline(analysis: Analysis) -> str:
    """What is in the sample, in one sentence or two, for a reader who knows nothing of diffraction."""
    if analysis.status == "failed":
        return f"This scan could not be analysed: {analysis.error}"
    if analysis.statement.kind == "none":
        return f"{_capital(analysis.statement.sentence)}."
    if _stopped(analysis):
        return "This result cannot be used: none of its numbers says anything about the sample."
    if analysis.statement.kind == "presence":
        said = listed([f"{p.name}: {p.presence}" for p in analysis.phases])
        whole = f" {_of_the_whole(analysis.absolute)}" if analysis.absolute else ""
        return f"{said}.{whole} {_capital(analysis.statement.sentence)}."
    found = sorted((p for p in analysis.phases if p.detected is not False), key=_by_amount)
    missed = [p for p in analysis.phases if p.detected is False]
    return " ".join(part for part in (_contents(analysis, found), _not_found(missed)) if part)


def trust(analysis: Analysis) -> tuple[Trust, str]:
    """How far the numbers can be relied on, by the warnings that came with them."""
    if analysis.status == "failed":
        return "stop", "No fractions were found."
    if analysis.statement.kind == "none":
        return (
            "stop",
            "No amounts are stated. The fit below, and the lines that no phase explains, help to see why.",
        )
    severities = _severities(analysis)
    if "stop" in severities:
        return "stop", "Read the warnings below, mend what they name, and analyse the scan again."
    doubts = severities.count("doubt")
    if doubts:
        were = "was" if doubts == 1 else "were"
        noted = f"{counted(doubts, 'doubt')} {were} noted."
        return "doubt", f"{noted} Read below what this means before you rely on the numbers."
    if analysis.r_wp is None:
        return (
            "doubt",
            "This is a network's estimate; it was not refined, so nothing was compared with the scan "
            "line by line.",
        )
    left = _left_over(analysis)
    if left:
        return "doubt", f"No doubts were noted, but {left}: look at the plot before you rely on the numbers."
    if analysis.statement.kind == "presence":
        return "good", "No doubts were noted."
    if analysis.warnings:
        return "good", "No doubts were noted, only the remarks below."
    return "good", "No doubts were noted: the phases that were named explain the scan."


def _left_over(analysis: Analysis) -> str:
    """What the phases leave unexplained, where it is too much to say that they explain the scan."""
    share = 0.0 if analysis.unexplained is None else analysis.unexplained.share_of_counts
    if share > _MUCH_UNEXPLAINED:
        return f"{two_digits(100 * share)} % of the counts are in lines that no phase explains"
    r_wp, noise = analysis.r_wp or 0.0, analysis.r_exp or 0.0
    if r_wp > _LARGE_R_WP and r_wp > _NOISE_RATIO * noise:
        return f"the fit misses the scan by R_wp = {percent(r_wp)}"
    return ""


def methods(analysis: Analysis) -> str:
    """How the numbers were found, in the words of a paper's methods section."""
    source = analysis.provenance
    where = _range_text(analysis)
    what = "Weight fractions were determined" if analysis.fractions else "The scan was analysed"
    by = f"{what} with mixrd {source.get('mixrd', '')}".rstrip()
    beam = f" ({beam_text(source)})" if source.get("radiation") else ""
    sentences = [f"{by}{where}{beam}."]
    if any(p.network_percent is not None for p in analysis.phases):
        sentences.append(
            "A convolutional network, trained on simulated mixtures of the candidate phases on this "
            "instrument, gave the first estimate."
        )
    if analysis.r_wp is not None:
        sentences += _refinement_sentences(analysis)
    return " ".join(sentences)


def _refinement_sentences(analysis: Analysis) -> list[str]:
    freed = ["cell, crystallite size and microstrain of each phase", "zero shift", "sample displacement"]
    if analysis.background_degree is not None:
        freed.append(f"a background of Chebyshev polynomials of degree {analysis.background_degree}")
    textured = [p.name for p in analysis.phases if p.texture is not None]
    if textured:
        freed.append(f"texture of {listed(textured)} (March-Dollase)")
    freed += analysis.losses
    agreement = f"R_wp = {percent(analysis.r_wp or 0.0)}"
    if analysis.r_exp is not None:
        agreement += f", R_exp = {percent(analysis.r_exp)}"
    sentences = [
        "Whole-pattern refinement with intensities calculated from the structures listed adjusted "
        f"{listed(freed)} ({agreement})."
    ]
    if analysis.interval_level is not None and analysis.statement.kind == "amounts":
        sentences.append(
            f"Intervals ({level_text(analysis)}) rest on a jackknife over parts of the scan, with allowances "
            "for the calculated intensities and for microabsorption."
        )
    if analysis.absolute is not None and analysis.statement.kind != "none":
        whole = analysis.absolute
        sentences.append(f"Contents of {whole.whole} follow from an {whole.method}.")
    return sentences


def level_text(analysis: Analysis) -> str:
    """Level of the intervals: "90 %"."""
    return f"{100 * (analysis.interval_level or 0):.0f} %"


def listed(parts: Sequence[str]) -> str:
    """Parts as a person lists them: "a, b and c"."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def about(phase: PhaseResult) -> str:
    """A fraction as precise as it deserves: whole percent, or a decimal where it is known so well."""
    return "" if phase.weight_percent is None else _rounded(phase.weight_percent, phase.sigma_percent)


def _by_amount(phase: PhaseResult) -> float:
    return -(phase.weight_percent or 0.0)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _rounded(value: float, sigma: float | None) -> str:
    if value < 1 or (sigma is not None and sigma < 0.3):
        return f"{value:.1f} %"
    return f"{value:.0f} %"


def _contents(analysis: Analysis, found: Sequence[PhaseResult]) -> str:
    if not found:
        return "None of the phases that were looked for was found."
    if analysis.absolute is not None:
        return _of_the_whole(analysis.absolute)
    if len(analysis.phases) == 1:
        return (
            f"Only {found[0].name} was looked for, so it is all of what was counted, whatever else there is."
        )
    parts = [f"{about(p)} {p.name}" for p in found]
    start = "A network estimates that, by weight," if analysis.r_wp is None else "By weight,"
    return f"{start} the crystalline part of this sample is about {listed(parts)}."


def _of_the_whole(whole: AbsoluteResult) -> str:
    rows = sorted(whole.weight_percent.items(), key=lambda row: -row[1])
    parts = [f"{_rounded(v, whole.sigma_percent[n])} {n}" for n, v in rows if v > 0]
    rest = max(whole.amorphous_percent, 0.0)
    parts.append(f"{_rounded(rest, whole.amorphous_sigma_percent)} amorphous (glassy or not identified)")
    return f"By weight, {whole.whole} is about {listed(parts)}."


def _not_found(missed: Sequence[PhaseResult]) -> str:
    if not missed:
        return ""
    parts = [
        p.name
        if p.detection_limit_percent is None
        else f"{p.name} (it would be noticed from {two_digits(p.detection_limit_percent)} % on)"
        for p in missed
    ]
    return f"Looked for and not found: {listed(parts)}."


def _stopped(analysis: Analysis) -> bool:
    """Whether a warning says that the result cannot be used; that one candidate was not found is a result."""
    codes = {w.code for w in analysis.warnings}
    if analysis.statement.kind == "presence":
        codes.discard("NO_PHASE_FOUND")
    return any(warning_texts()[code].severity == "stop" for code in codes if code in warning_texts())


def _severities(analysis: Analysis) -> list[str]:
    """Severity of each code once; a code without a text counts as a doubt."""
    texts = warning_texts()
    codes = dict.fromkeys(w.code for w in analysis.warnings)
    return [texts[code].severity if code in texts else "doubt" for code in codes]


def _range_text(analysis: Analysis) -> str:
    limits, points = analysis.provenance.get("two_theta_range_deg"), analysis.provenance.get("points")
    if not limits or not points:
        return ""
    return f" from {points} points at 2θ = {limits[0]:.2f}-{limits[1]:.2f}°"


def beam_text(source: Mapping[str, Any]) -> str:
    """Radiation and wavelengths of a provenance: "Cu Kα, 1.54059 and 1.54443 Å"."""
    name = _K_ALPHA.sub(r"\1 Kα\2", str(source.get("radiation") or ""))
    waves = [f"{w:.5f}" for w in source.get("wavelengths_angstrom") or ()]
    return ", ".join(part for part in (name, f"{listed(waves)} Å" if waves else "") if part)
