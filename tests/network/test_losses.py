from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mixrd.network import Estimate, estimate_loss, total_variation_distance

PHASE_OF_STRAIN = torch.tensor([0, 1, 1, 2])
FRACTIONS = torch.tensor([[0.6, 0.4, 0.0]])
STRAIN = torch.tensor([[0.004, -0.01, 0.002, 0.0]])
INVERSE_SIZE = torch.tensor([[0.01, 0.02, 0.03]])


def loss_of(
    fractions: torch.Tensor = FRACTIONS,
    strain: torch.Tensor = STRAIN,
    inverse_size: torch.Tensor = INVERSE_SIZE,
    max_strain: float = 0.01,
    nuisance_weight: float = 0.1,
) -> float:
    return float(
        estimate_loss(
            Estimate(fractions, strain, inverse_size),
            fractions=FRACTIONS,
            strain=STRAIN,
            inverse_size=INVERSE_SIZE,
            max_strain=max_strain,
            phase_of_strain=PHASE_OF_STRAIN,
            nuisance_weight=nuisance_weight,
        )
    )


@pytest.mark.parametrize(
    ("estimated", "true", "distance"),
    [
        ([0.2, 0.3, 0.5], [0.2, 0.3, 0.5], 0.0),
        ([1.0, 0.0, 0.0], [0.0, 0.0, 1.0], 1.0),
        ([0.5, 0.5, 0.0], [0.25, 0.25, 0.5], 0.5),
        ([0.7, 0.2, 0.1], [0.6, 0.25, 0.15], 0.1),
    ],
)
def test_total_variation_distance_by_hand(estimated: list[float], true: list[float], distance: float) -> None:
    found = total_variation_distance(torch.tensor([estimated]), torch.tensor([true]))
    assert found.shape == (1,)
    assert float(found) == pytest.approx(distance, abs=1e-6)


@given(st.integers(0, 2**31), st.integers(1, 9))
def test_total_variation_distance_is_a_metric(seed: int, phases: int) -> None:
    draw = torch.rand(3, 20, phases, generator=torch.Generator().manual_seed(seed)) + 1e-6
    a, b, c = draw / draw.sum(-1, keepdim=True)
    ab, bc, ac = (total_variation_distance(x, y) for x, y in ((a, b), (b, c), (a, c)))
    assert ((ab >= 0) & (ab <= 1 + 1e-6)).all()
    assert torch.equal(ab, total_variation_distance(b, a))
    assert (ac <= ab + bc + 1e-6).all()


def test_no_loss_at_the_truth() -> None:
    assert loss_of() == 0.0


def test_without_nuisance_the_loss_is_the_mean_distance() -> None:
    other = torch.tensor([[0.5, 0.3, 0.2]])
    assert loss_of(other, nuisance_weight=0.0) == pytest.approx(0.2)
    assert loss_of(other) == pytest.approx(0.2)


def test_strain_and_size_of_an_absent_phase_do_not_count() -> None:
    strain, size = STRAIN.clone(), INVERSE_SIZE.clone()
    strain[0, 3], size[0, 2] = 0.01, 0.5
    assert loss_of(strain=strain, inverse_size=size) == 0.0


def test_strain_and_size_of_a_present_phase_count() -> None:
    strain, size = STRAIN.clone(), INVERSE_SIZE.clone()
    strain[0, 0] += 0.005
    # 0.1 * sqrt(0.6) * 0.5, over 4 components
    assert loss_of(strain=strain) == pytest.approx(0.1 * 0.6**0.5 * 0.5 / 4, rel=1e-4)
    size[0, 1] *= torch.e
    # 0.1 * 0.3 * sqrt(0.4) * 1, over 3 phases
    assert loss_of(inverse_size=size) == pytest.approx(0.1 * 0.3 * 0.4**0.5 / 3, rel=1e-4)


def test_without_strain_the_strain_head_does_not_count() -> None:
    assert loss_of(strain=STRAIN + 0.1, max_strain=0.0) == 0.0
