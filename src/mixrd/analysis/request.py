"""What is asked of a scan, as plain data: the same from the command line, the page, REST and Python.

To make a request loads no torch and reads no file: what contradicts itself is told at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mixrd.analysis.contents.amorphous import InternalStandard
from mixrd.analysis.contents.grinding import Grinding
from mixrd.analysis.inputs.contradictions import refuse_contradictions
from mixrd.analysis.inputs.exclusion import Region, joined_regions
from mixrd.analysis.inputs.instrument_choice import InstrumentChoice
from mixrd.analysis.inputs.sources import Sources
from mixrd.crystal import Crystal
from mixrd.errors import CrystalError, ModelError, ParameterError, RequestError
from mixrd.phases import check_distinct

if TYPE_CHECKING:
    from mixrd.analysis.contents.amorphous_component import AmorphousComponent
    from mixrd.analysis.inputs.preparation import Preparation
    from mixrd.pattern import Instrument

SCHEMA = 1
Phase = str | Crystal

#: What of a sample is known; all of it needs the refinement.
SAMPLE = (
    "particle_size_um", "grinding", "standard", "external_standard", "amorphous_formula", "amorphous",
    "exclude",
)  # fmt: skip
_ONE_OUT, _REFINE = "Leave one of the two out", "Allow the refinement"
#: Of which kind entries of a request are, where a wrong one could pass for another.
_KINDS: dict[str, type | tuple[type, ...]] = {
    "network": bool,
    "refine": bool,
    "scan": (int, type(None)),
    "training_steps": (int, type(None)),
    "particle_size_um": (int, float, type(None)),
}


@dataclass(frozen=True)
class StandardScan:
    """A pure phase that was scanned on the same instrument as the samples.

    Attributes
    ----------
    phase : str or Crystal
    scan : str
        Its scan, a file unless `Sources` say otherwise.
    """

    phase: Phase
    scan: str


@dataclass(frozen=True)
class AnalysisRequest(InstrumentChoice):
    """What is asked of every scan; goes to other processes, and to JSON and back.

    Attributes
    ----------
    phases : tuple of str or Crystal
        Candidate phases, by name or as structures; the model's if empty.
    model : str or None
        File of a trained network.
    network, refine : bool
        Whether a network estimates, and a refinement finishes.
    training_steps : int or None
        Of a network that has to be trained; the recipe's unless given.
    scan : int or None
        Which scan, where a file holds several, counted from 1.
    second_opinion : str or None
        Another program to ask for its opinion of each scan ("rietx").
    particle_size_um, grinding, amorphous_formula
        See `Preparation`.
    standard : InternalStandard or None
        A phase that was weighed in.
    external_standard : StandardScan or None
    amorphous : tuple of str
        Amorphous parts: scans of the pure material, or humps as `parse_humps` reads them.
    exclude : tuple of (low, high)
        Regions in degrees 2theta that the refinement leaves out; kept in order, overlapping ones as one.

    Raises
    ------
    InputError
        If the parts contradict each other, or one makes no sense whatever the scan.
    """

    phases: tuple[Phase, ...] = ()
    model: str | None = None
    network: bool = True
    refine: bool = True
    training_steps: int | None = None
    scan: int | None = None
    second_opinion: str | None = None
    particle_size_um: float | None = None
    grinding: Grinding | None = None
    standard: InternalStandard | None = None
    external_standard: StandardScan | None = None
    amorphous_formula: str | None = None
    amorphous: tuple[str, ...] = ()
    exclude: tuple[Region, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, kind in _KINDS.items():
            if not isinstance(getattr(self, name), kind):
                _refuse(f"{name} is {getattr(self, name)!r}", "See AnalysisRequest", name)
        for name in ("scan", "training_steps"):
            if (number := getattr(self, name)) is not None and number < 1:
                _refuse(f"{name} is {number}", "Give 1 or more", name)
        if not (self.refine or self.network):
            _refuse("without network and refinement there is nothing to do", _ONE_OUT, "refine", "network")
        if not self.network and self.model is not None:
            _refuse("a model and doing without a network exclude each other", _ONE_OUT, "model", "network")
        if not self.phases and self.model is None:
            _refuse("no candidate phase is given", "Name the phases that may be in the sample", "phases")
        self._refuse_phases()
        if not self.refine and self.second_opinion is not None:
            _refuse("a second opinion compares with the refinement", _REFINE, "second_opinion", "refine")
        if not self.refine and (sample := self.said_of_sample):
            _refuse("what is said of the sample needs the refinement", _REFINE, *sample, "refine")
        refuse_contradictions(
            self.particle_size_um,
            self.grinding,
            self.standard,
            self.external_standard,
            self.amorphous_formula,
        )
        object.__setattr__(self, "exclude", joined_regions(self.exclude))

    def _refuse_phases(self) -> None:
        """What is wrong with the phases whatever structures the names stand for."""
        names = [phase for phase in self.phases if isinstance(phase, str)]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise CrystalError(
                f"{twice} and {twice} are the same structure",
                remedy="Name each phase once; the data cannot tell the two apart",
            )
        check_distinct(list(self.crystals))
        if self.phases and not names:
            self.check_standard([crystal.name for crystal in self.crystals])

    @property
    def said_of_sample(self) -> tuple[str, ...]:
        """Fields of what is said of the sample."""
        return tuple(name for name in SAMPLE if getattr(self, name) not in (None, ()))

    @property
    def crystals(self) -> tuple[Crystal, ...]:
        """The structures among the candidates: all, once it is resolved."""
        return tuple(phase for phase in self.phases if isinstance(phase, Crystal))

    def resolved(self, sources: Sources = Sources()) -> AnalysisRequest:  # noqa: B008
        """The same with structures for names, once all that depends on no scan is known to be right.

        Raises
        ------
        InputError
            If what is named cannot be used, or the model is for other phases.
        """
        from mixrd.analysis.contents.amorphous_component import parse_humps
        from mixrd.network import Model

        crystals = [p if isinstance(p, Crystal) else sources.crystal(p) for p in self.phases]
        if self.model is not None:
            trained = Model.load(self.model)
            crystals = crystals or list(trained.problem.crystals)
            self.check_model([crystal.name for crystal in crystals], trained.names, self.model)
        known = replace(self, phases=tuple(crystals))
        for text in self.amorphous:
            if not sources.has_scan(text):
                parse_humps(text)
        if self.stands_alone:
            # A wrong instrument is the request's fault, not that of each scan of a batch.
            self.chosen_instrument(None, sources)
        return known

    @staticmethod
    def check_model(names: Sequence[str], trained: Sequence[str], file: str) -> None:
        """Raise ModelError unless a model that was trained for other names is for these."""
        if set(names) != set(trained):
            raise ModelError(
                f"the model is for {', '.join(trained)}, not for {', '.join(names)}",
                remedy="Leave the phases out, or train a model for these",
                file=file,
            )

    def check_standard(self, names: Sequence[str]) -> None:
        """Raise ParameterError unless the internal standard is among the phases of these names."""
        if self.standard is not None and self.standard.name not in names:
            raise ParameterError(
                f"the internal standard {self.standard.name} is not among the phases {', '.join(names)}",
                remedy=f"Add it to the phases, under this name: {self.standard.name}",
            )

    def preparation(self, instrument: Instrument, sources: Sources = Sources()) -> Preparation:  # noqa: B008
        """What is said of the sample, for an instrument.

        Raises
        ------
        InputError
            If a scan that is named cannot be used.
        """
        from mixrd.analysis.inputs.preparation import Preparation, external_constant_of

        external = self.external_standard
        constant = None
        if external is not None:
            phase = external.phase
            crystal = phase if isinstance(phase, Crystal) else sources.crystal(phase)
            constant = external_constant_of(sources.scan(external.scan), crystal, instrument)
        wavelength = instrument.radiation.wavelength_angstrom
        return Preparation(
            particle_size_um=self.particle_size_um,
            standard=self.standard,
            external=constant,
            humps=tuple(_component(text, wavelength, sources) for text in self.amorphous),
            excluded=self.exclude,
            grinding=self.grinding,
            amorphous_formula=self.amorphous_formula,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data that `from_dict` takes back."""
        data = {field.name: getattr(self, field.name) for field in fields(self)}
        external = self.external_standard
        return {
            "schema": SCHEMA,
            **data,
            "phases": [_plain(phase) for phase in self.phases],
            "instrument": _plain(self.instrument),
            "standard": None if self.standard is None else asdict(self.standard),
            "external_standard": external and {"phase": _plain(external.phase), "scan": external.scan},
            "amorphous": list(self.amorphous),
            "exclude": [list(region) for region in self.exclude],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> AnalysisRequest:
        """Request from what `to_dict` gave (or its JSON); what is left out is as unless given.

        Raises
        ------
        InputError
            If an entry is unknown or of the wrong kind, or the parts contradict each other.
        """
        known = ["schema", *(field.name for field in fields(cls))]
        unknown = [name for name in data if name not in known]
        if unknown:
            _refuse(f"a request has no entry {', '.join(unknown)}", f"There are: {', '.join(known)}")
        if data.get("schema", SCHEMA) != SCHEMA:
            cause = f"the request is of schema {data['schema']}, not {SCHEMA}"
            _refuse(cause, "Write it anew with this version of mixrd")
        try:
            return cls(
                **{name: _READ.get(name, _same)(value) for name, value in data.items() if name != "schema"}
            )
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise RequestError(
                f"an entry of the request is missing or of the wrong kind ({error})",
                remedy="Compare with what AnalysisRequest.to_dict gives",
            ) from None


def _refuse(cause: str, remedy: str, *names: str) -> None:
    raise RequestError(cause, remedy=remedy, fields=names)


def _component(text: str, wavelength_angstrom: float, sources: Sources) -> AmorphousComponent:
    from mixrd.analysis.contents.amorphous_component import (
        component_of_humps,
        component_of_scan,
        parse_humps,
    )

    if sources.has_scan(text):
        scan = sources.scan(text)
        return component_of_scan(scan, Path(scan.path).stem)
    return component_of_humps(parse_humps(text), wavelength_angstrom, f"amorphous {text}")


def _plain(value: str | Crystal | Instrument | None) -> Any:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Crystal):
        return value.to_dict()
    from mixrd.pattern import instrument_to_dict

    return instrument_to_dict(value)


def _phase(value: Any) -> Phase:
    return Crystal.from_dict(value) if isinstance(value, dict) else str(value)


def _instrument(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    from mixrd.pattern.instrument import instrument_from_dict

    return instrument_from_dict(value)


def _same(value: Any) -> Any:
    return value


_READ: dict[str, Any] = {
    "phases": lambda value: tuple(_phase(phase) for phase in value),
    "instrument": _instrument,
    "standard": lambda value: value and InternalStandard(**value),
    "external_standard": lambda value: value and StandardScan(_phase(value["phase"]), value["scan"]),
    "amorphous": tuple,
    "exclude": tuple,
}
