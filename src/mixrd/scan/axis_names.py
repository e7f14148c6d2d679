"""What the name above the first column says: which quantity it is, and in which unit."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mixrd.scan.axes import axis_key


@dataclass(frozen=True)
class AxisName:
    """A column name that was understood.

    Attributes
    ----------
    quantity : str
        "two_theta", "theta", "q" (momentum transfer 4 pi sin(theta)/lambda), "d" (spacing),
        "inverse_d_squared", "sin_theta_over_lambda", or "other" for what no wavelength turns into an angle.
    unit : str or None
        "deg", "rad", "mrad", "1/A", "1/nm", "A", "nm", another unit as written, None where none is stated.
    label : str
        As it stands in the file; "" where the numbers alone tell.
    what : str
        The quantity in words.
    """

    quantity: str
    unit: str | None
    label: str
    what: str

    def __str__(self) -> str:
        return f"{self.what} ({self.label!r})" if self.label else self.what


_UNITS: tuple[tuple[str, str], ...] = (
    (r"°?2?th(eta)?\.?|°2th(eta)?\.?", "deg"),
    (r"deg(rees?|\.)?|°|grad", "deg"),
    (r"rad(ians?|\.)?", "rad"),
    (r"mrad|milliradians?", "mrad"),
    (r"(1/|/|inverse|reciprocal)(a|angstroms?)|(a|angstroms?)\^?\(?-1\)?", "1/A"),
    (r"(1/|/|inverse|reciprocal)(nm|nanomet(er|re)s?)|(nm|nanomet(er|re)s?)\^?\(?-1\)?", "1/nm"),
    (r"(1/|/|inverse)pm|pm\^?\(?-1\)?", "1/pm"),
    (r"(1/|/)(a|angstroms?)\^?2|(a|angstroms?)\^?\(?-2\)?", "1/A^2"),
    (r"(1/|/)nm\^?2|nm\^?\(?-2\)?", "1/nm^2"),
    (r"a|angstroms?|ang\.?", "A"),
    (r"nm|nanomet(er|re)s?", "nm"),
    (r"pm", "pm"),
    (r"(1/|/)cm|cm\^?\(?-1\)?", "1/cm"),
    (r"mm|millimet(er|re)s?|cm|m|met(er|re)s?|um|µm|micron?s?|micromet(er|re)s?|in(ch)?", "length"),
    (r"k?ev|mev|j", "energy"),
    (r"s|sec(onds?)?|ms|us|µs|ns|min(utes?)?|h(ours?)?", "time"),
    (r"kelvin|°c|°f|hz|khz|mhz|ghz|v|mv|volts?|pixels?|px|channels?|ch|steps?|bins?|points?|t|oe", "other"),
)
#: Units that a blank or an underscore alone may set off from the name (`q_nm^-1`, `r_mm`, `d A`).
_CLEAR = {"deg", "rad", "mrad", "1/A", "1/nm", "1/pm", "1/A^2", "1/nm^2", "A", "nm", "length", "energy"}

_TWO_THETA = re.compile(r"^(pos)?(2th|2theta|tth|twotheta|angle|x$)")
_Q = "momentum transfer Q"
_NAMES = {
    **dict.fromkeys(
        ("q", "qvalue", "qmod", "absq", "modq", "momentumtransfer", "scatteringvector", "qq"), ("q", _Q)
    ),
    **dict.fromkeys(
        ("d", "dspacing", "dspace", "dvalue", "dhkl", "latticespacing", "spacing"), ("d", "d spacing")
    ),
    **dict.fromkeys(("theta", "th", "thetaangle"), ("theta", "theta, half the diffraction angle")),
    **dict.fromkeys(("d2", "1d2", "invd2", "dstar2"), ("inverse_d_squared", "1/d^2")),
    **dict.fromkeys(
        ("sinthetalambda", "sinthetaoverlambda", "sinthlambda", "stol"),
        ("sin_theta_over_lambda", "sin(theta)/lambda"),
    ),
    "s": ("other", "the scattering vector s, which is sin(theta)/lambda to some and twice that to others"),
    **{
        name: ("other", name)
        for name in ("omega", "phi", "chi", "psi", "energy", "wavelength", "temperature")
    },
    **dict.fromkeys(("bindingenergy", "be"), ("other", "a binding energy")),
    **dict.fromkeys(("kineticenergy", "ke"), ("other", "a kinetic energy")),
    **dict.fromkeys(("photonenergy",), ("other", "a photon energy")),
    **dict.fromkeys(("tof", "timeofflight"), ("other", "time of flight")),
    **dict.fromkeys(("channel", "channels", "chan", "channelno"), ("other", "detector channels")),
    **dict.fromkeys(("pixel", "pixels"), ("other", "detector pixels")),
    **dict.fromkeys(("azimuth", "azimuthalangle"), ("other", "an azimuth on the detector")),
    **dict.fromkeys(("wavenumber", "wavenumbers"), ("other", "wavenumbers")),
    "ramanshift": ("other", "Raman shift"),
    **dict.fromkeys(("mz",), ("other", "a mass over charge")),
    **dict.fromkeys(("radius", "radialdistance", "distance"), ("other", "a distance on the detector")),
    **dict.fromkeys(("logq", "log10q", "lnq", "arcsinhq", "log1q"), ("other", "a logarithm of Q")),
}
#: Names so short that they count only beside a column that is named as an intensity.
_SHORT_NAMES = {
    **dict.fromkeys(
        (
            "index",
            "idx",
            "no",
            "nr",
            "n",
            "number",
            "point",
            "points",
            "pt",
            "row",
            "id",
            "step",
            "steps",
            "i",
        ),
        ("other", "a number of the point"),
    ),
    **dict.fromkeys(("time", "t", "times", "timesec"), ("other", "a time")),
    "ch": ("other", "detector channels"),
    "px": ("other", "detector pixels"),
    "e": ("other", "energy"),
    "r": ("other", "a distance r"),
    "z": ("other", "a height"),
}
_INTENSITY = re.compile(r"^(i$|y$|y?obs|i_?obs|int|counts?|cps|yi?$|meas|gr?$|signal|cts)")


def unit_of(text: str) -> str | None:
    """Canonical unit ("1/nm", "deg" ...) of a unit as people write it, None if it is none."""
    bare = text.strip().lower().replace("å", "a").replace("ö", "o")
    bare = bare.replace("⁻¹", "^-1").replace("⁻²", "^-2").replace("−", "-").replace("θ", "theta")
    bare = re.sub(r"[\s{}\\$]|\*\*(?=-?\d)", lambda m: "^" if m[0].startswith("*") else "", bare)
    return next((unit for pattern, unit in _UNITS if re.fullmatch(pattern, bare)), None)


def _parted(label: str) -> tuple[str, str | None]:
    """Name and unit of a label: "Q (1/nm)", "q_nm^-1", "d / A", "2Theta, deg"."""
    text = label.strip(" \t#!;'\"%*")
    bracketed = re.fullmatch(r"(.*?)[\s_]*[\[({]\s*(.+?)\s*[\])}]*", text)
    if bracketed and bracketed[1] and not re.fullmatch(r"(log\w*|ln|arcsinh|sin|abs)", bracketed[1].lower()):
        unit = unit_of(bracketed[2])
        return bracketed[1], unit
    parts = re.fullmatch(r"(.+?)\s*[,/]\s*(.+)", text)
    if parts and (unit := unit_of(parts[2])) is not None:
        return parts[1], unit
    ended = re.fullmatch(r"(.+?)[_ ]+([^_ ]+(?: ?\^? ?-\d)?)", text)
    if ended and (unit := unit_of(ended[2])) in _CLEAR:
        return ended[1], unit
    return text, None


def axis_label(name: str) -> str:
    """Key of a column name without its unit: "Q (1/nm)" and "q_nm^-1" give "q"."""
    return axis_key(_parted(name)[0].replace("*", "star") if "d*" in name else _parted(name)[0])


def read_axis_name(label: str, beside: str | None = None) -> AxisName | None:
    """What a column name says; None where it is not understood (a word of a title, an unknown name).

    Parameters
    ----------
    label : str
        Name of the first column, with its unit.
    beside : str, optional
        Name of the second column: short names such as "n" or "r" count only beside an intensity.
    """
    text, unit = _parted(label)
    key = axis_label(label)
    shown = label.strip(" \t#!;\"'%*")
    if key and _TWO_THETA.match(key) and not (key == "x" and unit not in (None, "deg", "rad")):
        return AxisName("two_theta", unit, shown, "2-theta")
    known = _NAMES.get(key)
    if known is None and (unit is not None or (beside is not None and _INTENSITY.match(axis_label(beside)))):
        known = _SHORT_NAMES.get(key)
    if re.match(r"(log\w*|ln|arcsinh)\s*\(.*q", text.lower()):
        known = ("other", "a logarithm of Q")
    if known is None and unit is not None and unit not in ("deg", "rad", "mrad") and _is_set_off(label):
        known = ("other", f"a quantity in {label[len(text) :].strip(' _[](){}/,') or unit}")
    return None if known is None else AxisName(known[0], unit, shown, known[1])


def _is_set_off(label: str) -> bool:
    """A unit in brackets, or behind an underscore with an exponent: no chance word of a title."""
    return bool(re.search(r"[\[(].+[\])]|_\w+\^?-\d|_[mµ]?m$", label.strip()))
