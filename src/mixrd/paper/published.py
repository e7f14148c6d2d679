"""What is published, to stand beside ours.

Hoefer et al. 2024, doi 10.1515/cdbme-2024-2075; Greasley and Hosein 2023 as Hoefer et al. quote them.
"""

from __future__ import annotations

#: Eq. 2.
MATERIALS, PHASES = (5, 10, 15, 20), (3, 5, 7)
#: Samples of a training for each material: 0.6 of 500 strains, 3000 epochs.
SAMPLES_PER_MATERIAL = 900_000
#: Patterns a step.
BATCH = 512
#: Of Adam.
LEARNING_RATE = 2e-4

#: Mean test TVD by (N, K). The third follows from "deteriorates by a factor of 5.4"; Fig. 3 has the others,
#: but the text gives no numbers for them.
MEAN_TVD = {(5, 3): 0.06, (10, 3): 0.10, (20, 7): 0.32}
#: Mean TVD of traditional learning methods at (7, 2), best and worst (Greasley and Hosein 2023).
GREASLEY_TVD = (0.168, 0.291)


def published_tvd(n: int, k: int) -> float | None:
    """The paper's mean test TVD at (N, K); None where its text gives none."""
    return MEAN_TVD.get((n, k))
