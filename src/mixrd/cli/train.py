"""`mixrd train`: a network for a set of phases on an instrument."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from mixrd.cli.console import say, show_json
from mixrd.cli.options import InstrumentOptions, Switch, load_phases
from mixrd.errors import UsageError

if TYPE_CHECKING:
    from mixrd.network import Model
    from mixrd.training import Recipe

EXAMPLES = """Examples:
  mixrd train corundum fluorite zincite --instrument instrument.toml \\
      -o corundum-fluorite-zincite.mixrd
  mixrd train quartz my-phase.cif --radiation CuKa --range 10 80 -o two.mixrd

Interrupted with Ctrl-C, the same command goes on where it stopped. With
torchrun --nproc-per-node N -m mixrd train ..., N processes or GPUs share it."""


def train(
    phases: Annotated[list[str], Parameter(name="PHASES")],
    /,
    *,
    out: Annotated[Path, Parameter(name=["--out", "-o"])] = Path("model.mixrd"),
    options: InstrumentOptions = InstrumentOptions(),  # noqa: B008
    range: tuple[float, float] | None = None,
    max_strain: float = 0.01,
    steps: int | None = None,
    architecture: str = "compact-scan",
    seed: int = 0,
    device: str | None = None,
    json: Switch = False,
    force: Switch = False,
) -> int:
    """Train the network for these phases and this instrument.

    `mixrd analyze` does this by itself where no model is given; a model in a
    file of its own can be kept, copied and given to others.

    Parameters
    ----------
    phases
        Candidate phases: names of `mixrd phases`, or CIF files.
    out
        File of the model.
    range
        First and last angle 2theta in degrees that the scans will cover; the instrument's unless given.
    max_strain
        Cells of real samples deviate by up to this from those given, relatively.
    steps
        Steps of training; more steps, a better network. The usual number unless given.
    architecture
        Kind of network: compact-scan (says strains and sizes as well), compact-heads (strains),
        compact, mlp, table1 (fractions alone), or one that another package adds.
    seed
        The same seed gives the same network.
    device
        cpu, cuda, ...; a GPU is used where there is one.
    json
        Print what was trained, and how well it does on mixtures it had not seen, as JSON.
    force
        Overwrite an existing file.
    """
    from mixrd.files import refuse_existing

    refuse_existing([out], force=force)
    instrument = options.required(range)
    crystals = load_phases(phases)

    from dataclasses import replace

    from mixrd.mixture import SampleRanges
    from mixrd.training import Recipe

    recipe = Recipe(
        phases=tuple(crystals),
        instrument=instrument,
        ranges=SampleRanges(max_strain=max_strain),
        seed=seed,
        architecture=architecture,
    )
    if steps is not None:
        recipe = replace(recipe, steps=steps)
    model = run_training(recipe, device=device)
    save_model(model, out)
    if json:
        show_json(_plain(model, out))
    return 0


def run_training(recipe: Recipe, *, device: str | None = None) -> Model:
    """Train, with a bar; Ctrl-C says how to go on."""
    from mixrd import training
    from mixrd.cli.progress import training_bar
    from mixrd.files import writing

    names = ", ".join(crystal.name for crystal in recipe.phases)
    from mixrd.analysis import finished_model

    if training.cached_model(recipe) is not None:
        say("a network of this recipe was trained before: taken from the cache")
    try:
        with training_bar(f"training for {names}") as update, writing(training.cache_folder()):
            return finished_model(recipe, device=checked_device(device), on_progress=update)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            "interrupted; the training is kept: the same command goes on from there."
        ) from None


def checked_device(device: str | None) -> str | None:
    """`device` if torch has it."""
    if device is None:
        return None
    import torch

    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError):
        raise UsageError(
            f"there is no device {device!r} here", remedy="Use cpu, or leave --device out"
        ) from None
    return device


def save_model(model: Model, out: Path) -> None:
    """Write a model file and say so."""
    from mixrd.files import writing

    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        model.save(out)
    last = model.history[-1] if model.history else {}
    tvd = f", TVD {last['tvd']:.4f} on mixtures it had not seen" if "tvd" in last else ""
    say(f"wrote {out}{tvd}")


def _plain(model: Model, out: Path) -> dict[str, Any]:
    last = model.history[-1] if model.history else {}
    return {
        "schema": 1,
        "file": str(out),
        "sha256": model.sha256,
        "phases": list(model.names),
        "instrument": model.problem.instrument.name,
        "architecture": model.architecture,
        "steps": last.get("step"),
        "tvd": last.get("tvd"),
    }
