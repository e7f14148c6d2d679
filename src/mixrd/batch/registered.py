"""What a script has registered goes to the processes of its batch: their answers are those of the script."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.reduction import ForkingPickler
from typing import Any

from mixrd.errors import UsageError
from mixrd.extensions import REGISTRIES
from mixrd.pattern.line_corrections import added_corrections, register_correction
from mixrd.warning_texts import warning_texts

#: Kind and name of a thing, and the thing pickled or why that is not possible.
Registered = dict[tuple[str, str], bytes | str]


@dataclass(frozen=True)
class _Kind:
    """What others may add: entry points of a group, all of mixrd's and theirs, and how one is added."""

    group: str
    all: Callable[[], Mapping[str, Any]]
    add: Callable[[str, Any], object]


def registered() -> Registered:
    """All that is registered in this process."""
    things = {
        **{kind: registry.registered for kind, registry in REGISTRIES.items()},
        **{kind: _kinds()[kind].all() for kind in ("correction", "warning")},
    }
    return {(kind, name): _pickled(thing) for kind, of in things.items() for name, thing in of.items()}


def take_over(others: Registered) -> None:
    """Register what another process knows and this one does not.

    Raises
    ------
    UsageError
        If one of these things cannot go from process to process.
    """
    kinds = _kinds()
    for (kind, name), pickled in others.items():
        if kind not in kinds or name in kinds[kind].all():
            continue
        try:
            if isinstance(pickled, str):
                raise TypeError(pickled)
            thing = ForkingPickler.loads(pickled)
        except Exception as problem:  # whatever importing its module raises
            raise UsageError(
                f"the {kind} {name!r} of this script is unknown to other processes ({problem})",
                remedy="Define it at the top of a module that the script imports, name that module as an "
                f'entry point of "{kinds[kind].group}", or analyse in one process',
            ) from None
        # Its module may have registered it when it was imported.
        if name not in kinds[kind].all():
            kinds[kind].add(name, thing)


def _kinds() -> dict[str, _Kind]:
    found = {kind: _Kind(one.group, one.all, one.add) for kind, one in REGISTRIES.items()}
    found["correction"] = _Kind(
        "mixrd.corrections",
        lambda: {one.field: one for one in added_corrections()},
        lambda _, one: register_correction(one),
    )
    found["warning"] = _Kind("mixrd.warning_texts", warning_texts, warning_texts().__setitem__)
    return found


def _pickled(thing: Any) -> bytes | str:
    try:
        # As things go from process to process; nothing that was not made here is ever read so.
        return bytes(ForkingPickler.dumps(thing))
    except Exception as problem:  # a lambda, a function in another
        return str(problem)
