"""What to think of a refinement and of the cells it ended with: warnings in plain words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mixrd.analysis.contents.absorption import MATERIAL_PERCENT
from mixrd.analysis.result.intervals import Quantities
from mixrd.analysis.result.parts import AnalysisWarning
from mixrd.crystal import Crystal, strain_basis, strained_cell
from mixrd.fit.presence import Presence
from mixrd.fit.refinement import LEAST_TOTAL_SIGNIFICANCE, Refinement
from mixrd.fit.staging import Freed
from mixrd.network import Estimate

#: Estimates that differ by more than this (wt%) in one phase are worth a word.
DISAGREEMENT_PERCENT = 10.0
#: R_wp over R_exp above which the fit misses more than noise.
POOR_GOODNESS_OF_FIT = 5.0
#: R_wp over R_exp below which the uncertainties cannot be those of the scan.
TOO_GOOD_FIT = 0.6
#: Scatter of the lines' intensities above which they are far from what the structures say.
LARGE_SCATTER = 0.15
#: Crystallites below this (nm) have lines so broad that background and tails decide on them.
SMALLEST_SURE_NM = 5.0
#: Texture beyond this (|ln r|) moves lines by a fifth and more: it can be seen.
STRONG_TEXTURE = 0.1
#: Edges (relative) and angles (degrees) within which temperature and substitution commonly change a cell.
USUAL_CHANGE, USUAL_ANGLE_DEG = 0.01, 1.0
#: Cells that are all off by this, and by the same within `ALIKE` of it, are an axis that is off.
ALL_OFF, ALIKE = 0.003, 0.25
#: Zero shifts beyond this (degrees) are none of a diffractometer that is in use.
USUAL_ZERO_DEG = 0.3
#: Standard uncertainties beyond which a change is one.
_SIGMAS = 3.0


def fit_doubts(refined: Refinement) -> Iterator[AnalysisWarning]:
    """Doubts about a refinement as a whole."""
    if not refined.converged:
        yield AnalysisWarning("NOT_CONVERGED", "the refinement had not settled when its steps ran out")
    if refined.significance < LEAST_TOTAL_SIGNIFICANCE:
        yield AnalysisWarning(
            "NO_PHASE_FOUND", "no candidate stands out from background and noise: are these the phases?"
        )
    if refined.r_wp < TOO_GOOD_FIT * refined.r_exp:
        yield AnalysisWarning(
            "UNCERTAINTIES_TOO_LARGE",
            f"the fit misses {refined.r_exp / refined.r_wp:.1f} times less than the stated uncertainties "
            "allow: they are not those of these intensities, and a poor fit would not show",
        )
    if refined.r_wp > POOR_GOODNESS_OF_FIT * refined.r_exp:
        ratio = refined.r_wp / refined.r_exp
        yield AnalysisWarning(
            "POOR_FIT", f"the fit misses {ratio:.1f} times more than noise explains: look at the plot"
        )


def line_doubts(
    crystals: Sequence[Crystal], refined: Refinement, there: Presence, amounts: Quantities
) -> Iterator[AnalysisWarning]:
    """Doubts about single lines and phases: scatter, phases that may not be there, broad lines."""
    if there.line_scatter > LARGE_SCATTER:
        yield AnalysisWarning(
            "LINE_SCATTER",
            f"intensities of single lines are {100 * there.line_scatter:.0f} % from what the structures "
            "say (coarse grains, texture or another structure): amounts may be off by more than usual",
        )
    for p, crystal in enumerate(crystals):
        if not amounts.detected[p] and amounts.fractions[p] > 0:
            yield AnalysisWarning(
                "PHASE_UNSURE",
                "the fit takes it, but its lines do not show that it is there: it may be none",
                crystal.name,
            )
        inverse, sigma = float(refined.inverse_size_per_nm[p]), float(refined.inverse_size_sigma[p])
        if amounts.detected[p] and inverse - 2 * sigma > 1 / SMALLEST_SURE_NM:
            yield AnalysisWarning(
                "NANOCRYSTALLINE",
                f"its crystallites are {1 / inverse:.1f} nm in size: lines so broad run into the "
                "background, and its amount depends on what is taken for which",
                crystal.name,
            )


def sample_doubts(
    crystals: Sequence[Crystal], refined: Refinement, freed: Freed, shift: NDArray[np.float64]
) -> Iterator[AnalysisWarning]:
    """What the refinement had to correct in the sample, where that moved the fractions by much.

    Texture, the roughness of the surface and the size of the sample are corrected by simple models of what
    nobody has seen: what they move the fractions by is about as uncertain as it is large.

    Parameters
    ----------
    crystals : sequence of Crystal
    refined : Refinement
    freed : Freed
    shift : (P,) array
        Weight fractions less those before texture and losses at low angles were freed.
    """
    if 100 * np.abs(shift).max(initial=0.0) < MATERIAL_PERCENT:
        return
    # Of two phases both move alike: rounding does not choose between them.
    moved = int(np.argmax(np.abs(shift) > (1 - 1e-6) * np.abs(shift).max()))
    said = f"this moved {crystals[moved].name} by {100 * shift[moved]:+.1f} wt%, which is uncertain"
    textured = False
    for crystal, r, sigma in zip(crystals, refined.texture, refined.texture_sigma, strict=True):
        axis = freed.texture_axes.get(crystal.name)
        if axis is not None and abs(math.log(r)) > max(STRONG_TEXTURE, 2 * sigma):
            form = "plates lie flat" if r < 1 else "needles lie flat"
            index = " ".join(map(str, axis))
            textured = True
            yield AnalysisWarning(
                "TEXTURE",
                f"its crystals are oriented (March-Dollase r = {r:.2f} along {index}: {form}); "
                f"correcting {said}: fill from the side or back, grind finer",
                crystal.name,
            )
    if textured:
        return
    if "roughness" in freed.losses:
        share, depth = refined.corrections["roughness"]
        yield AnalysisWarning(
            "MICROABSORPTION",
            f"lines at low angles are too weak, as by coarse grains at a rough surface (share "
            f"{share:.2f}, optical depth {depth:.2f}); correcting {said}: grind finer, press it flat",
            crystals[moved].name,
        )
    elif "overspill" in freed.losses:
        angle = 2 * math.degrees(math.asin(refined.corrections["overspill"][0]))
        yield AnalysisWarning(
            "BEAM_OVERSPILL",
            f"below {angle:.0f} deg the beam seems to be longer than the sample, so that lines there are "
            f"too weak; correcting {said}: take a larger sample or a narrower divergence slit",
            crystals[moved].name,
        )


def disagreement(
    crystals: Sequence[Crystal], estimate: Estimate, refined: Refinement
) -> list[AnalysisWarning]:
    """Phases of which network and refinement say quite different things."""
    network = 100 * estimate.fractions[0].numpy().astype(float)
    return [
        AnalysisWarning(
            "ESTIMATES_DISAGREE", f"the network says {a:.1f} wt%, the refinement {b:.1f} wt%", crystal.name
        )
        for crystal, a, b in zip(crystals, network, 100 * refined.weight_fractions, strict=True)
        if abs(a - b) > DISAGREEMENT_PERCENT
    ]


def cell_change(crystal: Crystal, strain: NDArray[np.float64]) -> tuple[float, float]:
    """Largest change of an edge (relative, signed) and of an angle (degrees, signed) from the structure."""
    before, after = np.array(crystal.cell), np.array(strained_cell(crystal, strain))
    edges, angles = after[:3] / before[:3] - 1, after[3:] - before[3:]
    return float(edges[np.abs(edges).argmax()]), float(angles[np.abs(angles).argmax()])


def mean_strain(crystal: Crystal, strain: NDArray[np.float64]) -> float:
    """Relative change of the edges, on average: a third of the trace of the strain."""
    return float(np.einsum("k,kii->", strain, strain_basis(crystal))) / 3


def cell_warnings(
    crystals: Sequence[Crystal], refined: Refinement, seen: NDArray[np.bool_]
) -> Iterator[AnalysisWarning]:
    """CELL_OFF for each phase beyond the usual, CELLS_ALL_OFF where all agree, ZERO_SHIFT.

    Parameters
    ----------
    crystals : sequence of Crystal
    refined : Refinement
    seen : (P,) bool array
        Phases whose cells mean something.
    """
    for p, crystal in enumerate(crystals):
        edge, angle = cell_change(crystal, refined.strain[p])
        sigma = float(np.max(refined.strain_sigma[p], initial=0.0))
        sure = abs(edge) > _SIGMAS * sigma or abs(np.radians(angle)) > _SIGMAS * sigma
        if seen[p] and sure and (abs(edge) > USUAL_CHANGE or abs(angle) > USUAL_ANGLE_DEG):
            said = f"{100 * edge:+.1f} % in an edge" + (f", {angle:+.1f} deg in an angle" if angle else "")
            yield AnalysisWarning(
                "CELL_OFF",
                f"its cell differs from the structure by {said}: is it this phase, and is all that is in "
                "the sample among the candidates?",
                crystal.name,
            )
    means = np.array([mean_strain(crystals[n], refined.strain[n]) for n in np.flatnonzero(seen).tolist()])
    middle = float(np.mean(means)) if len(means) > 1 else 0.0
    # Larger or smaller alike.
    if abs(middle) >= ALL_OFF and np.abs(means - middle).max() <= ALIKE * abs(middle):
        yield AnalysisWarning(
            "CELLS_ALL_OFF",
            f"all cells are {100 * middle:+.2f} % from their structures, the same for all: the angles are "
            "stretched or the wavelength is another",
        )
    if abs(refined.zero_deg) > USUAL_ZERO_DEG:
        yield AnalysisWarning(
            "ZERO_SHIFT",
            f"zero ({refined.zero_deg:+.2f} deg) and displacement ({refined.displacement_mm:+.2f} mm) are "
            "larger than those of a diffractometer in use, and stand in for what its profile lacks: cells "
            "are less sure than they say",
        )
