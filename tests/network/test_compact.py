from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mixrd.errors import ParameterError
from mixrd.network import CompactNetwork, HeadTruth
from mixrd.network.compact import StrainAndSize, prepared, strain_and_size_loss

PHASE_OF_STRAIN = torch.tensor([0, 1, 1, 2])
FRACTIONS = torch.tensor([[0.6, 0.4, 0.0]])
STRAIN = torch.tensor([[0.004, -0.01, 0.002, 0.0]])
INVERSE_SIZE = torch.tensor([[0.01, 0.02, 0.03]])


def loss_of(
    strain: torch.Tensor = STRAIN, inverse_size: torch.Tensor = INVERSE_SIZE, max_strain: float = 0.01
) -> float:
    said = StrainAndSize(torch.zeros(1, 3), strain, inverse_size)
    truth = HeadTruth(FRACTIONS, STRAIN, inverse_size=INVERSE_SIZE)
    return float(strain_and_size_loss(said, truth, max_strain, PHASE_OF_STRAIN))


def network_of(
    points: int = 700, strains: tuple[int, ...] = (1, 3, 1), size_nm: tuple[float, float] = (10.0, 400.0)
) -> CompactNetwork:
    torch.manual_seed(0)
    return CompactNetwork(
        points=points,
        materials=len(strains),
        strain_components=strains,
        max_strain=0.02,
        size_nm=size_nm,
        scale="sqrt",
    )


@pytest.mark.parametrize("points", [64, 65, 127, 1000, 3072])
@pytest.mark.parametrize("strains", [(1,), (1, 2, 3)])
def test_shapes(points: int, strains: tuple[int, ...]) -> None:
    network, patterns = network_of(points, strains).eval(), torch.rand(5, points)
    estimate = network.estimate(patterns)
    assert estimate.inverse_size is not None and estimate.strain is not None
    assert estimate.fractions.shape == estimate.inverse_size.shape == (5, len(strains))
    assert estimate.strain.shape == (5, sum(strains))
    assert torch.equal(estimate.fractions, network(patterns).softmax(1))


@given(st.integers(0, 2**31), st.floats(1e-3, 1e6))
def test_estimates_stay_within_their_ranges(seed: int, height: float) -> None:
    patterns = height * torch.rand(4, 700, generator=torch.Generator().manual_seed(seed)) ** 8
    network = network_of()
    for head in (network.strain, network.size, network.fractions):
        torch.nn.init.normal_(head.weight, std=20.0)
    estimate = network.eval().estimate(patterns)
    assert torch.allclose(estimate.fractions.sum(1), torch.ones(4), atol=1e-5)
    assert (estimate.fractions >= 0).all()
    assert estimate.strain.abs().max() <= 0.02 * (1 + 1e-6)
    size = 1 / estimate.inverse_size
    assert size.min() >= 10 * 0.9999 and size.max() <= 400 * 1.0001


def test_extreme_heads_reach_the_ends_of_their_ranges() -> None:
    network = network_of().eval()
    for value, size, strain in ((50.0, 10.0, 0.02), (-50.0, 400.0, -0.02)):
        torch.nn.init.constant_(network.size.bias, value)
        torch.nn.init.constant_(network.strain.bias, value)
        estimate = network.estimate(torch.rand(2, 700))
        assert torch.allclose(1 / estimate.inverse_size, torch.full((2, 3), size), rtol=1e-4)
        assert torch.allclose(estimate.strain, torch.full((2, 5), strain))


@given(st.floats(1e-6, 1e8))
def test_the_unit_of_the_pattern_does_not_matter(factor: float) -> None:
    pattern = torch.rand(3, 200, generator=torch.Generator().manual_seed(1)) * 100
    assert torch.allclose(prepared(pattern, "sqrt"), prepared(factor * pattern, "sqrt"), atol=1e-5, rtol=1e-4)


def test_prepared_by_hand() -> None:
    pattern = torch.tensor([[0.0, 25.0, 100.0, -4.0]])
    assert prepared(pattern, "sqrt").tolist() == [[0.0, 0.5, 1.0, 0.0]]
    assert prepared(pattern, "linear").tolist() == [[0.0, 0.25, 1.0, pytest.approx(-0.04)]]
    assert torch.equal(prepared(prepared(pattern, "sqrt"), "linear"), prepared(pattern, "sqrt"))


def test_ranges_that_cannot_be() -> None:
    for wrong in ({"strains": (1, 0, 1)}, {"size_nm": (400.0, 10.0)}, {"size_nm": (0.0, 10.0)}):
        with pytest.raises(ParameterError):
            network_of(**wrong)  # type: ignore[arg-type]


def test_an_empty_pattern_gives_numbers() -> None:
    estimate = network_of().eval().estimate(torch.zeros(1, 700))
    assert torch.isfinite(estimate.fractions).all()


def test_each_scan_is_judged_alone() -> None:
    network = network_of().eval()
    patterns = torch.rand(6, 700)
    together = network.estimate(patterns).fractions
    alone = torch.cat([network.estimate(p.unsqueeze(0)).fractions for p in patterns])
    assert torch.allclose(together, alone, atol=1e-5)


def test_positions_matter() -> None:
    """A peak moved by the stride of all layers together gives the same features, in another place."""
    network = network_of(strains=(1,)).eval().double()
    pattern = torch.zeros(1, 700, dtype=torch.float64)
    pattern[0, 300] = 1.0
    moved = pattern.roll(128, dims=1)
    assert (network.estimate(pattern).strain - network.estimate(moved).strain).abs().max() > 1e-10


def test_size_of_the_network() -> None:
    """The issue asks for a few 10^5 to 10^6 parameters at the usual size of a problem."""
    parameters = sum(p.numel() for p in network_of(points=3072).parameters())
    assert 1e5 < parameters < 1e6


def test_no_loss_at_the_truth() -> None:
    assert loss_of() == 0.0


def test_strain_and_size_of_an_absent_phase_do_not_count() -> None:
    strain, size = STRAIN.clone(), INVERSE_SIZE.clone()
    strain[0, 3], size[0, 2] = 0.01, 0.5
    assert loss_of(strain=strain, inverse_size=size) == 0.0


def test_strain_and_size_of_a_present_phase_count() -> None:
    strain, size = STRAIN.clone(), INVERSE_SIZE.clone()
    strain[0, 0] += 0.005
    # sqrt(0.6) * 0.5, over 4 components
    assert loss_of(strain=strain) == pytest.approx(0.6**0.5 * 0.5 / 4, rel=1e-4)
    size[0, 1] *= torch.e
    # 0.3 * sqrt(0.4) * 1, over 3 phases
    assert loss_of(inverse_size=size) == pytest.approx(0.3 * 0.4**0.5 / 3, rel=1e-4)


def test_without_strain_the_strain_head_does_not_count() -> None:
    assert loss_of(strain=STRAIN + 0.1, max_strain=0.0) == 0.0
