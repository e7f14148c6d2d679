"""What the interface takes, as its documentation shows it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

Id = Annotated[str, Field(min_length=1, max_length=100)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CodNumber(_Body):
    """A structure of the Crystallography Open Database."""

    number: int = Field(ge=1_000_000, le=9_999_999, examples=[1000017])


class Standard(_Body):
    """A phase that was weighed into the sample."""

    phase: Id
    percent: FiniteFloat = Field(gt=0, lt=100, description="Of the mixture that was measured, in wt%")


class ExternalStandard(_Body):
    """A pure phase that was scanned on the same instrument, as the samples were."""

    phase: Id
    scan: Id = Field(description="Id of its uploaded scan")
    amorphous_formula: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="What is amorphous in the samples; without it, it is taken to absorb as the phases do",
        examples=["SiO2"],
    )


class AmorphousBody(_Body):
    """An amorphous part: a scan of the pure material, or drawn humps."""

    scan: Id | None = Field(None, description="Id of an uploaded scan")
    humps: str | None = Field(
        None, min_length=1, max_length=500, description="Position and width in degrees", examples=["22:8"]
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.scan is None) == (self.humps is None):
            raise ValueError("give either scan or humps")
        return self


class InstrumentBody(_Body):
    """Which instrument measured the scans."""

    instrument: Id | None = Field(None, description="Of /api/instruments")
    radiation: str | None = Field(
        None,
        max_length=30,
        description="Of /api/radiations, or a wavelength in angstrom, where there is no instrument",
    )
    monochromator_two_theta: FiniteFloat | None = Field(
        None, ge=0, lt=180, description="With `radiation`: angle of the monochromator in degrees"
    )
    goniometer_radius_mm: FiniteFloat | None = Field(
        None, ge=10, le=2000, description="With `radiation`: else the header's, else 200"
    )


class AnalysisBody(InstrumentBody):
    """Find the weight fractions of phases in scans."""

    __qualname__ = "AnalysisRequest"
    model_config = ConfigDict(
        title=__qualname__,
        json_schema_extra={
            "examples": [
                {
                    "kind": "analysis",
                    "scans": ["0123456789abcdef"],
                    "phases": ["corundum", "fluorite", "zincite"],
                    "instrument": "lab-cu",
                }
            ]
        },
    )
    kind: Literal["analysis"] = "analysis"
    scans: list[Id] = Field(min_length=1, max_length=1000, description="Ids of uploaded scans")
    phases: list[Id] = Field(
        default_factory=list,
        max_length=50,
        description="Ids of candidate phases; those of `model` unless given",
    )
    model: Id | None = Field(None, description="Of /api/models: this network, and none is trained")
    network: bool = Field(True, description="Ask a network, and train it if there is none yet")
    refine: bool = Field(True, description="Refine the whole pattern")
    particle_size_um: FiniteFloat | None = Field(
        None, gt=0, le=1000, description="Diameter of the particles, for microabsorption"
    )
    grinding: Literal["by-hand", "mccrone", "as-received"] | None = Field(
        None, description="How the powder was ground, where the size of its particles is not known"
    )
    standard: Standard | None = None
    external_standard: ExternalStandard | None = None
    amorphous: list[AmorphousBody] = Field(
        default_factory=list, max_length=20, description="Amorphous parts to fit beside the phases"
    )
    exclude: list[tuple[FiniteFloat, FiniteFloat]] = Field(
        default_factory=list,
        max_length=100,
        description="Regions in degrees 2theta that the refinement leaves out",
        examples=[[[26.2, 27.1]]],
    )
    second_opinion: Literal["rietx"] | None = Field(
        None, description="Refine each scan with this program too, and say where the two disagree"
    )


class CalibrationRequest(InstrumentBody):
    """Make an instrument from the scan of a pure, well-crystallised phase."""

    kind: Literal["calibration"]
    scan: Id
    phase: Id
    name: str = Field(min_length=1, max_length=80, description="Of the new instrument")


JobRequest = Annotated[AnalysisBody | CalibrationRequest, Field(discriminator="kind")]
