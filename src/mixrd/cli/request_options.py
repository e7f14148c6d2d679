"""What `mixrd analyze` and `mixrd watch` are asked for: phases, network, refinement."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Group, Parameter

from mixrd.cli.options import InstrumentOptions, Names, Switch, request_fields, told_by_option
from mixrd.cli.preparation_options import PreparationOptions

if TYPE_CHECKING:
    from mixrd.analysis import AnalysisRequest
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

    def request(self, instrument: InstrumentOptions, sample: PreparationOptions) -> AnalysisRequest:
        """What all these options ask for.

        Raises
        ------
        InputError
            If they contradict each other, or cannot be read.
        """
        from mixrd.analysis import AnalysisRequest

        with told_by_option():
            return AnalysisRequest(
                phases=tuple(self.phases or ()),
                model=None if self.model is None else str(self.model),
                network=not self.no_network,
                refine=not self.no_refine,
                scan=self.scan,
                second_opinion=self.check,
                **request_fields(instrument),
                **sample.fields(),
            )


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
