"""Restraints that weigh as much as the fit deserves: what a scan may move, and how far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mixrd.fit.cell_release import earned_room
from mixrd.fit.covariance import covariance, misfit_covariance
from mixrd.fit.least_squares import Priors
from mixrd.fit.pattern_fit import Fit
from mixrd.pattern import ForwardModel
from mixrd.pattern.parameter_table import earned_restraints

#: Standard deviations around 0: strains begin with the first; sizes (1/nm) with the second, and lose it.
TIGHT_STRAIN, EARNED_STRAIN = earned_restraints("strain")
TIGHT_SIZE_PER_NM, EARNED_SIZE_PER_NM = earned_restraints("inverse_size")
#: Restraints of cells and widths count at most so many times more where the fit misses more than noise.
LARGEST_DOUBT = 5.0
#: Those of zero and displacement, whose difference stands in for asymmetric lines.
LARGEST_SHIFT_DOUBT = 30.0
_CELLS_AND_WIDTHS = ("strain", "inverse_size", "microstrain")
_SHIFTS = ("zero", "displacement")


@dataclass(frozen=True, eq=False)
class Earned:
    """What the fits so far have earned.

    Attributes
    ----------
    released : (K,) bool tensor
        Strain components with room.
    small : (P,) bool tensor
        Phases whose crystallites may be of any size.
    doubt : float
        Misfit over noise: data that are not fitted are believed so much less.
    shift_doubt : float
        Standard deviation of zero or displacement that parts of the scan show, over that of the noise.
    """

    released: Tensor
    small: Tensor
    doubt: float = 1.0
    shift_doubt: float = 1.0

    @classmethod
    def nothing(cls, model: ForwardModel) -> Earned:
        """Before any fit."""
        return cls(
            torch.zeros(sum(model.strain_sizes), dtype=torch.bool),
            torch.ones(len(model.strain_sizes), dtype=torch.bool),
        )

    def after(self, result: Fit, priors: Priors, model: ForwardModel) -> Earned:
        """After one more fit with these restraints."""
        released = self.released | earned_room(result, priors, model.columns_of("strain"), TIGHT_STRAIN)
        small = earned_room(result, priors, model.columns_of("inverse_size"), TIGHT_SIZE_PER_NM)
        reduced = float(result.linear.residual.square().mean())
        # With narrower restraints parts of the scan agree by them: the first word counts.
        shift_doubt = max(self.shift_doubt, _excess(result, priors, model, _SHIFTS))
        return Earned(released, small, min(max(reduced, 1.0) ** 0.5, LARGEST_DOUBT), shift_doubt)

    def applied(self, sigma: Tensor, model: ForwardModel) -> Tensor:
        """Standard deviations (T,) of the restraints, from those of a sound fit."""
        held = sigma.clone()
        held[model.columns_of("strain")] = torch.where(self.released, EARNED_STRAIN, TIGHT_STRAIN)
        held[model.columns_of("inverse_size")] = torch.where(
            self.small, EARNED_SIZE_PER_NM * self.doubt, TIGHT_SIZE_PER_NM
        )
        for name in _CELLS_AND_WIDTHS:
            held[model.columns_of(name)] /= self.doubt
        for name in _SHIFTS:
            held[model.columns_of(name)] /= self.shift_doubt
        return held


def _excess(result: Fit, priors: Priors, model: ForwardModel, names: Sequence[str]) -> float:
    """Standard deviations that parts of the scan show over those that noise explains, at least 1."""
    noise = covariance(result, priors)[0].diagonal()
    misfit = misfit_covariance(result, priors, model.two_theta)[0].diagonal()
    first = result.linear.design.shape[1]
    place = [first + model.columns_of(name).start for name in names]
    ratio = (misfit[place] / noise[place].clamp_min(1e-300)).max().clamp_min(1.0).sqrt()
    return min(float(ratio), LARGEST_SHIFT_DOUBT)
