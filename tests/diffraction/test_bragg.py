"""Bragg's law against a published angle, and back."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mixrd.diffraction.bragg import d_spacing_from_two_theta, sine_from_d_spacing, sine_from_inverse_d

CU_KA1 = 1.5405929


def test_silicon_111_with_copper() -> None:
    """NIST SRM 640: a = 5.431 angstrom, 28.44 deg."""
    sine = sine_from_d_spacing(d_spacing=5.431 / 3**0.5, wavelength_angstrom=CU_KA1)
    assert 2 * np.degrees(np.arcsin(sine)) == pytest.approx(28.443, abs=2e-3)


def test_there_and_back_for_arrays_and_tensors() -> None:
    spacing = np.array([0.9, 1.5, 3.1])
    sine = sine_from_d_spacing(d_spacing=spacing, wavelength_angstrom=CU_KA1)
    found = d_spacing_from_two_theta(two_theta=2 * np.degrees(np.arcsin(sine)), wavelength_angstrom=CU_KA1)
    assert found == pytest.approx(spacing)
    tensor = sine_from_inverse_d(inverse_d=torch.from_numpy(1 / spacing), wavelength_angstrom=CU_KA1)
    assert tensor.numpy() == pytest.approx(sine)
