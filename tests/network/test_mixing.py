from __future__ import annotations

import pytest
import torch

from mixrd.network.mixing import Mixing, mixing_layer


@pytest.mark.parametrize("kind", ["mixer", "attention"])
def test_candidates_learn_of_each_other_and_samples_do_not(kind: Mixing) -> None:
    torch.manual_seed(0)
    layer = mixing_layer(kind, 5, 12)
    tokens = torch.randn(3, 5, 12)
    before = layer(tokens)
    assert before.shape == tokens.shape
    changed = tokens.clone()
    changed[0, 1, 3] += 1.0
    after = layer(changed)
    assert ((after - before)[0].abs().amax(-1) > 1e-6).all()
    assert torch.allclose(after[1:], before[1:], atol=1e-6)
