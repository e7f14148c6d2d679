"""One step of least squares for fractions and strains."""

from __future__ import annotations

import math

import pytest
import torch
from candidates import BASES, LINES, POINTS, START, STEP, WAVELENGTH, angles

from mixrd.network.candidate_lines import CandidateLines
from mixrd.network.line_fit import FitStart, LineFit, _inverse
from mixrd.pattern.profile import size_fwhm

SIZE_NM, ETA = 25.0, 0.4
MAX_STRAIN = 0.05


@pytest.fixture(scope="module")
def line_fit() -> LineFit:
    return LineFit(
        CandidateLines(LINES, BASES, WAVELENGTH), max_strain=MAX_STRAIN, wavelength_angstrom=WAVELENGTH,
        start_deg=START, step_deg=STEP, points=POINTS, blur_deg=0.15,
    )  # fmt: skip


def mixed(fractions: list[float], strains: list[torch.Tensor]) -> torch.Tensor:
    """(1, N) pseudo-Voigts of Scherrer width on a background."""
    grid = START + STEP * torch.arange(POINTS, dtype=torch.float64)
    total = 0.3 * torch.exp(-(grid - START) / 12)
    for material, (fraction, strain) in enumerate(zip(fractions, strains, strict=True)):
        place = angles(material, strain).unsqueeze(1)
        area = torch.tensor(LINES[material], dtype=torch.float64)[:, 3:]
        theta = torch.deg2rad(place / 2)
        fwhm = size_fwhm(torch.tensor(1 / SIZE_NM), torch.tensor(WAVELENGTH), theta)
        x = (grid - place) / fwhm
        lorentz = 2 / (math.pi * fwhm) / (1 + 4 * x**2)
        gauss = 2 * math.sqrt(math.log(2) / math.pi) / fwhm * torch.exp(-4 * math.log(2) * x**2)
        total = total + fraction * (area * (ETA * lorentz + (1 - ETA) * gauss)).sum(0)
    return (total / total.max()).float().unsqueeze(0)


def start_at(strain: torch.Tensor, fraction: list[float], sigma: float = 0.3) -> FitStart:
    count = strain.shape[1]
    return FitStart(
        torch.arange(count).unsqueeze(0), strain, torch.full_like(strain, 0.3),
        torch.tensor([fraction]), torch.full((1, count), sigma),
        torch.tensor([SIZE_NM]), torch.tensor([ETA]),
    )  # fmt: skip


def test_fractions_and_strains_in_one_step(line_fit: LineFit) -> None:
    true = torch.tensor([[[0.2, 0.0, 0.0], [-0.3, 0.1, 0.0], [0.1, -0.2, 0.3]]])
    strains = [MAX_STRAIN * true[0, m, : len(BASES[m])] for m in range(3)]
    pattern = mixed([0.5, 0.3, 0.2], strains)
    has = torch.tensor([[[1.0, 0, 0], [1, 1, 0], [1, 1, 1]]])
    begin = true + 0.06 * has
    fraction, significance, strain = line_fit(pattern, start_at(begin, [0.4, 0.3, 0.3]))
    share = fraction / fraction.sum()
    assert (share - torch.tensor([[0.5, 0.3, 0.2]])).abs().max() < 0.03
    assert (significance > 3).all()
    assert (strain - true).abs().max() < 0.02 < 0.06
    again, _, nearer = line_fit(pattern, start_at(strain, share[0].tolist()))
    assert (again / again.sum() - torch.tensor([[0.5, 0.3, 0.2]])).abs().max() < 0.01
    assert (nearer - true).abs().max() < 0.008


def test_what_is_absent_is_not_significant(line_fit: LineFit) -> None:
    zero = torch.zeros(1, 3, 3)
    pattern = mixed([0.6, 0.0, 0.4], [zero[0, 0, :1], zero[0, 1, :2], zero[0, 2]])
    fraction, significance, _ = line_fit(pattern, start_at(zero, [0.3, 0.3, 0.4], sigma=1.0))
    assert abs(float(fraction[0, 1])) < 0.02 and abs(float(significance[0, 1])) < 1
    assert (significance[0, [0, 2]] > 5).all()


def test_a_sure_prior_holds(line_fit: LineFit) -> None:
    zero = torch.zeros(1, 3, 3)
    pattern = mixed([0.6, 0.0, 0.4], [zero[0, 0, :1], zero[0, 1, :2], zero[0, 2]])
    loose, _, _ = line_fit(pattern, start_at(zero, [0.3, 0.3, 0.4], sigma=1.0))
    sure, _, _ = line_fit(pattern, start_at(zero, [0.3, 0.3, 0.4], sigma=0.0))
    assert float(sure[0, 1]) > float(loose[0, 1]) + 0.005


def test_one_singular_matrix_does_not_spoil_the_others() -> None:
    generator = torch.Generator().manual_seed(5)
    root = torch.randn(2, 4, 4, generator=generator)
    good = root @ root.mT + torch.eye(4)
    inverse = _inverse(torch.stack([good[0], torch.diag(torch.tensor([2.0, 4.0, -1.0, 8.0])), good[1]]))
    assert torch.allclose(inverse[::2] @ good, torch.eye(4), atol=1e-4)
    assert inverse[1].diagonal().tolist() == [0.5, 0.25, -1.0, 0.125]
