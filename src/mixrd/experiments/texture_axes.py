"""Benchmark on textures: whether the axis that is found is the one that the crystals lie along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gemmi
import numpy as np
from numpy.typing import NDArray

from mixrd.analysis import Analysis
from mixrd.crystal import Crystal

Axis = tuple[int, int, int]


@dataclass(frozen=True)
class TextureCase:
    """One textured phase of one scan.

    Attributes
    ----------
    scan, phase, system : str
    axis, r : axis and March-Dollase r that were simulated
    found_axis, found_r : what was refined, None where no texture was
    angle_deg : float or None
        Between both axes, symmetry counted.
    error_percent, half_width_percent : float or None
        wt% of this phase off, and half its interval; None where amounts are not stated.
    codes : tuple of str
    """

    scan: str
    phase: str
    system: str
    axis: Axis
    r: float
    found_axis: Axis | None
    found_r: float | None
    angle_deg: float | None
    error_percent: float | None
    half_width_percent: float | None
    codes: tuple[str, ...]

    @property
    def right_axis(self) -> bool:
        """Whether the axis is the simulated one or equivalent to it."""
        return self.angle_deg is not None and self.angle_deg < 1.0


def axis_angle_deg(crystal: Crystal, one: Axis, other: Axis) -> float:
    """Smallest angle between the normals of two planes, among all that the point group makes of them."""
    to_cartesian = np.linalg.inv(crystal.lattice).T

    def normal(plane: NDArray[np.int64]) -> NDArray[np.float64]:
        vector = plane @ to_cartesian
        return np.asarray(vector / np.linalg.norm(vector))

    rotations = {tuple(np.ravel(gemmi.Op(op).rot)) for op in crystal.symmetry_operations}
    turned = [np.array(one) @ (np.array(r).reshape(3, 3) // gemmi.Op.DEN) for r in rotations]
    cosine = max(abs(float(normal(plane) @ normal(np.array(other)))) for plane in turned)
    return float(np.degrees(np.arccos(min(cosine, 1.0))))


def texture_cases(
    scan: str,
    result: Analysis,
    crystals: Sequence[Crystal],
    truth: dict[str, float],
    textures: dict[str, tuple[Axis, float]],
) -> list[TextureCase]:
    """What was found of each textured phase."""
    codes = tuple(sorted({w.code for w in result.warnings}))
    cases = []
    for crystal, phase in zip(crystals, result.phases, strict=True):
        if crystal.name not in textures:
            continue
        axis, r = textures[crystal.name]
        found = phase.texture
        error = None if phase.weight_percent is None else phase.weight_percent - truth[crystal.name]
        half = None if phase.interval_percent is None else 0.5 * float(np.diff(phase.interval_percent)[0])
        cases.append(
            TextureCase(
                scan, crystal.name, crystal.crystal_system, axis, r,
                None if found is None else found.axis, None if found is None else found.r,
                None if found is None else axis_angle_deg(crystal, axis, found.axis), error, half, codes,
            )
        )  # fmt: skip
    return cases


def texture_summary(cases: Sequence[TextureCase]) -> dict[str, Any]:
    """How often the axis is right, how far r and fraction are off."""
    found = [case for case in cases if case.found_axis is not None]
    right = [case for case in found if case.right_axis]
    stated = [case for case in cases if case.error_percent is not None]
    errors = [abs(case.error_percent or 0.0) for case in stated]
    held = [abs(c.error_percent or 0.0) <= (c.half_width_percent or 0.0) for c in stated]
    ratios = [abs(np.log(case.found_r / case.r)) for case in right if case.found_r]
    return {
        "textured": len(cases),
        "found": len(found),
        "axis_right": len(right),
        "within_15_deg": sum((case.angle_deg or 0.0) < 15 for case in found),
        "median_off_in_ln_r": float(np.median(ratios)) if ratios else None,
        "median_error_wt": float(np.median(errors)) if errors else None,
        "mean_error_wt": float(np.mean(errors)) if errors else None,
        "worst_error_wt": max(errors, default=None),
        "intervals_hold": float(np.mean(held)) if held else None,
        "off_by_two_and_no_doubt": sum(
            abs(c.error_percent or 0.0) > 2 * (c.half_width_percent or 0.0) and not c.codes for c in stated
        ),
    }
