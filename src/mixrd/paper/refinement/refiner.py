"""From a pattern to fractions at the noise limit: the network finds the basin, the physics finishes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from mixrd.errors import ParameterError
from mixrd.network.pattern_estimate import PatternEstimate
from mixrd.paper.dataset_recipe import DatasetRecipe
from mixrd.paper.figure1_settings import Figure1Settings
from mixrd.paper.refinement.copies import Copies
from mixrd.paper.refinement.expectation import Expected
from mixrd.paper.refinement.fitting import Fitted, joined
from mixrd.paper.refinement.search import MISFIT, Search

#: Presence, as the network has it, from which a material is fitted from the start.
_PRESENT = 0.3
#: Patterns that are fitted at once.
_BLOCK = 128


@dataclass(frozen=True, eq=False)
class Refined:
    """Refinements of B patterns of M materials.

    Attributes
    ----------
    fractions, sigma : (B, M) tensor
        Intensity fractions, and their standard deviations to first order; of a material that was not found
        both are 0.
    unexplained : (B,) tensor
        How much more the smoothed residual scatters than noise does; about 0 +- 0.1 where all is explained.
    converged : (B,) bool tensor
        Whether the last step changed next to nothing.
    fitted : Fitted
        The copies, their strains and coefficients.
    """

    fractions: Tensor
    sigma: Tensor
    unexplained: Tensor
    converged: Tensor
    fitted: Fitted

    @property
    def sound(self) -> Tensor:
        """(B,) whether a refinement converged and leaves nothing but noise."""
        return self.converged & (self.unexplained < MISFIT)


class Refiner:
    """Refines patterns of one setting.

    Parameters
    ----------
    recipe : DatasetRecipe
        Its crystals are the candidates, in the order of the fractions.
    settings : Figure1Settings

    Raises
    ------
    ParameterError
        If patterns of the setting cannot be modelled: another simulator than ours, a shape for each phase,
        or a minimum that is taken off.
    """

    def __init__(self, recipe: DatasetRecipe, settings: Figure1Settings) -> None:
        if settings.shape_per != "mixture" or settings.normalisation != "maximum":
            raise ParameterError(
                f"patterns with shape_per = {settings.shape_per}, normalisation = {settings.normalisation} "
                "cannot be refined",
                remedy="Allowed: shape_per = mixture, normalisation = maximum",
            )
        self.search = Search(recipe, settings)
        self.materials = len(recipe.crystals)

    def refine(
        self,
        patterns: Tensor,
        estimate: PatternEstimate | None = None,
        *,
        told: Tensor | None = None,
        tell: Callable[[int], None] | None = None,
    ) -> Refined:
        """Refine (B, N) patterns.

        Parameters
        ----------
        patterns : (B, N) tensor
        estimate : PatternEstimate, optional
            Of a network; from nothing unless given.
        told : (B, M) int64 tensor, optional
            How many copies of each material there are, where that is known.
        tell : callable, optional
            Told how many patterns were refined since it was called last.

        Raises
        ------
        ParameterError
            If the patterns do not have N points, or hold values that are no numbers.
        """
        points = self.search.settings.points
        if patterns.ndim != 2 or patterns.shape[1] != points or not bool(patterns.isfinite().all()):
            raise ParameterError(
                f"patterns of shape {tuple(patterns.shape)} cannot be refined",
                remedy=f"Give patterns of shape (B, {points}), all of whose values are finite",
            )
        start = None if estimate is None else self.start(estimate, told)
        expected = None
        if estimate is not None and told is None:
            expected = Expected(estimate.presence.float(), self._strains(estimate))
        parts = []
        for low in range(0, len(patterns), _BLOCK):
            rows = slice(low, low + _BLOCK)
            parts.append(
                self.search.run(
                    patterns[rows].float(),
                    None if start is None else start.rows(rows),
                    told=None if told is None else told[rows],
                    expected=None if expected is None else expected.rows(rows),
                )
            )
            if tell:
                tell(len(parts[-1].cost))
        fitted = joined(parts)
        fractions, sigma = self._fractions(fitted)
        return Refined(
            fractions, sigma, self.search.unexplained(patterns.float(), fitted), fitted.converged, fitted
        )

    def start(self, estimate: PatternEstimate, told: Tensor | None = None) -> Copies:
        """Where a fit starts after a network's estimate: the materials that it takes to be there.

        Where they are known, those; of two copies of one material the network knows a single strain.
        """
        presence = estimate.presence if told is None else (told > 0).to(estimate.presence.dtype)
        padded, batch = self._strains(estimate), len(estimate.presence)
        chosen = presence.topk(min(self.search.slots, self.materials), dim=1)
        empty = self.search.empty(batch)
        material, strain = empty.material, empty.strain
        there = chosen.values > _PRESENT
        count = there.shape[1]
        material[:, :count] = torch.where(there, chosen.indices, -1)
        picked = padded.gather(1, chosen.indices.unsqueeze(-1).expand(-1, -1, padded.shape[2]))
        strain[:, :count] = picked.float() * there.unsqueeze(-1)
        shape = torch.stack([estimate.log_size, estimate.eta, estimate.log_decay], dim=1).float()
        return Copies(material, strain, shape)

    def _strains(self, estimate: PatternEstimate) -> Tensor:
        """(B, M, C) strains by material."""
        components, most = self.search.lines.components[:-1], self.search.lines.most_components
        padded = torch.zeros(len(estimate.presence), self.materials, most)
        padded[:, torch.arange(most) < components.unsqueeze(1)] = estimate.strain.float()
        return padded

    def _fractions(self, fitted: Fitted) -> tuple[Tensor, Tensor]:
        """Fractions and standard deviations (B, M); copies of one material are added up."""
        material, mass = fitted.copies.material, fitted.coefficients[:, :-1].double()
        total = mass.sum(1, keepdim=True)
        # Nothing found at all: every material is as likely as the others.
        lost = total[:, 0] <= 0
        outputs = torch.nn.functional.one_hot(material + 1, self.materials + 1)[..., 1:].mT.double()
        share = mass / total.clamp_min(1e-12)
        slope = (torch.eye(mass.shape[1], dtype=torch.float64) - share.unsqueeze(-1)) / total.clamp_min(
            1e-12
        ).unsqueeze(-1)
        along = outputs @ slope
        variance = (along @ fitted.spread.double() @ along.mT).diagonal(dim1=1, dim2=2).clamp_min(0)
        fractions = (outputs @ share.unsqueeze(-1))[..., 0]
        fractions[lost] = 1 / self.materials
        sigma = variance.sqrt()
        sigma[lost] = math.sqrt(1 / self.materials)
        return fractions.float(), sigma.float()
