"""The forward model: what a diffractometer records of some phases. It makes training data and fits scans."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mixrd.crystal import Crystal
from mixrd.diffraction import lorentz_polarization, reflections, stick_rates, strained_sticks
from mixrd.pattern.instrument import Instrument
from mixrd.pattern.profile import microstrain_fwhm, size_fwhm, tch_pseudo_voigt
from mixrd.pattern.render import Peaks, Renderer

#: Part of the cache key of trained models: raise it with every change of what the model computes.
FORWARD_MODEL_VERSION = 1
#: Parameters that all peaks of a scan share, in the order of `Parameters.flat`.
_SHARED = ("u", "v", "w", "x", "y", "zero", "displacement")


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
    profile : (B, 5) tensor
        Instrument's u, v, w (deg^2), x, y (deg); see `Profile`.
    zero : (B, 1) tensor
        Zero shift in degrees 2theta.
    displacement : (B, 1) tensor
        Displacement of the sample surface from the goniometer axis in mm.
    """

    strain: Tensor
    inverse_size: Tensor
    microstrain: Tensor
    profile: Tensor
    zero: Tensor
    displacement: Tensor

    def flat(self) -> Tensor:
        """(B, T): all of them, in the order above."""
        return torch.cat([getattr(self, f.name) for f in dataclasses.fields(self)], dim=-1)


class ForwardModel:
    """Patterns of some phases on a grid, per unit mass, differentiable in all `Parameters`.

    Parameters
    ----------
    crystals : sequence of Crystal
    instrument : Instrument
    two_theta : (N,) array
        Grid in degrees.
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
        widest_fwhm: float = 0.5,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str = "cpu",
    ) -> None:
        self.instrument = instrument
        self.names = [crystal.name for crystal in crystals]
        limits = (float(two_theta[0]), float(two_theta[-1]))
        self.tables = [
            reflections(crystal, instrument.radiation, two_theta_range=limits).to(dtype=dtype, device=device)
            for crystal in crystals
        ]
        self.renderer = Renderer(two_theta, widest_fwhm=widest_fwhm, dtype=dtype, device=device)
        self.strain_sizes = [len(table.strain_basis) for table in self.tables]
        lines = len(instrument.radiation.lines)
        self.phase_of_peak = torch.cat(
            [torch.full((lines * len(t),), p, device=device) for p, t in enumerate(self.tables)]
        )
        beam = [(x.wavelength_angstrom, x.weight) for x in instrument.radiation.lines]
        self.wavelength_of_peak, self.weight_of_peak = torch.tensor(
            [line for t in self.tables for line in beam for _ in range(len(t))], dtype=dtype, device=device
        ).unbind(1)

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
            profile=grid.new_tensor([p.u, p.v, p.w, p.x, p.y]).repeat(batch, 1),
            zero=grid.new_zeros(batch, 1),
            displacement=grid.new_zeros(batch, 1),
        )

    def from_flat(self, flat: Tensor) -> Parameters:
        """`Parameters` from what `Parameters.flat` gave."""
        phases = len(self.tables)
        sizes = [sum(self.strain_sizes), phases, phases, 5, 1, 1]
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
        g_squared, intensity = [], []
        lines = len(self.instrument.radiation.lines)
        for table, strain in zip(self.tables, self._strains(parameters), strict=True):
            sticks = strained_sticks(table, strain)
            g_squared.append(sticks.g_squared.repeat(1, lines))
            intensity.append(sticks.intensity.repeat(1, lines))
        inputs = {
            "g_squared": torch.cat(g_squared, dim=1),
            "intensity": torch.cat(intensity, dim=1),
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
        # A surface off the axis by s shifts a line by -2 s cos(theta) / R (Klug & Alexander 1974, ch. 5).
        relative = inputs["displacement"] / self.instrument.goniometer_radius_mm
        shift = torch.rad2deg(-2 * relative * theta.cos())
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
            position=torch.rad2deg(2 * theta) + shift + inputs["zero"],
            area=inputs["intensity"] * self.weight_of_peak * factor * visible,
            fwhm=fwhm,
            eta=eta,
        )

    def _strains(self, parameters: Parameters) -> tuple[Tensor, ...]:
        strains: tuple[Tensor, ...] = parameters.strain.split(self.strain_sizes, dim=-1)
        return strains

    def _rates(self, parameters: Parameters, by_input: dict[str, Tensor]) -> Tensor:
        """(B, 4, J, T): derivatives of each peak by the flat parameters, from those by its inputs."""
        phases, lines = len(self.tables), len(self.instrument.radiation.lines)
        strain_columns = []
        for p, (table, strain) in enumerate(zip(self.tables, self._strains(parameters), strict=True)):
            own = self.phase_of_peak == p
            change = stick_rates(table, strain)
            block = by_input["g_squared"].new_zeros(*by_input["g_squared"].shape, strain.shape[-1])
            block[:, :, own] = by_input["g_squared"][:, :, own].unsqueeze(-1) * change.g_squared.repeat(
                1, lines, 1
            ).unsqueeze(1) + by_input["intensity"][:, :, own].unsqueeze(-1) * change.intensity.repeat(
                1, lines, 1
            ).unsqueeze(1)
            strain_columns.append(block)
        of_phase = torch.nn.functional.one_hot(self.phase_of_peak, phases).to(parameters.strain.dtype)
        per_phase = [by_input[k].unsqueeze(-1) * of_phase for k in ("inverse_size", "microstrain")]
        shared = torch.stack([by_input[name] for name in _SHARED], dim=-1)
        return torch.cat([*strain_columns, *per_phase, shared], dim=-1)
