"""Ragged line lists: positions and areas of the lines of many single-phase patterns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixrd.errors import UsageError


@dataclass(frozen=True, eq=False)
class LineLists:
    """Lines of M single-phase patterns, one list after the other.

    Attributes
    ----------
    materials : tuple of str
        Names of the materials.
    positions : (L,) float64 array
        In degrees 2theta.
    areas : (L,) float32 array
        Integrated intensities, in a unit of each list's own.
    offsets : (M + 1,) int64 array
        List i is lines offsets[i] to offsets[i + 1].
    material : (M,) int64 array
        Which of `materials` list i is of.
    """

    materials: tuple[str, ...]
    positions: NDArray[np.float64]
    areas: NDArray[np.float32]
    offsets: NDArray[np.int64]
    material: NDArray[np.int64]

    def __post_init__(self) -> None:
        counts = np.diff(self.offsets)
        whole = len(self.offsets) > 0 and self.offsets[0] == 0 and self.offsets[-1] == len(self.positions)
        if not whole or len(self.areas) != len(self.positions) or len(counts) != len(self.material):
            raise UsageError("offsets, lines and materials do not fit together", remedy="Give whole lists")
        if (counts < 1).any():
            raise UsageError(
                f"{int((counts < 1).sum())} of {len(counts)} line lists have no line",
                remedy="Leave out materials that have no line in the range",
            )
        if len(self.material) and not (0 <= self.material.min() <= self.material.max() < len(self.materials)):
            raise UsageError("a line list is of a material without a name", remedy="Name all materials")
        if not (
            np.isfinite(self.positions).all() and np.isfinite(self.areas).all() and (self.areas > 0).all()
        ):
            raise UsageError(
                "a line has a position or an area that is no number, or no area",
                remedy="Give finite positions in degrees and areas above 0",
            )

    def __len__(self) -> int:
        return len(self.material)

    def lines(self, index: int) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Positions and areas of one list."""
        span = slice(self.offsets[index], self.offsets[index + 1])
        return self.positions[span], self.areas[span]

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> LineLists:
        """Some of the lists, by index or mask; all materials keep their names."""
        index = np.flatnonzero(rows) if rows.dtype == bool else np.asarray(rows)
        counts = np.diff(self.offsets)[index]
        offsets = _offsets(counts)
        line = np.repeat(self.offsets[index] - offsets[:-1], counts) + np.arange(offsets[-1])
        return LineLists(
            self.materials, self.positions[line], self.areas[line], offsets, self.material[index]
        )

    def of_first(self, materials: int) -> LineLists:
        """The lists of the first `materials` materials, which alone keep their names.

        Raises
        ------
        UsageError
            If there are fewer.
        """
        if not 1 <= materials <= len(self.materials):
            raise UsageError(
                f"{materials} materials are asked for", remedy=f"Allowed: 1 to {len(self.materials)}"
            )
        part = self.take(self.material < materials)
        return LineLists(self.materials[:materials], part.positions, part.areas, part.offsets, part.material)


def line_lists(
    materials: Sequence[str],
    lists: Iterable[tuple[NDArray[np.float64], NDArray[np.float32]]],
    material: Sequence[int] | NDArray[np.int64],
) -> LineLists:
    """Line lists of pairs of positions (degrees) and areas, and the material of each."""
    pairs = list(lists)
    none = [np.zeros(0)]
    return LineLists(
        materials=tuple(materials),
        positions=np.concatenate([p for p, _ in pairs] or none).astype(np.float64),
        areas=np.concatenate([a for _, a in pairs] or none).astype(np.float32),
        offsets=_offsets(np.array([len(p) for p, _ in pairs], dtype=np.int64)),
        material=np.asarray(material, dtype=np.int64),
    )


def _offsets(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts, dtype=np.int64)])
