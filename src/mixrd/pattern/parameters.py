"""What may differ from scan to scan, and from phase to phase within it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Parameters:
    """What may differ from scan to scan, apart from how much of each phase there is. B scans, P phases.

    Attributes
    ----------
    strain : (B, K) tensor
        Strain amplitudes, those of all phases one after the other.
    inverse_size : (B, P) tensor
        Inverse crystallite size in 1/nm; with a size axis, of the size across it.
    microstrain : (B, P) tensor
        Relative spread of lattice spacings, dimensionless.
    texture : (B, P) tensor
        March-Dollase r along each phase's texture axis, 1 without texture.
    aspect : (B, P) tensor
        Crystallite size across each phase's size axis over that along it: 1 for equal sizes, above 1 for
        platelets.
    profile : (B, 6) tensor
        Instrument's u, v, w (deg^2), x, y (deg), sh_l; see `Profile`.
    zero : (B, 1) tensor
        Zero shift in degrees 2theta.
    displacement : (B, 1) tensor
        Displacement of the sample surface from the goniometer axis in mm.
    thinness : (B, 1) tensor
        1 / (mu t) of the sample, 0 for an infinitely thick one.
    penetration : (B, 1) tensor
        1 / mu of the powder as packed in mm, which shifts lines of a transparent sample; 0 for an opaque one.
    roughness : (B, 2) tensor
        Surface roughness: share of the intensity that suffers from it (0 for a smooth surface; 1 - p of
        `surface_roughness`) and optical depth q.
    overspill : (B, 1) tensor
        Of the beam over the sample (`beam_overspill`), 0 where all of it meets the sample.
    b_offset : (B, 1) tensor
        Added to the displacement factor B of all atoms, in square angstroms.
    """

    strain: Tensor
    inverse_size: Tensor
    microstrain: Tensor
    texture: Tensor
    aspect: Tensor
    profile: Tensor
    zero: Tensor
    displacement: Tensor
    thinness: Tensor
    penetration: Tensor
    roughness: Tensor
    overspill: Tensor
    b_offset: Tensor

    def flat(self) -> Tensor:
        """(B, T): all of them, in the order above."""
        return torch.cat([getattr(self, f.name) for f in dataclasses.fields(self)], dim=-1)

    @classmethod
    def sizes(cls, strain_components: int, phases: int) -> dict[str, int]:
        """Columns of each field, in the order of `flat`."""
        per_phase = dict.fromkeys(("inverse_size", "microstrain", "texture", "aspect"), phases)
        one = dict.fromkeys(("zero", "displacement", "thinness", "penetration"), 1)
        shared = {"profile": 6, **one, "roughness": 2, "overspill": 1, "b_offset": 1}
        return {"strain": strain_components, **per_phase, **shared}
