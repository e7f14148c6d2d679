"""The beam in the headers of XRDML, BRML and RASX files."""

from __future__ import annotations

from typing import Literal
from xml.etree.ElementTree import Element

from mixrd.scan.containers import child, descendant, local_name, text_of
from mixrd.scan.headers import element_symbol, number, positive, soller_opening
from mixrd.scan.optics import (
    Monochromator,
    Optics,
    is_nothing,
    primary_monochromator,
    secondary_monochromator,
)

_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


def xrdml_optics(measurement: Element) -> Optics:
    """What an <xrdMeasurement> says of its beam."""
    incident, diffracted = (child(measurement, f"{side}BeamPath") for side in ("incident", "diffracted"))
    ratio = number(text_of(child(measurement, "usedWavelength", "ratioKAlpha2KAlpha1")))
    slit = child(incident, "divergenceSlit")
    kind = "" if slit is None else (slit.get(_TYPE) or slit.get("type") or "").lower()
    divergence: Literal["fixed", "automatic"] | None = None
    if "automatic" in kind or (slit is not None and child(slit, "irradiatedLength") is not None):
        divergence = "automatic"
    elif slit is not None:
        divergence = "fixed"
    filters = [
        text_of(child(part, "material")) or part.get("name")
        for path in (incident, diffracted)
        for part in (path if path is not None else ())
        if local_name(part) == "filter"
    ]
    mirror = child(incident, "xRayMirror")
    return Optics(
        kalpha2_ratio=ratio if ratio is not None and 0 <= ratio <= 1 else None,
        primary=_xrdml_monochromator(incident),
        secondary=_xrdml_secondary(diffracted),
        beta_filter=next((element_symbol(name) or name for name in filters if name), None),
        mirror=None if mirror is None else mirror.get("name"),
        soller_rad=(_xrdml_soller(incident), _xrdml_soller(diffracted)),
        divergence_slit=divergence,
        divergence_deg=positive(text_of(child(slit, "angle"))) if divergence == "fixed" else None,
    )


def _xrdml_monochromator(path: Element | None) -> Monochromator | None:
    part = child(path, "monochromator")
    if part is None:
        return None
    indices = [text_of(child(part, "hkl", index)) for index in "hkl"]
    return primary_monochromator(
        part.get("name") or "without a name",
        crystal=text_of(child(part, "crystal")),
        planes="".join(i for i in indices if i) if all(indices) else None,
        hybrid=(part.get("hybrid") or "").lower() == "true",
    )


def _xrdml_secondary(path: Element | None) -> Monochromator | None:
    part = child(path, "monochromator")
    if part is None:
        return None
    return secondary_monochromator(
        part.get("name") or "without a name", crystal=text_of(child(part, "crystal"))
    )


def _xrdml_soller(path: Element | None) -> float | None:
    part = child(path, "sollerSlit")
    if part is None:
        return None
    opening = child(part, "opening")
    unit = "deg" if opening is not None and (opening.get("unit") or "").startswith("deg") else "rad"
    return soller_opening(text_of(opening), unit=unit) or soller_opening(part.get("name"))


def brml_optics(root: Element) -> Optics:
    """What the raw data of a BRML archive say of the beam: the optics mounted on its two tracks."""
    primary, secondary = (_mounted(descendant(root, f"{side}Tracks")) for side in ("Primary", "Secondary"))
    ratio = descendant(root, "WaveLengthRatio")
    value = None if ratio is None else number(ratio.get("Value"))
    alpha2 = descendant(root, "WaveLengthAlpha2")
    if value == 0 and alpha2 is not None and (number(alpha2.get("Value")) or 0) > 0:
        value = None  # a line that is named and has no intensity: one of the two was never filled in
    before, behind = (
        _optic(primary, "monochromator", "johans"),
        _optic(secondary, "monochromator", "analyzer"),
    )
    beta = _optic(primary + secondary, "filter")
    mirror = _optic(primary, "mirror", "goebel", "göbel")
    return Optics(
        kalpha2_ratio=value if value is not None and 0 <= value <= 1 else None,
        primary=primary_monochromator(None if before is None else _name_of(before)),
        secondary=secondary_monochromator(None if behind is None else _name_of(behind)),
        beta_filter=None if beta is None else _filter_of(_name_of(beta)),
        mirror=None if mirror is None else _name_of(mirror),
        soller_rad=(_brml_soller(primary), _brml_soller(secondary)),
    )


def _mounted(tracks: Element | None) -> list[Element]:
    return [] if tracks is None else [part for part in tracks.iter() if local_name(part) == "InfoData"]


def _optic(mounted: list[Element], *words: str) -> Element | None:
    """First of the optics whose type or name holds one of the words."""
    for part in mounted:
        named = f"{part.get(_TYPE) or ''} {part.get('LogicName') or ''} {_name_of(part)}".lower()
        if any(word in named for word in words) and "detector" not in named:
            return part
    return None


def _name_of(part: Element) -> str:
    return part.get("VisibleName") or part.get("LogicName") or ""


def _filter_of(name: str) -> str | None:
    """Material of a K beta filter, or its name; an absorber is none."""
    if "absor" in name.lower() or "atten" in name.lower():
        return None
    words = name.replace("_", " ").replace("-", " ").split()
    metals = [word for word in words if word in ("Ni", "Fe", "Zr", "Mn", "V", "Rh", "Pd", "Nb")]
    return metals[0] if metals else name


def _brml_soller(mounted: list[Element]) -> float | None:
    part = _optic(mounted, "soller")
    if part is None:
        return None
    for name in ("SollerSlitAngle", "Opening", "AxialDivergence", "Angle", "Divergence"):
        value = descendant(part, name)
        if value is not None and (opening := soller_opening(value.get("Value"))) is not None:
            return opening
    return soller_opening(_name_of(part))


def rasx_optics(root: Element) -> Optics:
    """What the measurement conditions of a RASX profile say of the beam."""
    axes: dict[str, str] = {}
    for part in root.iter():
        if local_name(part) == "Axis" and part.get("Name"):
            axes.setdefault(str(part.get("Name")), part.get("Position") or "")
    attribute = text_of(descendant(root, "Attribute"))
    named = [axes.get(name) for name in ("PrimaryMonochromator", "IncidentMonochromator", "CMonochro")]
    # the attribute names the beam's form before the crystal: "PB-Ge(220)x2_Compress", "BB" has none
    named += [attribute] if attribute and ("ge(" in attribute.lower() or "kα1" in attribute.lower()) else []
    filters = [axes.get(name) for name in ("InFilter", "Filter", "Filter1", "Filter2")]
    stated = [name for name in filters if name is not None]
    used = [name for name in stated if not is_nothing(name)]
    beta = next((name for name in used if "beta" in name.lower()), None)
    return Optics(
        primary=next((one for name in named if (one := primary_monochromator(name)) is not None), None),
        secondary=secondary_monochromator(axes.get("DetectorMonochromator")),
        beta_filter=beta or ("none" if stated and not used else None),
        soller_rad=(soller_opening(axes.get("ISS")), soller_opening(axes.get("RSS"))),
    )
