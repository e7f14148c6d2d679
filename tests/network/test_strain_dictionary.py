from __future__ import annotations

import pytest
import torch
from candidates import BASES, LINES, POINTS, START, STEP, WAVELENGTH, pattern

from mixrd.network.candidate_lines import CandidateLines
from mixrd.network.log_sine_axis import LogSineAxis
from mixrd.network.strain_dictionary import StrainDictionary

AXIS = LogSineAxis(points=POINTS, bins=512, start_deg=START, step_deg=STEP)
CANDIDATES = CandidateLines(LINES, BASES, WAVELENGTH)
DICTIONARY = StrainDictionary(CANDIDATES, (1, 2, 3), AXIS, max_strain=0.05, copies=81)


def test_it_is_a_sum_over_the_lines() -> None:
    """Against the interpolation of each line, one by one."""
    features = torch.rand(2, 4, 512, generator=torch.Generator().manual_seed(1))
    found = DICTIONARY(features)
    assert found.shape == (3, 81, 2, 4)
    for material in range(3):
        for copy in (0, 17, 80):
            strain = 0.05 * DICTIONARY.strain[material, copy]
            place = (CANDIDATES.at(strain, torch.tensor(material)) - AXIS.origin) / AXIS.width
            area = CANDIDATES.area[material]
            for kind, weight in enumerate((area / area.norm(), area.sqrt() / area.sqrt().sum())):
                expected = torch.zeros(2, 2)
                for line, where in enumerate(place.tolist()):
                    if 0 <= where <= 511:
                        low, share = int(where), where - int(where)
                        values = features[:, 2 * kind : 2 * kind + 2]
                        expected += weight[line] * (
                            (1 - share) * values[..., low] + share * values[..., low + 1]
                        )
                assert torch.allclose(found[material, copy, :, 2 * kind : 2 * kind + 2], expected, atol=1e-4)


def test_gradients_are_those_of_the_sum() -> None:
    features = torch.rand(1, 2, 512, requires_grad=True)
    weight = torch.rand(3, 81, 1, 2)
    (DICTIONARY(features) * weight).sum().backward()
    assert features.grad is not None
    # Linear: the gradient times any features is the value for these.
    other = torch.rand(1, 2, 512)
    expected = (DICTIONARY(other) * weight).sum()
    assert float((features.grad * other).sum()) == pytest.approx(float(expected), rel=1e-4)


@pytest.mark.parametrize(("material", "strain"), [(0, [0.021]), (1, [-0.03, 0.02])])
def test_the_best_copy_is_near_the_truth(material: int, strain: list[float]) -> None:
    """A plain matched filter already finds the strain of a pattern of one material."""
    seen = AXIS(pattern(material, torch.tensor(strain), fwhm_deg=0.4).unsqueeze(0))
    found = DICTIONARY(seen.unsqueeze(1).expand(-1, 2, -1))[material, :, 0, 1]
    best = 0.05 * DICTIONARY.strain[material, found.argmax()]
    step = 0.1 / 80 if material == 0 else 0.1 / 8
    assert (best[: len(strain)] - torch.tensor(strain)).abs().max() < 0.8 * step
