from __future__ import annotations

import torch
from candidates import BASES, LINES, POINTS, START, STEP, WAVELENGTH, pattern
from torch import Tensor

from mixrd.network.candidate_lines import CandidateLines
from mixrd.network.line_windows import LineWindows
from mixrd.network.log_sine_axis import LogSineAxis

AXIS = LogSineAxis(points=POINTS, bins=512, start_deg=START, step_deg=STEP)
CANDIDATES = CandidateLines(LINES, BASES, WAVELENGTH)
WINDOW = 11


def looks() -> LineWindows:
    torch.manual_seed(0)
    return LineWindows(CANDIDATES, AXIS, window=WINDOW, summary=2, hidden=8, features=3)


def facts_of(material: Tensor, strain: Tensor, fraction: Tensor, seen: Tensor) -> Tensor:
    """What the layers are given."""
    given: list[Tensor] = []
    module = looks()
    module.read[0].register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
    module(seen, torch.zeros(len(seen), 2), material, strain, fraction)
    return given[0]


def test_a_window_stands_on_its_line() -> None:
    strain = torch.tensor([[[0.02, -0.03, 0.0]]])
    seen = AXIS(pattern(1, strain[0, 0, :2], fwhm_deg=0.5).unsqueeze(0))
    right = facts_of(torch.tensor([[1]]), strain, torch.ones(1, 1), seen)[0, 0, :, :WINDOW]
    assert (right.argmax(1) == WINDOW // 2).all()
    off = strain + torch.tensor([3 * AXIS.width] * 2 + [0.0])
    moved = facts_of(torch.tensor([[1]]), off, torch.ones(1, 1), seen)[0, 0, :, :WINDOW]
    # At a larger d the network looks at smaller angles, so that the peaks lie to the right.
    assert (moved.argmax(1) == WINDOW // 2 + 3).all()


def test_a_line_does_not_count_as_another_one_s_stick() -> None:
    """One candidate alone has nothing beside it; a second one at the same place has all of the first."""
    strain = torch.zeros(1, 2, 3)
    strain[0, :, 0] = 0.013
    seen = torch.rand(1, 512)
    alone = facts_of(torch.tensor([[0, 2]]), strain, torch.tensor([[0.6, 0.0]]), seen)
    assert alone[0, 0, :3, WINDOW : 2 * WINDOW].abs().max() < 1e-6
    both = facts_of(torch.tensor([[0, 0]]), strain, torch.tensor([[0.6, 0.4]]), seen)
    sticks = both[0, :, :3, WINDOW : 2 * WINDOW].sum(-1)
    area = CANDIDATES.area[0, :3]
    assert torch.allclose(sticks, torch.stack([0.4 * area, 0.6 * area]), atol=1e-5)


def test_shifts_of_all_lines_give_the_strain() -> None:
    """Shifts as a strain makes them, with full confidence, give that strain back."""
    module = looks()
    strain = torch.tensor([0.01, -0.006, 0.0])
    slope = CANDIDATES.slope[1]
    shift = -(slope @ strain) / (4.0 * AXIS.width)
    confidence = (CANDIDATES.area[1] > 0).float() * 1e4
    found = module._change(shift.view(1, 1, -1), confidence.view(1, 1, -1), torch.tensor([[1]]))
    assert torch.allclose(found[0, 0], strain, atol=1e-4)
    none = module._change(shift.view(1, 1, -1), torch.zeros(1, 1, 4), torch.tensor([[1]]))
    assert none.abs().max() == 0
