"""mixrd: quantitative phase analysis of powder X-ray diffraction patterns.

The names offered here are loaded on first use: ``import mixrd`` itself costs nothing, and torch is
imported only by what needs it.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mixrd.analysis import Analysis, analyze, train
    from mixrd.crystal import Crystal
    from mixrd.mixture import simulate
    from mixrd.network import Model
    from mixrd.pattern import Instrument
    from mixrd.scan import Scan, read_scan
    from mixrd.training import Recipe

    __version__: str

__all__ = [
    "Analysis",
    "Crystal",
    "Instrument",
    "Model",
    "Recipe",
    "Scan",
    "__version__",
    "analyze",
    "read_scan",
    "simulate",
    "train",
]

_HOME = {
    "Analysis": "mixrd.analysis",
    "Crystal": "mixrd.crystal",
    "Instrument": "mixrd.pattern",
    "Model": "mixrd.network",
    "Recipe": "mixrd.training",
    "Scan": "mixrd.scan",
    "analyze": "mixrd.analysis",
    "read_scan": "mixrd.scan",
    "simulate": "mixrd.mixture",
    "train": "mixrd.analysis",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        value: object = version("mixrd")
    elif name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def display_of_results() -> ModuleType:
    """The part of `mixrd.report` that results show themselves with, loaded when one does.

    An analysis comes before its report and may not import it; the package, which binds all rooms, may.
    """
    from mixrd.report import notebook

    return notebook


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
