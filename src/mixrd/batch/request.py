"""What is asked of every scan of a batch, and the analysis of one after another that answers it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from mixrd import analysis
from mixrd.analysis import Analysis, Preparation, instrument_for
from mixrd.crystal import Crystal
from mixrd.export.second_opinion import with_second_opinion
from mixrd.network import Model
from mixrd.pattern import Instrument
from mixrd.scan import Scan, read_scan
from mixrd.training import Recipe, cached_model


@dataclass(frozen=True)
class Request:
    """What is asked of every scan; goes to other processes.

    Attributes
    ----------
    crystals : tuple of Crystal
        Candidate phases; the model's if empty.
    instrument : callable
        The instrument of a scan, None for that of the model or the header.
    preparation : callable or None
        What is known of the sample, for an instrument.
    model : path or None
        File of a trained network.
    network, refine : bool
        Whether a network estimates, and a refinement finishes.
    scan : int or None
        Which scan, where a file holds several, counted from 1.
    check : str or None
        Another program to ask for its opinion of each scan ("rietx").
    training_steps : int or None
        Of a network that has to be trained; the recipe's unless given.
    """

    crystals: tuple[Crystal, ...]
    instrument: Callable[[Scan], Instrument | None]
    preparation: Callable[[Instrument], Preparation] | None = None
    model: Path | None = None
    network: bool = True
    refine: bool = True
    scan: int | None = None
    check: str | None = None
    training_steps: int | None = None


class NetworkMissingError(Exception):
    """No network was trained yet for the problem that a scan poses."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe.sha256)
        self.recipe = recipe


@dataclass(eq=False)
class Analyst:
    """Analyses one scan after another; what scans share is loaded once.

    Parameters
    ----------
    request : Request
    train : callable, optional
        Gives the network of a recipe that the cache does not have; without it that is an exception.
    """

    request: Request
    train: Callable[[Recipe], Model] | None = None
    _models: dict[str, Model] = field(default_factory=dict)
    _preparations: dict[Instrument, Preparation] = field(default_factory=dict)

    def analyse(self, path: Path) -> Analysis:
        """The result of one scan.

        Raises
        ------
        MixrdError
            If the scan cannot be analysed.
        NetworkMissingError
            If the network has to be trained first, and there is nothing to do so.
        """
        return self.analyse_scan(read_scan(path, scan=self.request.scan))

    def analyse_scan(self, scan: Scan) -> Analysis:
        """The same of a scan that is read already."""
        request = self.request
        instrument = request.instrument(scan)
        model = self._model_for(scan, instrument)
        found = analysis.analyze(
            scan,
            request.crystals,
            instrument,
            model=model,
            refine=request.refine,
            preparation=self._preparation(scan, instrument, model),
        )
        return found if request.check is None else with_second_opinion(found, scan, request.check)

    def _model_for(self, scan: Scan, instrument: Instrument | None) -> Model | None:
        """The model given, else one of the cache or trained now for this problem."""
        request = self.request
        if request.model is not None:
            return self._given(request.model)
        # One candidate has fraction 1 whatever a network says.
        if not request.network or (request.refine and len(request.crystals) == 1):
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

    def _given(self, path: Path) -> Model:
        key = str(path)
        if key not in self._models:
            self._models[key] = Model.load(path)
        return self._models[key]

    def _preparation(self, scan: Scan, instrument: Instrument | None, model: Model | None) -> Preparation:
        """What is said of the sample, read once for each instrument."""
        if self.request.preparation is None:
            return Preparation()
        machine = instrument_for(scan, instrument or (model.problem.instrument if model else None))
        if machine not in self._preparations:
            self._preparations[machine] = self.request.preparation(machine)
        return self._preparations[machine]
