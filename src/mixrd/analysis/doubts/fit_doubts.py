"""What to think of a result: warnings in plain words."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mixrd.analysis.contents.absorption import MATERIAL_PERCENT
from mixrd.analysis.result.intervals import Quantities
from mixrd.analysis.result.parts import AnalysisWarning
from mixrd.crystal import Crystal
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


def fit_doubts(refined: Refinement) -> list[AnalysisWarning]:
    """Doubts about a refinement as a whole."""
    warnings = []
    if not refined.converged:
        warnings.append(
            AnalysisWarning("NOT_CONVERGED", "the refinement had not settled when its steps ran out")
        )
    if refined.significance < LEAST_TOTAL_SIGNIFICANCE:
        warnings.append(
            AnalysisWarning(
                "NO_PHASE_FOUND", "no candidate stands out from background and noise: are these the phases?"
            )
        )
    if refined.r_wp < TOO_GOOD_FIT * refined.r_exp:
        warnings.append(
            AnalysisWarning(
                "UNCERTAINTIES_TOO_LARGE",
                f"the fit misses {refined.r_exp / refined.r_wp:.1f} times less than the stated uncertainties "
                "allow: they are not those of these intensities, and a poor fit would not show",
            )
        )
    if refined.r_wp > POOR_GOODNESS_OF_FIT * refined.r_exp:
        ratio = refined.r_wp / refined.r_exp
        warnings.append(
            AnalysisWarning(
                "POOR_FIT", f"the fit misses {ratio:.1f} times more than noise explains: look at the plot"
            )
        )
    return warnings


def line_doubts(
    crystals: Sequence[Crystal], refined: Refinement, there: Presence, amounts: Quantities
) -> list[AnalysisWarning]:
    """Doubts about single lines and phases: scatter, phases that may not be there, broad lines."""
    warnings = []
    if there.line_scatter > LARGE_SCATTER:
        warnings.append(
            AnalysisWarning(
                "LINE_SCATTER",
                f"intensities of single lines are {100 * there.line_scatter:.0f} % from what the structures "
                "say (coarse grains, texture or another structure): amounts may be off by more than usual",
            )
        )
    for p, crystal in enumerate(crystals):
        if not amounts.detected[p] and amounts.fractions[p] > 0:
            warnings.append(
                AnalysisWarning(
                    "PHASE_UNSURE",
                    "the fit takes it, but its lines do not show that it is there: it may be none",
                    crystal.name,
                )
            )
        inverse, sigma = float(refined.inverse_size_per_nm[p]), float(refined.inverse_size_sigma[p])
        if amounts.detected[p] and inverse - 2 * sigma > 1 / SMALLEST_SURE_NM:
            warnings.append(
                AnalysisWarning(
                    "NANOCRYSTALLINE",
                    f"its crystallites are {1 / inverse:.1f} nm in size: lines so broad run into the "
                    "background, and its amount depends on what is taken for which",
                    crystal.name,
                )
            )
    return warnings


def sample_doubts(
    crystals: Sequence[Crystal], refined: Refinement, freed: Freed, shift: NDArray[np.float64]
) -> list[AnalysisWarning]:
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
        return []
    # Of two phases both move alike: rounding does not choose between them.
    moved = int(np.argmax(np.abs(shift).round(9)))
    said = f"this moved {crystals[moved].name} by {100 * shift[moved]:+.1f} wt%, which is uncertain"
    warnings = []
    for crystal, r, sigma in zip(crystals, refined.texture, refined.texture_sigma, strict=True):
        axis = freed.texture_axes.get(crystal.name)
        if axis is not None and abs(math.log(r)) > max(STRONG_TEXTURE, 2 * sigma):
            form = "plates lie flat" if r < 1 else "needles lie flat"
            index = " ".join(map(str, axis))
            warnings.append(
                AnalysisWarning(
                    "TEXTURE",
                    f"its crystals are oriented (March-Dollase r = {r:.2f} along {index}: {form}); "
                    f"correcting {said}: fill from the side or back, grind finer",
                    crystal.name,
                )
            )
    if not warnings and "roughness" in freed.losses:
        share, depth = refined.corrections["roughness"]
        warnings.append(
            AnalysisWarning(
                "MICROABSORPTION",
                f"lines at low angles are too weak, as by coarse grains at a rough surface (share "
                f"{share:.2f}, optical depth {depth:.2f}); correcting {said}: grind finer, press it flat",
                crystals[moved].name,
            )
        )
    if not warnings and "overspill" in freed.losses:
        angle = 2 * math.degrees(math.asin(refined.corrections["overspill"][0]))
        warnings.append(
            AnalysisWarning(
                "BEAM_OVERSPILL",
                f"below {angle:.0f} deg the beam seems to be longer than the sample, so that lines there are "
                f"too weak; correcting {said}: take a larger sample or a narrower divergence slit",
                crystals[moved].name,
            )
        )
    return warnings


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
