"""What is said of a sample and contradicts itself."""

from __future__ import annotations

import math

from mixrd.analysis.contents.grinding import likely_sizes
from mixrd.crystal import atoms_of_formula
from mixrd.errors import CrystalError, ParameterError, RequestError


def refuse_contradictions(
    particle_size_um: float | None,
    grinding: str | None,
    standard: object | None,
    external: object | None,
    amorphous_formula: str | None,
) -> None:
    """Refuse what is said of a sample where it contradicts itself.

    Raises
    ------
    InputError
        Then, or if the formula is none, there is no such grinding, or the size is no size.
    """
    if particle_size_um is not None and not 0 <= particle_size_um < math.inf:
        raise ParameterError(
            f"particle_size_um is {particle_size_um:g}", remedy="Give a diameter in micrometres, 0 or more"
        )
    if grinding is not None:
        likely_sizes(grinding)
        if particle_size_um is not None:
            raise RequestError(
                "a particle size and a grinding exclude each other",
                remedy="Give the size where it is known, else how the powder was ground",
                fields=("particle_size_um", "grinding"),
            )
    if standard is not None and external is not None:
        raise RequestError(
            "an internal and an external standard exclude each other",
            remedy="Leave one of the two out",
            fields=("standard", "external_standard"),
        )
    if amorphous_formula is not None:
        if not atoms_of_formula(amorphous_formula):
            raise CrystalError("the formula of the amorphous part is empty", remedy="Write it like SiO2")
        if external is None:
            raise RequestError(
                "the formula of the amorphous part says nothing without an external standard",
                remedy="Give an external standard too; an internal one needs no formula",
                fields=("amorphous_formula", "external_standard"),
            )
