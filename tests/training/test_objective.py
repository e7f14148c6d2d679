"""Training of networks with heads: targets, resumption, several processes."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from peak_source import Peaks

from mixrd.errors import RecipeError
from mixrd.mixture import line_lists
from mixrd.network import build_trainable, loss_named
from mixrd.paper.figure1 import Figure1Sampler
from mixrd.paper.figure1_settings import Figure1Settings
from mixrd.training import TrainingProgress, TrainingResult, TrainingSettings, loop, train_network
from mixrd.training.objective import Objective

TESTS = Path(__file__).parent
COMPONENTS = (1, 2, 1)
SETTINGS = TrainingSettings(
    samples=12 * 32, batch=32, learning_rate=2e-3, validation_samples=64, statistics_samples=64
)
build = partial(
    build_trainable,
    "compact-heads",
    points=400,
    materials=3,
    seed=7,
    strain_components=COMPONENTS,
    widths=(4, 6, 8),
    hidden=16,
)


def sampler(seed: int = 0) -> Figure1Sampler:
    """Copies of three materials of some lines, which strain moves."""
    rng = np.random.default_rng(seed)
    lists, material, strains = [], [], []
    for number, own in enumerate(COMPONENTS):
        amplitudes = rng.uniform(-0.05, 0.05, (8, own))
        place = np.array([22.0, 24.0, 27.0]) + 0.5 * number
        for row in amplitudes:
            areas = np.array([1.0, 0.5, 0.7], dtype=np.float32)
            lists.append((place - 10 * np.resize(row, 3), areas))
            material.append(number)
        strains.append(amplitudes)
    lines = line_lists(["a", "b", "c"], lists, material)
    settings = Figure1Settings(max_phases=2, start_deg=20.0, step_deg=0.025, points=400)
    return Figure1Sampler(lines, settings, strains=strains)


def train(
    folder: Path,
    settings: TrainingSettings = SETTINGS,
    on_progress: Callable[[TrainingProgress], None] | None = None,
) -> TrainingResult:
    return train_network(
        build,
        sampler(),
        settings=settings,
        validation=sampler(1),
        checkpoint=folder / "state",
        on_progress=on_progress,
    )


def points(result: TrainingResult) -> list[tuple[float, ...]]:
    return [(p.samples, p.loss, p.training_tvd, p.validation_tvd) for p in result.curve]


def test_a_plain_network_is_trained_as_ever() -> None:
    """Its loss is that of the fractions and nothing else, on the patterns alone."""
    plain = build_trainable("mlp", points=400, materials=3)
    objective = Objective(plain, "mse")
    assert objective.trained is plain
    batch = sampler().draw(6, generator=torch.Generator().manual_seed(0))
    (fractions_,) = objective.targets(batch)
    assert torch.equal(fractions_, batch.fractions)
    scores = torch.randn(6, 3)
    loss, same = objective.of(scores, (fractions_,))
    assert same is scores and float(loss) == float(loss_named("mse")(scores, fractions_).mean())


def test_heads_get_strains_and_shapes() -> None:
    objective = Objective(build(), "tvd")
    batch = sampler().draw(6, generator=torch.Generator().manual_seed(0))
    targets = objective.targets(batch)
    assert torch.equal(targets[0], batch.fractions) and targets[1] is batch.strain
    assert torch.equal(targets[2], batch.shape)


def test_a_source_without_shapes_leaves_them_untaught() -> None:
    """Scans know no common size: what the heads say of a shape does not count, all else does."""
    network = build().train()
    objective = Objective(network, "tvd")
    batch = sampler().draw(6, generator=torch.Generator().manual_seed(0))
    whole = objective.targets(batch)
    known = objective.targets(SimpleNamespace(fractions=batch.fractions, strain=batch.strain))  # type: ignore[arg-type]
    assert all(torch.equal(a, b) for a, b in zip(known, whole, strict=False)) and len(known) == 2
    losses = []
    for targets in (known, whole):
        network.zero_grad()
        loss, _ = objective.of(objective.trained(batch.patterns), targets)
        loss.backward()
        losses.append(float(loss.detach()))
        weight = next(p for name, p in network.named_parameters() if name == "heads.weight")
        assert weight.grad is not None
        assert bool((weight.grad[-8:] == 0).all()) is (len(targets) == 2)
        assert weight.grad[:3].abs().max() > 0
    assert losses[0] != losses[1]


def test_a_source_without_strains_is_refused(tmp_path: Path) -> None:
    source = Peaks(points=400)
    with pytest.raises(RecipeError, match="4 strain components, the source of mixtures has none"):
        train_network(build, source, settings=SETTINGS, validation=source, checkpoint=tmp_path / "state")


def test_all_heads_are_trained(tmp_path: Path) -> None:
    fresh, result = build(), train(tmp_path)
    for (name, before), after in zip(fresh.named_parameters(), result.network.parameters(), strict=True):
        assert not torch.equal(before, after), name
    assert result.curve[-1].loss < result.curve[0].loss


def test_a_training_that_was_interrupted_gives_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(tmp_path / "whole")
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    monkeypatch.setattr(loop, "_CHECKPOINT_REST", 0.0)

    def stop(progress: TrainingProgress) -> None:
        if progress.step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, on_progress=stop)
    again = train(tmp_path)
    assert again.resumed_from == 5 and points(again) == points(whole)
    for key, value in whole.network.state_dict().items():
        assert torch.equal(value, again.network.state_dict()[key]), key


@pytest.mark.slow
def test_two_processes_are_as_one(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            """
            import json, os, sys, torch
            from pathlib import Path
            torch.set_num_threads(1)
            sys.path.insert(0, sys.argv[1])
            import test_objective as here
            result = here.train(Path(sys.argv[2]))
            out = Path(sys.argv[2]) / f"rank{os.environ['RANK']}.json"
            out.write_text(json.dumps(here.points(result)))
            """
        )
    )
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run(
        [*command, str(script), str(TESTS), str(tmp_path)],
        check=True,
        timeout=120,
        env=environment,
        capture_output=True,
    )
    alone = points(train(tmp_path / "alone"))
    for rank in (0, 1):
        for one, other in zip(json.loads((tmp_path / f"rank{rank}.json").read_text()), alone, strict=True):
            assert one == pytest.approx(other, rel=2e-3)


def test_bf16_is_near_float32(tmp_path: Path) -> None:
    one = train(tmp_path / "one", dataclasses.replace(SETTINGS, samples=96))
    two = train(tmp_path / "two", dataclasses.replace(SETTINGS, samples=96, precision="bf16"))
    assert points(one) != points(two)
    assert two.curve[0].loss == pytest.approx(one.curve[0].loss, abs=0.05)
