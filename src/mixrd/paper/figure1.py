"""The training data of the paper: Fig. 1 of Hoefer et al. (2024) on one page.

`Figure1Sampler.make` reads from top to bottom as the figure does: single-phase patterns are drawn from the
dataset, weighted and combined, their peak positions discretised, peak shapes placed; the pattern is
normalised, and noise and background are added, in this order. Every choice is in `Figure1Settings`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mixrd.errors import RecipeError, UsageError
from mixrd.mixture.lines import LineLists
from mixrd.paper.figure1_draw import Figure1Draw, StrainTable, shape_of
from mixrd.paper.figure1_settings import Figure1Settings
from mixrd.pattern import (
    apply_exponential,
    apply_gaussian_noise,
    draw_exponential,
    draw_gaussian_noise,
    take_rows,
)
from mixrd.pattern.drawing import uniform
from mixrd.pattern.scherrer import ScherrerPeaks

#: Patterns made at once: on a CPU what is worked on stays in its cache, on a GPU in its memory.
_BLOCK_CPU, _BLOCK_GPU = 32, 4096


@dataclass(frozen=True, eq=False)
class Figure1Batch:
    """Patterns (B, N), fractions of the materials (B, M), both float32, and what they were made from.

    `strain` (B, T) holds the amplitudes of all materials (`StrainTable.of`), where the sampler knows them.
    """

    patterns: Tensor
    fractions: Tensor
    drawn: Figure1Draw
    strain: Tensor | None = None

    @property
    def shape(self) -> Tensor:
        """(B, 4) size, eta and background as `mixrd.paper.figure1_draw.shape_of` gives them."""
        return shape_of(self.drawn)


class Figure1Sampler:
    """Draws training batches from a dataset of line lists.

    Parameters
    ----------
    lines : LineLists
        The materials and strained copies to draw from: one split of the dataset.
    settings : Figure1Settings
    device : str or torch.device
        Where batches are made; generators must be of the same device.
    strains : sequence of (copies, C_m) arrays, optional
        Strain amplitudes of each material's line lists; batches then hold the strains.

    Attributes
    ----------
    points : int
        N, points of a pattern.
    materials : int
        M, number of outputs.
    names : tuple of str
        Of the materials, in the order of the outputs.

    Raises
    ------
    RecipeError
        If a material has no line list, a list no line on the grid, or there are too few materials.
    """

    def __init__(
        self,
        lines: LineLists,
        settings: Figure1Settings | None = None,
        device: torch.device | str = "cpu",
        strains: Sequence[NDArray[np.float64]] | None = None,
    ) -> None:
        self.settings = s = settings or Figure1Settings()
        self.points, self.names, self.materials = s.points, lines.materials, len(lines.materials)
        self.device = torch.device(device)
        # Position in `lines` of the n-th copy of each material.
        self._order = torch.from_numpy(np.argsort(lines.material, kind="stable")).to(device)
        counts = np.bincount(lines.material, minlength=len(lines.materials))
        _check_drawable(lines, counts, s)
        self._count = torch.from_numpy(counts).to(device)
        self._first = torch.from_numpy(np.cumsum(counts) - counts).to(device)
        self._material = torch.from_numpy(lines.material).to(device)
        # A line moves to its grid point whatever it is combined with, so that is done once, here.
        self._sticks = torch.from_numpy(discretised(lines, s)).to(device)
        self._peaks = ScherrerPeaks(
            s.start_deg, s.step_deg, s.points, wavelength_angstrom=s.wavelength_angstrom, device=device
        )
        self._two_theta = torch.from_numpy(s.two_theta).to(device)
        self._strains = None if strains is None else StrainTable(lines, strains, device)

    def draw(self, batch: int, *, generator: torch.Generator) -> Figure1Batch:
        """A batch of new samples. The same seed gives the same batch."""
        return self.make(self.conditions(batch, generator=generator))

    def conditions(self, batch: int, *, generator: torch.Generator) -> Figure1Draw:
        """All that is random in `batch` samples.

        Raises
        ------
        UsageError
            If the generator is of another device.
        """
        s = self.settings
        if generator.device.type != self.device.type:
            raise UsageError(
                f"the generator is on {generator.device} and the sampler on {self.device}",
                remedy="Give both the same device",
            )
        slots = s.max_phases if s.shape_per == "phase" else 1
        number, material = self._draw_materials(batch, generator)
        copies = self._count[material]
        copy = (_rand(batch, s.max_phases, generator) * copies).long().minimum(copies - 1)
        return Figure1Draw(
            pattern=self._order[self._first[material] + copy],
            fraction=draw_simplex(number, s.max_phases, generator=generator),
            size_nm=uniform(s.size_nm, batch, slots, generator=generator),
            eta=uniform(s.eta, batch, slots, generator=generator),
            noise=draw_gaussian_noise(batch, s.points, s.noise, generator=generator),
            background=draw_exponential(self._two_theta, batch, s.background, generator=generator),
        )

    def make(self, drawn: Figure1Draw) -> Figure1Batch:
        """The samples that these numbers stand for; `take_rows` picks some of them."""
        # Copies of one material share an output.
        outputs = torch.nn.functional.one_hot(self._material[drawn.pattern], self.materials)
        fractions = (outputs * drawn.fraction.unsqueeze(-1)).sum(1)
        block = _BLOCK_CPU if self.device.type == "cpu" else _BLOCK_GPU
        patterns = torch.empty(len(drawn.pattern), self.points, device=self.device)
        for low in range(0, len(patterns), block):
            part = take_rows(drawn, slice(low, low + block))
            pattern = self.noise_free(part)
            pattern = apply_gaussian_noise(pattern, part.noise)
            patterns[low : low + block] = apply_exponential(pattern, self._two_theta, part.background)
        strain = None if self._strains is None else self._strains.of(drawn)
        return Figure1Batch(patterns, fractions.float(), drawn, strain)

    def noise_free(self, drawn: Figure1Draw) -> Tensor:
        """(B, N) normalised patterns before noise and background."""
        sticks = self._weighted_and_combined(drawn)
        pattern = self._peaks.place(sticks, self.settings.size_factor / drawn.size_nm, drawn.eta)
        if self.settings.normalisation == "range":
            pattern = pattern - pattern.amin(-1, keepdim=True)
        return pattern / pattern.amax(-1, keepdim=True)

    def _weighted_and_combined(self, drawn: Figure1Draw) -> Tensor:
        """(B, 1, N) sticks at their grid points, or (B, K, N) where each phase has a shape of its own."""
        weights = drawn.fraction.float()
        if self.settings.shape_per == "phase":
            return self._sticks[drawn.pattern] * weights.unsqueeze(-1)
        combined = torch.nn.functional.embedding_bag(
            drawn.pattern, self._sticks, per_sample_weights=weights, mode="sum"
        )
        return combined.unsqueeze(1)

    def _draw_materials(self, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """How many patterns (B, 1), and the materials (B, K) of all slots."""
        slots, materials, device = self.settings.max_phases, self.materials, generator.device
        if self.settings.kind == "exactly_distinct":
            order = _rand(batch, materials, generator).argsort(dim=1)
            return torch.full((batch, 1), slots, device=device), order[:, :slots]
        number = torch.randint(1, slots + 1, (batch, 1), generator=generator, device=device)
        return number, torch.randint(materials, (batch, slots), generator=generator, device=device)


def discretised(lines: LineLists, settings: Figure1Settings) -> NDArray[np.float32]:
    """(lists, N) areas of the lines at their nearest grid points, each list scaled as the settings say.

    Lines off the grid are left out; they count in the scale.

    Raises
    ------
    RecipeError
        If a list has no line on the grid.
    """
    row = np.repeat(np.arange(len(lines)), np.diff(lines.offsets))
    if settings.scaling == "maximum":
        scale = np.maximum.reduceat(lines.areas, lines.offsets[:-1]).astype(np.float64)
    elif settings.scaling == "area":
        scale = np.add.reduceat(lines.areas.astype(np.float64), lines.offsets[:-1])
    else:
        scale = np.ones(len(lines))
    point = np.rint((lines.positions - settings.start_deg) / settings.step_deg).astype(np.int64)
    inside = (point >= 0) & (point < settings.points)
    row, point = row[inside], point[inside]
    table = np.zeros((len(lines), settings.points), dtype=np.float32)
    np.add.at(table, (row, point), (lines.areas[inside] / scale[row]).astype(np.float32))
    if empty := int((table.max(axis=1) <= 0).sum()):
        raise RecipeError(
            f"{empty} of {len(lines)} line lists have no line on the grid",
            remedy="Give the grid the range of the dataset, or leave those materials out",
        )
    return table


def draw_simplex(number: Tensor, slots: int, *, generator: torch.Generator) -> Tensor:
    """(B, slots) float64 fractions: the first `number` (B, 1) uniform on the simplex, the others 0.

    The spacings of sorted uniform numbers are uniform on the simplex (Devroye 1986, Non-Uniform Random
    Variate Generation, chapter V).
    """
    cuts = _rand(len(number), slots - 1, generator)
    # Cuts at 1 leave nothing for the slots behind them.
    unused = torch.arange(1, slots, device=cuts.device) >= number
    cuts = cuts.masked_fill(unused, 1.0).sort(dim=1).values
    ends = cuts.new_ones(len(number), 1)
    return torch.diff(cuts, dim=1, prepend=0 * ends, append=ends)


def _check_drawable(lines: LineLists, counts: NDArray[np.int64], settings: Figure1Settings) -> None:
    if missing := [name for name, count in zip(lines.materials, counts, strict=True) if not count]:
        raise RecipeError(
            f"there is no line list of {', '.join(missing)}", remedy="Leave out materials without patterns"
        )
    if settings.kind == "exactly_distinct" and settings.max_phases > len(lines.materials):
        raise RecipeError(
            f"{settings.max_phases} different materials of {len(lines.materials)} are asked for",
            remedy=f"Allowed: max_phases = 1 to {len(lines.materials)}, or kind up_to_replacement",
        )


def _rand(rows: int, columns: int, generator: torch.Generator) -> Tensor:
    return torch.rand(rows, columns, generator=generator, dtype=torch.float64, device=generator.device)
