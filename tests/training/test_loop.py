"""The training of fractions: deterministic, resumable, the same on one process and on several."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from peak_source import Peaks
from torch import nn

from mixrd.errors import RecipeError
from mixrd.network import build_trainable, fractions_from, total_variation_distance
from mixrd.training import TrainingProgress, TrainingResult, TrainingSettings, loop, train_network

SETTINGS = TrainingSettings(samples=24 * 32, batch=32, learning_rate=1e-3, validation_samples=100)
build: Callable[[], nn.Module] = partial(build_trainable, "compact", points=96, materials=3, seed=7)
TESTS = Path(__file__).parent


def train(
    folder: Path,
    settings: TrainingSettings = SETTINGS,
    on_progress: Callable[[TrainingProgress], None] | None = None,
    network: Callable[[], nn.Module] = build,
) -> TrainingResult:
    return train_network(
        network,
        Peaks(),
        settings=settings,
        validation=Peaks(),
        checkpoint=folder / "state",
        on_progress=on_progress,
    )


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    return train(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def frequent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint after every step."""
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    monkeypatch.setattr(loop, "_CHECKPOINT_REST", 0.0)


class Stopper:
    """Records progress and does something after a step."""

    def __init__(self, at: int = 0, act: Callable[[], None] | None = None) -> None:
        self.at, self.act = at, act
        self.seen: list[TrainingProgress] = []

    def __call__(self, progress: TrainingProgress) -> None:
        self.seen.append(progress)
        if progress.step == self.at:
            assert self.act is not None
            self.act()


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def raise_interrupt() -> None:
    raise KeyboardInterrupt


def points(result: TrainingResult) -> list[tuple[float, ...]]:
    """The curve without its seconds."""
    return [(p.samples, p.loss, p.training_tvd, p.validation_tvd) for p in result.curve]


def assert_same(one: TrainingResult, two: TrainingResult) -> None:
    weights, others = one.network.state_dict(), two.network.state_dict()
    assert weights.keys() == others.keys()
    for key, value in weights.items():
        assert torch.equal(value, others[key]), key
    assert points(one) == points(two)


def test_the_same_twice_and_whatever_the_global_random_state(
    tmp_path: Path, uninterrupted: TrainingResult
) -> None:
    torch.manual_seed(99)
    before = torch.random.get_rng_state()
    assert_same(train(tmp_path), uninterrupted)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_what_changes_the_result(tmp_path: Path, uninterrupted: TrainingResult) -> None:
    for number, change in enumerate(
        [{"seed": 1}, {"loss": "mse"}, {"schedule": "cosine"}, {"largest_gradient": 1e-3}, {"parts": 2}]
    ):
        settings = dataclasses.replace(SETTINGS, samples=96, **change)
        plain = dataclasses.replace(SETTINGS, samples=96)
        one = train(tmp_path / str(number), settings).network.scores.weight
        two = train(tmp_path / f"plain {number}", plain).network.scores.weight
        assert isinstance(one, torch.Tensor) and isinstance(two, torch.Tensor)
        assert not torch.equal(one, two), change


def test_the_curve(uninterrupted: TrainingResult) -> None:
    assert [p.samples // 32 for p in uninterrupted.curve] == [8, 11, 16, 23, 24]
    seconds = [p.seconds for p in uninterrupted.curve]
    assert seconds == sorted(seconds) and 0 < seconds[-1] <= uninterrupted.seconds
    assert uninterrupted.samples == 24 * 32
    assert uninterrupted.resumed_from == 0
    for point in uninterrupted.curve:
        # The loss is the TVD here; both are means of the same steps.
        assert point.loss == pytest.approx(point.training_tvd, rel=1e-6)


def test_the_last_point_is_the_networks_error(uninterrupted: TrainingResult) -> None:
    """Fresh patterns, in evaluation mode: within what 100 validation samples allow."""
    drawn = Peaks().draw(2000, generator=torch.Generator().manual_seed(77))
    with torch.no_grad():
        estimated = fractions_from(uninterrupted.network(drawn.patterns), "tvd")
    error = float(total_variation_distance(estimated, drawn.fractions).mean())
    assert error == pytest.approx(uninterrupted.curve[-1].validation_tvd, abs=0.04)


def test_statistics_are_those_of_the_network_as_it_is(tmp_path: Path, uninterrupted: TrainingResult) -> None:
    """A young network is judged as it trains, not by averages of what it was; the training stays the same."""
    last = uninterrupted.curve[-1]
    assert last.validation_tvd == pytest.approx(last.training_tvd, abs=0.03)
    running = train(tmp_path, dataclasses.replace(SETTINGS, statistics_samples=0))
    assert running.curve[-1].validation_tvd > 2 * last.validation_tvd
    for one, other in zip(running.network.parameters(), uninterrupted.network.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["tvd", "mse", "cross-entropy", "dirichlet"])
def test_training_teaches_with_every_loss(tmp_path: Path, loss: str) -> None:
    settings = dataclasses.replace(
        SETTINGS, samples=128 * 64, batch=64, loss=loss, schedule="cosine", learning_rate=3e-3
    )
    result = train(tmp_path, settings)
    assert result.curve[-1].validation_tvd < 0.06


def test_progress_counts_every_step(tmp_path: Path) -> None:
    watch = Stopper()
    train(tmp_path, on_progress=watch)
    assert [p.step for p in watch.seen] == list(range(1, 25))
    assert {p.steps for p in watch.seen} == {24}
    assert all(0 < p.tvd < 1 and p.loss > 0 for p in watch.seen)
    assert watch.seen[-1].seconds_left == 0


@pytest.mark.parametrize("act", [press_ctrl_c, raise_interrupt])
@pytest.mark.parametrize("stop", [1, 8, 13, 23])
def test_ctrl_c_saves(
    tmp_path: Path, uninterrupted: TrainingResult, stop: int, act: Callable[[], None]
) -> None:
    former = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, on_progress=Stopper(stop, act))
    assert signal.getsignal(signal.SIGINT) is former
    resumed = train(tmp_path)
    assert resumed.resumed_from == stop
    assert_same(resumed, uninterrupted)
    assert resumed.seconds > resumed.curve[-1].seconds * 0.99


