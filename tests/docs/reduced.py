"""`mixrd` with trainings of a few steps, so that every command of the documentation can be run in a test."""

from __future__ import annotations

import functools
import sys

STEPS = 2


def main() -> int:
    from mixrd.cli import main as mixrd_main
    from mixrd.training import Recipe

    whole = Recipe.__init__

    @functools.wraps(whole)
    def brief(self: Recipe, *arguments: object, **settings: object) -> None:
        whole(self, *arguments, **{**settings, "steps": STEPS})

    Recipe.__init__ = brief  # type: ignore[method-assign]
    return mixrd_main()


if __name__ == "__main__":
    sys.exit(main())
