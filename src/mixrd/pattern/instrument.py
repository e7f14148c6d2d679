"""The diffractometer: radiation, geometry and profile, as a small TOML file describes it."""

from __future__ import annotations

import dataclasses
import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mixrd.diffraction import EmissionLine, Radiation, radiation
from mixrd.errors import InstrumentError, RadiationError
from mixrd.files import write_whole
from mixrd.pattern.parameter_table import BUILT_IN, by_field

#: Parts that a line with axial divergence is drawn of, at most.
MOST_NODES = 64
#: Terms of the profile, in the order of the parameter table.
_TERMS = tuple(quantity.name for quantity in by_field(BUILT_IN)["profile"])


@dataclass(frozen=True)
class Profile:
    """Instrumental peak widths (full width at half maximum).

    Gaussian: u tan^2(theta) + v tan(theta) + w (Caglioti, Paoletti & Ricci 1958, Nucl. Instrum. 3, 223);
    Lorentzian: x / cos(theta) + y tan(theta). Axial divergence: see `mixrd.pattern.asymmetry`.

    Attributes
    ----------
    u, v, w : float
        In deg^2.
    x, y : float
        In deg.
    sh_l : float
        Half heights of sample and receiving slit together over the goniometer radius, (S + H) / L; 0
        leaves peaks symmetric.
    """

    u: float = 0.0
    v: float = 0.0
    w: float = 0.004
    x: float = 0.0
    y: float = 0.0
    sh_l: float = 0.0


@dataclass(frozen=True)
class Instrument:
    """A Bragg-Brentano diffractometer.

    Attributes
    ----------
    name : str
    radiation : Radiation
    goniometer_radius_mm : float
    monochromator_two_theta : float
        Diffraction angle of the monochromator crystal in degrees, 0 for none.
    profile : Profile
    two_theta_range : (low, high)
        What it usually scans, in degrees.
    step : float
        Usual step in degrees.
    note : str
        Where the numbers come from.
    divergence_slit : {"fixed", "automatic"}
        Fixed opening, or one that keeps the illuminated length constant (intensity times sin theta).
    monochromator_position : {"diffracted", "incident"}
        Behind the sample or before it.
    axial_nodes : int
        Parts that a line with axial divergence is drawn of, at most: few where `Profile.sh_l` is an estimate.
    polarized_fraction : float or None
        Share of the beam polarized perpendicular to the plane of diffraction, 0-1: 0.95-1 at a synchrotron;
        None for a tube.
    """

    name: str
    radiation: Radiation
    goniometer_radius_mm: float = 200.0
    monochromator_two_theta: float = 0.0
    profile: Profile = Profile()
    two_theta_range: tuple[float, float] = (10.0, 90.0)
    step: float = 0.02
    note: str = ""
    divergence_slit: Literal["fixed", "automatic"] = "fixed"
    monochromator_position: Literal["diffracted", "incident"] = "diffracted"
    polarized_fraction: float | None = None
    axial_nodes: int = MOST_NODES

    def __post_init__(self) -> None:
        low, high = self.two_theta_range
        _require(
            0 <= self.profile.sh_l <= 0.2,
            f"sh_l {self.profile.sh_l:g}",
            "(S + H) / L from 0 (symmetric) to 0.2",
        )
        _require(
            self.divergence_slit in ("fixed", "automatic"),
            f"divergence slit {self.divergence_slit!r}",
            '"fixed" (constant angle) or "automatic" (constant illuminated length)',
        )
        _require(
            self.monochromator_position in ("diffracted", "incident"),
            f"monochromator position {self.monochromator_position!r}",
            '"diffracted" (behind the sample) or "incident" (before it)',
        )
        _require(
            self.polarized_fraction is None or 0 <= self.polarized_fraction <= 1,
            f"polarized fraction {self.polarized_fraction}",
            "0 to 1 (0.95-1 at a synchrotron), or no entry for a tube",
        )
        _require(1 <= self.axial_nodes <= MOST_NODES, f"axial_nodes {self.axial_nodes}", f"1 to {MOST_NODES}")
        numbers = (low, high, self.step, self.goniometer_radius_mm, *dataclasses.astuple(self.profile))
        _require(
            all(math.isfinite(x) for x in numbers), "it holds a number that is not finite", "finite numbers"
        )
        _require(0 <= low < high <= 180, f"range {low:g}-{high:g} deg", "0 <= low < high <= 180")
        _require(0 < self.step <= 1, f"step {self.step:g} deg", "a step above 0 and up to 1 deg")
        _require(
            _has_width(self.profile, (low, high)),
            "the profile gives peaks no width in its range",
            "u, v, w, x, y with a fwhm above 0",
        )
        _require(
            10 <= self.goniometer_radius_mm <= 2000,
            f"goniometer radius {self.goniometer_radius_mm:g} mm",
            "a radius of 10-2000 mm",
        )
        _require(
            0 <= self.monochromator_two_theta < 180,
            f"monochromator angle {self.monochromator_two_theta:g} deg",
            "an angle of 0 (none) to 180 deg",
        )


