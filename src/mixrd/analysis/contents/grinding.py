"""How a powder was ground, as people can say it, and the sizes of particles that this makes likely.

Fractions are corrected for microabsorption by the mean over these sizes; their spread is in the intervals.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from mixrd.errors import ParameterError

Grinding = Literal["by-hand", "mccrone", "as-received"]
GRINDINGS: tuple[Grinding, ...] = get_args(Grinding)


@dataclass(frozen=True)
class LikelySizes:
    """A log-normal distribution of particle diameters.

    Attributes
    ----------
    median_um : float
        Micrometres.
    spread : float
        Factor that is one standard deviation of the logarithm.
    """

    median_um: float
    spread: float


#: Diameters by the way of grinding.
#:
#: by-hand : in an agate mortar 5-20 um in two of three cases: below about 10 um hand grinding hardly comes
#:     (Bish & Reynolds 1989, Rev. Mineral. 20, 73; `docs/warnings.md` tells users the same).
#: mccrone : a micronising mill, wet, some minutes: "typically 1 to 4 um" (J. Connolly, Using the McCrone
#:     Micronising Mill, University of New Mexico 2013), 1-5 um by its maker; 1.2-3.4 um in two of three cases
#:     and 0.7-5.8 um in nineteen of twenty.
#: as-received : a reagent or rock powder that nobody ground: fine precipitates are about 1 um, what passes a
#:     sieve of 325 mesh up to 44 um; 4-60 um in two of three cases, 0.9-240 um in nineteen of twenty.
LIKELY_SIZES = MappingProxyType(
    {
        "by-hand": LikelySizes(10.0, 2.0),
        "mccrone": LikelySizes(2.0, 1.7),
        "as-received": LikelySizes(15.0, 4.0),
    }
)


def likely_sizes(grinding: str) -> LikelySizes:
    """Sizes that a way of grinding makes likely.

    Raises
    ------
    ParameterError
        If it is none of `GRINDINGS`.
    """
    if grinding not in LIKELY_SIZES:
        raise ParameterError(
            f"the grinding is {grinding!r}", remedy=f"Say one of {', '.join(GRINDINGS)}, or leave it out"
        )
    return LIKELY_SIZES[grinding]
