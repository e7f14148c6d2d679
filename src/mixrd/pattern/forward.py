"""The forward model: what a diffractometer records of some phases. It makes training data and fits scans."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mixrd.crystal import Crystal
from mixrd.diffraction import (
    EmissionLine,
    Radiation,
    Reflections,
    axis_cosines,
    divergence_slit,
    lorentz_polarization,
    march_dollase,
    reflections,
    stick_rates,
    strained_sticks,
)
from mixrd.errors import RadiationError
from mixrd.pattern.asymmetry import axial_nodes, axial_share, axial_shift, nodes_needed
from mixrd.pattern.instrument import Instrument
from mixrd.pattern.profile import microstrain_fwhm, size_fwhm, tch_pseudo_voigt
from mixrd.pattern.render import Peaks, Renderer

#: Part of the cache key of trained models: raise it with every change of what the model computes.
FORWARD_MODEL_VERSION = 2
#: Parameters that all peaks of a scan share, in the order of `Parameters.flat`.
_SHARED = ("u", "v", "w", "x", "y", "sh_l", "zero", "displacement")
#: Nodes over the axial divergence for each fwhm that it shifts a peak, and the most: to refine, to train.
_AXIAL_NODES, _AXIAL_NODES_FLOAT32 = (4.0, 16), (1.5, 5)
#: Lines whose wavelengths differ by less (relative) share f' and f''.
_SAME_DISPERSION = 0.01


@dataclass(frozen=True, eq=False)
class Parameters:
    """What may differ from scan to scan, apart from how much of each phase there is. B scans, P phases.

    Attributes
    ----------
    strain : (B, K) tensor
        Strain amplitudes, those of all phases one after the other.
    inverse_size : (B, P) tensor
        Inverse crystallite size in 1/nm.
    microstrain : (B, P) tensor
        Relative spread of lattice spacings, dimensionless.
    texture : (B, P) tensor
        March-Dollase r along each phase's texture axis, 1 without texture.
    profile : (B, 6) tensor
        Instrument's u, v, w (deg^2), x, y (deg), sh_l; see `Profile`.
    zero : (B, 1) tensor
        Zero shift in degrees 2theta.
    displacement : (B, 1) tensor
        Displacement of the sample surface from the goniometer axis in mm.
    """

    strain: Tensor
    inverse_size: Tensor
    microstrain: Tensor
    texture: Tensor
    profile: Tensor
    zero: Tensor
    displacement: Tensor

    def flat(self) -> Tensor:
        """(B, T): all of them, in the order above."""
        return torch.cat([getattr(self, f.name) for f in dataclasses.fields(self)], dim=-1)


@dataclass(frozen=True, eq=False)
class _Source:
    """Reflections of one phase in lines of nearly one wavelength; where they stand among all reflections."""

    phase: int
    table: Reflections
    lines: Radiation
    first: int
    cosines: Tensor | None


class ForwardModel:
    """Patterns of some phases on a grid, per unit mass, differentiable in all `Parameters`.

    Parameters
    ----------
    crystals : sequence of Crystal
    instrument : Instrument
    two_theta : (N,) array
        Grid in degrees.
    texture_axes : mapping, optional
        Texture axis (h, k, l) by phase name, for phases whose March-Dollase r may differ from 1.
    widest_fwhm : float
        Width in degrees of the broadest peaks to expect (sets the window in which they are exact).
    dtype : torch.dtype
        float32 to train, float64 to refine.
    """

    def __init__(
        self,
        crystals: Sequence[Crystal],
        instrument: Instrument,
        two_theta: NDArray[np.float64],
        *,
        texture_axes: Mapping[str, tuple[int, int, int]] | None = None,
        widest_fwhm: float = 0.5,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str = "cpu",
    ) -> None:
        self.instrument = instrument
        self.names = [crystal.name for crystal in crystals]
        self.renderer = Renderer(two_theta, widest_fwhm=widest_fwhm, dtype=dtype, device=device)
        limits = (float(two_theta[0]), float(two_theta[-1]))
        self._sources = _sources(crystals, instrument, limits, texture_axes or {}, dtype, device)
        #: The reflections of each phase in the strongest line.
        self.tables = [next(s.table for s in self._sources if s.phase == p) for p in range(len(crystals))]
        self.strain_sizes = [len(table.strain_basis) for table in self.tables]
        self._list_peaks(dtype, device)

    def _list_peaks(self, dtype: torch.dtype, device: torch.device | str) -> None:
        """For each peak its phase, reflection, line and node.

        A peak is one line of one reflection; axial divergence makes several of it, one at each node.
        """
        rows, rules = [], []
        for source in self._sources:
            spacing = source.table.g.norm(dim=1).tolist()
            for line in source.lines.lines:
                for r, inverse_d in enumerate(spacing):
                    count = self._axial_count(0.5 * line.wavelength_angstrom * inverse_d, dtype)
                    for k in range(count):
                        rows.append(
                            (source.phase, source.first + r, line.wavelength_angstrom, line.weight, k)
                        )
                        rules.append(axial_nodes(count) if count > 1 else ((0.0,), (1.0,)))
        phase, reflection, wavelength, weight, node = zip(*rows, strict=True)
        self.phase_of_peak = torch.tensor(phase, device=device)
        self.reflection_of_peak = torch.tensor(reflection, device=device)
        self.wavelength_of_peak = torch.tensor(wavelength, dtype=dtype, device=device)
        self.weight_of_peak = torch.tensor(weight, dtype=dtype, device=device)
        self._node = torch.tensor(node, device=device)
        most = max(len(heights) for heights, _ in rules)
        padded = [[list(x) + [0.0] * (most - len(x)) for x in rule] for rule in rules]
        self._axial_heights, self._axial_weights = torch.tensor(padded, dtype=dtype, device=device).unbind(1)

    def _axial_count(self, sine: float, dtype: torch.dtype) -> int:
        p = self.instrument.profile
        if p.sh_l <= 0 or sine >= 0.999:
            return 1
        theta = math.asin(sine)
        gaussian = math.sqrt(max(p.u * math.tan(theta) ** 2 + p.v * math.tan(theta) + p.w, 1e-4))
        fwhm = max(gaussian, p.x / math.cos(theta) + p.y * math.tan(theta))
        per_fwhm, most = _AXIAL_NODES_FLOAT32 if dtype == torch.float32 else _AXIAL_NODES
        return nodes_needed(2 * theta, p.sh_l, fwhm, per_fwhm=per_fwhm, most=most)

    @property
    def reflections(self) -> int:
        """Number of reflections of all phases, in all families of lines."""
        return sum(len(source.table) for source in self._sources)

    @property
    def two_theta(self) -> Tensor:
        """(N,) grid in degrees."""
        return self.renderer.grid

    def reference(self, batch: int = 1) -> Parameters:
        """Parameters of unstrained, large crystals on a well-adjusted instrument."""
        p = self.instrument.profile
        grid = self.renderer.grid
        phases = len(self.tables)
        return Parameters(
            strain=grid.new_zeros(batch, sum(self.strain_sizes)),
            inverse_size=grid.new_zeros(batch, phases),
            microstrain=grid.new_zeros(batch, phases),
            texture=grid.new_ones(batch, phases),
            profile=grid.new_tensor([p.u, p.v, p.w, p.x, p.y, p.sh_l]).repeat(batch, 1),
            zero=grid.new_zeros(batch, 1),
            displacement=grid.new_zeros(batch, 1),
        )

    def from_flat(self, flat: Tensor) -> Parameters:
        """`Parameters` from what `Parameters.flat` gave."""
        phases = len(self.tables)
        sizes = [sum(self.strain_sizes), phases, phases, phases, 6, 1, 1]
        return Parameters(*flat.split(sizes, dim=-1))

    def peaks(self, parameters: Parameters) -> Peaks:
        """Peaks of all phases, one after the other (`phase_of_peak`), for unit mass of each."""
        return self._broaden(self._inputs(parameters))

    def columns(self, parameters: Parameters) -> Tensor:
        """(B, P, N): the pattern of unit mass of each phase."""
        return self.renderer.render(self.peaks(parameters), self.phase_of_peak, len(self.tables))

    def tangents(self, parameters: Parameters, scales: Tensor) -> Tensor:
        """(B, N, T): derivatives of the pattern of masses `scales` (B, P), by the flat parameters."""
        inputs = {k: v.detach().requires_grad_() for k, v in self._inputs(parameters).items()}
        with torch.enable_grad():
            peaks = self._broaden(inputs)
            partial = [
                torch.autograd.grad(q.sum(), list(inputs.values()), retain_graph=True, allow_unused=True,
                                    materialize_grads=True)
                for q in vars(peaks).values()
            ]  # fmt: skip
        # Every peak depends on its own inputs alone, so the gradient of a sum holds each peak's derivatives.
        by_input = {k: torch.stack([p[i] for p in partial], dim=1) for i, k in enumerate(inputs)}
        mass = scales[:, self.phase_of_peak]
        rates = self._rates(parameters, by_input)
        rates = torch.cat([rates[:, :1], rates[:, 1:2] * mass[:, None, :, None], rates[:, 2:]], dim=1)
        detached = Peaks(**{k: v.detach() for k, v in vars(peaks).items()})
        return self.renderer.tangents(dataclasses.replace(detached, area=detached.area * mass), rates)

    def _inputs(self, parameters: Parameters) -> dict[str, Tensor]:
        """What each peak's position, area and width follow from; (B, J) each."""
        strains = self._strains(parameters)
        g_squared, intensity = [], []
        for source in self._sources:
            sticks = strained_sticks(source.table, strains[source.phase])
            g_squared.append(sticks.g_squared)
            r = parameters.texture[:, source.phase : source.phase + 1]
            factor = 1.0 if source.cosines is None else march_dollase(source.cosines, r)
            intensity.append(sticks.intensity * factor)
        inputs = {
            "g_squared": torch.cat(g_squared, dim=1)[:, self.reflection_of_peak],
            "intensity": torch.cat(intensity, dim=1)[:, self.reflection_of_peak],
            "inverse_size": parameters.inverse_size[:, self.phase_of_peak],
            "microstrain": parameters.microstrain[:, self.phase_of_peak],
        }
        shared = torch.cat([parameters.profile, parameters.zero, parameters.displacement], dim=-1)
        spread = shared.unsqueeze(-1).expand(-1, -1, len(self.phase_of_peak))
        return inputs | {name: spread[:, i] for i, name in enumerate(_SHARED)}

    def _broaden(self, inputs: dict[str, Tensor]) -> Peaks:
        sine = 0.5 * self.wavelength_of_peak * inputs["g_squared"].sqrt()
        visible = sine < 0.999
        theta = torch.arcsin(torch.where(visible, sine, torch.full_like(sine, 0.999)))
        factor = lorentz_polarization(
            2 * theta, monochromator_two_theta=self.instrument.monochromator_two_theta
        )
        factor = factor * divergence_slit(theta, mode=self.instrument.divergence_slit)
        # A surface off the axis by s shifts a line by -2 s cos(theta) / R (Klug & Alexander 1974, ch. 5).
        relative = inputs["displacement"] / self.instrument.goniometer_radius_mm
        shift = -2 * relative * theta.cos()
        if self.instrument.profile.sh_l > 0:
            height = self._axial_heights.gather(1, self._node.unsqueeze(1)).squeeze(1)
            shift = shift + axial_shift(2 * theta, inputs["sh_l"], height)
            factor = factor * axial_share(
                2 * theta, inputs["sh_l"], self._axial_heights, self._axial_weights, self._node
            )
        tangent = torch.tan(theta)
        caglioti = inputs["u"] * tangent**2 + inputs["v"] * tangent + inputs["w"]
        lorentzian = (
            inputs["x"] / theta.cos()
            + inputs["y"] * tangent
            + size_fwhm(inputs["inverse_size"], self.wavelength_of_peak, theta)
            + microstrain_fwhm(inputs["microstrain"], theta)
        )
        fwhm, eta = tch_pseudo_voigt(caglioti.clamp_min(1e-6).sqrt(), lorentzian.clamp_min(1e-6))
        return Peaks(
            position=torch.rad2deg(2 * theta + shift) + inputs["zero"],
            area=inputs["intensity"] * self.weight_of_peak * factor * visible,
            fwhm=fwhm,
            eta=eta,
        )

    def _strains(self, parameters: Parameters) -> tuple[Tensor, ...]:
        strains: tuple[Tensor, ...] = parameters.strain.split(self.strain_sizes, dim=-1)
        return strains

    def _rates(self, parameters: Parameters, by_input: dict[str, Tensor]) -> Tensor:
        """(B, 4, J, T): derivatives of each peak by the flat parameters, from those by its inputs."""
        phases = len(self.tables)
        g_rate, intensity_rate, texture_rate = self._reflection_rates(parameters)
        chosen = self.reflection_of_peak
        g, intensity = (by_input[k].unsqueeze(-1) for k in ("g_squared", "intensity"))
        strain = g * g_rate[:, chosen].unsqueeze(1) + intensity * intensity_rate[:, chosen].unsqueeze(1)
        of_phase = torch.nn.functional.one_hot(self.phase_of_peak, phases).to(parameters.strain.dtype)
        per_phase = [by_input[k].unsqueeze(-1) * of_phase for k in ("inverse_size", "microstrain")]
        texture = intensity * texture_rate[:, chosen].unsqueeze(1).unsqueeze(-1) * of_phase
        shared = torch.stack([by_input[name] for name in _SHARED], dim=-1)
        return torch.cat([strain, *per_phase, texture, shared], dim=-1)

    def _reflection_rates(self, parameters: Parameters) -> tuple[Tensor, Tensor, Tensor]:
        """By strain of all phases: d(1/d^2) and dI, (B, R, K) each; by the own texture: dI, (B, R)."""
        strains = self._strains(parameters)
        batch, components = parameters.strain.shape
        g_rate = parameters.strain.new_zeros(batch, self.reflections, components)
        intensity_rate, texture_rate = torch.zeros_like(g_rate), torch.zeros_like(g_rate[:, :, 0])
        starts = [sum(self.strain_sizes[:p]) for p in range(len(self.strain_sizes))]
        for source in self._sources:
            rows = slice(source.first, source.first + len(source.table))
            columns = slice(starts[source.phase], starts[source.phase] + self.strain_sizes[source.phase])
            change = stick_rates(source.table, strains[source.phase])
            g_rate[:, rows, columns] = change.g_squared
            intensity_rate[:, rows, columns] = change.intensity
            if source.cosines is not None:
                r = parameters.texture[:, source.phase : source.phase + 1].expand(-1, len(source.table))
                with torch.enable_grad():
                    r = r.detach().requires_grad_()
                    factor = march_dollase(source.cosines, r)
                    (slope,) = torch.autograd.grad(factor.sum(), r)
                sticks = strained_sticks(source.table, strains[source.phase])
                texture_rate[:, rows] = sticks.intensity * slope
                intensity_rate[:, rows, columns] *= factor.detach().unsqueeze(-1)
        return g_rate, intensity_rate, texture_rate


def _sources(
    crystals: Sequence[Crystal],
    instrument: Instrument,
    limits: tuple[float, float],
    texture_axes: Mapping[str, tuple[int, int, int]],
    dtype: torch.dtype,
    device: torch.device | str,
) -> list[_Source]:
    result: list[_Source] = []
    first = 0
    for phase, crystal in enumerate(crystals):
        for number, lines in enumerate(_families(instrument.radiation)):
            try:
                table = reflections(crystal, lines, two_theta_range=limits)
            except RadiationError:
                # A weak line of another wavelength may have no reflection in the range; the main ones must.
                if number == 0:
                    raise
                continue
            axis = texture_axes.get(crystal.name)
            cosines = None
            if axis is not None:
                values = axis_cosines(crystal, table.hkl, axis)
                cosines = torch.tensor(values, dtype=dtype, device=device)
            result.append(_Source(phase, table.to(dtype=dtype, device=device), lines, first, cosines))
            first += len(table)
    return result


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
