"""The result of an analysis: one frozen type that goes to JSON and back."""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from mixrd.analysis.result.parts import (
    AbsoluteResult,
    AnalysisWarning,
    Curves,
    PhaseResult,
    Statement,
    TextureResult,
    UnexplainedResult,
)
from mixrd.analysis.result.refined_model import RefinedModel
from mixrd.analysis.result.second_opinion import SecondOpinion
from mixrd.errors import InputError
from mixrd.pattern.parameter_table import BUILT_IN, by_loss, parameter_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Of the JSON; 3 added the refined model, 4 what is stated.
SCHEMA = 4
_READ = (2, 3, SCHEMA)
_STATES = 4
#: What of losses has a field of its own, and the entry of the provenance for corrections from outside.
_OWN, _ADDED = frozenset(quantity.result_name for quantity in BUILT_IN), "corrections"


@dataclass(frozen=True, eq=False)
class Analysis:
    """Weight fractions of the phases in one scan, and how they were found.

    Attributes
    ----------
    status : "ok" or "failed"
        "failed" only within a batch; a call raises instead.
    file : str
        The scan.
    phases : tuple of PhaseResult
        In the order of the candidates.
    r_wp, r_exp : float or None
        Of the refinement, 0-1.
    zero_deg, displacement_mm : float or None
        Refined zero shift in degrees and sample displacement in mm.
    seconds : dict
        "network" and "refined": time that each took, where it ran.
    warnings : tuple of AnalysisWarning
    error : str or None
        Why it failed.
    provenance : dict
        File hash, model hash, versions, seed, instrument, radiation, structures, preparation.
    curves : Curves or None
        Not part of the JSON.
    interval_level : float or None
        Probability that an interval holds the true value.
    background_degree : int or None
        Of the refined background, chosen by the data.
    roughness : (share, depth) or None
        Of the sample's surface, where it was refined.
    overspill : float or None
        Sine of the angle theta below which the beam is longer than the sample, where it was refined.
    b_offset_angstrom2 : float or None
        Added to the displacement factors B of all atoms, where it was refined.
    absolute : AbsoluteResult or None
        Where a standard tells how much is crystalline.
    unexplained : UnexplainedResult or None
    hump_shares : dict or None
        Share (0-1) of each amorphous hump in the counts above the background.
    refined_model : RefinedModel or None
        The refinement in full, for `mixrd export`.
    second_opinion : SecondOpinion or None
        Of another program, where it was asked for.
    covariance_percent2 : list of lists or None
        Of the refined weight percents, in the order of the phases, all terms of the intervals in it. A joint
        region of all phases: d C^+ d below the quantile of chi-squared with one degree less than phases.
    statement : Statement
        Whether amounts are stated, and why not.
    """

    status: Literal["ok", "failed"]
    file: str
    phases: tuple[PhaseResult, ...]
    r_wp: float | None
    r_exp: float | None
    zero_deg: float | None
    displacement_mm: float | None
    seconds: dict[str, float]
    warnings: tuple[AnalysisWarning, ...]
    error: str | None
    provenance: dict[str, Any]
    curves: Curves | None = None
    interval_level: float | None = None
    background_degree: int | None = None
    roughness: tuple[float, float] | None = None
    overspill: float | None = None
    b_offset_angstrom2: float | None = None
    absolute: AbsoluteResult | None = None
    hump_shares: dict[str, float] | None = None
    unexplained: UnexplainedResult | None = None
    refined_model: RefinedModel | None = None
    second_opinion: SecondOpinion | None = None
    covariance_percent2: list[list[float]] | None = None
    statement: Statement = field(default_factory=Statement)

    @property
    def fractions(self) -> dict[str, float]:
        """Weight percent by phase name; empty where no amounts are stated."""
        return {p.name: p.weight_percent for p in self.phases if p.weight_percent is not None}

    def with_losses(self, refined: dict[str, Any]) -> Analysis:
        """The same with what was refined at low angles, by the names that quantities have in results."""
        own = {name: value for name, value in refined.items() if name in _OWN}
        added = {name: value for name, value in refined.items() if name not in _OWN}
        return replace(self, **own, provenance=self.provenance | ({_ADDED: added} if added else {}))

    @property
    def losses(self) -> dict[str, str]:
        """What was refined at low angles, and what came of it, in words."""
        values = {**self.provenance.get(_ADDED, {}), **vars(self)}
        found = {}
        for loss, members in by_loss(parameter_table()).items():
            given = [values.get(name) for name in dict.fromkeys(q.result_name for q in members)]
            if given[0] is not None:
                each = [value if isinstance(value, tuple | list) else [value] for value in given]
                found[loss.label] = loss.sentence(*itertools.chain(*each))
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, curves left out."""
        data = {k: v for k, v in vars(self).items() if k != "curves"}
        for name in ("unexplained", "absolute", "statement", "second_opinion"):
            data[name] = None if data[name] is None else asdict(data[name])
        data["phases"] = [asdict(p) for p in self.phases]
        data["warnings"] = [asdict(w) for w in self.warnings]
        data["refined_model"] = None if self.refined_model is None else self.refined_model.to_dict()
        return {"schema": SCHEMA, **data}

    def to_json(self) -> str:
        """The result as JSON text that `from_json` takes back."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)

    @classmethod
    def from_json(cls, text: str | Path) -> Analysis:
        """Result from the text that `to_json` wrote, or from its file: a `Path`, or a path in a text.

        Raises
        ------
        InputError
            If it is something else, or of another version.
        """
        if isinstance(text, str) and text.strip().endswith(".json"):
            text = Path(text)
        source = text.read_text(encoding="utf-8") if isinstance(text, Path) else text
        try:
            data = json.loads(source)
            schema = data.pop("schema")
            if schema not in _READ:
                raise ValueError("schema")
            if schema < _STATES and len(data["phases"]) == 1:
                data = _one_alone(data)
            data["phases"] = tuple(_phase_from(p) for p in data["phases"])
            data["roughness"] = _pair(data["roughness"])
            data["absolute"] = None if data["absolute"] is None else AbsoluteResult(**data["absolute"])
            data["unexplained"] = _unexplained_from(data["unexplained"])
            data["warnings"] = tuple(AnalysisWarning(**w) for w in data["warnings"])
            model = data.get("refined_model")
            data["refined_model"] = None if model is None else RefinedModel.from_dict(model)
            opinion = data.get("second_opinion")
            data["second_opinion"] = None if opinion is None else SecondOpinion(**opinion)
            data["statement"] = Statement(**data.get("statement", {}))
            return cls(**data)
        except (ValueError, TypeError, KeyError, AttributeError, InputError):
            raise InputError(
                "it is not a mixrd result of this version",
                remedy="Analyse the scan again",
                file=text if isinstance(text, Path) else None,
            ) from None

    def to_dataframe(self) -> pd.DataFrame:
        """A table of pandas: a row for each phase, by name.

        Raises
        ------
        UsageError
            If pandas is not installed (the extra "notebook" has it).
        """
        return cast("pd.DataFrame", _display().analysis_frame(self))

    def plot(
        self,
        axes: Axes | None = None,
        *,
        scale: Literal["linear", "sqrt"] = "sqrt",
        colours: Sequence[str] | None = None,
    ) -> Figure:
        """Draw the fitted scan.

        Parameters
        ----------
        axes : matplotlib Axes, optional
            To draw data, fit and phases into. Without it a figure of its own has reflection marks and
            difference too.
        scale : "linear" or "sqrt"
            Of the intensities; "sqrt" shows weak lines.
        colours : sequence of str, optional
            Of the phases; they come again where there are too few.

        Returns
        -------
        Figure
            Whatever is in it can be changed afterwards; a notebook shows it.

        Raises
        ------
        UsageError
            If the result holds no curves: without a refinement, or read from JSON.
        """
        return cast("Figure", _display().plot(self, axes, scale=scale, colours=colours))

    def _repr_html_(self) -> str:
        """A table for notebooks."""
        return cast(str, _display().analysis_html(self))


