"""The virtual diffractometer: a scan of a mixture of known composition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from mixrd.crystal import Crystal, strain_basis
from mixrd.errors import UsageError
from mixrd.mixture.composition import Composition
from mixrd.pattern import ForwardModel, Instrument, Parameters, apply_counting_noise, draw_background
from mixrd.scan import Scan


@dataclass(frozen=True)
class ScanSettings:
    """How the scan is measured and what the sample is like.

    Attributes
    ----------
    peak_counts : float
        Expected counts of the strongest point above the background.
    background_counts : float
        Expected counts where the background is highest.
    max_strain : float
        Cells are strained by uniform amplitudes up to this, both signs.
    size_nm : float or None
        Crystallite size of every phase; None draws one of 50-500 nm for each.
    zero_deg : float
    displacement_mm : float
    texture : mapping
        Texture axis (h, k, l) and March-Dollase r by phase name.
    """

    peak_counts: float = 10_000.0
    background_counts: float = 200.0
    max_strain: float = 0.001
    size_nm: float | None = None
    zero_deg: float = 0.0
    displacement_mm: float = 0.0
    texture: Mapping[str, tuple[tuple[int, int, int], float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        allowed = {"peak_counts": (1, 1e9), "background_counts": (0, 1e9), "max_strain": (0, 0.05),
                   "zero_deg": (-1, 1), "displacement_mm": (-2, 2)}  # fmt: skip
        if self.size_nm is not None:
            allowed["size_nm"] = (2, 100_000)
        for phase, (_, r) in self.texture.items():
            if not 0.1 <= r <= 10:
                raise UsageError(
                    f"March-Dollase r = {r:g} of {phase} is out of range",
                    remedy="Allowed: 0.1 (platelets) over 1 (none) to 10 (needles)",
                )
        for name, (low, high) in allowed.items():
            if not low <= getattr(self, name) <= high:
                raise UsageError(
                    f"{name} = {getattr(self, name):g} is out of range",
                    remedy=f"Allowed: {low:g} to {high:g}",
                )


@dataclass(frozen=True, eq=False)
class SimulatedScan:
    """A scan and the truth about it.

    Attributes
    ----------
    scan : Scan
    truth : mapping
        Composition in wt%, cells, sizes, instrument state and seed; plain data for JSON.
    """

    scan: Scan
    truth: Mapping[str, object]


def simulate(
    crystals: Sequence[Crystal],
    composition: Composition,
    instrument: Instrument,
    *,
    generator: torch.Generator,
    settings: ScanSettings | None = None,
) -> SimulatedScan:
    """Measure a mixture with the virtual diffractometer.

    Parameters
    ----------
    crystals : sequence of Crystal
        In the order of the composition.
    composition : Composition
        Weight, volume or mole fractions.
    instrument : Instrument
        Its range and step are scanned.
    generator : torch.Generator
    settings : ScanSettings, optional

    Returns
    -------
    SimulatedScan
    """
    settings = settings or ScanSettings()
    weights = composition.to("weight", crystals)
    two_theta = _grid(instrument)
    axes = {name: axis for name, (axis, _) in settings.texture.items()}
    if unknown := set(axes) - {c.name for c in crystals}:
        raise UsageError(
            f"texture is given for {', '.join(sorted(unknown))}, which is not in the sample",
            remedy="Name phases of the composition",
        )
    model = ForwardModel(crystals, instrument, two_theta, texture_axes=axes)
    parameters = _draw(model, settings, generator)
    masses = torch.tensor(weights.fractions, dtype=torch.float64)
    signal = torch.einsum("p,pn->n", masses, model.columns(parameters)[0])
    background = draw_background(model.two_theta, 1, generator=generator)[0]
    expected = settings.peak_counts * signal / signal.max() + settings.background_counts * background
    counts = apply_counting_noise(expected, generator=generator)
    scan = Scan(
        two_theta=two_theta,
        counts=counts.numpy(),
        format="simulated",
        reader="mixrd",
        wavelength_angstrom=instrument.radiation.wavelength_angstrom,
        goniometer_radius_mm=instrument.goniometer_radius_mm,
    )
    return SimulatedScan(scan, _truth(crystals, weights, model, parameters, settings, instrument))


def _grid(instrument: Instrument) -> NDArray[np.float64]:
    low, high = instrument.two_theta_range
    count = round((high - low) / instrument.step) + 1
    return np.round(low + instrument.step * np.arange(count), 6)


def _draw(model: ForwardModel, settings: ScanSettings, generator: torch.Generator) -> Parameters:
    reference = model.reference()
    flat = reference.flat()

    def uniform(like: torch.Tensor) -> torch.Tensor:
        return torch.rand(like.shape, generator=generator, dtype=flat.dtype)

    size = 50.0 * 10.0 ** uniform(reference.inverse_size)
    if settings.size_nm is not None:
        size = torch.full_like(size, settings.size_nm)
    return Parameters(
        strain=settings.max_strain * (2 * uniform(reference.strain) - 1),
        inverse_size=1 / size,
        microstrain=reference.microstrain,
        texture=torch.tensor(
            [[settings.texture.get(name, ((), 1.0))[1] for name in model.names]], dtype=flat.dtype
        ),
        profile=reference.profile,
        zero=torch.full_like(reference.zero, settings.zero_deg),
        displacement=torch.full_like(reference.displacement, settings.displacement_mm),
    )


def _truth(
    crystals: Sequence[Crystal],
    weights: Composition,
    model: ForwardModel,
    parameters: Parameters,
    settings: ScanSettings,
    instrument: Instrument,
) -> dict[str, object]:
    strains = parameters.strain[0].split(model.strain_sizes)
    return {
        "synthetic": True,
        "weight_percent": dict(zip(weights.names, (100 * f for f in weights.fractions), strict=True)),
        "phases": {
            c.name: {
                "source": c.source,
                "strain": strain.tolist(),
                "strain_components": strain_basis(c).tolist(),
                "crystallite_size_nm": float(1 / parameters.inverse_size[0, p]),
                "march_dollase_r": float(parameters.texture[0, p]),
            }
            for p, (c, strain) in enumerate(zip(crystals, strains, strict=True))
        },
        "instrument": instrument.name,
        "radiation": instrument.radiation.name,
        "zero_deg": settings.zero_deg,
        "displacement_mm": settings.displacement_mm,
        "peak_counts": settings.peak_counts,
        "background_counts": settings.background_counts,
    }
