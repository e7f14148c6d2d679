"""What the interface gives, as its documentation shows it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

State = Literal[
    "queued",
    "training",
    "analysing",
    "calibrating",
    "done",
    "failed",
    "cancelled",
    "interrupted",
]


class ProblemAnswer(BaseModel):
    """What is wrong, and what to do about it."""

    __qualname__ = "Problem"  # its name for clients, in /openapi.json
    model_config = ConfigDict(title=__qualname__)

    code: str = Field(description="Kind of the problem, for programs", examples=["RADIATION"])
    message: str = Field(examples=["the file does not say with which radiation it was measured"])
    remedy: str = Field(examples=["Choose an instrument, or the radiation"])
    file: str | None = Field(None, description="The file that it concerns", examples=["sample.xy"])


class ErrorAnswer(BaseModel):
    """Body of every answer of status 400 and above."""

    error: ProblemAnswer


class Health(BaseModel):
    """The server, and how busy it is."""

    version: str
    running: int = Field(description="Jobs that are being done")
    queued: int = Field(description="Jobs that wait")
    max_upload_bytes: int = Field(description="Largest file that is taken")
    scan_endings: list[str] = Field(description="Endings that files of scans may have", examples=[[".xy"]])
    training_steps: int | None = Field(description="Steps of a training; null is the usual number")


class Phase(BaseModel):
    """A crystalline phase."""

    id: str = Field(examples=["corundum"])
    kind: Literal["catalog", "cif", "cod"]
    name: str
    formula: str = Field(examples=["Al2O3"])
    title: str
    aliases: list[str]
    space_group: str = Field(description="Hermann-Mauguin symbol")
    cell: list[float] = Field(description="a, b, c in angstrom, alpha, beta, gamma in degrees")
    density_g_cm3: float
    reference: str = Field(description="Where the structure was published")
    notes: list[str] = Field(description="What had to be decided when it was read")


class InstrumentAnswer(BaseModel):
    """A diffractometer."""

    id: str = Field(examples=["lab-cu"])
    kind: Literal["preset", "own"]
    title: str
    radiation: str = Field(examples=["CuKa"])
    wavelength_angstrom: float = Field(description="Of the strongest line")
    goniometer_radius_mm: float
    note: str = Field(description="Where its numbers come from")


class ModelAnswer(BaseModel):
    """A trained network."""

    id: str
    title: str = Field(description="The client's name of its file")
    phases: list[str] = Field(description="Names of the phases that it was trained for")
    radiation: str
    wavelength_angstrom: float
    two_theta_range: list[float] = Field(description="What it reads of a scan, in degrees")


class RadiationAnswer(BaseModel):
    """Radiation of a laboratory tube."""

    id: str = Field(examples=["CuKa"])
    title: str = Field(examples=["Cu Kα1 + Kα2"])
    wavelength_angstrom: float


class HeaderAnswer(BaseModel):
    """What the file says of itself; null where it says nothing."""

    __qualname__ = "ScanHeader"
    model_config = ConfigDict(title=__qualname__)

    sha256: str
    format: str
    reader: str
    wavelength_angstrom: float | None
    anode: str | None
    counting_time_s: float | None
    scan_axis: str | None
    goniometer_radius_mm: float | None


class WarningExplanation(BaseModel):
    """What a warning means."""

    code: str = Field(examples=["UNEXPLAINED_LINES"])
    title: str = Field(description="What it says in a few words")
    group: str = Field(description="What it is about")
    severity: Literal["stop", "doubt", "note"] = Field(
        description="The result cannot be used; it can be off; for the record"
    )
    meaning: str
    remedy: str
    details: str = Field(description="More for those who want to know; may be empty")


class ScanWarning(BaseModel):
    """A doubt about a file."""

    code: str
    message: str


class Preview(BaseModel):
    """The scan in at most 2000 points, peaks kept."""

    two_theta: list[float]
    intensity: list[float]


class ScanAnswer(BaseModel):
    """An uploaded scan."""

    id: str
    file: str = Field(description="The client's name for it")
    points: int
    two_theta_min: float
    two_theta_max: float
    step: float = Field(description="Median step in degrees")
    radiation: str | None = Field(description="What the header names; null: it has to be chosen")
    header: HeaderAnswer
    warnings: list[ScanWarning]
    preview: Preview


class Progress(BaseModel):
    """How far a job is."""

    stage: str = Field(examples=["training"])
    step: int | None = Field(description="Of the training")
    steps: int | None
    loss: float | None
    seconds_left: float | None = Field(description="Of the training")
    curve: list[tuple[float, float]] = Field(description="Step and loss, at most 200 points")
    scans_done: int
    scans: int


class Calibrated(BaseModel):
    """How well a calibration went."""

    r_wp: float
    r_exp: float
    zero_deg: float
    displacement_mm: float


class ResultAnswer(BaseModel):
    """What became of one scan of a job."""

    index: int
    scan: str
    file: str
    status: Literal["ok", "failed"]
    analysis: dict[str, Any] | None = Field(
        None,
        description="As in the JSON of `mixrd analyze`, its refined_model left out; null in lists and events",
    )
    calibration: Calibrated | None = None
    error: ProblemAnswer | None = None


class JobAnswer(BaseModel):
    """A job."""

    id: str
    kind: Literal["analysis", "calibration"]
    title: str
    state: State
    created: float = Field(description="Seconds since 1970")
    finished: float | None
    progress: Progress
    error: ProblemAnswer | None
    request: dict[str, Any]
    results: list[ResultAnswer]
    instrument: str | None = Field(description="What a calibration made")


class CurvesAnswer(BaseModel):
    """A fitted scan, for plots."""

    two_theta: list[float]
    observed: list[float]
    calculated: list[float]
    background: list[float]
    contributions: list[list[float]] = Field(description="Of each phase, without background")
    marks: list[list[float]] = Field(description="Positions of each phase's reflections in degrees")
    names: list[str]
