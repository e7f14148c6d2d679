"""What a file's header says of the beam: monochromators, filter, slits."""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import dataclass
from typing import Any, Literal

#: d-spacings in angstrom of monochromator crystals, by element and indices, from their lattice parameters at
#: room temperature: Ge 5.6578, Si 5.4310 (CRC Handbook of Chemistry and Physics), graphite c 6.708.
_PLANES = {
    ("ge", "111"): 3.2665,
    ("ge", "220"): 2.0003,
    ("ge", "400"): 1.4145,
    ("ge", "440"): 1.0002,
    ("si", "111"): 3.1356,
    ("si", "220"): 1.9202,
    ("graphite", "002"): 3.354,
}
#: So strongly does a mosaic crystal of this kind spread that both K alpha lines pass.
_MOSAIC = re.compile(r"graphit|pyrolytic|hopg|\bpg\b|\blif\b", re.IGNORECASE)
_PERFECT = re.compile(r"johan+s+on|hybrid|channel[- ]?cut|k[-_ ]?(?:alpha|a|α)[-_ ]?1\b", re.IGNORECASE)
_CRYSTAL = re.compile(r"(?:(?<![a-z])|(?<=\dx))(ge|si)\s*[(\[]?\s*(\d)\s*(\d)\s*(\d)", re.IGNORECASE)
_NOTHING = re.compile(r"|none|no|n|open|out|empty|no[_ ]?unit|unknown|unkn|undefined|-", re.IGNORECASE)


@dataclass(frozen=True)
class Monochromator:
    """A crystal in the beam.

    Attributes
    ----------
    name : str
        As the file calls it.
    d_angstrom : float or None
        Spacing of its planes, None where the file does not say which they are.
    single_line : bool
        It passes K alpha1 alone: a perfect crystal before the sample. A mosaic one (graphite) or a
        mirror passes both.
    """

    name: str
    d_angstrom: float | None = None
    single_line: bool = False

    def two_theta_deg(self, wavelength_angstrom: float) -> float | None:
        """Its diffraction angle in degrees, None where the planes are not known."""
        if self.d_angstrom is None or wavelength_angstrom >= 2 * self.d_angstrom:
            return None
        return 2 * math.degrees(math.asin(wavelength_angstrom / 2 / self.d_angstrom))


@dataclass(frozen=True)
class Optics:
    """The beam as the header of a scan describes it; None where it says nothing.

    Attributes
    ----------
    kalpha2_ratio : float or None
        Intensity of K alpha2 over K alpha1; 0 where there is none.
    primary, secondary : Monochromator or None
        Before and behind the sample.
    beta_filter : str or None
        Its material, such as "Ni"; "none" where the file says that there is none.
    mirror : str or None
        A multilayer mirror, by its name. It takes K beta away and passes both K alpha lines.
    soller_rad : (float or None, float or None)
        Opening of the Soller slits before and behind the sample, radians.
    divergence_slit : {"fixed", "automatic"} or None
    divergence_deg : float or None
        Opening of the divergence slit.
    """

    kalpha2_ratio: float | None = None
    primary: Monochromator | None = None
    secondary: Monochromator | None = None
    beta_filter: str | None = None
    mirror: str | None = None
    soller_rad: tuple[float | None, float | None] = (None, None)
    divergence_slit: Literal["fixed", "automatic"] | None = None
    divergence_deg: float | None = None

    @property
    def single_line(self) -> str | None:
        """Why the beam is K alpha1 alone by this header, None where it does not say so.

        A name of the radiation such as "K-Alpha 1" is no reason: files of both lines have it.
        """
        if self.primary is not None and self.primary.single_line:
            return f"the monochromator {self.primary.name!r}"
        return "a ratio of K alpha2 to K alpha1 of 0" if self.kalpha2_ratio == 0 else None

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Optics:
        """What `to_dict` gave."""
        crystals = {
            name: None if data[name] is None else Monochromator(**data[name])
            for name in ("primary", "secondary")
        }
        return cls(**{**data, **crystals, "soller_rad": tuple(data["soller_rad"])})


def is_nothing(name: str | None) -> bool:
    """Whether a name in a header stands for no such part."""
    return name is None or _NOTHING.fullmatch(name.strip(" '\"|")) is not None


def beta_filter(stated: str | None, name: str) -> str | None:
    """What `Optics.beta_filter` holds where the file states something: `name`, or "none"."""
    return None if stated is None else "none" if is_nothing(stated) else name


def primary_monochromator(
    name: str | None, *, crystal: str | None = None, planes: str | None = None, hybrid: bool = False
) -> Monochromator | None:
    """A monochromator before the sample from what a file calls it, None where that is none.

    Parameters
    ----------
    name : str or None
        Such as "Inc. beam Johansson 1xGe111 Cu/Co".
    crystal, planes : str or None
        Element and indices ("111") where the file has them.
    hybrid : bool
        The file calls it a hybrid monochromator: mirror and channel-cut crystal.
    """
    if name is None or is_nothing(name):
        return None
    material, indices = _planes(name, crystal, planes)
    mosaic = _MOSAIC.search(f"{name} {crystal or ''}") is not None
    perfect = material is not None or hybrid or _PERFECT.search(name) is not None
    spacing = _PLANES.get((material or "", indices or ""))
    if mosaic:
        return Monochromator(name, _PLANES["graphite", "002"] if "lif" not in name.lower() else None)
    return Monochromator(name, spacing, perfect)


def secondary_monochromator(name: str | None, *, crystal: str | None = None) -> Monochromator | None:
    """A monochromator behind the sample; without another crystal in its name it is graphite, as usual."""
    if name is None or is_nothing(name):
        return None
    material, indices = _planes(name, crystal, None)
    if material is not None:
        return Monochromator(name, _PLANES.get((material, indices or "")))
    graphite = "lif" not in f"{name} {crystal or ''}".lower()
    return Monochromator(name, _PLANES["graphite", "002"] if graphite else None)


def _planes(name: str, crystal: str | None, planes: str | None) -> tuple[str | None, str | None]:
    """Element ("ge", "si") and indices of a perfect crystal, None where it is not one of these."""
    match = _CRYSTAL.search(name)
    material = match.group(1).lower() if match else None
    indices = "".join(match.groups()[1:]) if match else None
    if crystal is not None and crystal.strip().lower() in ("ge", "si", "germanium", "silicon"):
        material = crystal.strip().lower()[:2]
    indices = indices or planes
    if indices is not None:
        indices = "".join(sorted(indices, reverse=True))
    return material, indices
