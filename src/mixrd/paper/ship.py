"""Take a network that `mixrd paper run` kept into the package, where `mixrd paper verify` finds it.

``python -m mixrd.paper.ship FOLDER/CELL.safetensors ...`` in a checkout.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from mixrd.errors import MixrdError, ModelError
from mixrd.paper.verification import kept_recipe, shipped_path, verify

#: Largest file that ships.
MOST_BYTES = 1_800_000
#: Patterns that a network has to reach its recorded error on before it ships, within five standard errors.
_PATTERNS, _STANDARD_ERRORS = 1000, 5.0


def ship(model: Path) -> Path:
    """Check a network on fresh patterns and copy it into the package.

    Raises
    ------
    ModelError
        If it is too large, or fresh patterns give another error than its test did.
    """
    recipe = kept_recipe(model)["cell"]
    size = model.stat().st_size
    if size > MOST_BYTES:
        raise ModelError(
            f"it has {size} bytes, at most {MOST_BYTES} ship", remedy="Ship a smaller network", file=model
        )
    n, k, kind = recipe["n"], recipe["k"], recipe["kind"]
    found = verify(n, k, kind=kind, patterns=_PATTERNS, model=model, with_refinement=False)
    error = (found.network.standard_error**2 + found.recorded.standard_error**2) ** 0.5
    if abs(found.network.mean - found.recorded.mean) > _STANDARD_ERRORS * error:
        raise ModelError(
            f"fresh patterns give a TVD of {found.network.mean:.4f}, its test gave {found.recorded.mean:.4f}",
            remedy="Train it again",
            file=model,
        )
    path = shipped_path(n, k, kind)
    shutil.copyfile(model, path)
    return path


def main(arguments: Sequence[str]) -> int:
    """Ship each of the files."""
    if not arguments:
        print(__doc__)
        return 2
    for argument in arguments:
        try:
            print(f"wrote {ship(Path(argument))}")
        except (MixrdError, OSError) as problem:
            print(problem, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
