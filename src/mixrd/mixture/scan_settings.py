"""What a simulated sample is like, and how it is measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mixrd.errors import UsageError
from mixrd.pattern.line_corrections import added_corrections
from mixrd.pattern.parameter_table import BUILT_IN, by_field

Axis = tuple[int, int, int]
#: What may be stated of each quantity of the forward model.
_STATED = {q.name: q.stated for q in BUILT_IN if q.stated}
#: Quantities along an axis of a phase: what people call them, their lowest, neutral and highest value.
_ALONG_AXES = {
    "texture": ("March-Dollase r", "platelets", "none", "needles"),
    "aspect": ("aspect", "needles", "equal sizes", "platelets"),
}
#: Allowed values of single numbers, and their unit.
_ALLOWED: Mapping[str, tuple[float, float, str]] = {
    **{one.setting: (one.low, one.high, q.unit) for q in BUILT_IN if (one := q.stated)},
    "peak_counts": (1, 1e9, "counts in one second"),
    "background_counts": (0, 1e9, "counts in one second"),
    "hump_counts": (0, 1e9, "counts in one second"),
    "fluorescence_counts": (0, 1e9, "counts in one second"),
    "seconds_per_step": (1e-3, 1e6, "seconds"),
    "dead_time_us": (0, 1e3, "microseconds"),
    "saturation_cps": (1, 1e12, "counts per second"),
    "size_nm": (2, 100_000, "nm"),
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
    corrections : mapping
        Values by name of corrections that were added (`mixrd.pattern.register_correction`).
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
    corrections: Mapping[str, float] = field(default_factory=dict)
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
            if value is not None and not isinstance(value, Mapping | tuple):
                _check(name, value, name)
        for name in ("impurities", "spikes"):
            value = getattr(self, name)
            if value != int(value):
                raise UsageError(f"{name} = {value:g} is no whole number", remedy="Give a count")
        for name in ("size_nm", "microstrain", "particle_size_um"):
            for phase, value in getattr(self, f"phase_{name}").items():
                _check(f"{name} of {phase}", value, name)
        for name in _ALONG_AXES:
            for phase, (axis, value) in getattr(self, name).items():
                _check_along_axis(name, phase, axis, value)
        for name, value in zip(("share", "depth"), self.roughness, strict=True):
            high = _STATED[f"roughness_{name}"].high
            if not 0 <= value <= high:
                raise UsageError(
                    f"roughness: {name} = {value:g} is out of range",
                    remedy=f"Allowed: 0 (smooth) to {high:g}",
                )
        for name, value in self.corrections.items():
            known = {q.name: q for one in added_corrections() for q in one.quantities}
            if name not in known or not known[name].lower <= value <= known[name].upper:
                allowed = ", ".join(f"{q.name} {q.lower:g} to {q.upper:g}" for q in known.values())
                raise UsageError(
                    f"no correction {name} = {value:g} was registered", remedy=f"Allowed: {allowed or 'none'}"
                )

    @property
    def of_scan(self) -> dict[str, float]:
        """What is stated of the whole scan, by the names of its quantities in the parameter table."""
        stated = dict(self.corrections)
        for members in by_field([q for q in BUILT_IN if q.scope == "pattern"]).values():
            names = [q.name for q in members if q.stated]
            given = getattr(self, _STATED[names[0]].setting) if names else ()
            stated |= zip(names, given if isinstance(given, tuple) else (given,), strict=True)
        return stated

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


def _check_along_axis(name: str, phase: str, axis: Axis, value: float) -> None:
    if len(axis) != 3 or not any(axis):
        raise UsageError(
            f"{name} of {phase}: {axis} is no axis", remedy="Give three Miller indices, not all of them 0"
        )
    low, high = _STATED[name].low, _STATED[name].high
    label, lowest, none, highest = _ALONG_AXES[name]
    if not low <= value <= high:
        raise UsageError(
            f"{label} = {value:g} of {phase} is out of range",
            remedy=f"Allowed: {low:g} ({lowest}) over 1 ({none}) to {high:g} ({highest})",
        )
