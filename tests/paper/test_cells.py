"""Cells of the grid: how many samples, what is refused, what a recipe's hash depends on."""

from __future__ import annotations

import dataclasses

import pytest

from mixrd.errors import InputError, ParameterError
from mixrd.paper import Protocol, grid
from mixrd.paper.pool import load_pool
from mixrd.paper.published import MATERIALS, MEAN_TVD, PHASES


def test_the_grid_of_equation_2() -> None:
    cells = grid(load_pool(20), n=MATERIALS, k=PHASES)
    assert len(cells) == 4 * 3 * 3
    assert len({cell.name for cell in cells}) == len({cell.sha256 for cell in cells}) == 36
    # All of the grid is there once before any cell is repeated.
    assert [cell.seed for cell in cells] == [0] * 12 + [1] * 12 + [2] * 12


@pytest.mark.parametrize("n", MATERIALS)
def test_samples_of_a_full_run(n: int) -> None:
    """0.6 * 500 strains * 3000 epochs for each material: 1758 N steps of 512, rounded up."""
    (cell,) = grid(load_pool(20), n=[n], k=[3], seeds=[0])
    assert cell.full_samples == 0.6 * 500 * 3000 * n
    assert cell.training().steps == -(-900_000 * n // 512) == cell.samples // 512
    assert abs(cell.training().steps - 1758 * n) <= n
    assert cell.training().learning_rate == 2e-4 and cell.training().schedule == "constant"
    assert not cell.shortened


def test_worst_published_case_is_5_4_times_the_simplest() -> None:
    assert MEAN_TVD[20, 7] / MEAN_TVD[5, 3] == pytest.approx(5.4, abs=0.1)


def test_fewer_samples_are_a_shortened_run(cells) -> None:
    (cell,) = cells()
    assert cell.samples == 64 and cell.shortened
    (odd,) = cells(protocol=dataclasses.replace(cell.protocol, samples=70))
    assert odd.samples == 80


def test_least_squares_learn_from_no_mixtures(cells) -> None:
    (cell,) = cells(architectures=["nnls"])
    assert cell.samples == 0 and not cell.shortened


def test_name_differs_with_every_choice_that_changes_the_result(cells, small: Protocol) -> None:
    (plain,) = cells()
    changes = [
        {"samples": 128}, {"batch": 32}, {"learning_rate": 2e-3}, {"schedule": "cosine"}, {"loss": "mse"},
        {"precision": "bf16"}, {"strain": "general"}, {"simulator": "pymatgen"}, {"strains": 12},
        {"test_strains": 6}, {"test_patterns": 200},
        {"figure1": dataclasses.replace(small.figure1, scaling="area")},
    ]  # fmt: skip
    others = [cells(protocol=dataclasses.replace(small, **change))[0] for change in changes]
    assert len({cell.name for cell in [plain, *others]}) == 1 + len(changes)
    (compiled,) = cells(protocol=dataclasses.replace(small, compile=True))
    assert compiled.name == plain.name


def test_a_fitted_estimator_does_not_depend_on_the_optimiser(cells, small: Protocol) -> None:
    (one,) = cells(architectures=["knn"])
    (other,) = cells(architectures=["knn"], protocol=dataclasses.replace(small, learning_rate=0.1))
    assert one.sha256 == other.sha256


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"n": [21]}, "n = 21"),
        ({"n": [1]}, "n = 1"),
        ({"n": [-3]}, "n = -3"),
        ({"k": [0]}, "k = 0"),
        ({"k": [3], "kinds": ["exactly_distinct"]}, "k = 3"),
        ({"kinds": ["any"]}, "any"),
        ({"architectures": ["oracle"]}, "oracle"),
        ({"seeds": []}, "empty"),
        ({"n": []}, "empty"),
        ({"seeds": [-1]}, "seed"),
    ],
)
def test_impossible_grids(cells, changes: dict, said: str) -> None:
    with pytest.raises(InputError, match=said):
        cells(**changes)


@pytest.mark.parametrize("changes", [{"test_patterns": 10}, {"samples": 0}])
def test_impossible_protocols(changes: dict) -> None:
    with pytest.raises(ParameterError, match=next(iter(changes))):
        Protocol(**changes)


def test_a_fit_that_would_not_fit_into_memory(cells, small: Protocol) -> None:
    with pytest.raises(ParameterError, match="memory"):
        cells(architectures=["knn"], protocol=dataclasses.replace(small, samples=10**7))
