"""Colours of phases, the same in every picture and page."""

from __future__ import annotations

#: Okabe & Ito's colours (Color Universal Design, 2008) without black and the yellow that white swallows.
PHASE_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
#: After the last colour the same colours come again, dashed, then dotted.
LINE_STYLES = ("-", "--", ":", "-.")


def phase_style(index: int) -> tuple[str, str]:
    """Colour and line style of the phase of this index."""
    turn, colour = divmod(index, len(PHASE_COLOURS))
    return PHASE_COLOURS[colour], LINE_STYLES[turn % len(LINE_STYLES)]
