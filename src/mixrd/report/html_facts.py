"""What the report says of agreement, assumptions and origin, as labels and texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mixrd.report.numbers import percent, two_digits
from mixrd.report.sentences import beam_text, listed

if TYPE_CHECKING:
    from mixrd.analysis import Analysis

_POWDERS = {
    "by-hand": "ground by hand",
    "mccrone": "from a micronising mill",
    "as-received": "that was not ground",
}
_SLITS = {"fixed": "fixed divergence slit", "automatic": "automatic divergence slit (constant length)"}


@dataclass(frozen=True)
class Fact:
    """A label, its value, and what it means (may be empty)."""

    label: str
    value: str
    meaning: str = ""


def agreement(analysis: Analysis) -> tuple[Fact, ...]:
    """Agreement factors of the refinement and what they mean."""
    if analysis.r_wp is None:
        return ()
    facts = [
        Fact("R_wp", percent(analysis.r_wp), "Weighted misfit of the calculated to the measured pattern.")
    ]
    if analysis.r_exp:
        facts += [
            Fact("R_exp", percent(analysis.r_exp), "What counting noise alone would leave of it."),
            Fact(
                "R_wp / R_exp",
                f"{analysis.r_wp / analysis.r_exp:.2f}",
                "1 is a fit down to the noise; above 5 is a warning. Long scans have larger values: their "
                "noise is small. R factors judge the fit of the whole pattern, not the fractions.",
            ),
        ]
    return tuple(facts)


def machine(analysis: Analysis) -> tuple[Fact, ...]:
    """Radiation and instrument, which the scans of a batch mostly share."""
    source = analysis.provenance
    return tuple(fact for fact in (*_beam(source), *_instrument(source)) if fact.value)


def conditions(analysis: Analysis) -> tuple[Fact, ...]:
    """What was taken as given of this scan, and what the refinement freed beyond the phases."""
    source = analysis.provenance
    facts = _range(source)
    if analysis.r_wp is not None:
        facts += [_background(analysis), _shift(analysis), _texture(analysis), _low_angles(analysis)]
    facts += _preparation(source.get("preparation"), refined=analysis.r_wp is not None)
    return tuple(fact for fact in facts if fact.value)


def origin(analysis: Analysis) -> tuple[Fact, ...]:
    """Where the result comes from: hashes, versions, seed, times."""
    source = analysis.provenance
    reader = " ".join(str(source[k]) for k in ("scan_format", "scan_reader") if source.get(k))
    facts = [
        Fact("scan", analysis.file),
        Fact("SHA-256 of the scan", str(source.get("scan_sha256") or "")),
        Fact("read as", reader),
        Fact("SHA-256 of the network", str(source.get("model_sha256") or "no network")),
        Fact("seed of the network", "" if source.get("seed") is None else str(source["seed"])),
        Fact("versions", ", ".join(f"{k} {source[k]}" for k in ("mixrd", "torch") if source.get(k))),
        Fact(
            "time", ", ".join(f"{k} {two_digits(v)} s" for k, v in analysis.seconds.items() if v is not None)
        ),
    ]
    return tuple(fact for fact in facts if fact.value)


def _beam(source: Mapping[str, Any]) -> list[Fact]:
    return [Fact("radiation", beam_text(source))]


def _instrument(source: Mapping[str, Any]) -> list[Fact]:
    settings: Mapping[str, Any] = source.get("instrument_settings") or {}
    geometry: Mapping[str, Any] = settings.get("geometry") or {}
    profile: Mapping[str, Any] = settings.get("profile") or {}
    parts = [str(source.get("instrument") or "")]
    if geometry:
        angle = geometry.get("monochromator_two_theta") or 0.0
        parts.append(f"radius {geometry['goniometer_radius_mm']:g} mm")
        parts.append(
            f"monochromator at 2θ = {angle:g}° ({geometry['monochromator_position']} beam)"
            if angle
            else "no monochromator"
        )
        parts.append(_SLITS.get(str(geometry["divergence_slit"]), ""))
    terms = ", ".join(f"{k.upper() if k != 'sh_l' else '(S + H)/L'} {v:.3g}" for k, v in profile.items())
    return [
        Fact("instrument", "; ".join(part for part in parts if part), str(settings.get("note") or "")),
        Fact("instrument's profile", terms, "U, V, W in deg², X, Y in deg; (S + H)/L axial divergence."),
    ]


def _range(source: Mapping[str, Any]) -> list[Fact]:
    limits = source.get("two_theta_range_deg")
    if not limits:
        return []
    points = f", {source['points']} points" if source.get("points") else ""
    return [Fact("range used", f"2θ {limits[0]:.2f} to {limits[1]:.2f}°{points}")]


def _background(analysis: Analysis) -> Fact:
    degree = analysis.background_degree
    text = "" if degree is None else f"Chebyshev polynomials of degree {degree}"
    return Fact("background", text, "The degree is chosen by the data (Bayesian information criterion).")


def _shift(analysis: Analysis) -> Fact:
    parts = []
    if analysis.zero_deg is not None:
        parts.append(f"zero {analysis.zero_deg:+.4f}°")
    if analysis.displacement_mm is not None:
        parts.append(f"sample displacement {analysis.displacement_mm:+.4f} mm")
    return Fact("line shift, refined", ", ".join(parts))


def _texture(analysis: Analysis) -> Fact:
    names = [p.name for p in analysis.phases if p.texture is not None]
    return Fact("texture", f"refined for {listed(names)} (March-Dollase)" if names else "none was called for")


def _low_angles(analysis: Analysis) -> Fact:
    return Fact("losses at low angles", "; ".join(analysis.losses.values()) or "none was called for")


def _microabsorption(said: Mapping[str, Any]) -> str:
    if said.get("particle_size_um") is not None:
        return f"corrected after Brindley for particles of {said['particle_size_um']:g} µm"
    powder = _POWDERS.get(str(said.get("grinding")))
    if powder is None:
        return "mean over likely sizes of particles, which are not known; the intervals allow for them"
    return f"mean over sizes of particles that are likely in a powder {powder}; the intervals allow for them"


def _preparation(said: Mapping[str, Any] | None, *, refined: bool) -> list[Fact]:
    """What the user said of the sample; None where the result does not know."""
    if said is None or not refined:
        return []
    facts = [Fact("microabsorption", _microabsorption(said))]
    standard = said.get("standard")
    if standard:
        facts.append(
            Fact(
                "internal standard", f"{standard['phase']}, {standard['weight_percent']:g} wt% of the mixture"
            )
        )
    if said.get("external_constant") is not None:
        rest = said.get("amorphous_formula") or "taken to absorb as the crystalline phases do"
        value = f"constant of the instrument {said['external_constant']:.4g}; amorphous part: {rest}"
        facts.append(Fact("external standard", value))
    if said.get("excluded_deg"):
        regions = ", ".join(f"2θ {low:g} to {high:g}°" for low, high in said["excluded_deg"])
        facts.append(Fact("left out of the fit", regions))
    if said.get("humps"):
        facts.append(Fact("amorphous humps fitted", listed([str(name) for name in said["humps"]])))
    return facts
