"""The forward model: what a diffractometer records of some phases. It makes training data and fits scans."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mixrd.crystal import Crystal, StrainMode
from mixrd.diffraction import Lines, Scattering
from mixrd.errors import ParameterError
from mixrd.pattern.broadening import broadened
from mixrd.pattern.expansion import Expansion, copied, derivatives
from mixrd.pattern.instrument import Instrument
from mixrd.pattern.line_corrections import corrections
from mixrd.pattern.lines import Axis, list_peaks, list_sources, with_texture
from mixrd.pattern.parameter_table import by_field, parameter_table, places
from mixrd.pattern.parameters import Parameters
from mixrd.pattern.precision import TOLERANCES, Precision, renderer_for
from mixrd.pattern.reflection_table import ReflectionTable
from mixrd.pattern.render import Peaks, Renderer

#: Part of the cache key of trained models: raise it with every change of what the model computes.
FORWARD_MODEL_VERSION = 3


class ForwardModel:
    """Patterns of some phases on a grid, per unit mass, differentiable in all `Parameters`.

    Parameters
    ----------
    crystals : sequence of Crystal
    instrument : Instrument
    two_theta : (N,) array
        Grid in degrees, rising.
    texture_axes : mapping, optional
        Texture axis (h, k, l) by phase name, for phases whose March-Dollase r may differ from 1.
    size_axes : mapping, optional
        Axis (h, k, l) by phase name, for phases whose `Parameters.aspect` may differ from 1; the unique axis
        of the crystal, or equivalent reflections get their mean width.
    strain : {"symmetry", "general"}
        Strain components that keep the symmetry, or all six, where equivalent reflections split.
    scattering : Scattering
        What atoms do besides f0.
    widest_fwhm : float
        Width in degrees of the broadest peaks to expect (sets the window in which they are exact).
    precision : {"search", "training", "refinement", "exact"}
        float32 to 5e-3 and to 1e-3 of the maximum (both without gradients), float64 to 1e-4, float64 to 1e-6
        (`TOLERANCES`), the slower the finer. "search" is for widths of a phase that go as 1 / cos theta, as
        crystallites make them (`SearchRenderer`), and refuses what has others when it is drawn.

    Raises
    ------
    ParameterError
        If no phase is given, the grid is empty, does not rise or leaves 0-180 deg, the widest fwhm is not a
        width or the precision unknown.
    """

    def __init__(
        self,
        crystals: Sequence[Crystal],
        instrument: Instrument,
        two_theta: NDArray[np.float64],
        *,
        texture_axes: Mapping[str, Axis] | None = None,
        size_axes: Mapping[str, Axis] | None = None,
        strain: StrainMode = "symmetry",
        scattering: Scattering = Scattering(),  # noqa: B008
        widest_fwhm: float = 0.5,
        precision: Precision = "refinement",
        device: torch.device | str = "cpu",
    ) -> None:
        _check_input(crystals, two_theta, widest_fwhm, precision)
        self.instrument = instrument
        self.quantities, self.corrections = parameter_table(), corrections()
        self.names = [crystal.name for crystal in crystals]
        self.renderer = renderer_for(two_theta, widest_fwhm, precision, device)
        #: Of other grids, which copies of a model share.
        self._renderers: dict[tuple[bytes, float], Renderer] = {}
        dtype = self.renderer.grid.dtype
        self.sources = list_sources(
            crystals,
            instrument,
            (float(two_theta[0]), float(two_theta[-1])),
            texture_axes=texture_axes or {},
            size_axes=size_axes or {},
            strain=strain,
            scattering=scattering,
            dtype=dtype,
            device=device,
        )
        #: The reflections of each phase in the strongest line.
        self.tables = [next(s.table for s in self.sources if s.phase == p) for p in range(len(crystals))]
        self.reflection_table = ReflectionTable(self.sources, dtype=dtype, device=device)
        self.strain_sizes = self.reflection_table.strain_sizes
        self._places = places(self.quantities, sum(self.strain_sizes), len(self.tables))
        self.peak_table = list_peaks(
            self.sources, instrument, tolerance=TOLERANCES[precision], dtype=dtype, device=device
        )

    @property
    def reflections(self) -> int:
        """Number of reflections of all phases, in all families of lines."""
        return sum(len(source.table) for source in self.sources)

    @property
    def two_theta(self) -> Tensor:
        """(N,) grid in degrees."""
        return self.renderer.grid

    def with_texture_axes(self, crystals: Sequence[Crystal], axes: Mapping[str, Axis]) -> ForwardModel:
        """The same model of the same crystals with other texture axes; what is alike is shared.

        Raises
        ------
        CrystalError
            If an axis is given for a phase that is not there.
        """
        other = copy.copy(self)
        other.sources = with_texture(self.sources, crystals, axes)
        other.reflection_table = self.reflection_table.with_sources(other.sources)
        return other

    def on_grid(self, two_theta: NDArray[np.float64], *, widest_fwhm: float = 0.5) -> ForwardModel:
        """The same model on another grid within its range; reflections are shared.

        Raises
        ------
        ParameterError
            If the grid cannot be used.
        """
        _check_input(self.names, two_theta, widest_fwhm, "refinement")
        other = copy.copy(self)
        dtype, device = self.two_theta.dtype, self.two_theta.device
        asked = two_theta.tobytes(), widest_fwhm
        if asked not in self._renderers:
            self._renderers[asked] = Renderer(two_theta, widest_fwhm=widest_fwhm, dtype=dtype, device=device)
        other.renderer = self._renderers[asked]
        return other

    def reference(self, batch: int = 1) -> Parameters:
        """Parameters of unstrained, large crystals on a well-adjusted instrument."""
        profile = vars(self.instrument.profile)
        flat = self.two_theta.new_empty(batch, self._places[self.quantities[-1].name].stop)
        for quantity in self.quantities:
            flat[:, self._places[quantity.name]] = profile.get(quantity.name, quantity.neutral)
        return self.from_flat(flat)

    def from_flat(self, flat: Tensor) -> Parameters:
        """`Parameters` from what `Parameters.flat` gave."""
        return Parameters({name: flat[..., self._places[name]] for name in by_field(self.quantities)})

    def columns_of(self, name: str) -> slice:
        """Where a field of `Parameters`, or one quantity of it, stands among the flat ones."""
        return self._places[name]

    def peaks(self, parameters: Parameters) -> Peaks:
        """Peaks of all phases, one after the other (`peak_table`), for unit mass of each."""
        inputs = self._inputs(parameters, self.reflection_table.at(parameters, rates=False))
        return broadened(inputs, self.peak_table, self.instrument, self.corrections)

    def columns(self, parameters: Parameters) -> Tensor:
        """(B, P, N): the pattern of unit mass of each phase."""
        return self.renderer.render(self.peaks(parameters), self.peak_table.phase, len(self.tables))

    def tangents(self, parameters: Parameters, scales: Tensor, free: Tensor | None = None) -> Tensor:
        """(B, N, T): derivatives of the pattern of masses `scales` (B, P), by the flat parameters.

        Those that are not `free` ((T,) bool) are left at zero, which costs nothing.
        """
        expanded = self.expanded(parameters, free)
        slopes = expanded.tangents(scales).transpose(1, 2)
        result = slopes.new_zeros(*slopes.shape[:-1], len(expanded.free))
        result[..., expanded.free] = slopes
        return result

    def expanded(self, parameters: Parameters, free: Tensor | None = None) -> Expansion:
        """Patterns at these parameters with their derivatives by the `free` ones ((T,) bool; default all)."""
        lines = self.reflection_table.at(parameters)
        inputs = self._inputs(parameters, lines)
        if free is None:
            free = torch.ones(self._places[self.quantities[-1].name].stop, dtype=torch.bool)
        freed = [q.name for q in self.quantities if bool(free[self._places[q.name]].any())]
        asked = [name for name in inputs if name in freed or name in ("g_squared", "intensity")]
        with torch.enable_grad():
            copies = copied(inputs, asked)
            drawn = broadened(copies, self.peak_table, self.instrument, self.corrections)
            peaks, by_input = derivatives(copies, drawn)
        return Expansion(
            peaks=peaks,
            profiles=self.renderer.expanded(peaks),
            by_input=by_input,
            reflections=lines,
            texture_rate=self.reflection_table.texture_rate(parameters, lines.intensity),
            component=self.reflection_table.component,
            table=self.peak_table,
            quantities=self.quantities,
            places=self._places,
            free=free.to(self.two_theta.device),
        )

    def _inputs(self, parameters: Parameters, lines: Lines) -> dict[str, Tensor]:
        """What each peak's position, area and width follow from; (B, J) each."""
        table = self.peak_table
        inputs = {
            "g_squared": lines.g_squared[:, table.reflection],
            "intensity": lines.intensity[:, table.reflection],
        }
        of_phase = [q.name for q in self.quantities if q.scope == "phase" and q.name != "texture"]
        inputs |= {name: parameters.values[name][:, table.phase] for name in of_phase}
        shared = [q for q in self.quantities if q.scope == "pattern"]
        values = torch.cat([parameters.values[name] for name in by_field(shared)], dim=-1)
        spread = values.unsqueeze(-1).expand(-1, -1, len(table.phase))
        return inputs | {q.name: spread[:, i] for i, q in enumerate(shared)}


