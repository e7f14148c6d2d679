"""What `mixrd analyze` and `mixrd watch` are asked for: phases, network, refinement."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Group, Parameter

from mixrd.cli.options import InstrumentOptions, Names, Switch, load_phases
from mixrd.cli.sample_options import SampleOptions
from mixrd.errors import ModelError, UsageError

if TYPE_CHECKING:
    from mixrd.batch.request import Request
    from mixrd.crystal import Crystal
    from mixrd.network import Model
    from mixrd.training import Recipe

_GROUP = Group("Analysis", sort_key=0)


@Parameter(name="*", group=_GROUP)
@dataclass(frozen=True)
class RequestOptions:
    """How a scan is analysed."""

    phases: Names | None = None
    """Candidate phases: names of `mixrd phases`, or CIF files. A model's are used unless given."""

    model: Path | None = None
    """Trained network, from `mixrd train`."""

    no_refine: Switch = False
    """Leave the network's estimate as it is."""

    no_network: Switch = False
    """Refine without a network: nothing is trained."""

    scan: Annotated[int | None, Parameter(name="--scan")] = None
    """Which scan, where a file holds several, counted from 1."""

    check: Literal["rietx"] | None = None
    """Refine each scan with this program too, and say where the two disagree (10-40 s a scan)."""

    def load(self, options: InstrumentOptions, sample: SampleOptions) -> Request:
        """The request, once all that does not depend on a scan is known to be right.

        Raises
        ------
        InputError
            If options contradict each other, or what they name cannot be used.
        """
        self._check(sample)
        crystals = self._candidates()
        sample.check([crystal.name for crystal in crystals])
        if options.stands_alone:
            # A wrong instrument is the command's fault, not that of each scan of a batch.
            options.load()

        from mixrd.batch.request import Request

        return Request(
            crystals=tuple(crystals),
            instrument=options.load,
            preparation=sample.load if sample.given else None,
            model=self.model,
            network=not self.no_network,
            refine=not self.no_refine,
            scan=self.scan,
            check=self.check,
        )

    def _check(self, sample: SampleOptions) -> None:
        if self.no_refine and self.no_network:
            raise UsageError(
                "--no-refine and --no-network leave nothing to do", remedy="Leave one of the two out"
            )
        if self.no_network and self.model is not None:
            raise UsageError("--model and --no-network exclude each other", remedy="Leave one of the two out")
        if not self.phases and self.model is None:
            raise UsageError(
                "no candidate phase is given",
                remedy="Give --phases NAME ... (`mixrd phases` lists the catalog) or --model",
            )
        if self.no_refine and self.check is not None:
            raise UsageError("--check compares with the refinement", remedy="Leave --no-refine out")
        if self.no_refine and sample.given:
            raise UsageError(
                "particle size, grinding, standards and humps need the refinement",
                remedy="Leave --no-refine out",
            )

    def _candidates(self) -> list[Crystal]:
        """The candidate phases, which must be those of the model where one is given."""
        crystals = load_phases(self.phases or [])
        if self.model is None:
            return crystals
        from mixrd.network import Model

        trained = Model.load(self.model)
        if not crystals:
            return list(trained.problem.crystals)
        if {c.name for c in crystals} != set(trained.names):
            raise ModelError(
                f"the model is for {', '.join(trained.names)}, not for {', '.join(c.name for c in crystals)}",
                remedy="Leave --phases out, or train a model for these phases",
                file=self.model,
            )
        return crystals


def described(request: Request, options: InstrumentOptions, sample: SampleOptions) -> dict[str, Any]:
    """The request as plain data, by which a batch knows that it is the same one again.

    Files are told by their content: an instrument that was calibrated anew is another one.
    """
    from mixrd import __version__
    from mixrd.analysis.result.analysis import SCHEMA

    return {
        "mixrd": __version__,
        "schema of results": SCHEMA,
        "phases": {crystal.name: _digest(crystal.to_dict()) for crystal in request.crystals},
        "model": None if request.model is None else _known(str(request.model)),
        "instrument": {key: _known(value) for key, value in vars(options).items()},
        "sample": {key: _known(value) for key, value in vars(sample).items()},
        "network": request.network,
        "refinement": request.refine,
        "scan": request.scan,
        "check": request.check,
    }


def train_and_say(recipe: Recipe) -> Model:
    """The network of a recipe, trained with a bar where no cache has it."""
    from mixrd.analysis import finished_model
    from mixrd.cli.console import say
    from mixrd.cli.train import run_training
    from mixrd.training import cached_model

    if cached_model(recipe) is not None:
        return finished_model(recipe)
    say(
        "no network for these phases, instrument and range yet: training one, once "
        "(--no-network does without)"
    )
    return run_training(recipe)


def _known(value: Any) -> Any:
    """The value of an option; a file, by name or after a colon, by its content."""
    if isinstance(value, list | tuple):
        return [_known(part) for part in value]
    if not isinstance(value, str):
        return value
    name, colon, rest = value.partition(":")
    for start, path in (("", value), (f"{name}{colon}", rest)):
        if path and Path(path).is_file():
            return f"{start}{hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]}"
    return value


def _digest(data: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]
