"""Samples and scans that a network was not trained on: its estimate is not to be trusted there."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mixrd.analysis.doubts.line_filter import profile_fwhm
from mixrd.analysis.result.parts import AnalysisWarning
from mixrd.crystal import Crystal
from mixrd.diffraction import beam_overspill, surface_roughness
from mixrd.errors import ModelError
from mixrd.fit.refinement import Refinement
from mixrd.mixture import SampleRanges
from mixrd.network import Model
from mixrd.pattern import DetectorRanges, ImpurityRanges, Instrument, SpikeRanges

#: What is known within its uncertainty counts as outside beyond this many standard deviations.
_SIGMAS = 2.0
#: What comes without an uncertainty counts as outside where it is this many times what was trained. Widths of
#: the instrument and of the sample stand for each other in part; and what a refinement takes for roughness is
#: often the luck of few grains in a strong line at low angles. On 320 scans drawn from the ranges no shift
#: came to 1.5, no microstrain to 2, no width factor to 3 and no roughness to 7 times the range.
_MARGIN, _MICROSTRAIN_MARGIN, _WIDTH_MARGIN, _ROUGHNESS_MARGIN = 1.5, 2.0, 3.0, 8.0
#: Largest optical depth of the rough surfaces that are drawn (`mixrd.mixture.batch`).
_DEEPEST = 0.5
_PARTS = {"impurities": ImpurityRanges, "spikes": SpikeRanges, "detector": DetectorRanges}


def trained_ranges(model: Model) -> SampleRanges:
    """From where the training of `model` drew its samples.

    Raises
    ------
    ModelError
        If its recipe does not say so.
    """
    try:
        given = dict(model.recipe["ranges"])
        parts = {name: kind(**_with_tuples(given[name])) for name, kind in _PARTS.items()}
        # Models of before the beam could be longer than the sample do not mention it.
        return SampleRanges(**{"max_overspill": 0.0, **_with_tuples(given), **parts})
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ModelError(
            "the model does not say from where its samples were drawn", remedy="Train it again"
        ) from None


def out_of_range_warnings(
    crystals: Sequence[Crystal], refined: Refinement, detected: NDArray[np.bool_], model: Model
) -> list[AnalysisWarning]:
    """One warning for each quantity of the refined scan that lies outside what `model` was trained on.

    Many counts, a low background and crystallites larger than any that were drawn are not worth a word: such
    scans look like those at the end of the range.

    Parameters
    ----------
    crystals : sequence of Crystal
    refined : Refinement
    detected : (P,) bool array
        Phases whose parameters mean something.
    model : Model

    Raises
    ------
    ModelError
        If the model does not say what it was trained on.
    """
    ranges, instrument = trained_ranges(model), model.problem.instrument
    found = [
        AnalysisWarning("OUT_OF_RANGE", message, crystal.name)
        for p, crystal in enumerate(crystals)
        if detected[p]
        for message in _of_phase(p, refined, ranges)
    ]
    if detected.any():
        of_scan = (
            *_shift(refined, ranges, instrument),
            *_width(refined, ranges, instrument),
            *_low_angles(refined, ranges),
            *_intensity(refined, ranges, model.problem.step),
        )
        found += [AnalysisWarning("OUT_OF_RANGE", message) for message in of_scan]
    return found


def _sentence(what: str, trained: str) -> str:
    return f"{what}, the network was trained on {trained}: do not trust its estimate"


def _of_phase(p: int, refined: Refinement, ranges: SampleRanges) -> Iterator[str]:
    strain, spread = np.abs(refined.strain[p]), refined.strain_sigma[p]
    most = int(np.argmax(strain - _SIGMAS * spread))
    if strain[most] - _SIGMAS * spread[most] > ranges.max_strain:
        yield _sentence(
            f"its cell differs by {100 * strain[most]:.2f} % from the structure given",
            f"up to {100 * ranges.max_strain:g} %",
        )
    inverse, error = float(refined.inverse_size_per_nm[p]), float(refined.inverse_size_sigma[p])
    low, high = ranges.size_nm
    if inverse - _SIGMAS * error > 1 / low:
        yield _sentence(f"its crystallites are {1 / inverse:.3g} nm in size", f"{low:g} to {high:g} nm")
    microstrain = float(refined.microstrain[p])
    if microstrain > max(_MICROSTRAIN_MARGIN * ranges.max_microstrain, 1e-4):
        yield _sentence(
            f"its microstrain is {100 * microstrain:.2f} %", f"up to {100 * ranges.max_microstrain:g} %"
        )


def _shift(refined: Refinement, ranges: SampleRanges, instrument: Instrument) -> Iterator[str]:
    """Zero and displacement together: a scan tells them apart badly, and the lines feel their sum."""
    per_mm = np.degrees(2 * np.cos(np.radians(refined.two_theta / 2)) / instrument.goniometer_radius_mm)
    shift = refined.zero_deg - per_mm * refined.displacement_mm
    most = ranges.max_zero_deg + per_mm * ranges.max_displacement_mm
    place = int(np.argmax(np.abs(shift) - _MARGIN * most))
    if abs(shift[place]) > _MARGIN * most[place]:
        yield _sentence(
            f"zero ({refined.zero_deg:.3f} deg) and displacement ({refined.displacement_mm:.3f} mm) move the "
            f"lines by {shift[place]:.3f} deg",
            f"up to {most[place]:.3f} deg",
        )


def _width(refined: Refinement, ranges: SampleRanges, instrument: Instrument) -> Iterator[str]:
    p = instrument.profile
    theta = np.radians(np.linspace(refined.two_theta[0], refined.two_theta[-1], 20) / 2)
    given = profile_fwhm((p.u, p.v, p.w, p.x, p.y), theta)
    factor = float(np.exp(np.log(profile_fwhm(refined.profile[:5], theta) / given).mean()))
    # The margin is on what the factor adds.
    most = 1 + _WIDTH_MARGIN * (ranges.width_factor - 1)
    if max(factor, 1 / factor) > most:
        yield _sentence(
            f"the lines of the instrument are {factor:.2f} times as wide as stated",
            f"{1 / ranges.width_factor:.2f} to {ranges.width_factor:.2f} times",
        )


def _low_angles(refined: Refinement, ranges: SampleRanges) -> Iterator[str]:
    """The loss at the low end of the scan, whatever makes it: its terms cannot be told apart."""
    (share, depth), (overspill,) = refined.corrections["roughness"], refined.corrections["overspill"]
    theta = torch.tensor(math.radians(float(refined.two_theta[0]) / 2), dtype=torch.float64)
    left = surface_roughness(theta, 1 - share, depth) * beam_overspill(theta, overspill)
    lost = 1 - float(left)
    rough = float(surface_roughness(theta, 1 - ranges.max_roughness, _DEEPEST))
    trained = 1 - rough * float(beam_overspill(theta, ranges.max_overspill))
    if lost > max(trained, _ROUGHNESS_MARGIN * (1 - rough), 0.05):
        cause = "the rough surface takes" if share > 0 else "the beam is longer than the sample and loses"
        yield _sentence(
            f"{cause} {100 * lost:.0f} % of the intensity at {refined.two_theta[0]:.0f} deg",
            f"up to {100 * trained:.0f} %",
        )


def _intensity(refined: Refinement, ranges: SampleRanges, step: float) -> Iterator[str]:
    peak = float(refined.contributions.sum(0).max())
    if peak <= 0:
        return
    # Intensities of any unit: as many counts have this noise. R_exp is the root of N / sum(y^2 / sigma^2),
    # and y^2 / sigma^2 is the number of counts.
    total = len(refined.calculated) / refined.r_exp**2
    per_unit = total / max(float(refined.calculated.sum()), 1e-300)
    counts = peak * per_unit * step / float(np.median(np.diff(refined.two_theta)))
    low, high = ranges.peak_counts
    if counts * _MARGIN < low:
        yield _sentence(
            f"the strongest line has {counts:.0f} counts above the background", f"{low:g} to {high:g}"
        )
    background = float(refined.background.max()) / peak
    if background > _MARGIN * ranges.background[1]:
        low, high = ranges.background
        yield _sentence(
            f"the background reaches {background:.2f} of the strongest line", f"{low:g} to {high:g}"
        )


def _with_tuples(data: Mapping[str, Any]) -> dict[str, Any]:
    """Lists, as JSON has them, back to tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}
