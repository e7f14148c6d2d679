"""What others may add without touching mixrd: things of one kind that register themselves by name.

A thing registers itself when its module is imported. The modules of mixrd's own room are imported on first
use, then those that installed packages name as entry points of the group; what does not load is warned of
and left out, so that no other package keeps mixrd from working.
"""

from __future__ import annotations

import pkgutil
import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Generic, TypeVar

from mixrd.errors import ParameterError

Thing = TypeVar("Thing")


class Registry(Generic[Thing]):
    """Things of one kind by name: mixrd's own, and those of other packages.

    Parameters
    ----------
    kind : str
        What they are, for messages ("scan format").
    group : str
        Entry points of this group name modules that register something.
    room : str or None
        Package of mixrd whose modules register its own; None where all come from outside.
    """

    def __init__(self, kind: str, *, group: str, room: str | None = None) -> None:
        self._kind, self.group, self._room = kind, group, room
        self._things: dict[str, Thing] = {}
        self._complete = False
        REGISTRIES[kind] = self

    def add(self, name: str, thing: Thing) -> None:
        """Register one more.

        Raises
        ------
        ParameterError
            If there is one of that name.
        """
        if name in self._things:
            raise ParameterError(f"there is a {self._kind} {name!r} already", remedy="Give it another name")
        self._things[name] = thing

    def remove(self, name: str) -> None:
        """Take one out again."""
        del self._things[name]

    def all(self) -> dict[str, Thing]:
        """All by name, in alphabetical order."""
        if not self._complete:
            for name in _module_names(self._room) if self._room else ():
                import_module(f"{self._room}.{name}")
            from_entry_points(self.group, EntryPoint.load)
            self._complete = True
        return dict(sorted(self._things.items()))

    @property
    def registered(self) -> dict[str, Thing]:
        """Those of modules that are imported already, by name; nothing is loaded."""
        return dict(self._things)

    def named(self, name: str) -> Thing:
        """The one of that name.

        Raises
        ------
        ParameterError
            If there is none.
        """
        found = self.all()
        if name not in found:
            raise ParameterError(f"there is no {self._kind} {name!r}", remedy=f"Allowed: {', '.join(found)}")
        return found[name]


#: All that there are, by kind.
REGISTRIES: dict[str, Registry[Any]] = {}


def names_of(group: str, room: str) -> tuple[str, ...]:
    """Names of things that are named as their modules and entry points; none of these is loaded."""
    return tuple(sorted({*_module_names(room), *(point.name for point in entry_points(group=group))}))


def _module_names(room: str) -> list[str]:
    parts = room.split(".")[1:]
    return [module.name for module in pkgutil.iter_modules([str(Path(__file__).parent.joinpath(*parts))])]


def from_entry_points(group: str, load: Callable[[EntryPoint], Any]) -> None:
    """Let `load` have every entry point of a group; one that fails is warned of."""
    for point in sorted(entry_points(group=group)):
        try:
            load(point)
        except Exception as problem:  # what other packages raise is not known
            warnings.warn(
                f"{group}: {point.name} = {point.value} is left out, for it does not load "
                f"({type(problem).__name__}: {problem})",
                stacklevel=2,
            )