def test_ctrl_c_waits_for_the_end_of_the_step(tmp_path: Path, uninterrupted: TrainingResult) -> None:
    class Interrupting(Peaks):
        drawn = 0

        def draw(self, batch: int, *, generator: torch.Generator):  # type: ignore[no-untyped-def]
            Interrupting.drawn += 1
            if Interrupting.drawn == 5:
                press_ctrl_c()
            return super().draw(batch, generator=generator)

    with pytest.raises(KeyboardInterrupt):
        train_network(
            build, Interrupting(), settings=SETTINGS, validation=Peaks(), checkpoint=tmp_path / "state"
        )
    resumed = train(tmp_path)
    assert resumed.resumed_from == 5
    assert_same(resumed, uninterrupted)


def test_a_second_ctrl_c_interrupts_at_once(tmp_path: Path) -> None:
    class Impatient(Peaks):
        def draw(self, batch: int, *, generator: torch.Generator):  # type: ignore[no-untyped-def]
            press_ctrl_c()
            press_ctrl_c()
            raise AssertionError("not reached")

    with pytest.raises(KeyboardInterrupt):
        train_network(
            build, Impatient(), settings=SETTINGS, validation=Peaks(), checkpoint=tmp_path / "state"
        )
    assert not (tmp_path / "state").exists()


def test_in_another_thread(tmp_path: Path, uninterrupted: TrainingResult) -> None:
    """Signals belong to the main thread: elsewhere the training goes without."""
    results: list[TrainingResult] = []
    thread = threading.Thread(target=lambda: results.append(train(tmp_path)))
    thread.start()
    thread.join(60)
    assert_same(results[0], uninterrupted)