def _has_width(profile: Profile, two_theta_range: tuple[float, float]) -> bool:
    """Whether any angle of the range has a Gaussian or Lorentzian width above 0."""
    low, high = two_theta_range
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        theta = math.radians(min(low + share * (high - low), 179.0) / 2)
        tangent = math.tan(theta)
        caglioti = profile.u * tangent**2 + profile.v * tangent + profile.w
        if caglioti > 0 or profile.x / math.cos(theta) + profile.y * tangent > 0:
            return True
    return False


def _require(holds: bool, found: str, allowed: str) -> None:
    if not holds:
        raise InstrumentError(f"the instrument cannot be used: {found}", remedy=f"Allowed: {allowed}")


def save_instrument(instrument: Instrument, path: str | Path) -> None:
    """Write `instrument` as TOML that `load_instrument` reads back."""
    write_whole(path, to_toml(instrument))


def to_toml(instrument: Instrument) -> str:
    """`instrument` as TOML text, units in comments."""
    widths = "\n".join(f"{name} = {getattr(instrument.profile, name)!r}" for name in _TERMS)
    lines = "\n".join(
        f"[[radiation.lines]]\nwavelength_angstrom = {line.wavelength_angstrom!r}\nweight = {line.weight!r}"
        for line in instrument.radiation.lines
    )
    low, high = instrument.two_theta_range
    share = instrument.polarized_fraction
    polarized = "" if share is None else f"polarized_fraction = {share!r}  # perpendicular, synchrotron\n"
    nodes = instrument.axial_nodes
    drawn = "" if nodes == MOST_NODES else f"axial_nodes = {nodes}  # parts of an asymmetric line, at most\n"
    return f"""name = {_quoted(instrument.name)}
note = {_quoted(instrument.note)}

[geometry]
goniometer_radius_mm = {instrument.goniometer_radius_mm!r}
monochromator_two_theta = {instrument.monochromator_two_theta!r}  # deg, 0 for none
monochromator_position = {_quoted(instrument.monochromator_position)}  # diffracted or incident beam
divergence_slit = {_quoted(instrument.divergence_slit)}  # fixed or automatic
{polarized}{drawn}
[profile]  # fwhm: Gaussian^2 = u tan^2 + v tan + w (deg^2), Lorentzian = x / cos + y tan (deg)
{widths}  # axial divergence (S + H) / L, 0 for symmetric peaks

[range]  # deg 2theta
start = {low!r}
stop = {high!r}
step = {instrument.step!r}

[radiation]
name = {_quoted(instrument.radiation.name)}
{lines}
"""


def _quoted(text: str) -> str:
    escaped = (
        "".join(ch if ch.isprintable() else " " for ch in text).replace("\\", "\\\\").replace('"', '\\"')
    )
    return f'"{escaped}"'


def instrument_to_dict(instrument: Instrument) -> dict[str, Any]:
    """The tables of the instrument's TOML file as plain data."""
    return tomllib.loads(to_toml(instrument))


def instrument_from_toml(text: str, where: str | Path) -> Instrument:
    """Instrument from the text of the TOML file `where`.

    Raises
    ------
    InstrumentError
        If it is something else, or holds what cannot be.
    """
    try:
        data = tomllib.loads(text)
        return instrument_from_dict(data)
    except tomllib.TOMLDecodeError as error:
        raise InstrumentError(f"it is not valid TOML ({error})", remedy="Mend the line", file=where) from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InstrumentError(
            f"an entry is missing or of the wrong kind ({error})",
            remedy="Compare with `mixrd instruments --show lab-cu`",
            file=where,
        ) from None
    except (InstrumentError, RadiationError) as error:
        raise InstrumentError(error.cause, remedy=error.remedy, file=where) from None


def instrument_from_dict(data: dict[str, Any]) -> Instrument:
    """Instrument from the tables of its TOML file."""
    beam = data["radiation"]
    if beam.get("lines"):
        lines = tuple(
            EmissionLine(float(e["wavelength_angstrom"]), float(e["weight"])) for e in beam["lines"]
        )
        rays = Radiation(str(beam["name"]), lines)
    else:
        rays = radiation(beam["name"])
    if unknown := sorted(set(data.get("profile", {})).difference(_TERMS)):
        raise InstrumentError(
            f"unknown profile term {', '.join(unknown)}", remedy=f"Allowed: {', '.join(_TERMS)}"
        )
    geometry, scan_range = data.get("geometry", {}), data.get("range", {})
    share = geometry.get("polarized_fraction")
    return Instrument(
        name=str(data["name"]),
        radiation=rays,
        goniometer_radius_mm=float(geometry.get("goniometer_radius_mm", 200.0)),
        monochromator_two_theta=float(geometry.get("monochromator_two_theta", 0.0)),
        profile=Profile(**{k: float(v) for k, v in data.get("profile", {}).items()}),
        two_theta_range=(float(scan_range.get("start", 10.0)), float(scan_range.get("stop", 90.0))),
        step=float(scan_range.get("step", 0.02)),
        note=str(data.get("note", "")),
        divergence_slit=geometry.get("divergence_slit", "fixed"),
        monochromator_position=geometry.get("monochromator_position", "diffracted"),
        polarized_fraction=None if share is None else float(share),
        axial_nodes=int(geometry.get("axial_nodes", MOST_NODES)),
    )
