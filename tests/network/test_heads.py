"""What heads mean, and what they are trained to."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Laplace

from mixrd.errors import ParameterError
from mixrd.network import CompactHeads, HeadOutputs, HeadTruth, PatternEstimate, losses
from mixrd.network import head_outputs as module
from mixrd.network.head_outputs import bounded_log_width, strain_likelihood

COMPONENTS = (1, 3, 2)
RANGES = ((2.0, 4.0), (0.0, 1.0), (0.0, 0.5), (1.0, 3.0))


def network(**changes: object) -> CompactHeads:
    torch.manual_seed(0)
    options = {
        "strain_components": COMPONENTS,
        "max_strain": 0.04,
        "shape_ranges": RANGES,
        "widths": (4, 6),
        "hidden": 8,
        **changes,
    }
    return CompactHeads(points=200, materials=3, **options).eval()  # type: ignore[arg-type]


def fixed(batch: int, **changes: Tensor) -> HeadOutputs:
    """Outputs of zeros but for what is given."""
    sizes = {
        "scores": 3, "presence": 3, "fraction_log_width": 3, "strain": 6, "strain_log_width": 6,
        "shape": 4, "shape_log_width": 4,
    }  # fmt: skip
    return HeadOutputs(**{name: changes.get(name, torch.zeros(batch, n)) for name, n in sizes.items()})


def truth(batch: int = 2) -> HeadTruth:
    fractions = torch.tensor([[0.7, 0.3, 0.0], [0.0, 0.2, 0.8]])[:batch]
    generator = torch.Generator().manual_seed(3)
    strain = 0.04 * (2 * torch.rand(batch, 6, generator=generator) - 1)
    low, high = torch.tensor(RANGES).T
    shape = low + (high - low) * torch.rand(batch, 4, generator=generator)
    return HeadTruth(fractions, strain, shape)


def test_an_estimate_has_the_units_of_the_truth() -> None:
    net, true = network(), truth()
    out = fixed(
        2,
        scores=(true.fractions + 1e-9).log(),
        presence=torch.where(true.fractions > 0, 9.0, -9.0),
        strain=net.relative_strain(true.strain),
        shape=net.relative_shape(true.shape),
        strain_log_width=torch.full((2, 6), -3.0),
    )
    net.outputs = lambda patterns: out  # type: ignore[method-assign]
    found = net.estimate(torch.zeros(2, 200))
    assert torch.allclose(found.fractions, true.fractions, atol=1e-6)
    assert torch.equal(found.presence > 0.5, true.fractions > 0)
    assert torch.allclose(found.strain, true.strain, atol=1e-6)
    shape = torch.stack([found.log_size, found.eta, found.level, found.log_decay], dim=1)
    assert torch.allclose(shape, true.shape, atol=1e-5)
    width = float(bounded_log_width(torch.tensor(-3.0)).exp())
    assert width == pytest.approx(math.exp(-3.0), rel=0.01)
    # The standard deviation of a Laplace distribution of that width.
    sigma = 0.04 * float(Laplace(0.0, width).stddev)
    assert found.strain_sigma.flatten().tolist() == pytest.approx([sigma] * 12)


def test_strains_beyond_the_largest_are_not_said() -> None:
    net = network()
    net.outputs = lambda patterns: fixed(1, strain=torch.full((1, 6), -3.0))  # type: ignore[method-assign]
    assert torch.equal(net.estimate(torch.zeros(1, 200)).strain, torch.full((1, 6), -0.04))


def test_the_material_of_each_strain() -> None:
    assert network().material_of_strain.tolist() == [0, 1, 1, 1, 2, 2]


@pytest.mark.parametrize("loss", losses())
def test_the_truth_costs_least(loss: str) -> None:
    net, true = network(), truth()
    right = {
        "scores": (true.fractions + 1e-9).log().clamp_min(-9),
        "presence": torch.where(true.fractions > 0, 9.0, -9.0),
        "strain": net.relative_strain(true.strain),
        "shape": net.relative_shape(true.shape),
    }
    least = float(net.head_loss(fixed(2, **right), true, loss))
    for name in ("presence", "strain", "shape"):
        other = {**right, name: right[name] - 0.5 * right[name].sign()}
        if name == "presence":
            other = {**right, name: -right[name]}
        assert float(net.head_loss(fixed(2, **other), true, loss)) > least + 1e-3


def test_strains_of_absent_materials_do_not_count() -> None:
    net, true = network(), truth()
    out = fixed(2)
    changed = true.strain.clone()
    changed[0, 4:] = 0.03
    changed[1, 0] = -0.03
    other = HeadTruth(true.fractions, changed, true.shape)
    assert float(net.head_loss(out, true, "tvd")) == pytest.approx(float(net.head_loss(out, other, "tvd")))


def test_the_best_width_is_the_mean_error() -> None:
    """As for any Laplace distribution: narrower ones want to widen, wider ones to narrow."""
    error = 0.02 * torch.empty(2000).exponential_(generator=torch.Generator().manual_seed(0))

    def slope(width: float) -> float:
        log_width = torch.tensor(math.log(width), requires_grad=True)
        module.laplace_loss(error, log_width).mean().backward()
        assert log_width.grad is not None
        return float(log_width.grad)

    best = float(error.mean())
    assert slope(best) == pytest.approx(0.0, abs=1e-6)
    assert slope(0.9 * best) < -1e-5 and slope(1.1 * best) > 1e-5


def test_widths_stay_within_bounds_and_keep_a_gradient() -> None:
    wide = torch.tensor([-30.0, 0.0, 30.0], requires_grad=True)
    bounded = bounded_log_width(wide)
    assert bounded.min().item() >= -9.01 and bounded.max().item() <= 2.01
    bounded.sum().backward()
    assert wide.grad is not None and (wide.grad > 0).all()


def test_a_reading_is_best_at_the_nearest_copies() -> None:
    table = torch.linspace(-1, 1, 41).view(1, 41, 1).expand(2, -1, -1)
    strain, fractions = torch.tensor([[0.3, 0.9]]), torch.tensor([[1.0, 0.0]])
    there = torch.ones(2, 1, dtype=torch.bool)

    def cost(centre: float) -> float:
        reading = (-0.5 * ((table[..., 0] - centre) / 0.04) ** 2).unsqueeze(-1)
        return float(strain_likelihood(reading, table, strain, fractions, there))

    assert cost(0.3) < min(cost(0.2), cost(0.4))
    # No reading at all costs as much as a choice by chance, whatever the absent material's strain.
    flat = torch.zeros(2, 41, 1)
    assert float(strain_likelihood(flat, table, strain, fractions, there)) == pytest.approx(math.log(41))


def test_estimates_join_and_come_apart() -> None:
    net = network()
    whole = net.estimate(torch.rand(5, 200))
    assert len(whole) == 5
    joined = PatternEstimate.joined([whole.rows(torch.arange(2)), whole.rows(torch.arange(2, 5))])
    for name, value in vars(whole).items():
        assert name == "inverse_size" or torch.equal(getattr(joined, name), value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"strain_components": (1, 2)},
        {"strain_components": (1, 0, 2)},
        {"max_strain": 0.0},
        {"shape_ranges": RANGES[:3]},
        {"shape_ranges": ((2.0, 1.0), *RANGES[1:])},
    ],
)
def test_what_does_not_fit_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ParameterError):
        network(**wrong)