def shared_model(
    crystals: Sequence[Crystal], instrument: Instrument, two_theta: NDArray[np.float64]
) -> ForwardModel:
    """The model of these crystals on this grid: scans of a series ask for the same again, and get it."""
    return _shared_model(tuple(crystals), instrument, np.asarray(two_theta, dtype=np.float64).tobytes())


@lru_cache(maxsize=8)
def _shared_model(crystals: tuple[Crystal, ...], instrument: Instrument, grid: bytes) -> ForwardModel:
    return ForwardModel(crystals, instrument, np.frombuffer(grid))


def _check_input(
    crystals: Sequence[Crystal | str], two_theta: NDArray[np.float64], widest_fwhm: float, precision: str
) -> None:
    if not crystals:
        raise ParameterError("no phase is given", remedy="Give at least one crystal")
    if not 0 < widest_fwhm < 180:
        raise ParameterError(
            f"widest_fwhm = {widest_fwhm:g} deg", remedy="Allowed: above 0 and below 180 deg"
        )
    if precision not in TOLERANCES:
        raise ParameterError(f"precision = {precision!r}", remedy=f"Allowed: {', '.join(TOLERANCES)}")
    values = np.asarray(two_theta)
    if (
        values.ndim != 1
        or len(values) < 2
        or not np.isfinite(values).all()
        or not (np.diff(values) > 0).all()
    ):
        raise ParameterError(
            "two_theta is not a rising row of at least two numbers", remedy="Give rising angles in degrees"
        )
    if values[0] < 0 or values[-1] > 180:
        raise ParameterError(
            f"two_theta runs from {values[0]:g} to {values[-1]:g} deg", remedy="Allowed: 0 to 180 deg"
        )
