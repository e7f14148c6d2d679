from __future__ import annotations

import pytest
import torch
from candidates import BASES, LINES, WAVELENGTH, angles

from mixrd.errors import ParameterError
from mixrd.network.candidate_lines import CandidateLines

CANDIDATES = CandidateLines(LINES, BASES, WAVELENGTH)


@pytest.mark.parametrize("material", [0, 1, 2])
def test_lines_lie_where_the_strained_lattice_puts_them(material: int) -> None:
    """To a tenth of the finest bin, 0.0015, at strains of 5 %."""
    generator = torch.Generator().manual_seed(material)
    for _ in range(20):
        strain = torch.zeros(3)
        own = len(BASES[material])
        strain[:own] = 0.05 * (2 * torch.rand(own, generator=generator) - 1)
        found = CANDIDATES.at(strain.view(1, 3), torch.tensor([material]))[0, : len(LINES[material])]
        expected = torch.log(torch.sin(torch.deg2rad(angles(material, strain[:own]) / 2)))
        assert found.double().tolist() == pytest.approx(expected.tolist(), abs=1.5e-5)


def test_slopes_are_the_derivatives_of_ln_d() -> None:
    step = 1e-3
    for material in range(3):
        for component in range(len(BASES[material])):
            strain = torch.zeros(2, 3)
            strain[:, component] = torch.tensor([-step, step])
            place = CANDIDATES.at(strain, torch.tensor([material] * 2))
            rate = -(place[1] - place[0]) / (2 * step)
            assert torch.allclose(rate, CANDIDATES.slope[material, :, component], atol=2e-3)


def test_missing_lines_have_no_area() -> None:
    assert (CANDIDATES.area > 0).sum(1).tolist() == [3, 4, 3]
    assert CANDIDATES.area.amax(1).tolist() == [1.0, 1.0, 1.0]


def test_numbers_that_do_not_fit_are_refused() -> None:
    for lines, bases in ((LINES[:2], BASES), (LINES, [*BASES[:2], []]), ([[], *LINES[1:]], BASES)):
        with pytest.raises(ParameterError, match="each material"):
            CandidateLines(lines, bases, WAVELENGTH)