@pytest.mark.slow
def test_killed_and_resumed_is_as_uninterrupted(
    tmp_path: Path, uninterrupted: TrainingResult, frequent: None
) -> None:
    """A process that gets SIGKILL in the midst of a training; this one goes on from its checkpoint."""
    script = textwrap.dedent(
        """
        import sys, time, torch
        from pathlib import Path
        torch.set_num_threads(1)
        sys.path.insert(0, sys.argv[1])
        import test_loop as here
        here.loop.CHECKPOINT_SECONDS, here.loop._CHECKPOINT_REST = -1.0, 0.0
        def show(progress):
            print(progress.step, flush=True)
            if progress.step == 14:
                time.sleep(600)
        here.train(Path(sys.argv[2]), on_progress=show)
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(TESTS), str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == "14":
                break
    finally:
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    resumed = train(tmp_path)
    assert resumed.resumed_from == 13
    assert_same(resumed, uninterrupted)


def test_a_longer_training_goes_on(tmp_path: Path) -> None:
    train(tmp_path, dataclasses.replace(SETTINGS, samples=16 * 32))
    longer = train(tmp_path)
    assert longer.resumed_from == 16
    # Same curve but for the first one's last point, which is one of the longer one's as well.
    assert_same(longer, train(tmp_path / "whole"))


def test_a_finished_training_is_only_loaded(tmp_path: Path, uninterrupted: TrainingResult) -> None:
    train(tmp_path)
    watch = Stopper()
    again = train(tmp_path, on_progress=watch)
    assert watch.seen == [] and again.resumed_from == 24
    assert_same(again, uninterrupted)


@pytest.mark.parametrize("change", [{"seed": 1}, {"loss": "mse"}, {"learning_rate": 1e-4}, {"batch": 64}])
def test_a_checkpoint_of_other_settings_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    train(tmp_path, dataclasses.replace(SETTINGS, samples=32))
    with pytest.raises(RecipeError, match="other settings"):
        train(tmp_path, dataclasses.replace(SETTINGS, **change))  # type: ignore[arg-type]


def test_bf16_is_near_float32(tmp_path: Path) -> None:
    one = train(tmp_path / "one", dataclasses.replace(SETTINGS, samples=320))
    two = train(tmp_path / "two", dataclasses.replace(SETTINGS, samples=320, precision="bf16"))
    assert points(one) != points(two)
    assert two.curve[0].loss == pytest.approx(one.curve[0].loss, abs=0.02)
    assert {p.dtype for p in two.network.parameters()} == {torch.float32}


@pytest.mark.parametrize("precision", ["fp16", "tf32"])
def test_precisions_of_a_gpu(tmp_path: Path, precision: str) -> None:
    with pytest.raises(RecipeError, match="needs a GPU"):
        train(tmp_path, dataclasses.replace(SETTINGS, precision=precision))  # type: ignore[arg-type]


def test_a_training_that_diverges_says_so(tmp_path: Path) -> None:
    class Endless(Peaks):
        def draw(self, batch: int, *, generator: torch.Generator):  # type: ignore[no-untyped-def]
            drawn = super().draw(batch, generator=generator)
            return dataclasses.replace(drawn, patterns=drawn.patterns * float("inf"))

    with pytest.raises(RecipeError, match="after step 8"):
        train_network(build, Endless(), settings=SETTINGS, validation=Peaks(), checkpoint=tmp_path / "state")


def test_sources_that_do_not_fit(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="validation 90"):
        train_network(
            build, Peaks(), settings=SETTINGS, validation=Peaks(points=90), checkpoint=tmp_path / "state"
        )


@pytest.mark.slow
@pytest.mark.parametrize(("architecture", "parts"), [("compact", 2), ("mlp", 1)])
def test_two_processes_are_as_one(tmp_path: Path, architecture: str, parts: int) -> None:
    """Same global batch, same curve and weights up to rounding, whether draws are shared out or sliced."""
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            """
            import json, os, sys, torch
            from dataclasses import replace
            from functools import partial
            from pathlib import Path
            torch.set_num_threads(1)
            sys.path.insert(0, sys.argv[1])
            import test_loop as here
            build = partial(here.build_trainable, sys.argv[3], points=96, materials=3, seed=7)
            settings = replace(here.SETTINGS, parts=int(sys.argv[4]))
            result = here.train(Path(sys.argv[2]), settings, network=build)
            weights = sum(float(v.double().abs().sum()) for v in result.network.state_dict().values())
            out = Path(sys.argv[2]) / f"rank{os.environ['RANK']}.json"
            out.write_text(json.dumps({"points": here.points(result), "weights": weights}))
            """
        )
    )
    arguments = [str(script), str(TESTS), str(tmp_path), architecture, str(parts)]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([*command, *arguments], check=True, timeout=400, env=environment, capture_output=True)
    network = partial(build_trainable, architecture, points=96, materials=3, seed=7)
    alone = train(tmp_path / "alone", dataclasses.replace(SETTINGS, parts=parts), network=network)
    weights = sum(float(v.double().abs().sum()) for v in alone.network.state_dict().values())
    for rank in (0, 1):
        found = json.loads((tmp_path / f"rank{rank}.json").read_text())
        assert len(found["points"]) == len(alone.curve)
        for one, other in zip(found["points"], points(alone), strict=True):
            assert one == pytest.approx(other, rel=2e-3)
        assert found["weights"] == pytest.approx(weights, rel=1e-4)
    # The state of two processes is that of one: one goes on with it.
    assert train(tmp_path, dataclasses.replace(SETTINGS, parts=parts), network=network).resumed_from == 24


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("compile", [False, True])
@pytest.mark.parametrize("precision", ["float32", "tf32", "bf16", "fp16"])
def test_on_a_gpu_as_on_the_cpu(tmp_path: Path, precision: str, compile: bool) -> None:
    """A GPU draws other numbers: not the same curve, but one that ends as low; and it can be resumed."""
    longer = dataclasses.replace(SETTINGS, samples=300 * 64, batch=64, schedule="cosine", learning_rate=3e-3)
    settings = dataclasses.replace(longer, precision=precision, compile=compile)  # type: ignore[arg-type]

    def on_gpu(folder: Path, on_progress: Callable[[TrainingProgress], None] | None = None) -> TrainingResult:
        return train_network(
            build,
            Peaks(),
            settings=settings,
            validation=Peaks(),
            checkpoint=folder / "state",
            device="cuda",
            on_progress=on_progress,
        )

    alone = train(tmp_path / "cpu", longer).curve[-1].validation_tvd
    result = on_gpu(tmp_path / "gpu")
    assert result.curve[-1].validation_tvd == pytest.approx(alone, abs=0.02)
    assert {p.device.type for p in result.network.parameters()} == {"cpu"}

    def stop(progress: TrainingProgress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        on_gpu(tmp_path / "resumed", stop)
    resumed = on_gpu(tmp_path / "resumed")
    assert resumed.resumed_from > 0
    assert resumed.curve[-1].validation_tvd == pytest.approx(alone, abs=0.02)
