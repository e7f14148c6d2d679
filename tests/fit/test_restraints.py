"""Restraints and bounds in the order of the flat parameters."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from mixrd.errors import ParameterError
from mixrd.fit import Restraints
from mixrd.fit.restraints import make_priors
from mixrd.pattern import ForwardModel, load_instrument
from mixrd.phases import load_phase

GRID = np.arange(20.0, 60.0, 0.1)


def model_of(sh_l: float) -> ForwardModel:
    machine = load_instrument("lab-cu")
    machine = dataclasses.replace(machine, profile=dataclasses.replace(machine.profile, sh_l=sh_l))
    return ForwardModel([load_phase("corundum"), load_phase("halite")], machine, GRID)


def test_what_is_told_of_a_quantity_goes_to_its_place() -> None:
    model = model_of(0.0)
    priors = make_priors(model, Restraints(width=0.01, displacement_mm=0.2, texture=0.3), ("zero",))
    assert priors.sigma[model.columns_of("v")].tolist() == [0.01]
    assert priors.sigma[model.columns_of("displacement")].tolist() == [0.2]
    assert priors.sigma[model.columns_of("texture")].tolist() == [0.3, 0.3]
    assert priors.mean[model.columns_of("texture")].tolist() == [1.0, 1.0]
    assert priors.sigma[model.columns_of("zero")].tolist() == [0.0]
    assert priors.sigma[model.columns_of("overspill")].tolist() == [0.0]
    assert priors.lower[model.columns_of("b_offset")].tolist() == [-0.35]
    assert priors.upper[model.columns_of("microstrain")].tolist() == [0.02, 0.02]


@pytest.mark.parametrize(("sh_l", "expected"), [(0.0, 0.0), (0.03, 0.05)])
def test_symmetric_lines_have_no_axial_divergence_to_refine(sh_l: float, expected: float) -> None:
    model = model_of(sh_l)
    priors = make_priors(model, Restraints(sh_l=0.05), ())
    assert priors.sigma[model.columns_of("sh_l")].tolist() == [expected]


def test_names_that_restrain_nothing() -> None:
    with pytest.raises(ParameterError, match="strian"):
        Restraints(strian=math.inf)
    with pytest.raises(ParameterError, match="zeor"):
        make_priors(model_of(0.0), Restraints(), ("zeor",))