def _display() -> Any:
    """The part of `mixrd.report` that draws and tabulates, loaded when it is asked for.

    An analysis comes before its report and must not import it: the package, which binds all rooms, does.
    """
    import mixrd

    return mixrd.display_of_results()


def _one_alone(data: dict[str, Any]) -> dict[str, Any]:
    """A result of one candidate as it is stated now: older versions said 100 %, however little it was."""
    numbers = ("weight_percent", "sigma_percent", "network_percent", "refined_percent", "interval_percent")
    phases = [{**phase, **dict.fromkeys(numbers)} for phase in data["phases"]]
    return {**data, "phases": phases, "covariance_percent2": None, "statement": {"kind": "presence"}}


def _phase_from(data: dict[str, Any]) -> PhaseResult:
    texture, named = data["texture"], ("cell", "cell_sigma")
    given: dict[str, Any] = {name: None if data[name] is None else tuple(data[name]) for name in named}
    if texture is not None:
        given["texture"] = TextureResult(**{**texture, "axis": tuple(texture["axis"])})
    return PhaseResult(**{**data, **given, "interval_percent": _pair(data["interval_percent"])})


def _pair(values: list[float] | None) -> tuple[float, float] | None:
    if values is None:
        return None
    low, high = values
    return low, high


def _unexplained_from(data: dict[str, Any] | None) -> UnexplainedResult | None:
    if data is None:
        return None
    return UnexplainedResult(data["share_of_counts"], tuple(data["lines"]), tuple(data["suggestions"]))
