"""Options of `mixrd simulate`: the sample, the beam, the counting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Group, Parameter

from mixrd.cli.options import Names, Switch
from mixrd.cli.quantities import (
    CORRECTION,
    DEAD_TIME,
    MICROSTRAIN,
    PARTICLE_SIZE,
    SIZE,
    TIME,
    axis_and_number,
    two_numbers,
)

if TYPE_CHECKING:
    from mixrd.mixture import ScanSettings


@Parameter(name="*", group=Group("Sample", sort_key=2))
@dataclass(frozen=True)
class SampleOptions:
    """What the sample is like."""

    max_strain: float = 0.001
    """Cells deviate from the catalog's by up to this, relatively."""

    size: Annotated[Names | None, Parameter(name=["--size", "--size-nm"])] = None
    """Crystallite size in nm of all phases (40) or of one (zincite:20); drawn from 50-500 unless given."""

    microstrain: Names | None = None
    """Relative spread of spacings of all phases (0.001) or of one (zincite:0.002); else up to 0.0005."""

    texture: Names | None = None
    """Texture as PHASE:HKL:R: the plane that platelets lie on and March-Dollase r, calcite:104:0.8."""

    aspect: Names | None = None
    """Shape as PHASE:HKL:RATIO: size in the plane over that across it, zincite:001:3 (platelets)."""

    particle_size: Names | None = None
    """Diameter of the particles in um, of all phases (10) or of one (zincite:5), for microabsorption."""

    graininess: float = 0.01
    """Relative scatter of single lines' intensities, from few grains."""

    roughness: str | None = None
    """Surface roughness as SHARE:DEPTH: share that a depleted layer takes, its optical depth, 0.3:0.05."""

    overspill: float = 0.0
    """Sine of the angle theta below which the beam is longer than the sample; 0.2 is 23 degrees 2theta."""

    correction: Names | None = None
    """Corrections that other packages add, as NAME:VALUE, film_depth:0.1."""

    mu_t: float | None = None
    """Linear attenuation of the powder times its thickness (no unit); infinitely thick unless given."""

    transparency: Switch = False
    """Shift lines by the depth to which the beam enters this mixture."""

    packing: float = 0.6
    """Share of the sample's volume that is solid."""

    displacement: float = 0.0
    """Displacement of the sample's surface in mm."""

    impurities: int = 0
    """Number of lines of no phase."""

    impurity_strength: float = 0.02
    """Greatest height of such lines, relative to the strongest peak."""


@Parameter(name="*", group=Group("Beam", sort_key=3))
@dataclass(frozen=True)
class BeamOptions:
    """What else is in the beam, and how it is adjusted."""

    kbeta: float = 0.0
    """K beta relative to K alpha1, 0 to 0.5."""

    tungsten: float = 0.0
    """W L alpha1 of an old tube relative to K alpha1, 0 to 0.5."""

    zero: float = 0.0
    """Zero shift in degrees 2theta."""


@Parameter(name="*", group=Group("Counting", sort_key=4))
@dataclass(frozen=True)
class CountingOptions:
    """How long the scan is measured, and what the detector makes of it."""

    time: str = "1s"
    """Counting time of each step in s, or with its unit: 500ms, 2min."""

    peak_counts: float = 10_000.0
    """Expected counts in one second of the strongest point above the background."""

    background_counts: float = 200.0
    """Expected counts in one second where the background is highest."""

    hump_counts: float = 0.0
    """Height of one more broad hump in counts in one second, of an amorphous part."""

    fluorescence_counts: float = 0.0
    """The sample's fluorescence in counts in one second."""

    dead_time: str = "0"
    """Dead time of the detector in us, or with its unit: 500ns; counts are not corrected for it."""

    saturation: float | None = None
    """Highest rate that the detector shows, in counts per second."""

    spikes: int = 0
    """Number of points far too high."""


def scan_settings(sample: SampleOptions, beam: BeamOptions, counting: CountingOptions) -> ScanSettings:
    """The same for `mixrd.mixture.simulate`.

    Raises
    ------
    UsageError
        If an option is not written as it should be, or a value is out of range.
    CrystalError
        If an option names an unknown phase.
    """
    from mixrd.mixture import ScanSettings

    size_nm, phase_size_nm = SIZE.by_phase(sample.size)
    microstrain, phase_microstrain = MICROSTRAIN.by_phase(sample.microstrain)
    particle_size_um, phase_particle_size_um = PARTICLE_SIZE.by_phase(sample.particle_size)
    smooth = "0:0"
    # Numbers stand under the names of their settings; what is written in other ways is read below.
    numbers: dict[str, Any] = {
        name: value
        for options in (sample, beam, counting)
        for name, value in vars(options).items()
        if name in ScanSettings.__dataclass_fields__ and isinstance(value, int | float)
    }
    return ScanSettings(
        seconds_per_step=TIME.parse(counting.time),
        dead_time_us=DEAD_TIME.parse(counting.dead_time),
        saturation_cps=counting.saturation,
        size_nm=size_nm,
        phase_size_nm=phase_size_nm,
        microstrain=microstrain,
        phase_microstrain=phase_microstrain,
        texture=axis_and_number("--texture", sample.texture, "PHASE:HKL:R, for example calcite:104:0.8"),
        aspect=axis_and_number("--aspect", sample.aspect, "PHASE:HKL:RATIO, for example zincite:001:3"),
        zero_deg=beam.zero,
        displacement_mm=sample.displacement,
        roughness=two_numbers("--roughness", sample.roughness or smooth, "SHARE:DEPTH, for example 0.3:0.05"),
        corrections=CORRECTION.by_name(sample.correction),
        packing_fraction=sample.packing,
        particle_size_um=particle_size_um,
        phase_particle_size_um=phase_particle_size_um,
        **numbers,
    )
