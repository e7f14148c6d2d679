from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mixrd.errors import ParameterError
from mixrd.network import (
    dirichlet_concentration,
    fractions_from,
    loss_named,
    losses,
    total_variation_distance,
)
from mixrd.network.losses import DIRICHLET_FLOOR


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


TRUE = torch.tensor([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]], dtype=torch.float64)
SCORES = torch.tensor([[0.2, -0.4, 1.0], [3.0, 0.0, -2.0]], dtype=torch.float64)
NAMES = list(losses())


def test_losses_by_name() -> None:
    assert NAMES == ["tvd", "mse", "cross-entropy", "dirichlet"]
    with pytest.raises(ParameterError, match="tvd, mse"):
        loss_named("l1")


def test_losses_by_hand() -> None:
    p = torch.softmax(SCORES, -1).numpy()
    t = TRUE.numpy()
    expected = {
        "tvd": 0.5 * np.abs(p - t).sum(1),
        "mse": ((p - t) ** 2).mean(1),
        "cross-entropy": [-0.5 * np.log(p[0, 0] * p[0, 1]), -np.log(p[1, 0])],
    }
    for name, values in expected.items():
        assert loss_named(name)(SCORES, TRUE).numpy() == pytest.approx(values, rel=1e-9), name


def test_dirichlet_against_scipy() -> None:
    inside = (1 - DIRICHLET_FLOOR) * TRUE + DIRICHLET_FLOOR / 3
    alpha = dirichlet_concentration(SCORES).numpy()
    expected = [-stats.dirichlet.logpdf(f, a) for f, a in zip(inside.numpy(), alpha, strict=True)]
    assert loss_named("dirichlet")(SCORES, TRUE).numpy() == pytest.approx(expected, rel=1e-9)


@given(st.integers(0, 2**31), st.floats(0.1, 5.0))
def test_dirichlet_fractions_are_the_mean(seed: int, spread: float) -> None:
    scores = spread * torch.randn(4, 5, generator=torch.Generator().manual_seed(seed)).double()
    alpha = dirichlet_concentration(scores)
    mean = np.stack([stats.dirichlet.mean(a) for a in alpha.numpy()])
    assert fractions_from(scores, "dirichlet").numpy() == pytest.approx(mean, abs=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_gradients(name: str) -> None:
    scores = SCORES.clone().requires_grad_(True)
    assert torch.autograd.gradcheck(lambda s: loss_named(name)(s, TRUE).sum(), (scores,))


@pytest.mark.parametrize("name", NAMES)
@given(size=st.floats(0.0, 1e4), seed=st.integers(0, 2**31))
def test_finite_at_any_score_and_at_fractions_of_zero(name: str, size: float, seed: int) -> None:
    scores = size * torch.randn(6, 4, generator=torch.Generator().manual_seed(seed))
    scores.requires_grad_(True)
    loss = loss_named(name)(scores, torch.eye(4)[[0, 1, 2, 3, 0, 1]])
    loss.sum().backward()
    assert torch.isfinite(loss).all() and scores.grad is not None and torch.isfinite(scores.grad).all()
    assert torch.allclose(fractions_from(scores, name).sum(1), torch.ones(6), atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_scores_are_judged_in_float32(name: str, dtype: torch.dtype) -> None:
    scores, true = SCORES.to(dtype), TRUE.float()
    loss = loss_named(name)(scores, true)
    assert loss.dtype == torch.float32
    assert torch.allclose(loss, loss_named(name)(scores.float(), true))


@pytest.mark.parametrize("name", NAMES)
def test_the_minimum_is_at_the_true_fractions(name: str) -> None:
    """Descent from anywhere ends where it should: each loss asks for the same answer."""
    true = torch.tensor([[0.6, 0.3, 0.1]])
    scores = torch.zeros(1, 3, requires_grad=True)
    optimizer = torch.optim.Adam([scores], lr=0.05)
    for _ in range(600):
        optimizer.zero_grad()
        loss_named(name)(scores, true).sum().backward()
        optimizer.step()
    assert torch.allclose(fractions_from(scores, name), true, atol=0.03)
