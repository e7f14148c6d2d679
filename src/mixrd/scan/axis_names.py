"""What an axis is called: whether the scanned one is that of a powder scan, and what a column's name says."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mixrd.errors import ScanError
from mixrd.scan.headers import Doubts

_POWDER = {"gonio", "2thetatheta", "theta2theta", "2theta", "coupled", "lockedcoupled", "unlockedcoupled",
           "coupled2thetatheta", "locked", "psdfastscan"}  # fmt: skip
_FILM = {"2thetaomega", "omega2theta", "coupled2thetaomega", "2thetaomegascan"}
_DETECTOR = {"detectorscan", "detector", "detscan", "2thetascan"}
_OTHER = {
    **dict.fromkeys(("phi", "phiscan"), "a pole figure or a turn of the sample, not a powder scan"),
    **dict.fromkeys(("chi", "khi", "chiscan"), "a pole figure or a tilt of the sample, not a powder scan"),
    "psi": "a tilt of the sample for residual stress, not a powder scan",
    **dict.fromkeys(("omega", "rockingcurve"), "a rocking curve, not a powder scan"),
    "theta": "a rocking curve or half the diffraction angle, not a powder scan in 2-theta",
    "thd": "a scan of the detector arm alone",
    **dict.fromkeys(("x", "y"), "a shift of the sample, not a powder scan"),
    **dict.fromkeys(("z", "zs"), "a height scan of the sample, not a powder scan"),
    "reciprocalspace": "a reciprocal-space map, not a powder scan",
}


def axis_key(axis: str) -> str:
    """Spelling-free key of an axis name: "2-Theta/Omega" and "TwoThetaOmega" are both "2thetaomega"."""
    text = axis.lower().replace("θ", "theta").replace("ω", "omega").replace("φ", "phi").replace("χ", "chi")
    return re.sub(r"[^a-z0-9]", "", text).replace("two", "2")


def judge_axis(axis: str | None, *, detector_only: bool = False) -> Doubts:
    """Doubts about a scanned axis.

    Parameters
    ----------
    axis : str or None
        As the header names it; None (the header says nothing) raises no doubt.
    detector_only : bool
        True where the format's plain "2Theta" means that the detector moved and the tube stood still
        (XRDML, Rigaku); False where it is only the name of the angle.

    Raises
    ------
    ScanError
        If the axis is known not to be a diffraction angle: phi, chi, omega, a height ...
    """
    key = axis_key(axis or "")
    if key in _OTHER:
        cause = f"the scanned axis is {axis}: {_OTHER[key]}"
        raise ScanError(cause, remedy="Choose a file with a coupled theta/2-theta scan.")
    if key in _FILM:
        text = (
            f"the scanned axis is {axis}, which is used for films and single crystals: the angles are "
            "2-theta, but the grains need not be a powder average"
        )
        return (("NOT_POWDER_GEOMETRY", text),)
    if key in _DETECTOR or (key == "2theta" and detector_only):
        text = (
            f"the scanned axis is {axis}: the detector moved and the tube stood still, so intensities do "
            "not follow the theta/2-theta geometry"
        )
        return (("FIXED_INCIDENCE", text),)
    if not key or key in _POWDER:
        return ()
    return (("AXIS_UNKNOWN", f"the scanned axis is called {axis!r}, which was taken for 2-theta"),)


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
#: Quantities with their words, by the keys of the names that people give them.
_NAMES_OF = {
    ("q", "momentum transfer Q"): "q qvalue qmod absq modq momentumtransfer scatteringvector qq",
    ("d", "d spacing"): "d dspacing dspace dvalue dhkl latticespacing spacing",
    ("theta", "theta, half the diffraction angle"): "theta th thetaangle",
    ("inverse_d_squared", "1/d^2"): "d2 1d2 invd2 dstar2",
    ("sin_theta_over_lambda", "sin(theta)/lambda"): "sinthetalambda sinthetaoverlambda sinthlambda stol",
    ("other", "the scattering vector s, which is sin(theta)/lambda to some and twice that to others"): "s",
    **{
        ("other", name): name
        for name in ["omega", "phi", "chi", "psi", "energy", "wavelength", "temperature"]
    },
    ("other", "a binding energy"): "bindingenergy be",
    ("other", "a kinetic energy"): "kineticenergy ke",
    ("other", "a photon energy"): "photonenergy",
    ("other", "time of flight"): "tof timeofflight",
    ("other", "detector channels"): "channel channels chan channelno",
    ("other", "detector pixels"): "pixel pixels",
    ("other", "an azimuth on the detector"): "azimuth azimuthalangle",
    ("other", "wavenumbers"): "wavenumber wavenumbers",
    ("other", "Raman shift"): "ramanshift",
    ("other", "a mass over charge"): "mz",
    ("other", "a distance on the detector"): "radius radialdistance distance",
    ("other", "a logarithm of Q"): "logq log10q lnq arcsinhq log1q",
}
#: The same of names so short that they count only beside a column that is named as an intensity.
_SHORT_NAMES_OF = {
    ("other", "a number of the point"): "index idx no nr n number point points pt row id step steps i",
    ("other", "a time"): "time t times timesec",
    ("other", "detector channels"): "ch",
    ("other", "detector pixels"): "px",
    ("other", "energy"): "e",
    ("other", "a distance r"): "r",
    ("other", "a height"): "z",
}
_NAMES, _SHORT_NAMES = (
    {key: meant for meant, keys in table.items() for key in keys.split()}
    for table in (_NAMES_OF, _SHORT_NAMES_OF)
)
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
        return bracketed[1], unit_of(bracketed[2])
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
