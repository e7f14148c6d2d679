"""The noise floor: derivatives, limits, laws, and fits of simulated patterns that reach it."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mixrd.errors import ParameterError, UsageError
from mixrd.paper import NoiseFloor, measure_bound, paper_rows, read_bounds, read_results
from mixrd.paper.dataset import build_dataset
from mixrd.paper.dataset_recipe import DatasetRecipe
from mixrd.paper.figure1 import Figure1Sampler
from mixrd.paper.figure1_draw import Figure1Draw
from mixrd.paper.figure1_settings import Figure1Settings
from mixrd.paper.floor import output_variance, prior_variance
from mixrd.paper.measured import bound_path
from mixrd.paper.pool import load_pool
from mixrd.paper.simulators import mixrd_lines
from mixrd.pattern import GaussianNoise, take_rows
from mixrd.pattern.diffuse import ExponentialFall
from mixrd.pattern.profile import pseudo_voigt

POOL = load_pool(20)
#: One, two and three strain components, few lines.
CHOSEN = tuple(c for c in POOL if c.name in ("silicon-nitride-beta", "arsenolamprite", "skutterudite"))
RECIPE = DatasetRecipe(CHOSEN, strains=2, validation_share=0.0, test_strains=5)


def sample(
    pattern: list[int], fraction: list[float], *, size: float = 20.0, sigma: float = 0.05
) -> Figure1Draw:
    def one(value: float) -> torch.Tensor:
        return torch.tensor([[value]], dtype=torch.float64)

    return Figure1Draw(
        pattern=torch.tensor([pattern]),
        fraction=torch.tensor([fraction], dtype=torch.float64),
        size_nm=one(size),
        eta=one(0.4),
        noise=GaussianNoise(one(sigma), torch.zeros(1, Figure1Settings().points)),
        background=ExponentialFall(one(0.3), one(10.0), one(15.0)),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"scaling": "area", "normalisation": "range"},
        {"scaling": "none", "shape_per": "phase", "scherrer_constant": 1.0},
    ],
)
def test_pattern_is_the_pipelines_where_lines_stand_on_the_grid(changes: dict, monkeypatch) -> None:
    chosen = Figure1Settings(max_phases=3, **changes)
    sampler = Figure1Sampler(build_dataset(RECIPE).part("test"), chosen)
    floor = NoiseFloor(RECIPE, chosen)
    exact = floor.lines

    def moved(pattern: int):
        lines = exact(pattern)
        steps = torch.round((lines.position - chosen.start_deg) / chosen.step_deg)
        return dataclasses.replace(lines, position=chosen.start_deg + chosen.step_deg * steps)

    drawn = sampler.conditions(8, generator=torch.Generator().manual_seed(1))
    expected = sampler.noise_free(drawn).double()
    for row in range(8):
        one = take_rows(drawn, slice(row, row + 1))
        monkeypatch.setattr(floor, "lines", moved)
        assert (floor.model(one).pattern - expected[row]).abs().max() < 3e-4
        # Half a step at most: 0.0075 deg, at most 1.6 / fwhm high per degree, fwhm from 0.08 deg on.
        monkeypatch.setattr(floor, "lines", exact)
        assert (floor.model(one).pattern - expected[row]).abs().max() < 0.2


@pytest.mark.parametrize("mode", ["symmetry", "general"])
def test_lines_are_those_of_the_dataset(mode) -> None:
    """Of all materials, by the sum and the centre of their areas on the grid."""
    recipe = dataclasses.replace(RECIPE, crystals=POOL, strain=mode, test_strains=1)
    chosen = Figure1Settings()
    lists, floor = build_dataset(recipe).part("test"), NoiseFloor(recipe, chosen)
    for index in range(len(lists)):
        position, area = lists.lines(index)
        on_grid = np.rint((position - chosen.start_deg) / chosen.step_deg) < chosen.points
        position, area = position[on_grid], area[on_grid].astype(float) / 100
        found = floor.lines(index)
        assert float(found.area.sum()) == pytest.approx(area.sum(), rel=1e-6)
        assert float((found.area * found.position).sum()) == pytest.approx((area * position).sum(), rel=1e-6)


def recorded(values: np.ndarray, copies: list[int], chosen: Figure1Settings) -> torch.Tensor:
    """The expected pattern, from line lists of the simulator: masses, strains, size, eta, level, decay."""
    grid = torch.from_numpy(chosen.two_theta)
    count = len(copies)
    masses, rest = values[:count], values[count:]
    size, eta, level, decay = rest[-4:]
    total = level * torch.exp(-(grid - 10.0) / decay)
    for mass, material in zip(masses, copies, strict=True):
        crystal = CHOSEN[material]
        components = RECIPE.amplitudes(crystal, "test").shape[1]
        strain, rest = rest[:components], rest[components:]
        ((position, area),) = mixrd_lines(
            crystal, strain[None], "symmetry", chosen.wavelength_angstrom, (10.0, 50.0)
        )
        position, area = torch.from_numpy(position), torch.from_numpy(area.astype(float)) / 100
        on_grid = torch.round((position - 10.0) / 0.015) < chosen.points
        fwhm = torch.rad2deg(
            0.9 * chosen.wavelength_angstrom / 10 / size / torch.cos(torch.deg2rad(position / 2))
        )
        shape = pseudo_voigt(grid - position[on_grid, None], fwhm[on_grid, None], torch.tensor(eta))
        total = total + mass * (area[on_grid, None] * shape).sum(0)
    return total


def truth(floor: NoiseFloor, drawn: Figure1Draw) -> tuple[np.ndarray, torch.Tensor]:
    """Parameters of a sample in the order of the derivatives, and these (N, T)."""
    model = floor.model(drawn)
    strains = [RECIPE.amplitudes(CHOSEN[p // 5], "test")[p % 5] for p in drawn.pattern[0].tolist()]
    last = [float(x) for x in (drawn.size_nm, drawn.eta, drawn.background.level, drawn.background.decay_deg)]
    return np.concatenate([model.masses, *strains, last]), torch.cat(
        [model.by_mass, model.by_nuisance], dim=1
    )


def test_derivatives_are_those_of_the_simulated_pattern() -> None:
    chosen = Figure1Settings()
    drawn = sample([1, 7, 13], [0.5, 0.2, 0.3])
    values, analytic = truth(NoiseFloor(RECIPE, chosen), drawn)
    assert analytic.shape[1] == len(values) == 3 + (2 + 1 + 3) + 4
    for column, value in enumerate(values):
        # The simulator's areas are float32, so steps cannot be tiny.
        step = 1e-4 * max(abs(value), 1.0) if column in (0, 1, 2, 9, 10, 11, 12) else 3e-5
        ends = []
        for sign in (1, -1):
            changed = values.copy()
            changed[column] += sign * step
            ends.append(recorded(changed, [0, 1, 2], chosen))
        numeric = (ends[0] - ends[1]) / (2 * step)
        assert (analytic[:, column] - numeric).abs().max() < 2e-3 * numeric.abs().max(), column


def test_fits_of_noisy_patterns_scatter_as_the_bound_says() -> None:
    chosen = Figure1Settings()
    drawn = sample([1, 7, 13], [0.5, 0.2, 0.3])
    floor = NoiseFloor(RECIPE, chosen)
    values, slopes = truth(floor, drawn)
    back = torch.linalg.pinv(slopes).numpy()
    expected = recorded(values, [0, 1, 2], chosen)
    fits = 60
    noise = 0.05 * torch.randn(fits, len(expected), generator=torch.Generator().manual_seed(0)).double()
    errors = []
    for seen in expected + noise:
        fitted = values.copy()
        for _ in range(3):
            fitted = fitted + back @ (seen - recorded(fitted, [0, 1, 2], chosen)).numpy()
        fraction = fitted[:3] / fitted[:3].sum()
        errors.append(0.5 * np.abs(fraction - [0.5, 0.2, 0.3]).sum())
    bound = float(floor.of(drawn).tvd)
    assert bound == pytest.approx(np.mean(errors), rel=4 * np.std(errors) / np.mean(errors) / fits**0.5)


def test_a_single_phase_is_certain() -> None:
    floor = NoiseFloor(RECIPE, Figure1Settings(max_phases=1)).of(sample([2], [1.0]))
    assert float(floor.tvd) == pytest.approx(0, abs=1e-12) and not floor.capped.any()


def test_slots_without_fraction_do_not_count() -> None:
    floor = NoiseFloor(RECIPE, Figure1Settings())
    two, three = floor.of(sample([1, 7], [0.4, 0.6])), floor.of(sample([1, 7, 13], [0.4, 0.6, 0.0]))
    assert float(two.tvd) == pytest.approx(float(three.tvd), rel=1e-9)


def test_copies_of_one_material_share_an_output() -> None:
    """Which of them is how much does not matter, even where they cannot be told apart."""
    floor = NoiseFloor(RECIPE, Figure1Settings())
    alone = floor.of(sample([1, 2], [0.4, 0.6]))
    assert float(alone.tvd) == pytest.approx(0, abs=1e-12)
    same = floor.of(sample([1, 1, 7], [0.2, 0.3, 0.5]))
    once = floor.of(sample([1, 7], [0.5, 0.5]))
    assert not same.capped.any() and float(same.tvd) == pytest.approx(float(once.tvd), rel=1e-6)


def test_two_patterns_that_are_the_same_are_a_guess(monkeypatch) -> None:
    floor = NoiseFloor(RECIPE, Figure1Settings())
    twin = floor.lines(0)
    monkeypatch.setattr(floor, "lines", lambda pattern: twin)
    drawn = sample([0, 5], [0.3, 0.7])
    assert torch.isinf(output_variance(floor.model(drawn), 0.05)).all()
    found = floor.of(drawn)
    # A uniform fraction has a standard deviation of 1 / sqrt(12).
    assert found.capped.all()
    assert float(found.tvd) == pytest.approx(math.sqrt(2 / math.pi) / math.sqrt(12))


def test_variance_of_the_prior_is_that_of_the_pipelines_draws() -> None:
    from mixrd.paper.figure1 import draw_simplex

    fraction = draw_simplex(torch.full((20_000, 1), 4), 4, generator=torch.Generator().manual_seed(0))
    outputs = torch.tensor([[1.0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    drawn = (fraction @ outputs.double().T).var(0)
    assert prior_variance(outputs).tolist() == pytest.approx(drawn.tolist(), rel=0.05)


FLOOR = NoiseFloor(RECIPE, Figure1Settings())


@settings(max_examples=15, deadline=None)
@given(
    first=st.floats(0.1, 0.8), share=st.floats(0.1, 0.9), factor=st.floats(0.1, 2.0), turn=st.integers(1, 2)
)
def test_proportional_to_the_noise_and_blind_to_order(
    first: float, share: float, factor: float, turn: int
) -> None:
    fraction = [first, (1 - first) * share, (1 - first) * (1 - share)]
    pattern = [3, 8, 10]
    plain = FLOOR.of(sample(pattern, fraction, sigma=0.01))
    noisy = FLOOR.of(sample(pattern, fraction, sigma=0.01 * factor))
    turned = FLOOR.of(sample(pattern[turn:] + pattern[:turn], fraction[turn:] + fraction[:turn], sigma=0.01))
    assert not (plain.capped.any() or noisy.capped.any())
    assert float(noisy.tvd) == pytest.approx(factor * float(plain.tvd), rel=1e-6)
    assert float(turned.tvd) == pytest.approx(float(plain.tvd), rel=1e-6)


def test_measured_once_and_beside_all_networks_of_the_setting(cells, write_result, tmp_path: Path) -> None:
    mlp, knn = cells(architectures=["mlp", "knn"])
    (other,) = cells(kinds=["exactly_distinct"])
    for cell in (mlp, knn, other):
        write_result(tmp_path, cell, 0.1)
    told = []
    found = measure_bound(mlp, tmp_path, patterns=20, tell=lambda: told.append(1))
    assert len(told) == found["patterns"] == 20 and 0 < found["bound"] < 0.1
    assert measure_bound(knn, tmp_path, patterns=10, tell=lambda: told.append(1)) == found
    assert len(told) == 20
    assert len(read_results([tmp_path])) == 3
    rows = [r for r in paper_rows(read_results([tmp_path]), read_bounds([tmp_path])) if r.network]
    assert {(r.kind, r.architecture): r.bound for r in rows} == {
        ("up_to_replacement", "mlp"): found["bound"],
        ("up_to_replacement", "knn"): found["bound"],
        ("exactly_distinct", "mlp"): None,
    }
    more = measure_bound(mlp, tmp_path, patterns=21)
    assert more["patterns"] == 21 and abs(21 * more["bound"] - 20 * found["bound"]) < 0.5


def test_bounds_of_the_test_patterns(cells, tmp_path: Path) -> None:
    """The same mixtures as those of the networks' test, made from the whole dataset."""
    from mixrd.paper.result import seed_of_test
    from mixrd.paper.sources import drawn

    (cell,) = cells(n=[3], k=[3])
    recipe = cell.protocol.dataset(cell.crystals)
    sampler = Figure1Sampler(build_dataset(recipe).part("test"), cell.figure1())
    seen, _ = drawn(sampler, 4, seed_of_test(cell.recipe))
    conditions = sampler.conditions(512, generator=torch.Generator().manual_seed(seed_of_test(cell.recipe)))
    first = take_rows(conditions, slice(0, 4))
    assert torch.equal(sampler.make(conditions).patterns[:4], seen)
    floor = NoiseFloor(recipe, cell.figure1()).of(first)
    assert measure_bound(cell, tmp_path, patterns=4)["bound"] == pytest.approx(float(floor.tvd.mean()))


def test_what_cannot_be_is_refused(cells, small, tmp_path: Path) -> None:
    (cell,) = cells()
    with pytest.raises(ParameterError, match="patterns"):
        measure_bound(cell, tmp_path, patterns=1)
    (foreign,) = cells(protocol=dataclasses.replace(small, simulator="pymatgen"))
    with pytest.raises(ParameterError, match="pymatgen"):
        NoiseFloor(foreign.protocol.dataset(foreign.crystals), foreign.figure1())
    measure_bound(cell, tmp_path, patterns=2)
    path = bound_path(tmp_path, cell)
    content = json.loads(path.read_text(encoding="utf-8"))
    content["setting"]["k"] = 7
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(UsageError, match="setting"):
        read_bounds([tmp_path])
