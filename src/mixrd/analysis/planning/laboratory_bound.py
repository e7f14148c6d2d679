"""What a laboratory scan can say at best: precision and detection limit of each phase before measuring it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mixrd.analysis.result.intervals import DETECTION
from mixrd.crystal import Crystal
from mixrd.diffraction import Scattering
from mixrd.errors import ParameterError
from mixrd.fit.bound import expected_tvd, fraction_covariance
from mixrd.fit.refinement import BACKGROUND_DEGREE
from mixrd.fit.restraints import Restraints, make_priors
from mixrd.mixture import Composition
from mixrd.pattern import Axis, ForwardModel, Instrument, background_basis

#: A point that expects fewer counts is taken to expect this many, as `refine` does.
_LEAST_COUNTS = 1.0
#: Coefficients of the background are taken to be below this many times the highest counts: over short ranges
#: some combination of its functions all but vanishes, and would be one more, unreal, degree of freedom.
_BACKGROUND_REACH = 10.0
_ALLOWED: Mapping[str, tuple[float, float, str]] = {
    "peak_counts": (1e-3, 1e9, "counts in one second"),
    "background_counts": (0.0, 1e9, "counts in one second"),
    "size_nm": (2.0, 1e5, "nm"),
    "microstrain": (0.0, 0.02, "relative"),
}
SECONDS = (1e-3, 1e6)


@dataclass(frozen=True)
class Measurement:
    """How brightly the sample scatters and how sharp its lines are.

    Attributes
    ----------
    peak_counts : float
        Expected counts of the strongest point above the background, in one second.
    background_counts : float
        Expected counts of the background in one second, the same at all angles.
    size_nm, microstrain : float
        Of every phase.

    Raises
    ------
    ParameterError
        If a value is outside its range.
    """

    peak_counts: float = 10_000.0
    background_counts: float = 200.0
    size_nm: float = 150.0
    microstrain: float = 0.00025

    def __post_init__(self) -> None:
        for name, (low, high, unit) in _ALLOWED.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ParameterError(
                    f"{name} = {value:g} is out of range", remedy=f"Allowed: {low:g} to {high:g} ({unit})"
                )


@dataclass(frozen=True)
class PhaseBound:
    """What a scan can say of one phase at best, in wt%.

    Attributes
    ----------
    name : str
    weight_percent : float
        The composition that was asked about.
    sigma_percent : float
        Smallest standard deviation of an unbiased estimate; inf where it cannot be determined.
    counting_sigma_percent : float
        The same if positions, widths and profile were known and only amounts and background were not:
        what counting statistics and overlap alone cost.
    detection_limit_percent : float
        Smallest amount found in 95 % of scans by a test with 1 % false alarms, its lines where they are
        expected; nan where the phase is all there is.
    """

    name: str
    weight_percent: float
    sigma_percent: float
    counting_sigma_percent: float
    detection_limit_percent: float


@dataclass(frozen=True)
class LaboratoryBound:
    """What a scan can say at best.

    Attributes
    ----------
    phases : tuple of PhaseBound
    tvd : float
        Mean total variation distance (0-1) of an efficient estimate from the truth.
    two_theta_range : (float, float)
        In degrees.
    seconds_per_step, scan_seconds : float
        Counting time of a point, and of all of them.
    """

    phases: tuple[PhaseBound, ...]
    tvd: float
    two_theta_range: tuple[float, float]
    seconds_per_step: float
    scan_seconds: float

    @property
    def sigma_percent(self) -> float:
        """The largest of all phases."""
        return max(phase.sigma_percent for phase in self.phases)

    def plain(self) -> dict[str, Any]:
        """Plain data for JSON; None for what cannot be determined."""
        data = {**asdict(self), "two_theta_range": list(self.two_theta_range)}
        data["phases"] = [{k: _finite(v) for k, v in phase.items()} for phase in data["phases"]]
        return {k: _finite(v) for k, v in data.items()}


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


class ExpectedScan:
    """Expected count rates of a mixture and their derivatives, from which bounds of many scans follow.

    Each phase's rates are proportional to its weight fraction, at a brightness that `measurement` sets for
    the composition given; that a phase's own absorption changes it is left out.

    Parameters
    ----------
    crystals : sequence of Crystal
    composition : Composition
    instrument : Instrument
        Its range is the widest that can be asked about, and the one that `peak_counts` refers to.
    measurement : Measurement, optional
    restraints : Restraints, optional
        What is known of cells, sizes, profile and alignment; 0 holds a parameter, inf frees it. Default: as
        in an analysis.
    fixed : sequence of str
        Names of `Parameters` fields that are known.
    texture_axes : mapping, optional
        Axis (h, k, l) by phase name, for phases whose texture is unknown (`Restraints.texture`).
    scattering : Scattering

    Raises
    ------
    RadiationError, CompositionError, ParameterError
        If a phase has no line in the range, or composition, range or `fixed` cannot be used.
    """

    def __init__(
        self,
        crystals: Sequence[Crystal],
        composition: Composition,
        instrument: Instrument,
        measurement: Measurement | None = None,
        *,
        restraints: Restraints | None = None,
        fixed: Sequence[str] = (),
        texture_axes: Mapping[str, Axis] | None = None,
        scattering: Scattering = Scattering(),  # noqa: B008
    ) -> None:
        measurement = measurement or Measurement()
        weights = composition.to("weight", crystals)
        self.names = weights.names
        self.fractions = torch.tensor(weights.fractions, dtype=torch.float64)
        low, high = instrument.two_theta_range
        count = round((high - low) / instrument.step) + 1
        self.two_theta = np.round(low + instrument.step * np.arange(count), 6)
        model = ForwardModel(
            crystals, instrument, self.two_theta, texture_axes=texture_axes, scattering=scattering
        )
        priors = make_priors(model, restraints or Restraints(), fixed)
        free = priors.sigma > 0
        self._prior = priors.sigma[free]
        phases = len(crystals)
        reference = model.reference(phases)
        parameters = reference.replace(
            inverse_size=torch.full_like(reference.inverse_size, 1 / measurement.size_nm),
            microstrain=torch.full_like(reference.microstrain, measurement.microstrain),
        )
        one_each = torch.eye(phases, dtype=torch.float64)
        columns = model.columns(parameters)[0].mT
        brightness = measurement.peak_counts / (columns @ self.fractions).max()
        self._by_phase = brightness * columns
        # Peaks are proportional to masses, so the derivatives at any composition are sums of these.
        self._by_parameter = brightness * model.tangents(parameters, one_each, free)[..., free]
        self._background = measurement.background_counts

    def bound(self, seconds_per_step: float, two_theta_range: tuple[float, float]) -> LaboratoryBound:
        """What a scan of this counting time (s) and range (degrees) can say at best.

        Raises
        ------
        ParameterError
            If the time is out of range, or the range has no points.
        """
        phases = len(self.names)
        others = self.fractions.expand(phases, -1) * (1 - torch.eye(phases, dtype=torch.float64))
        left = others.sum(-1, keepdim=True)
        without = torch.where(left > 0, others / left.clamp_min(1e-300), self.fractions)
        every = torch.cat([self.fractions.unsqueeze(0), without])
        covariance = self.covariance(seconds_per_step, two_theta_range, every)
        known = self.covariance(seconds_per_step, two_theta_range, every[:1], only_background=True)
        sigma = 100 * covariance.diagonal(dim1=1, dim2=2).clamp_min(0).sqrt()
        limits = torch.where(left[:, 0] > 0, DETECTION * sigma[1:].diagonal(), math.nan).tolist()
        counting = (100 * known[0].diagonal().clamp_min(0).sqrt()).tolist()
        columns = zip(
            self.names, (100 * self.fractions).tolist(), sigma[0].tolist(), counting, limits, strict=True
        )
        return LaboratoryBound(
            phases=tuple(PhaseBound(*row) for row in columns),
            tvd=float(expected_tvd(covariance[:1])),
            two_theta_range=two_theta_range,
            seconds_per_step=seconds_per_step,
            scan_seconds=seconds_per_step * int(self._inside(two_theta_range).sum()),
        )

    def covariance(
        self,
        seconds_per_step: float,
        two_theta_range: tuple[float, float],
        fractions: Tensor,
        *,
        only_background: bool = False,
    ) -> Tensor:
        """(B, P, P): smallest covariance at these weight fractions (B, P).

        With `only_background`, all that shapes the peaks is taken as known. Raises as `bound` does.
        """
        if not SECONDS[0] <= seconds_per_step <= SECONDS[1]:
            raise ParameterError(
                f"{seconds_per_step:g} s for a point is out of range",
                remedy=f"Allowed: {SECONDS[0]:g} to {SECONDS[1]:g} s",
            )
        inside = self._inside(two_theta_range)
        grid = torch.from_numpy(self.two_theta)[inside]
        batch = len(fractions)
        by_phase = seconds_per_step * self._by_phase[inside]
        basis = seconds_per_step * background_basis(grid, degree=BACKGROUND_DEGREE).mT.expand(batch, -1, -1)
        rates = fractions @ self._by_phase[inside].mT + self._background
        unknown, prior = basis, torch.full_like(basis[0, 0], _BACKGROUND_REACH * float(rates.max()))
        if not only_background:
            tangents = torch.einsum("bp,pnt->bnt", fractions, self._by_parameter[:, inside])
            unknown = torch.cat([seconds_per_step * tangents, basis], dim=-1)
            prior = torch.cat([self._prior, prior])
        return fraction_covariance(
            by_phase.expand(batch, -1, -1),
            unknown,
            (seconds_per_step * rates).clamp_min(_LEAST_COUNTS).sqrt(),
            fractions,
            nuisance_sigma=prior,
        )

    def _inside(self, two_theta_range: tuple[float, float]) -> Tensor:
        low, high = two_theta_range
        inside = torch.from_numpy((self.two_theta >= low - 1e-6) & (self.two_theta <= high + 1e-6))
        if int(inside.sum()) < 2:
            raise ParameterError(
                f"range {low:g} to {high:g} deg holds no two points of the scan",
                remedy=f"Give two rising angles within {self.two_theta[0]:g}-{self.two_theta[-1]:g} deg",
            )
        return inside


def laboratory_bound(
    crystals: Sequence[Crystal],
    composition: Composition,
    instrument: Instrument,
    measurement: Measurement | None = None,
    *,
    seconds_per_step: float = 1.0,
    **known: Any,
) -> LaboratoryBound:
    """What a scan over the instrument's range can say at best of a mixture's weight fractions.

    Cells, sizes, microstrains, zero, displacement, profile and background are unknown, as in an analysis;
    the noise is that of counting. Parameters, and what `known` takes (`restraints`, `fixed`, ...), are those
    of `ExpectedScan`.

    Raises
    ------
    RadiationError, CompositionError, ParameterError
        As `ExpectedScan` and its `bound`.
    """
    scan = ExpectedScan(crystals, composition, instrument, measurement, **known)
    return scan.bound(seconds_per_step, instrument.two_theta_range)
