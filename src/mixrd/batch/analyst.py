"""A request carried out for one scan after another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from os import PathLike, fspath

from mixrd import analysis
from mixrd.analysis import Analysis, AnalysisRequest, Preparation, Sources, finished_model, instrument_for
from mixrd.analysis.scan_analysis import analysis_steps
from mixrd.export.second_opinion import with_second_opinion
from mixrd.fit.lockstep import Steps, alone
from mixrd.network import Model
from mixrd.pattern import Instrument
from mixrd.scan import Scan
from mixrd.training import Recipe, cached_model

Train = Callable[[Recipe], Model]


class NetworkMissingError(Exception):
    """No network was trained yet for the problem that a scan poses."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe.sha256)
        self.recipe = recipe


@dataclass(eq=False)
class Analyst:
    """Carries a request out for one scan after another; what scans share is loaded once.

    Parameters
    ----------
    request : AnalysisRequest
    train : callable or None
        Gives the network of a recipe that the cache does not have; without it that is an exception.
    sources : Sources
        Where names are looked up.

    Raises
    ------
    InputError
        If what the request names cannot be used.
    """

    request: AnalysisRequest
    train: Train | None = finished_model
    sources: Sources = field(default_factory=Sources)
    _models: dict[str, Model] = field(default_factory=dict)
    _preparations: dict[Instrument, Preparation] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.request = self.request.resolved(self.sources)

    def analyse(self, scan: str | PathLike[str] | Scan) -> Analysis:
        """The result of one scan.

        Raises
        ------
        MixrdError
            If the scan cannot be analysed.
        NetworkMissingError
            If the network has to be trained first, and there is nothing to do so.
        """
        return alone(self.steps(scan))

    def steps(self, scan: str | PathLike[str] | Scan) -> Steps[Analysis]:
        """The steps of `analyse`: those of several scans are taken together."""
        request = self.request
        if not isinstance(scan, Scan):
            scan = self.sources.scan(fspath(scan), request.scan)
        instrument = request.chosen_instrument(scan, self.sources)
        model = self._model_for(scan, instrument)
        found = yield from analysis_steps(
            scan,
            request.crystals,
            instrument,
            model=model,
            refine=request.refine,
            preparation=self._preparation(scan, instrument, model),
        )
        opinion = request.second_opinion
        return found if opinion is None else with_second_opinion(found, scan, opinion)

    def _model_for(self, scan: Scan, instrument: Instrument | None) -> Model | None:
        """The model given, else one of the cache or trained now for this problem."""
        request = self.request
        if request.model is not None:
            if request.model not in self._models:
                self._models[request.model] = Model.load(request.model)
            return self._models[request.model]
        # One candidate has fraction 1 whatever a network says.
        if not request.network or (request.refine and len(request.phases) == 1):
            return None
        settings = {} if request.training_steps is None else {"steps": request.training_steps}
        recipe = analysis.recipe_for(scan, request.crystals, instrument, **settings)
        key = recipe.sha256
        if key not in self._models:
            found = cached_model(recipe)
            # The cache may hold a network whose intervals were not calibrated to the end.
            if found is None or found.intervals is None:
                if self.train is None:
                    raise NetworkMissingError(recipe)
                found = self.train(recipe)
            self._models[key] = found
        return self._models[key]

    def _preparation(self, scan: Scan, instrument: Instrument | None, model: Model | None) -> Preparation:
        """What is said of the sample, read once for each instrument."""
        if not self.request.said_of_sample:
            return Preparation()
        machine = instrument_for(scan, instrument or (model.problem.instrument if model else None))
        if machine not in self._preparations:
            self._preparations[machine] = self.request.preparation(machine, self.sources)
        return self._preparations[machine]
