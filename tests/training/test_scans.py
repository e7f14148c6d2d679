from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch

from mixrd.errors import ModelError
from mixrd.mixture import MixtureSampler
from mixrd.network import CompactNetwork, Model, build_network, total_variation_distance
from mixrd.network.compact import StrainAndSize
from mixrd.phases import load_phase
from mixrd.training import Recipe, TrainingProgress, cache_folder, cached_model, loop, scans, train
from mixrd.training import recipe as recipe_module
from mixrd.training.cache import checkpoint_path, model_path


@pytest.fixture
def frequent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint after every step."""
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    monkeypatch.setattr(loop, "_CHECKPOINT_REST", 0.0)
    monkeypatch.setattr(scans, "HISTORY_STEPS", 2)


@pytest.fixture(scope="session")
def uninterrupted(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Model:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIXRD_CACHE", str(tmp_path_factory.mktemp("whole")))
        patch.setattr(scans, "HISTORY_STEPS", 2)
        return train(recipe, device="cpu")


class Stopper:
    """Records progress and presses Ctrl-C after a step."""

    def __init__(self, at: int = 0) -> None:
        self.at = at
        self.seen: list[TrainingProgress] = []

    def __call__(self, progress: TrainingProgress) -> None:
        self.seen.append(progress)
        if progress.step == self.at:
            raise KeyboardInterrupt


def assert_same(one: Model, two: Model) -> None:
    weights, others = one.network.state_dict(), two.network.state_dict()
    assert weights.keys() == others.keys()
    for key, value in weights.items():
        assert torch.equal(value, others[key]), key


def test_same_seed_same_weights(recipe: Recipe, uninterrupted: Model, cache: Path) -> None:
    assert not cache.exists()
    assert_same(train(recipe, device="cpu"), uninterrupted)


def test_global_random_state_neither_matters_nor_changes(recipe: Recipe, uninterrupted: Model) -> None:
    torch.manual_seed(123)
    before = torch.random.get_rng_state()
    assert_same(train(recipe, device="cpu"), uninterrupted)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_another_seed_gives_other_weights(recipe: Recipe, uninterrupted: Model) -> None:
    other = train(dataclasses.replace(recipe, seed=1), device="cpu")
    assert not torch.equal(other.network.fractions.weight, uninterrupted.network.fractions.weight)


@pytest.mark.parametrize("half", [False, True])
def test_reduced_precision_learns_the_same(
    recipe: Recipe, monkeypatch: pytest.MonkeyPatch, half: bool
) -> None:
    """The first loss is that of float32 to the precision of bf16; weights and heads stay float32."""
    dtypes = set()
    said = CompactNetwork.all_outputs

    def watched(self: CompactNetwork, patterns: torch.Tensor) -> StrainAndSize:
        outputs = said(self, patterns)
        dtypes.update(value.dtype for value in outputs)
        return outputs

    monkeypatch.setattr(CompactNetwork, "all_outputs", watched)
    monkeypatch.setattr(scans, "HISTORY_STEPS", 1)
    losses = []
    for known in (False, half):
        monkeypatch.setattr(recipe_module, "has_bfloat16", lambda _, known=known: known)
        monkeypatch.setattr(scans, "cached_model", lambda _: None)
        checkpoint_path(recipe).unlink(missing_ok=True)
        model = train(recipe, device="cpu")
        losses.append(model.history[0]["loss"])
        assert {value.dtype for value in model.network.parameters()} == {torch.float32}
    assert dtypes == {torch.float32}
    assert (losses[0] == losses[1]) is not half
    assert losses[1] == pytest.approx(losses[0], rel=0.01)


def test_progress_counts_every_step(recipe: Recipe) -> None:
    watch = Stopper()
    train(recipe, device="cpu", on_progress=watch)
    assert [p.step for p in watch.seen] == list(range(1, 13))
    assert {p.steps for p in watch.seen} == {12}
    assert {p.resumed_from for p in watch.seen} == {0}
    assert all(np.isfinite([p.loss, p.tvd, p.seconds_left]).all() for p in watch.seen)
    assert all(0 <= p.tvd <= 1 for p in watch.seen)
    assert watch.seen[-1].seconds_left == 0


@pytest.mark.parametrize("stop", [5, 8, 11])
def test_interrupted_and_resumed_is_as_uninterrupted(
    recipe: Recipe, uninterrupted: Model, frequent: None, stop: int
) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(recipe, device="cpu", on_progress=Stopper(at=stop))
    assert cached_model(recipe) is None
    assert checkpoint_path(recipe).is_file()
    watch = Stopper()
    resumed = train(recipe, device="cpu", on_progress=watch)
    assert watch.seen[0].resumed_from == stop
    assert watch.seen[0].step == stop + 1
    assert_same(resumed, uninterrupted)
    assert resumed.history == uninterrupted.history
    assert not checkpoint_path(recipe).exists(), "a finished training leaves no checkpoint"


def test_interrupted_again_and_again(recipe: Recipe, uninterrupted: Model, frequent: None) -> None:
    for stop in (3, 6, 9):
        with pytest.raises(KeyboardInterrupt):
            train(recipe, device="cpu", on_progress=Stopper(at=stop))
    assert_same(train(recipe, device="cpu"), uninterrupted)


@pytest.mark.slow
def test_killed_and_resumed_is_as_uninterrupted(
    recipe: Recipe, uninterrupted: Model, frequent: None, cache: Path, tmp_path: Path
) -> None:
    """A process that gets SIGKILL in the midst of a training; this one goes on from its checkpoint."""
    script = textwrap.dedent(
        """
        import dataclasses, torch
        from mixrd.phases import load_phase
        from mixrd.pattern import load_instrument
        from mixrd.training import Recipe, loop, scans, train
        torch.set_num_threads(1)
        loop.CHECKPOINT_SECONDS, loop._CHECKPOINT_REST, scans.HISTORY_STEPS = -1.0, 0.0, 2
        instrument = dataclasses.replace(load_instrument("lab-cu"), two_theta_range=(20.0, 60.0), step=0.08)
        recipe = Recipe((load_phase("fluorite"), load_phase("halite")), instrument, steps=12, batch=16)
        print(recipe.sha256, flush=True)
        train(recipe, device="cpu", on_progress=lambda p: print(p.step, flush=True) or (
            p.step == 7 and __import__("time").sleep(600)))
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == recipe.sha256
        for line in process.stdout:
            if line.strip() == "7":
                break
    finally:
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    watch = Stopper()
    assert_same(train(recipe, device="cpu", on_progress=watch), uninterrupted)
    assert watch.seen[0].resumed_from == 6


