"""What a result is made of: warnings, phases, lines that nothing explains, contents, curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

_NO_STATEMENT = "no statement possible"
_ALONE = "one candidate alone: whether it is there, not how much"


@dataclass(frozen=True)
class AnalysisWarning:
    """A doubt about a result.

    Attributes
    ----------
    code : str
        One of the codes that the documentation explains, e.g. "ESTIMATES_DISAGREE".
    message : str
        One sentence in plain words.
    phase : str or None
        The phase that it concerns.
    """

    code: str
    message: str
    phase: str | None = None


@dataclass(frozen=True)
class Statement:
    """What a result may state of the amounts.

    Attributes
    ----------
    kind : "amounts", "presence" or "none"
        "amounts": weight fractions with intervals. "presence": of a single candidate only whether it is
        there, since it is all of itself however little there is. "none": the fit is worth no number.
    reason : str
        Why nothing else is stated, as what follows "no statement possible, because"; empty for "amounts".
    """

    kind: Literal["amounts", "presence", "none"] = "amounts"
    reason: str = ""

    @property
    def sentence(self) -> str:
        """What every way out says where no amounts are stated; empty where they are."""
        said = {"amounts": "", "presence": _ALONE, "none": _NO_STATEMENT}[self.kind]
        reason = self.reason.strip().rstrip(".")
        if not said or not reason:
            return said
        return f"{said}, because {reason}" if self.kind == "none" else f"{said}; {reason}"


@dataclass(frozen=True)
class TextureResult:
    """Preferred orientation of a phase (March-Dollase).

    Attributes
    ----------
    axis : (h, k, l)
    r, sigma : float
        1 without texture, below 1 for platelets that lie flat, above 1 for needles.
    """

    axis: tuple[int, int, int]
    r: float
    sigma: float


@dataclass(frozen=True)
class PhaseResult:
    """What was found of one phase.

    Attributes
    ----------
    name, formula : str
    weight_percent : float or None
        The analysis' answer: refined where there was a refinement that converged, else the network's. None
        where amounts are not stated (`Analysis.statement`), as are both estimates and the interval then.
    sigma_percent : float or None
        Standard uncertainty in wt%, of all that the interval covers.
    network_percent, refined_percent : float or None
        Both estimates in wt%.
    cell : tuple of six float or None
        Refined cell: angstrom, degrees.
    crystallite_size_nm : float or None
        Refined Scherrer size; None where the lines are no broader than the instrument's.
    microstrain : float or None
    density_g_cm3 : float
        Of the structure as given.
    interval_percent : (low, high) or None
        In wt%, at the level `Analysis.interval_level`.
    detected : bool or None
        Whether the phase stands out from noise and misfit; None without a refinement.
    detection_limit_percent, quantification_limit_percent : float or None
        Smallest amount (wt%) that would be detected for sure, and determined to a tenth, in this scan.
    cell_sigma : tuple of six float or None
        Standard uncertainties of the cell; 0 for what the symmetry fixes.
    crystallite_size_sigma_nm : float or None
    texture : TextureResult or None
        Where it was refined.
    linear_attenuation_per_mm, mass_attenuation_cm2_g : float or None
        Of the solid phase, at the strongest line.
    apparent_percent : float or None
        Refined wt% before microabsorption is corrected: what other programs find.
    cell_change_percent : float or None
        Largest change of a cell edge from the structure as given, in percent.
    """

    name: str
    formula: str
    weight_percent: float | None
    sigma_percent: float | None
    network_percent: float | None
    refined_percent: float | None
    cell: tuple[float, ...] | None
    crystallite_size_nm: float | None
    microstrain: float | None
    density_g_cm3: float
    interval_percent: tuple[float, float] | None = None
    detected: bool | None = None
    detection_limit_percent: float | None = None
    quantification_limit_percent: float | None = None
    cell_sigma: tuple[float, ...] | None = None
    crystallite_size_sigma_nm: float | None = None
    texture: TextureResult | None = None
    linear_attenuation_per_mm: float | None = None
    mass_attenuation_cm2_g: float | None = None
    apparent_percent: float | None = None
    cell_change_percent: float | None = None

    @property
    def presence(self) -> str:
        """Whether it is there, in a word or two."""
        if self.detected is None:
            return "not tested"
        return "there" if self.detected else "not found"


@dataclass(frozen=True)
class UnexplainedResult:
    """Lines that no candidate explains.

    Attributes
    ----------
    share_of_counts : float
        Of the counts above background (0-1), lines with a remark left out.
    lines : tuple of dict
        `two_theta_deg`, `d_spacing_angstrom`, `area_share`, `significance`, `fwhm_deg` and `remark` of each
        (what it is, e.g. K beta of a strong line; else empty), strongest first.
    suggestions : tuple of str
        Phases of the catalog that would explain them.
    """

    share_of_counts: float
    lines: tuple[dict[str, Any], ...]
    suggestions: tuple[str, ...]


@dataclass(frozen=True)
class AbsoluteResult:
    """Contents of the whole sample, what is not crystalline included.

    Attributes
    ----------
    method : str
        "internal standard" (the sample as it was before the standard was added) or "external standard".
    weight_percent, sigma_percent : dict
        wt% and standard uncertainty by phase name; with the amorphous part they sum to 100.
    amorphous_percent, amorphous_sigma_percent : float
    """

    method: str
    weight_percent: dict[str, float]
    sigma_percent: dict[str, float]
    amorphous_percent: float
    amorphous_sigma_percent: float

    @property
    def whole(self) -> str:
        """What these are contents of."""
        if self.method == "internal standard":
            return "the sample before the standard was added"
        return "the whole sample"


@dataclass(frozen=True, eq=False)
class Curves:
    """The fitted scan, for plots. N points, P phases, (N,) arrays unless said otherwise.

    Attributes
    ----------
    two_theta : array
        Degrees.
    observed, calculated, background : array
        In the unit of the scan.
    contributions : (P, N) array
        Each phase without background.
    marks : tuple of (R,) array
        Refined positions of each phase's reflections (strongest line of the beam) in degrees.
    """

    two_theta: NDArray[np.float64]
    observed: NDArray[np.float64]
    calculated: NDArray[np.float64]
    background: NDArray[np.float64]
    contributions: NDArray[np.float64]
    marks: tuple[NDArray[np.float64], ...]
