"""Which peaks a mixture has: every line of every reflection, at every node of the axial divergence."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mixrd.crystal import Crystal, StrainMode
from mixrd.diffraction import (
    EmissionLine,
    Radiation,
    Reflections,
    Scattering,
    axis_cosines,
    reflections,
)
from mixrd.diffraction.bragg import sine_from_inverse_d
from mixrd.errors import CrystalError, RadiationError
from mixrd.pattern.asymmetry import axial_nodes, nodes_needed
from mixrd.pattern.instrument import Instrument, Profile

#: Lines whose wavelengths differ by less (relative) share f' and f''.
_SAME_DISPERSION = 0.01
#: Narrowest peak in degrees that axial divergence is resolved for.
_NARROWEST_DEG = 0.01
Axis = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Source:
    """Reflections of one phase in lines of nearly one wavelength.

    Attributes
    ----------
    phase : int
    table : Reflections
    lines : Radiation
    first : int
        Where its reflections begin among those of all sources.
    texture_cosines : (R, M) tensor or None
        Squared cosines to the texture axis, see `axis_cosines`; None without an axis.
    size_cosines : (R,) tensor or None
        Mean squared cosine to the size axis.
    """

    phase: int
    table: Reflections
    lines: Radiation
    first: int
    texture_cosines: Float[Tensor, "R M"] | None
    size_cosines: Float[Tensor, " R"] | None


@dataclass(frozen=True, eq=False)
class PeakTable:
    """What stays the same of each of J peaks; nodes of up to M heights.

    Attributes
    ----------
    phase, reflection, node : (J,) int tensor
        A peak is one node of one line of one reflection; reflections are counted over all sources.
    wavelength_angstrom, weight : (J,) tensor
        Of the line.
    size_cosine : (J,) tensor
        Mean squared cosine to the phase's size axis, 0 without one.
    axial_heights, axial_weights : (J, M) tensor
        The quadrature of the axial divergence, padded with zeros.
    """

    phase: Int[Tensor, " J"]
    reflection: Int[Tensor, " J"]
    node: Int[Tensor, " J"]
    wavelength_angstrom: Float[Tensor, " J"]
    weight: Float[Tensor, " J"]
    size_cosine: Float[Tensor, " J"]
    axial_heights: Float[Tensor, "J M"]
    axial_weights: Float[Tensor, "J M"]


def list_sources(
    crystals: Sequence[Crystal],
    instrument: Instrument,
    two_theta_range: tuple[float, float],
    *,
    texture_axes: Mapping[str, Axis],
    size_axes: Mapping[str, Axis],
    strain: StrainMode,
    scattering: Scattering,
    dtype: torch.dtype,
    device: torch.device | str,
) -> list[Source]:
    """Reflections of all crystals in all groups of lines.

    Raises
    ------
    CrystalError
        If an axis is given for a phase that is not there.
    RadiationError
        If a phase has no reflection of the main lines in the range.
    """
    _check_axes([*texture_axes, *size_axes], crystals)
    # General strain tells equivalent reflections apart, so each has its own direction.
    merged = strain == "symmetry"
    result: list[Source] = []
    for phase, crystal in enumerate(crystals):
        for number, lines in enumerate(_families(instrument.radiation)):
            try:
                table = reflections(
                    crystal, lines, two_theta_range=two_theta_range, strain=strain, scattering=scattering
                )
            except RadiationError:
                # A weak line of another wavelength may have no reflection in the range; the main ones must.
                if number == 0:
                    raise
                continue
            first = result[-1].first + len(result[-1].table) if result else 0
            table = table.to(dtype=dtype, device=device)
            sized = _cosines(crystal, table, size_axes, merged=merged)
            result.append(
                Source(
                    phase,
                    table,
                    lines,
                    first,
                    _cosines(crystal, table, texture_axes, merged=merged),
                    None if sized is None else sized.mean(dim=1),
                )
            )
    return result


def with_texture(
    sources: Sequence[Source], crystals: Sequence[Crystal], axes: Mapping[str, Axis]
) -> list[Source]:
    """The same sources, of symmetry-keeping strains, with these texture axes by phase name.

    Raises
    ------
    CrystalError
        If an axis is given for a phase that is not there.
    """
    _check_axes(axes, crystals)
    return [
        dataclasses.replace(source, texture_cosines=_cosines(crystals[source.phase], source.table, axes))
        for source in sources
    ]


def _cosines(
    crystal: Crystal, table: Reflections, axes: Mapping[str, Axis], *, merged: bool = True
) -> Float[Tensor, "R M"] | None:
    if crystal.name not in axes:
        return None
    return table.g.new_tensor(axis_cosines(crystal, table.hkl, axes[crystal.name], merged=merged))


def _check_axes(axes: Iterable[str], crystals: Sequence[Crystal]) -> None:
    if unknown := set(axes) - {c.name for c in crystals}:
        raise CrystalError(
            f"an axis is given for {', '.join(sorted(unknown))}, which is not among the phases",
            remedy=f"Name one of {', '.join(c.name for c in crystals)}",
        )


def list_peaks(
    sources: Sequence[Source],
    instrument: Instrument,
    *,
    tolerance: float,
    dtype: torch.dtype,
    device: torch.device | str,
) -> PeakTable:
    """All peaks, their axial divergence resolved to `tolerance` of a peak's maximum (see `nodes_needed`).

    With `axial_nodes` of the instrument for each at most.
    """
    rows: list[tuple[int, int, int, float, float, float]] = []
    rules: list[tuple[tuple[float, ...], tuple[float, ...]]] = []
    for source in sources:
        spacing = source.table.g.norm(dim=1).tolist()
        aligned = [0.0] * len(spacing) if source.size_cosines is None else source.size_cosines.tolist()
        for line in source.lines.lines:
            for r, (inverse_d, cosine) in enumerate(zip(spacing, aligned, strict=True)):
                sine = sine_from_inverse_d(inverse_d=inverse_d, wavelength_angstrom=line.wavelength_angstrom)
                count = min(_axial_count(sine, instrument.profile, tolerance), instrument.axial_nodes)
                for node in range(count):
                    rows.append((source.phase, source.first + r, node, line.wavelength_angstrom,
                                 line.weight, cosine))  # fmt: skip
                    rules.append(axial_nodes(count))
    most = max(len(heights) for heights, _ in rules)
    padded = [[list(x) + [0.0] * (most - len(x)) for x in rule] for rule in rules]
    heights, weights = torch.tensor(padded, dtype=dtype, device=device).unbind(1)
    phase, reflection, node_of_peak, wavelength, weight, size_cosine = zip(*rows, strict=True)

    def real(values: tuple[float, ...]) -> Tensor:
        return torch.tensor(values, dtype=dtype, device=device)

    return PeakTable(
        phase=torch.tensor(phase, device=device),
        reflection=torch.tensor(reflection, device=device),
        node=torch.tensor(node_of_peak, device=device),
        wavelength_angstrom=real(wavelength),
        weight=real(weight),
        size_cosine=real(size_cosine),
        axial_heights=heights,
        axial_weights=weights,
    )


def _axial_count(sine: float, profile: Profile, tolerance: float) -> int:
    if profile.sh_l <= 0 or sine >= 0.999:
        return 1
    theta = math.asin(sine)
    tangent = math.tan(theta)
    gaussian = math.sqrt(max(profile.u * tangent**2 + profile.v * tangent + profile.w, 0.0))
    fwhm = max(gaussian, profile.x / math.cos(theta) + profile.y * tangent, _NARROWEST_DEG)
    return nodes_needed(2 * theta, profile.sh_l, fwhm, tolerance=tolerance)


def _families(radiation: Radiation) -> list[Radiation]:
    """Lines grouped by nearly equal wavelength, the strongest line's group first."""
    groups: list[list[EmissionLine]] = []
    for line in radiation.lines:
        for group in groups:
            if abs(line.wavelength_angstrom / group[0].wavelength_angstrom - 1) < _SAME_DISPERSION:
                group.append(line)
                break
        else:
            groups.append([line])
    return [Radiation(radiation.name, tuple(group)) for group in groups]
