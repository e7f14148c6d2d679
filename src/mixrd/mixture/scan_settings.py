"""What a simulated sample is like, and how it is measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mixrd.errors import UsageError

Axis = tuple[int, int, int]
#: Allowed values of single numbers, and their unit.
_ALLOWED: Mapping[str, tuple[float, float, str]] = {
    "peak_counts": (1, 1e9, "counts in one second"),
    "background_counts": (0, 1e9, "counts in one second"),
    "hump_counts": (0, 1e9, "counts in one second"),
    "fluorescence_counts": (0, 1e9, "counts in one second"),
    "seconds_per_step": (1e-3, 1e6, "seconds"),
    "dead_time_us": (0, 1e3, "microseconds"),
    "saturation_cps": (1, 1e12, "counts per second"),
    "max_strain": (0, 0.05, "relative"),
    "size_nm": (2, 100_000, "nm"),
    "microstrain": (0, 0.05, "relative"),
    "zero_deg": (-1, 1, "degrees"),
    "displacement_mm": (-2, 2, "mm"),
    "overspill": (0, 1, "sine of the angle theta"),
    "mu_t": (1e-3, 1e3, "dimensionless"),
    "packing_fraction": (0.05, 1, "dimensionless"),
    "particle_size_um": (1e-3, 1e4, "micrometres"),
    "graininess": (0, 1, "relative"),
    "impurities": (0, 100, "lines"),
    "impurity_strength": (1e-6, 1, "of the strongest peak"),
    "spikes": (0, 1000, "points"),
}


@dataclass(frozen=True)
class ScanSettings:
    """How the scan is measured and what the sample is like.

    By default the sample is a good one on an adjusted instrument: phases deviate a little from the catalog,
    crystallites are 50-500 nm, grains are not quite innumerable. Everything else is added by name.

    Attributes
    ----------
    peak_counts : float
        Expected counts of the strongest point above the background, in one second.
    background_counts : float
        Expected counts where the background is highest, in one second.
    hump_counts : float
        Height of one more broad hump, of an amorphous part of the sample, in counts in one second.
    fluorescence_counts : float
        The sample's fluorescence, the same at all angles, in counts in one second.
    seconds_per_step : float
        Counting time of each point.
    dead_time_us : float
        Dead time of the detector (non-paralysable) in microseconds; the counts are not corrected for it.
    saturation_cps : float or None
        Highest rate that the detector shows, in counts per second.
    max_strain : float
        Cells are strained by uniform amplitudes up to this, both signs.
    size_nm : float or None
        Crystallite size of every phase; None draws one of 50-500 nm for each.
    phase_size_nm : mapping
        Crystallite size by phase name, where it differs.
    microstrain : float or None
        Relative spread of lattice spacings of every phase; None draws one of 0-0.0005 for each.
    phase_microstrain : mapping
        The same by phase name, where it differs.
    texture : mapping
        Texture axis (h, k, l) and March-Dollase r by phase name.
    aspect : mapping
        Axis (h, k, l) and crystallite size across it over that along it by phase name; above 1 for platelets
        lying on the plane, below 1 for needles along its normal. The phase's size is that across.
    zero_deg : float
        Zero shift in degrees 2theta.
    displacement_mm : float
        Displacement of the sample surface from the goniometer axis.
    roughness : (float, float)
        Surface roughness after Suortti (1972): share of the intensity that a depleted layer takes (0 for a
        smooth surface), and the layer's optical depth. See `mixrd.diffraction.surface_roughness`.
    overspill : float
        Sine of the angle theta below which the beam is longer than the sample, 0 where it never is. See
        `mixrd.diffraction.beam_overspill`.
    mu_t : float or None
        Linear attenuation of the powder times its thickness; None for an infinitely thick sample.
    transparency : bool
        Whether the depth to which the beam enters shifts the lines; it follows from the composition and
        `packing_fraction`. The shift is that of a thick sample.
    packing_fraction : float
        Share of the sample's volume that is solid.
    particle_size_um : float or None
        Diameter of the particles (not of the crystallites) of every phase, which microabsorption follows
        from (Brindley 1945); None for a powder too fine for it.
    phase_particle_size_um : mapping
        The same by phase name, where it differs.
    graininess : float
        Relative spread (log-normal) of single reflections' intensities, as few grains scatter them.
    impurities : int
        Number of lines of no phase, anywhere in the scan.
    impurity_strength : float
        Height of the strongest of them relative to the strongest peak; the weakest has a tenth of it.
    spikes : int
        Number of points far too high.
    kbeta, tungsten : float
        What else is in the beam, relative to K alpha1; checked by `mixrd.diffraction.with_contamination`.

    Raises
    ------
    UsageError
        If a value is outside its range.
    """

    peak_counts: float = 10_000.0
    background_counts: float = 200.0
    hump_counts: float = 0.0
    fluorescence_counts: float = 0.0
    seconds_per_step: float = 1.0
    dead_time_us: float = 0.0
    saturation_cps: float | None = None
    max_strain: float = 0.001
    size_nm: float | None = None
    phase_size_nm: Mapping[str, float] = field(default_factory=dict)
    microstrain: float | None = None
    phase_microstrain: Mapping[str, float] = field(default_factory=dict)
    texture: Mapping[str, tuple[Axis, float]] = field(default_factory=dict)
    aspect: Mapping[str, tuple[Axis, float]] = field(default_factory=dict)
    zero_deg: float = 0.0
    displacement_mm: float = 0.0
    roughness: tuple[float, float] = (0.0, 0.0)
    overspill: float = 0.0
    mu_t: float | None = None
    transparency: bool = False
    packing_fraction: float = 0.6
    particle_size_um: float | None = None
    phase_particle_size_um: Mapping[str, float] = field(default_factory=dict)
    graininess: float = 0.01
    impurities: int = 0
    impurity_strength: float = 0.02
    spikes: int = 0
    kbeta: float = 0.0
    tungsten: float = 0.0

    def __post_init__(self) -> None:
        for name in _ALLOWED:
            value = getattr(self, name)
            if value is not None:
                _check(name, value, name)
        for name in ("impurities", "spikes"):
            value = getattr(self, name)
            if value != int(value):
                raise UsageError(f"{name} = {value:g} is no whole number", remedy="Give a count")
        for name in ("size_nm", "microstrain", "particle_size_um"):
            for phase, value in getattr(self, f"phase_{name}").items():
                _check(f"{name} of {phase}", value, name)
        for phase, (axis, r) in self.texture.items():
            _check_axis("texture", phase, axis)
            if not 0.1 <= r <= 10:
                raise UsageError(
                    f"March-Dollase r = {r:g} of {phase} is out of range",
                    remedy="Allowed: 0.1 (platelets) over 1 (none) to 10 (needles)",
                )
        for phase, (axis, ratio) in self.aspect.items():
            _check_axis("aspect", phase, axis)
            if not 0.01 <= ratio <= 100:
                raise UsageError(
                    f"aspect = {ratio:g} of {phase} is out of range",
                    remedy="Allowed: 0.01 (needles) over 1 (equal sizes) to 100 (platelets)",
                )
        for name, value, high in zip(("share", "depth"), self.roughness, (1.0, 10.0), strict=True):
            if not 0 <= value <= high:
                raise UsageError(
                    f"roughness: {name} = {value:g} is out of range",
                    remedy=f"Allowed: 0 (smooth) to {high:g}",
                )

    @property
    def named_phases(self) -> Mapping[str, tuple[str, ...]]:
        """The phases that each setting names."""
        fields = ("texture", "aspect", "phase_size_nm", "phase_microstrain", "phase_particle_size_um")
        return {name: tuple(getattr(self, name)) for name in fields}


def _check(label: str, value: float, name: str) -> None:
    low, high, unit = _ALLOWED[name]
    if not low <= value <= high:
        raise UsageError(
            f"{label} = {value:g} is out of range", remedy=f"Allowed: {low:g} to {high:g} ({unit})"
        )


def _check_axis(what: str, phase: str, axis: Axis) -> None:
    if len(axis) != 3 or not any(axis):
        raise UsageError(
            f"{what} of {phase}: {axis} is no axis", remedy="Give three Miller indices, not all of them 0"
        )