@pytest.mark.parametrize("damage", ["empty", "cut", "text", "other"])
def test_a_damaged_checkpoint_starts_anew(
    recipe: Recipe, uninterrupted: Model, frequent: None, damage: str
) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(recipe, device="cpu", on_progress=Stopper(at=7))
    path = checkpoint_path(recipe)
    content = path.read_bytes()
    if damage == "other":
        # A checkpoint of another network (its shapes differ).
        small = dataclasses.replace(recipe, phases=recipe.phases[:1])
        with pytest.raises(KeyboardInterrupt):
            train(small, device="cpu", on_progress=Stopper(at=5))
        content = checkpoint_path(small).read_bytes()
    path.write_bytes(
        {"empty": b"", "cut": content[: len(content) // 2], "text": b"x" * 99}.get(damage, content)
    )
    watch = Stopper()
    resumed = train(recipe, device="cpu", on_progress=watch)
    assert watch.seen[0].resumed_from == 0
    assert_same(resumed, uninterrupted)


def test_the_second_training_comes_from_the_cache(recipe: Recipe, cache: Path) -> None:
    first = train(recipe, device="cpu")
    assert cache_folder() == cache
    watch = Stopper()
    second = train(recipe, device="cpu", on_progress=watch)
    assert watch.seen == []
    assert_same(first, second)
    assert second.recipe["steps"] == 12
    found = cached_model(recipe)
    assert found is not None and found.sha256 == first.sha256
    assert cached_model(dataclasses.replace(recipe, steps=13)) is None


def test_a_damaged_model_in_the_cache_is_trained_again(recipe: Recipe, uninterrupted: Model) -> None:
    train(recipe, device="cpu")
    model_path(recipe).write_bytes(b"damaged")
    assert cached_model(recipe) is None
    watch = Stopper()
    assert_same(train(recipe, device="cpu", on_progress=watch), uninterrupted)
    assert len(watch.seen) == recipe.steps


def test_a_cache_that_cannot_be_made_fails_before_the_training(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("MIXRD_CACHE", str(tmp_path / "file"))
    watch = Stopper()
    with pytest.raises(ModelError, match="folder of trained models cannot be written") as raised:
        train(recipe, device="cpu", on_progress=watch)
    assert "MIXRD_CACHE" in raised.value.remedy
    assert watch.seen == []


@pytest.mark.parametrize("batch", [8, 10, 13])
def test_batches_of_any_length(recipe: Recipe, batch: int) -> None:
    model = train(dataclasses.replace(recipe, batch=batch, steps=2), device="cpu")
    assert model.names == ("fluorite", "halite")


@pytest.mark.parametrize("architecture", ["compact-heads", "mlp"])
def test_any_architecture_is_trained(recipe: Recipe, architecture: str) -> None:
    other = dataclasses.replace(recipe, architecture=architecture)
    model = train(other, device="cpu")
    assert model.architecture == architecture and model.history[-1]["step"] == 12
    assert model.history[-1]["loss"] < 1.5
    untrained = build_network(other.problem(), architecture)
    for (name, before), after in zip(untrained.named_parameters(), model.network.parameters(), strict=True):
        assert not torch.equal(before, after), name
    found = cached_model(other)
    assert found is not None and found.sha256 == model.sha256 and cached_model(recipe) is None


def test_ctrl_c_waits_for_the_end_of_the_step(recipe: Recipe, uninterrupted: Model) -> None:
    """A signal, not an exception: nothing of the training is lost, though no checkpoint was due."""

    def press(progress: TrainingProgress) -> None:
        if progress.step == 7:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(recipe, device="cpu", on_progress=press)
    watch = Stopper()
    assert_same(train(recipe, device="cpu", on_progress=watch), uninterrupted)
    assert watch.seen[0].resumed_from == 7


@pytest.mark.slow
def test_two_processes_are_as_one(recipe: Recipe, uninterrupted: Model, cache: Path, tmp_path: Path) -> None:
    """As `torchrun` starts them: each has half of each batch; one of them writes."""
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            """
            import dataclasses, json, os, sys, torch
            from pathlib import Path
            from mixrd.pattern import load_instrument
            from mixrd.phases import load_phase
            from mixrd.training import Recipe, scans, train
            torch.set_num_threads(1)
            scans.HISTORY_STEPS = 2
            lab = dataclasses.replace(load_instrument("lab-cu"), two_theta_range=(20.0, 60.0), step=0.08)
            recipe = Recipe((load_phase("fluorite"), load_phase("halite")), lab, steps=12, batch=16)
            model = train(recipe, device="cpu")
            Path(sys.argv[1], os.environ["RANK"]).write_text(json.dumps([model.sha256, model.history]))
            """
        )
    )
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run(
        [*command, str(script), str(tmp_path)], check=True, timeout=200, env=environment, capture_output=True
    )
    one, other = (json.loads((tmp_path / rank).read_text()) for rank in "01")
    found = cached_model(recipe)
    assert one == other and found is not None and found.sha256 == one[0] and found.history == one[1]
    for mine, alone in zip(one[1], uninterrupted.history, strict=True):
        assert list(mine.values()) == pytest.approx(list(alone.values()), rel=2e-3)


def test_extreme_seeds(recipe: Recipe) -> None:
    train(dataclasses.replace(recipe, seed=2**40, steps=1), device="cpu")


def test_unstrained_cells_can_be_trained(recipe: Recipe) -> None:
    ranges = dataclasses.replace(recipe.ranges, max_strain=0.0)
    model = train(dataclasses.replace(recipe, ranges=ranges, steps=2), device="cpu")
    pattern = np.random.default_rng(0).poisson(100.0, (1, model.problem.points)).astype(float)
    strain = model.estimate(pattern).strain
    assert strain is not None and strain.abs().max() == 0


def test_one_candidate_alone(recipe: Recipe) -> None:
    model = train(dataclasses.replace(recipe, phases=(load_phase("corundum"),), steps=3), device="cpu")
    pattern = np.random.default_rng(0).poisson(100.0, (1, model.problem.points)).astype(float)
    assert model.estimate(pattern).fractions.tolist() == [[1.0]]


@pytest.mark.slow
def test_training_teaches(recipe: Recipe) -> None:
    """Seconds of training bring fresh mixtures well below an untrained network and below a guess."""
    longer = dataclasses.replace(recipe, steps=100, batch=48)
    model = train(longer, device="cpu")
    problem = longer.problem()
    sampler = MixtureSampler(problem.crystals, problem.instrument, problem.two_theta, longer.ranges)
    fresh = sampler.draw(400, generator=torch.Generator().manual_seed(99))
    untrained = Model(problem, build_network(problem).eval(), {}, [])

    def distance(estimated: torch.Tensor) -> float:
        return float(total_variation_distance(estimated, fresh.fractions).mean())

    trained = distance(model.estimate(fresh.patterns).fractions)
    assert trained < 0.08
    assert distance(untrained.estimate(fresh.patterns).fractions) > 0.2
    assert distance(fresh.fractions.mean(0, keepdim=True)) > 0.2
    # The history's last value is that of fresh mixtures, too.
    assert model.history[-1]["tvd"] == pytest.approx(trained, abs=0.03)
    assert model.history[-1]["step"] == 100
