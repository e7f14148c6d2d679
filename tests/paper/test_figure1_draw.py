"""What the further heads of a network are trained to, against the draw read entry by entry."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from mixrd.errors import UsageError
from mixrd.mixture import LineLists, line_lists
from mixrd.paper.figure1 import Figure1Sampler
from mixrd.paper.figure1_draw import StrainTable, shape_of
from mixrd.paper.figure1_settings import Figure1Settings

COPIES, COMPONENTS = (3, 2, 4), (1, 3, 2)


@pytest.fixture(scope="module")
def lines() -> LineLists:
    """Three materials with 3, 2 and 4 copies, not in order."""
    material = np.array([2, 0, 1, 0, 2, 2, 1, 0, 2])
    pairs = [(np.array([20.0 + i, 25.0]), np.array([1.0, 2.0], dtype=np.float32)) for i in range(9)]
    return line_lists(["a", "b", "c"], pairs, material)


def amplitudes() -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.uniform(-0.05, 0.05, shape) for shape in zip(COPIES, COMPONENTS, strict=True)]


def settings(**changes: object) -> Figure1Settings:
    return dataclasses.replace(Figure1Settings(start_deg=18.0, points=700), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["up_to_replacement", "exactly_distinct"])
def test_strains_are_those_of_the_copies(lines: LineLists, kind: str) -> None:
    """Also where a material stands twice: those of the larger share. Absent materials have none."""
    rows = amplitudes()
    sampler = Figure1Sampler(lines, settings(kind=kind), strains=rows)
    batch = sampler.draw(200, generator=torch.Generator().manual_seed(2))
    assert batch.strain is not None and batch.strain.shape == (200, sum(COMPONENTS))
    # The n-th list of a material has the n-th row of its amplitudes.
    number = {i: (m, int((lines.material[:i] == m).sum())) for i, m in enumerate(lines.material)}
    twice = 0
    for row in range(200):
        expected = [np.zeros(c) for c in COMPONENTS]
        largest = [0.0] * 3
        for pattern, fraction in zip(
            batch.drawn.pattern[row].tolist(), batch.drawn.fraction[row].tolist(), strict=True
        ):
            material, copy = number[pattern]
            twice += largest[material] > 0 and fraction > 0
            if fraction > largest[material]:
                largest[material] = fraction
                expected[material] = rows[material][copy]
        assert np.allclose(batch.strain[row].numpy(), np.concatenate(expected), atol=1e-7)
    assert (twice > 20) == (kind == "up_to_replacement")


def test_shapes_are_those_drawn(lines: LineLists) -> None:
    sampler = Figure1Sampler(lines, settings())
    batch = sampler.draw(5, generator=torch.Generator().manual_seed(2))
    assert batch.strain is None
    for row in range(5):
        drawn = batch.drawn
        expected = [
            math.log(float(drawn.size_nm[row])),
            float(drawn.eta[row]),
            float(drawn.background.level[row]),
            math.log(float(drawn.background.decay_deg[row])),
        ]
        assert batch.shape[row].tolist() == pytest.approx(expected, rel=1e-5)


def test_what_does_not_fit_is_refused(lines: LineLists) -> None:
    with pytest.raises(UsageError, match="not those of the line lists"):
        StrainTable(lines, amplitudes()[::-1])
    sampler = Figure1Sampler(lines, settings(shape_per="phase"))
    drawn = sampler.conditions(2, generator=torch.Generator().manual_seed(0))
    with pytest.raises(UsageError, match="size of its own"):
        shape_of(drawn)


def test_patterns_are_the_same_with_and_without_strains(lines: LineLists) -> None:
    one, two = (
        Figure1Sampler(lines, settings(), strains=rows).draw(9, generator=torch.Generator().manual_seed(4))
        for rows in (None, amplitudes())
    )
    assert torch.equal(one.patterns, two.patterns) and torch.equal(one.fractions, two.fractions)
