"""Peak shape: widths, areas, and the pseudo-Voigt that stands for a Voigt."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import voigt_profile

from mixrd.pattern.profile import (
    gauss_and_lorentz_transforms,
    microstrain_fwhm,
    pseudo_voigt,
    pseudo_voigt_derivatives,
    size_fwhm,
    tch_pseudo_voigt,
)


def tensor(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_scherrer_by_hand() -> None:
    """0.9 x 1.5406 A / (100 A cos 15 deg) in radians, as degrees."""
    found = size_fwhm(tensor(0.1), tensor(1.5406), tensor(math.radians(15.0)))
    assert float(found) == pytest.approx(math.degrees(0.9 * 1.5406 / (100 * math.cos(math.radians(15)))))


def test_microstrain_by_hand() -> None:
    found = microstrain_fwhm(tensor(0.001), tensor(math.radians(30.0)))
    assert float(found) == pytest.approx(math.degrees(4e-3 * math.tan(math.radians(30))))


@pytest.mark.parametrize(("gaussian", "lorentzian"), [(0.1, 1e-9), (1e-9, 0.1)])
def test_limits_are_gauss_and_lorentz(gaussian: float, lorentzian: float) -> None:
    fwhm, eta = tch_pseudo_voigt(tensor(gaussian), tensor(lorentzian))
    assert float(fwhm) == pytest.approx(0.1, rel=1e-6)
    assert float(eta) == pytest.approx(0.0 if gaussian > lorentzian else 1.0, abs=1e-4)


@pytest.mark.parametrize("ratio", [0.1, 0.3, 0.5, 1.0, 2.0, 5.0])
def test_against_a_voigt(ratio: float) -> None:
    """The approximation of Thompson, Cox & Hastings: within 1.3 % of the maximum, width to 0.4 %."""
    gaussian = 0.1
    lorentzian = ratio * gaussian
    fwhm, eta = tch_pseudo_voigt(tensor(gaussian), tensor(lorentzian))
    x = np.linspace(-3.0, 3.0, 24001)
    exact = voigt_profile(x, gaussian / math.sqrt(8 * math.log(2)), lorentzian / 2)
    found = pseudo_voigt(torch.tensor(x), fwhm, eta).numpy()
    assert np.abs(found - exact).max() < 0.013 * exact.max()
    above = x[exact >= exact.max() / 2]
    assert float(fwhm) == pytest.approx(above[-1] - above[0], rel=4e-3)


@given(fwhm=st.floats(0.02, 1.0), eta=st.floats(0.0, 1.0))
@settings(max_examples=20, deadline=None)
def test_area_is_one_whatever_the_width(fwhm: float, eta: float) -> None:
    x = torch.linspace(-400 * fwhm, 400 * fwhm, 16001, dtype=torch.float64)
    area = torch.trapezoid(pseudo_voigt(x, tensor(fwhm), tensor(eta)), x)
    # Beyond 400 widths lies 1 / (400 pi) of a Lorentzian.
    assert float(area) == pytest.approx(1.0 - eta / (400 * math.pi), abs=1e-4)


@given(fwhm=st.floats(0.02, 1.0), eta=st.floats(0.0, 1.0))
@settings(max_examples=40, deadline=None)
def test_fwhm_is_the_full_width_at_half_maximum(fwhm: float, eta: float) -> None:
    centre, half = pseudo_voigt(tensor(0.0, fwhm / 2), tensor(fwhm), tensor(eta))
    assert float(half / centre) == pytest.approx(0.5, rel=1e-9)


@given(offset=st.floats(-2.0, 2.0), fwhm=st.floats(0.05, 0.5), eta=st.floats(0.05, 0.95))
@settings(max_examples=60, deadline=None)
def test_derivatives_are_those_of_autograd(offset: float, fwhm: float, eta: float) -> None:
    position, width, share = (
        torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (0.0, fwhm, eta)
    )
    value = pseudo_voigt(torch.tensor(offset, dtype=torch.float64) - position, width, share)
    value.backward()
    found = pseudo_voigt_derivatives(tensor(offset), tensor(fwhm), tensor(eta))
    expected = (value.detach(), position.grad, width.grad, share.grad)
    for one, other in zip(found, expected, strict=True):
        assert float(one) == pytest.approx(float(other), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("eta", [0.0, 0.4, 1.0])
def test_the_transform_back_is_the_profile(eta: float) -> None:
    fwhm, offset = 0.1, tensor(0.0, 0.03, 0.1, 0.4)
    frequency = torch.linspace(0, 12 / fwhm, 20_001, dtype=torch.float64)
    gauss, lorentz = gauss_and_lorentz_transforms(math.pi * fwhm * frequency)
    waves = torch.lerp(gauss, lorentz, eta) * torch.cos(2 * math.pi * offset.unsqueeze(1) * frequency)
    expected = pseudo_voigt(offset, tensor(fwhm), tensor(eta))
    torch.testing.assert_close(2 * torch.trapezoid(waves, frequency), expected, rtol=1e-4, atol=1e-6)
