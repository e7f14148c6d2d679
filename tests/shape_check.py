"""Shapes of tensors that functions state are checked when they are called, see `conftest.py`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

from beartype import BeartypeConf, beartype
from jaxtyping import AbstractArray

#: An int is good for a float, as for mypy.
_CHECKED = beartype(conf=BeartypeConf(is_pep484_tower=True))


def modules_with_shapes(source: Path) -> list[str]:
    """Modules of a package that state shapes: the others stay as fast as they are."""
    files = [
        file for file in source.rglob("*.py") if "from jaxtyping import" in file.read_text(encoding="utf-8")
    ]
    return [".".join(file.relative_to(source.parent).with_suffix("").parts) for file in files]


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which checks the shapes that it states; its other types are mypy's matter."""
    stated = function.__annotations__.items()
    function.__annotations__ = {name: hint for name, hint in stated if _has_shape(hint)}
    return _CHECKED(function)


def _has_shape(hint: object) -> bool:
    if isinstance(hint, type) and issubclass(hint, AbstractArray):
        return True
    return any(map(_has_shape, get_args(hint)))
