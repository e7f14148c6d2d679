"""Shapes that functions state are checked in the tests."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from jaxtyping import Float, TypeCheckError, jaxtyped
from shape_check import checked, modules_with_shapes
from torch import Tensor

import mixrd.diffraction
from mixrd.diffraction import beam_overspill, march_dollase
from mixrd.pattern import Detector


def test_a_wrong_shape_is_refused_with_the_sizes() -> None:
    cosines = torch.rand(5, 3)
    assert march_dollase(cosines, torch.ones(2, 1)).shape == (2, 5)
    with pytest.raises(TypeCheckError, match=r"(?s)squared_cosines.*R=5"):
        march_dollase(cosines, torch.ones(2, 4))
    with pytest.raises(TypeCheckError, match="seconds_per_point"):
        Detector(torch.ones(2, 1), torch.ones(3, 1), torch.ones(2, 1))


def test_what_broadcasts_is_right() -> None:
    theta = torch.linspace(0.1, 1.0, 7).unsqueeze(0)
    assert beam_overspill(theta, torch.full((4, 1), 0.2)).shape == (4, 7)
    assert beam_overspill(theta, 0).shape == (1, 7)
    with pytest.raises(TypeCheckError, match="overspill"):
        beam_overspill(theta, torch.full((4, 2), 0.2))


def test_other_types_are_not_looked_at() -> None:
    @jaxtyped(typechecker=checked)
    def doubled(values: Float[Tensor, " N"], times: int) -> Float[Tensor, " N"]:
        return torch.cat([values] * times)

    assert len(doubled(torch.ones(3), times=True)) == 3
    with pytest.raises(TypeCheckError, match="return value"):
        doubled(torch.ones(3), times=2)


def test_modules_that_state_shapes_are_found() -> None:
    found = modules_with_shapes(Path(mixrd.diffraction.__file__).parents[1])
    assert {"mixrd.diffraction.texture", "mixrd.mixture.batch", "mixrd.pattern.humps"} <= set(found)
    assert "mixrd.errors" not in found
