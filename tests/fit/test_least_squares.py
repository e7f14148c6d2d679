from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from mixrd.crystal import Crystal
from mixrd.fit.covariance import covariance
from mixrd.fit.least_squares import Priors
from mixrd.fit.pattern_fit import fit
from mixrd.fit.restraints import Restraints, make_priors
from mixrd.pattern import ForwardModel, Instrument, background_basis
from mixrd.scan import Scan


@pytest.fixture
def forward(crystals: list[Crystal], instrument: Instrument, scan: Scan) -> ForwardModel:
    return ForwardModel(crystals, instrument, scan.two_theta)


def prepared(forward: ForwardModel, scan: Scan) -> tuple[torch.Tensor, ...]:
    basis = background_basis(forward.two_theta, degree=4)
    observed = torch.tensor(scan.counts)[None]
    return basis, observed, observed.clamp_min(1).sqrt(), forward.reference().flat()


def test_cost_never_rises_and_fixed_parameters_stay(forward: ForwardModel, scan: Scan) -> None:
    basis, observed, sigma, start = prepared(forward, scan)
    priors = make_priors(forward, Restraints(), ("profile", "displacement"))
    costs: list[float] = []
    result = fit(forward, basis, observed, sigma, start, priors, on_step=lambda _, cost: costs.append(cost))
    assert all(b <= a * (1 + 1e-12) for a, b in pairwise(costs))
    assert len(costs) == result.steps > 3
    assert bool(result.converged)
    before, after = forward.from_flat(start), forward.from_flat(result.flat)
    assert torch.equal(before.profile, after.profile)
    assert torch.equal(before.displacement, after.displacement)
    assert not torch.equal(before.zero, after.zero)
    assert (result.jacobian[..., priors.sigma == 0] == 0).all()


def test_bounds_hold(forward: ForwardModel, scan: Scan) -> None:
    basis, observed, sigma, start = prepared(forward, scan)
    wide = make_priors(forward, Restraints(), ())
    # The scan has a zero shift of 0.02 deg and strains of 1e-3: do not allow them.
    tight = Priors(wide.mean, wide.sigma, wide.lower.clone(), wide.upper.clone())
    tight.upper[:2], tight.upper[forward.columns_of("zero")] = 2e-4, 0.005
    result = fit(forward, basis, observed, sigma, start, tight)
    assert ((result.flat >= tight.lower) & (result.flat <= tight.upper)).all()
    assert float(result.flat[0, 0]) == pytest.approx(2e-4)
    assert torch.isfinite(result.cost).all()


def test_the_jacobian_is_that_of_the_fit(forward: ForwardModel, scan: Scan) -> None:
    basis, observed, sigma, start = prepared(forward, scan)
    result = fit(forward, basis, observed, sigma, start, make_priors(forward, Restraints(), ()))
    masses = result.linear.coefficients[:, :2]

    def weighted(flat: torch.Tensor) -> torch.Tensor:
        return torch.einsum("bp,bpn->bn", masses, forward.columns(forward.from_flat(flat))) / sigma

    steps = {"strain": 1e-6, "inverse_size": 1e-6, "microstrain": 1e-6, "zero": 1e-5, "displacement": 1e-5}
    for field, size in steps.items():
        index = forward.columns_of(field).start
        change = torch.zeros_like(result.flat)
        change[0, index] = size
        slope = (weighted(result.flat + change) - weighted(result.flat - change)) / (2 * size)
        difference = (slope - result.jacobian[..., index]).abs().max()
        assert difference < 2e-3 * slope.abs().max()


def test_covariance_of_a_linear_problem_by_hand(forward: ForwardModel, scan: Scan) -> None:
    """With all non-linear parameters fixed it is the inverse of the normal matrix, times chi-squared."""
    basis, observed, sigma, start = prepared(forward, scan)
    everything = ("strain", "inverse_size", "microstrain", "profile", "zero", "displacement")
    priors = make_priors(forward, Restraints(), everything)
    result = fit(forward, basis, observed, sigma, start, priors)
    found = covariance(result, priors)[0]
    design = result.linear.design[0]
    residual = result.linear.residual[0]
    reduced = float((residual**2).sum()) / (len(residual) - len(design))
    expected = torch.linalg.inv(design @ design.T) * max(reduced, 1.0)
    size = len(design)
    assert torch.allclose(found[:size, :size], expected, rtol=1e-5)
    assert (found[size:] == 0).all() and (found[:, size:] == 0).all()
