"""All kinds of wrong premises."""

from __future__ import annotations

from mixrd.experiments.premises.kinds_beam import BEAM, STATE
from mixrd.experiments.premises.kinds_phases import PHASES, STRUCTURES
from mixrd.experiments.premises.kinds_scan import AXIS, COUNTS, SIGMA
from mixrd.experiments.premises.premise import PremiseKind

KINDS: dict[str, PremiseKind] = {
    kind.name: kind for kind in (*PHASES, *STRUCTURES, *AXIS, *BEAM, *SIGMA, *COUNTS, *STATE)
}
#: The kinds that are no fault at all: what is refused here is refused though fine.
CONTROL = "as it is"
