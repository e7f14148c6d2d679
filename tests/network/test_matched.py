from __future__ import annotations

from pathlib import Path

import pytest
import torch
from candidates import OPTIONS, POINTS, SMALL, pattern

from mixrd.errors import ModelError, ParameterError
from mixrd.network import (
    HeadTruth,
    MatchedNetwork,
    NetworkEstimator,
    build,
    build_trainable,
    load_estimator,
)

TRUTH = HeadTruth(
    torch.tensor([[0.7, 0.3, 0.0], [0.0, 0.2, 0.8], [0.5, 0.0, 0.5], [0.0, 1.0, 0.0]]),
    0.05 * (2 * torch.rand(4, 6, generator=torch.Generator().manual_seed(1)) - 1),
    torch.rand(4, 4, generator=torch.Generator().manual_seed(2)),
)


def network(**changes: object) -> MatchedNetwork:
    built = build_trainable("matched", points=POINTS, materials=3, seed=1, **{**SMALL, **changes})
    assert isinstance(built, MatchedNetwork)
    return built


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"rounds": 0},
        {"mixing": "attention"},
        {"looked_at": 2},
        {"rounds": 1, "bins": 200},
        {"fits": 1},
        {"rounds": 0, "fits": 2},
    ],
)
def test_every_parameter_is_trained(changes: dict[str, object]) -> None:
    net = network(**changes).train()
    outputs = net.all_outputs(torch.rand(4, POINTS))
    assert len(outputs.rounds) == int(str(changes.get("rounds", 2))) + int(str(changes.get("fits", 0))) + 1
    loss, _ = net.loss_of(outputs, TRUTH, "tvd")
    loss.backward()
    for name, parameter in net.named_parameters():
        # A strain is given on without gradient, so that the shares of the dictionary alone tell it.
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name


def test_scores_are_those_of_the_last_round() -> None:
    net = network().eval()
    patterns = torch.rand(3, POINTS)
    with torch.no_grad():
        rounds = net.all_outputs(patterns).rounds
        assert torch.equal(net(patterns), rounds[-1].scores)
        assert not torch.equal(rounds[0].scores, rounds[-1].scores)
        assert torch.allclose(net(7e3 * patterns), net(patterns), atol=1e-3)
        # Samples do not see each other.
        assert torch.allclose(net(patterns[:1]), net(patterns)[:1], atol=1e-4)


def test_untrained_fits_change_little() -> None:
    """They are put behind a network that is trained, and at first leave what it says nearly as it is."""
    patterns = torch.rand(3, POINTS)
    plain, fitted = network().eval(), network(fits=1).eval()
    missing = fitted.load_state_dict(plain.state_dict(), strict=False)
    assert missing.missing_keys and not missing.unexpected_keys
    with torch.no_grad():
        before, after = plain.all_outputs(patterns).rounds, fitted.all_outputs(patterns).rounds
    assert len(after) == len(before) + 1
    assert all(torch.equal(a.scores, b.scores) for a, b in zip(before, after, strict=False))
    share = after[-1].scores.softmax(-1) - before[-1].scores.softmax(-1)
    assert 0 < share.abs().max() < 0.1
    assert torch.allclose(after[-1].presence, before[-1].presence, atol=0.4)
    assert torch.allclose(after[-1].shape, before[-1].shape)


def test_a_closer_look_is_for_the_likely_candidates_alone() -> None:
    net = network(looked_at=1, rounds=1).eval()
    seen: list[torch.Tensor] = []
    net.windows[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[2]))
    with torch.no_grad():
        first = net.all_outputs(torch.rand(6, POINTS)).rounds[0]
    likely = (first.scores.softmax(-1).log() + 0.5 * first.presence).argmax(1)
    assert torch.equal(seen[0][:, 0], likely)


def test_it_learns_strains_within_seconds() -> None:
    """One material at a time, strain unknown: after 40 steps the error is a small part of the range."""
    torch.manual_seed(0)
    net = network(rounds=1, copies=81, features=4).train()
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    errors = []
    for step in range(40):
        strains = 0.05 * (2 * torch.rand(16, 1) - 1)
        patterns = torch.stack([pattern(0, row, fwhm_deg=0.3) for row in strains])
        patterns = patterns + 0.03 * torch.randn(patterns.shape)
        whole = torch.zeros(16, 6)
        whole[:, :1] = strains
        fractions = torch.tensor([[1.0, 0.0, 0.0]]).expand(16, -1)
        truth = HeadTruth(fractions, whole, torch.zeros(16, 4))
        outputs = net.all_outputs(patterns)
        optimizer.zero_grad()
        net.loss_of(outputs, truth, "tvd")[0].backward()
        optimizer.step()
        if step >= 32:
            errors.append((0.05 * outputs.rounds[-1].strain[:, 0] - strains[:, 0]).abs().mean().detach())
    assert float(torch.stack(errors).mean()) < 0.004, "unlearnt it is 0.025"


def test_an_estimate_survives_the_file(tmp_path: Path) -> None:
    options = SMALL
    estimator = NetworkEstimator(
        "matched", network(), loss="dirichlet", points=POINTS, materials=3, options=options
    )
    patterns = torch.rand(5, POINTS)
    before = estimator.estimate(patterns)
    assert before.strain.shape == before.strain_sigma.shape == (5, 6)
    assert torch.allclose(before.fractions, estimator.predict(patterns))
    estimator.save(tmp_path / "file")
    loaded = load_estimator(tmp_path / "file")
    assert isinstance(loaded, NetworkEstimator)
    after = loaded.estimate(patterns)
    for name, value in vars(before).items():
        # Of sizes it knows that of all materials together.
        assert name == "inverse_size" or torch.equal(getattr(after, name), value), name


def test_estimates_need_heads() -> None:
    plain = build_trainable("mlp", points=50, materials=3)
    estimator = NetworkEstimator("mlp", plain, loss="tvd", points=50, materials=3)
    with pytest.raises(ModelError, match="fractions and nothing else"):
        estimator.estimate(torch.rand(2, 50))


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ParameterError, match="needs bases, lines"):
        build("matched", points=POINTS, materials=3)
    with pytest.raises(ParameterError, match="materials"):
        network(lines=OPTIONS["lines"][:2], bases=OPTIONS["bases"][:2], strain_components=(1, 2, 3))
    with pytest.raises(ParameterError, match="components"):
        network(strain_components=(1, 1, 3))
