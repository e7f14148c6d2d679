"""`mixrd analyze`: weight fractions of phases in scans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from mixrd.cli.console import say, show, show_json
from mixrd.cli.options import InstrumentOptions, Names, Switch, load_phases
from mixrd.cli.sample_options import SampleOptions
from mixrd.errors import MixrdError, ModelError, UsageError

if TYPE_CHECKING:
    from mixrd.analysis import Analysis, Preparation
    from mixrd.crystal import Crystal
    from mixrd.network import Model
    from mixrd.pattern import Instrument
    from mixrd.scan import Scan

EXAMPLES = """Examples:
  mixrd analyze scan.xy --phases corundum fluorite zincite \\
      --instrument instrument.toml
  mixrd analyze *.xrdml --phases quartz calcite my-phase.cif --out results
  mixrd analyze scan.xy --model corundum-fluorite-zincite.mixrd
  mixrd analyze scan.xy --phases quartz --radiation CuKa --no-network --json
  mixrd analyze scan.xy --phases quartz corundum --standard corundum:20

For each scan NAME.json, NAME.csv and NAME.png are written into the folder of
--out, for several scans summary.csv too."""

DEFAULT_FOLDER = Path("mixrd-results")
EXIT_SOME_FAILED = 3


def analyze(
    scans: Annotated[list[Path], Parameter(name="SCANS")],
    /,
    *,
    phases: Names | None = None,
    model: Path | None = None,
    options: InstrumentOptions = InstrumentOptions(),  # noqa: B008
    sample: SampleOptions = SampleOptions(),  # noqa: B008
    no_refine: Switch = False,
    no_network: Switch = False,
    scan: int | None = None,
    out: Path | None = None,
    plot_scale: Literal["sqrt", "linear"] = "sqrt",
    json: Switch = False,
    force: Switch = False,
) -> int:
    """Find the weight fractions of phases in one or more powder scans.

    A trained network estimates, a whole-pattern refinement finishes. Without
    --model a network is trained for these phases, once: it is kept, and the next
    analysis of the same phases starts at once.

    Parameters
    ----------
    scans
        Files of powder scans (.xy, .xye, .csv, .xrdml, .raw, .brml, .uxd, .ras, .rasx, GSAS, CIF).
    phases
        Candidate phases: names of `mixrd phases`, or CIF files. A model's are used unless given.
    model
        Trained network, from `mixrd train`.
    no_refine
        Leave the network's estimate as it is.
    no_network
        Refine without a network: nothing is trained.
    scan
        Which scan, where a file holds several, counted from 1.
    out
        Folder of the results (mixrd-results unless given; with --json none unless given).
    plot_scale
        Intensity scale of the plot.
    json
        Print the results as JSON: an object for one scan, a list for several.
    force
        Overwrite existing results.
    """
    from mixrd.report.files import output_names, refuse_existing, result_files

    _check_switches(no_refine=no_refine, no_network=no_network, phases=phases, model=model)
    if no_refine and sample.given:
        raise UsageError(
            "particle size, standards and humps need the refinement", remedy="Leave --no-refine out"
        )
    folder = out if out is not None or json else DEFAULT_FOLDER
    names = output_names(scans)
    if folder is not None:
        refuse_existing(result_files(folder, names), force=force)
    trained, crystals = _candidates(phases, model)
    if options.stands_alone:
        # A wrong instrument is the command's fault, not that of each scan of a batch.
        options.load()
    task = _Task(crystals, trained, options, sample, not no_network, not no_refine, scan)
    found = _Found(names, folder, plot_scale, json, force)
    _run_all(scans, task, found)
    return EXIT_SOME_FAILED if found.failures else 0


def show_analysis(analysis: Analysis) -> None:
    """Print one result as a table with what belongs below it."""
    from mixrd.report.tables import analysis_lines, analysis_table

    show(analysis.file, analysis_table(analysis), *analysis_lines(analysis), "")


def _run_all(scans: list[Path], task: _Task, found: _Found) -> None:
    """Analyse one scan after another; what was found before Ctrl-C is kept."""
    if found.folder is not None:
        # Plotting takes a second to load: that passes while the first scan is fitted.
        Thread(target=import_module, args=("mixrd.report.plot",), daemon=True).start()
    try:
        for name, path in zip(found.names, scans, strict=True):
            found.add(name, path, task.run(path, alone=len(scans) == 1))
    except KeyboardInterrupt as interrupt:
        found.finish()
        raise KeyboardInterrupt(found.what_is_kept(str(interrupt))) from None
    found.finish()


@dataclass
class _Task:
    """One analysis after another, each with the network that its problem needs."""

    crystals: list[Crystal]
    model: Model | None
    options: InstrumentOptions
    sample: SampleOptions
    network: bool
    refine: bool
    scan: int | None
    _models: dict[str, Model] = field(default_factory=dict)
    _preparations: dict[Instrument, Preparation] = field(default_factory=dict)

    def run(self, path: Path, *, alone: bool) -> Analysis:
        """The result of one scan; a failure is raised where the scan is alone, else a result."""
        from mixrd import analysis
        from mixrd.cli.progress import spinner
        from mixrd.scan import read_scan

        try:
            with spinner(f"reading {path.name}"):
                scan = read_scan(path, scan=self.scan)
                instrument = self.options.load(scan)
            model = self._model_for(scan, instrument)
            with spinner(f"analysing {path.name}"):
                return analysis.analyze(
                    scan,
                    self.crystals,
                    instrument,
                    model=model,
                    refine=self.refine,
                    preparation=self._preparation(scan, instrument),
                )
        except MixrdError as problem:
            if alone:
                raise
            say(f"failed: {problem}")
            return analysis.failed_analysis(str(path), problem)

    def _preparation(self, scan: Scan, instrument: Instrument | None) -> Preparation:
        """What is said of the sample, read once for each instrument."""
        from mixrd.analysis import Preparation, instrument_for

        if not self.sample.given:
            return Preparation()
        machine = instrument_for(scan, instrument or (self.model.problem.instrument if self.model else None))
        if machine not in self._preparations:
            self._preparations[machine] = self.sample.load(machine)
        return self._preparations[machine]

    def _model_for(self, scan: Scan, instrument: Instrument | None) -> Model | None:
        """The model given, else one of the cache or trained now for this problem."""
        # One candidate has fraction 1 whatever a network says.
        if not self.network or self.model is not None or (self.refine and len(self.crystals) == 1):
            return self.model
        from mixrd.analysis import finished_model, recipe_for
        from mixrd.cli.train import run_training
        from mixrd.training import cached_model

        recipe = recipe_for(scan, self.crystals, instrument)
        key = recipe.sha256
        if key not in self._models:
            if cached_model(recipe) is None:
                say(
                    "no network for these phases, instrument and range yet: training one, once "
                    "(--no-network does without)"
                )
                self._models[key] = run_training(recipe)
            else:
                self._models[key] = finished_model(recipe)
        return self._models[key]


@dataclass
class _Found:
    """Results so far: shown and written as they come."""

    names: list[str]
    folder: Path | None
    plot_scale: Literal["sqrt", "linear"]
    json: bool
    force: bool
    results: list[tuple[str, str, Analysis]] = field(default_factory=list)
    written: list[Path] = field(default_factory=list)

    @property
    def failures(self) -> int:
        """How many scans failed."""
        return sum(analysis.status == "failed" for _, _, analysis in self.results)

    def add(self, name: str, path: Path, analysis: Analysis) -> None:
        """Show and write one result."""
        from mixrd.report.files import write_result

        self.results.append((name, str(path), analysis))
        if analysis.status == "failed":
            return
        if not self.json:
            show_analysis(analysis)
        if self.folder is not None:
            self.written += write_result(
                analysis, self.folder, name=name, force=self.force, scale=self.plot_scale
            )

    def finish(self) -> None:
        """Print and write what concerns all scans together."""
        from mixrd.report.files import write_batch
        from mixrd.report.tables import batch_table

        if not self.results:
            return
        if self.json:
            data = [analysis.to_dict() for _, _, analysis in self.results]
            show_json(data[0] if len(self.names) == 1 else data)
        elif len(self.names) > 1:
            show(batch_table(self._labelled()))
        if self.folder is not None:
            if len(self.names) > 1:
                batch = [(name, analysis) for name, _, analysis in self.results]
                self.written.append(write_batch(batch, self.folder, force=self.force))
            what = ", ".join(p.name for p in self.written) if len(self.names) == 1 else "results"
            say(f"wrote {what} to {self.folder}")

    def what_is_kept(self, reason: str) -> str:
        """What to tell a user who pressed Ctrl-C."""
        if len(self.names) == 1:
            return reason
        kept = f"{len(self.results)} of {len(self.names)} scans are done"
        where = f", their results are in {self.folder}" if self.results and self.folder else ""
        return f"{(reason or 'interrupted').rstrip('.')}; {kept}{where}."

    def _labelled(self) -> Sequence[tuple[str, Analysis]]:
        """Results by file name, or by path where two files have the same name."""
        files = [analysis.file for _, _, analysis in self.results]
        unique = len(set(files)) == len(files)
        return [(analysis.file if unique else path, analysis) for _, path, analysis in self.results]


def _check_switches(
    *, no_refine: bool, no_network: bool, phases: list[str] | None, model: Path | None
) -> None:
    if no_refine and no_network:
        raise UsageError(
            "--no-refine and --no-network leave nothing to do", remedy="Leave one of the two out"
        )
    if no_network and model is not None:
        raise UsageError("--model and --no-network exclude each other", remedy="Leave one of the two out")
    if not phases and model is None:
        raise UsageError(
            "no candidate phase is given",
            remedy="Give --phases NAME ... (`mixrd phases` lists the catalog) or --model",
        )


def _candidates(phases: list[str] | None, model: Path | None) -> tuple[Model | None, list[Crystal]]:
    """The model and the candidate phases, which must agree where both are given."""
    crystals = load_phases(phases or [])
    if model is None:
        return None, crystals
    from mixrd.network import Model

    trained = Model.load(model)
    if not crystals:
        return trained, list(trained.problem.crystals)
    if {c.name for c in crystals} != set(trained.names):
        raise ModelError(
            f"the model is for {', '.join(trained.names)}, not for {', '.join(c.name for c in crystals)}",
            remedy="Leave --phases out, or train a model for these phases",
            file=model,
        )
    return trained, crystals
