from __future__ import annotations

import pytest
import torch
from candidates import BASES, LINES, POINTS, START, STEP, WAVELENGTH, pattern
from torch.nn.functional import silu

from mixrd.network.candidate_lines import CandidateLines
from mixrd.network.log_sine_axis import LogSineAxis
from mixrd.network.strain_dictionary import StrainDictionary

AXIS = LogSineAxis(points=POINTS, bins=512, start_deg=START, step_deg=STEP)
CANDIDATES = CandidateLines(LINES, BASES, WAVELENGTH)
DICTIONARY = StrainDictionary(CANDIDATES, (1, 2, 3), AXIS, max_strain=0.05, copies=81)


def test_it_reads_sums_over_the_lines() -> None:
    """Against the interpolation of each line, one by one."""
    generator = torch.Generator().manual_seed(1)
    features, layer = torch.randn(2, 4, 512, generator=generator), torch.randn(4, generator=generator)
    reading, share, seen = DICTIONARY(features, layer, torch.tensor(0.3))
    assert torch.allclose(share, reading.softmax(1))
    assert (reading.shape, seen.shape) == ((3, 81, 2), (3, 4, 2))
    for material in range(3):
        activated = torch.stack([_activated_sums(features, material, copy) for copy in range(81)])
        assert torch.allclose(reading[material], activated @ layer + 0.3, atol=1e-4)
        assert torch.allclose(seen[material].mT, (activated * share[material].unsqueeze(2)).sum(0), atol=1e-4)


def _activated_sums(features: torch.Tensor, material: int, copy: int) -> torch.Tensor:
    """(B, F)."""
    strain = 0.05 * DICTIONARY.strain[material, copy]
    place = (CANDIDATES.at(strain, torch.tensor(material)) - AXIS.origin) / AXIS.width
    area = CANDIDATES.area[material]
    sums = []
    for kind, weight in enumerate((area / area.norm(), area.sqrt() / area.sqrt().sum())):
        half = features[:, 2 * kind : 2 * kind + 2]
        total = torch.zeros(2, 2)
        for line, where in enumerate(place.tolist()):
            if 0 <= where <= 511:
                low, share = int(where), where - int(where)
                total += weight[line] * ((1 - share) * half[..., low] + share * half[..., low + 1])
        sums.append(total)
    return silu(torch.cat(sums, dim=1))


def test_gradients_are_the_derivatives() -> None:
    axis = LogSineAxis(points=POINTS, bins=16, start_deg=START, step_deg=STEP)
    dictionary = StrainDictionary(CANDIDATES, (1, 2, 3), axis, max_strain=0.05, copies=9).double()
    generator = torch.Generator().manual_seed(2)
    inputs = [
        torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
        for shape in ((2, 4, 16), (4,), ())
    ]
    assert torch.autograd.gradcheck(dictionary, inputs)


@pytest.mark.parametrize(("material", "strain"), [(0, [0.021]), (1, [-0.03, 0.02])])
def test_the_best_copy_is_near_the_truth(material: int, strain: list[float]) -> None:
    """A plain matched filter already finds the strain of a pattern of one material."""
    seen = AXIS(pattern(material, torch.tensor(strain), fwhm_deg=0.4).unsqueeze(0))
    reading, *_ = DICTIONARY(seen.unsqueeze(1).expand(-1, 2, -1), torch.tensor([0.0, 1.0]), torch.tensor(0.0))
    best = 0.05 * DICTIONARY.strain[material, reading[material, :, 0].argmax()]
    step = 0.1 / 80 if material == 0 else 0.1 / 8
    assert (best[: len(strain)] - torch.tensor(strain)).abs().max() < 0.8 * step
