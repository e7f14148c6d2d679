"""Names and results, each of which is read when it is asked for: a thousand need no room."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from mixrd.analysis import Analysis


class LazyResults(Sequence[tuple[str, "Analysis"]]):
    """Names and results in order.

    Parameters
    ----------
    names : sequence of str
    read : callable
        The result of this number.
    """

    def __init__(self, names: Sequence[str], read: Callable[[int], Analysis]) -> None:
        self._names, self._read = names, read

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, index: int) -> tuple[str, Analysis]: ...
    @overload
    def __getitem__(self, index: slice) -> list[tuple[str, Analysis]]: ...
    def __getitem__(self, index: int | slice) -> tuple[str, Analysis] | list[tuple[str, Analysis]]:
        """A name and its result, or a list of them; raises InputError if the file of one is none."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        return self._names[number], self._read(number)
