"""When a phase counts as found, and how much of it has to be there for that."""

from __future__ import annotations

from statistics import NormalDist

#: Probability that a phase which is not there is called detected, and that one at the detection limit is not
#: (Currie 1968, Anal. Chem. 40, 586).
FALSE_POSITIVE, FALSE_NEGATIVE = 0.01, 0.05
#: A mass above this many of its standard deviations at zero amount counts as found.
CRITICAL = NormalDist().inv_cdf(1 - FALSE_POSITIVE)
#: The detection limit over that standard deviation.
DETECTION = CRITICAL + NormalDist().inv_cdf(1 - FALSE_NEGATIVE)
#: The quantification limit over it: there the standard uncertainty is a tenth of the amount (Currie 1968).
QUANTIFICATION = 10.0
