"""`mixrd` with trainings of a few steps, so that every command of the documentation can be run in a test.

Where MIXRD_REDUCED is empty, networks are trained in full. The experiment of the paper is always cut short:
it takes hours.
"""

from __future__ import annotations

import functools
import os
import sys
from typing import Any

STEPS = 2
#: From which the errors of such a network are learned.
CALIBRATION_PATTERNS = 180
#: Of the experiment of the paper: enough for every part of it to be at work, of each as few as is allowed.
PROTOCOL = {"samples": 64, "batch": 32, "strains": 4, "test_strains": 4, "test_patterns": 100}
PATTERNS = 4


def _overrule(owner: Any, name: str, given: dict[str, object]) -> None:
    """Let a function take these arguments whatever it is called with."""
    whole = getattr(owner, name)

    @functools.wraps(whole)
    def brief(*arguments: object, **settings: object) -> object:
        return whole(*arguments, **{**settings, **given})

    setattr(owner, name, brief)


def main() -> int:
    from mixrd.cli import main as mixrd_main

    command = sys.argv[1:2]
    # Only where it is needed: torch, which these import, takes longer to load than most commands take.
    if command == ["paper"]:
        from mixrd import paper

        _overrule(paper.Protocol, "__init__", PROTOCOL)
        for name in ("verify", "measure_refinement", "measure_bound"):
            _overrule(paper, name, {"patterns": PATTERNS})
    elif os.environ.get("MIXRD_REDUCED") and command in (["analyze"], ["train"], ["benchmark"]):
        from mixrd.analysis import model_finishing
        from mixrd.training import Recipe

        _overrule(Recipe, "__init__", {"steps": STEPS})
        _overrule(model_finishing, "calibrate_network", {"patterns": CALIBRATION_PATTERNS})
    return mixrd_main()


if __name__ == "__main__":
    sys.exit(main())
