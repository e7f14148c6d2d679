"""Many results together: as a table of pandas, a dataset of xarray, a heat map."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mixrd.analysis import Analysis, Curves, failed_analysis
from mixrd.errors import InputError, UsageError
from mixrd.report.files import summary_of
from mixrd.report.notebook import frame, missing, series_html
from mixrd.report.numbers import codes_text, counted, phase_names
from mixrd.report.series_figure import series_figure

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.figure import Figure, FigureBase

#: Attributes of a phase that become variables over scan and phase, with their units.
_OF_PHASES = {
    "weight_percent": "wt%",
    "sigma_percent": "wt%",
    "network_percent": "wt%",
    "refined_percent": "wt%",
    "detected": "1",
    "detection_limit_percent": "wt%",
    "crystallite_size_nm": "nm",
    "microstrain": "1",
    "density_g_cm3": "g/cm3",
}
_OF_SCANS = {"r_wp": "1", "r_exp": "1", "zero_deg": "degrees", "displacement_mm": "mm"}
_CELL = ("a", "b", "c", "alpha", "beta", "gamma")
#: Grids (degrees 2theta) that differ by less are the same.
_SAME_GRID_DEG = 1e-6


class Series(Sequence[Analysis]):
    """Results in the order of the scans.

    Parameters
    ----------
    results : iterable of Analysis
        Failed ones are welcome.
    labels : sequence of str, optional
        Name of each; default the file's.

    Raises
    ------
    UsageError
        If there are not as many labels as results.

    Examples
    --------
    >>> from mixrd.report.series import Series
    >>> series = Series.from_folder("mixrd-results")       # doctest: +SKIP
    >>> series.to_dataframe().pivot(index="scan", columns="phase", values="weight_percent")  # doctest: +SKIP
    """

    def __init__(self, results: Iterable[Analysis], labels: Sequence[str] | None = None) -> None:
        self._results = tuple(results)
        self.labels = tuple(labels) if labels is not None else tuple(a.file for a in self._results)
        if len(self.labels) != len(self._results):
            raise UsageError(
                f"{len(self.labels)} labels for {len(self._results)} results", remedy="Give one for each"
            )

    @classmethod
    def from_folder(cls, folder: str | Path) -> Series:
        """The results of a batch, as `mixrd analyze` wrote them, in its order; without curves.

        Raises
        ------
        InputError
            If there is no ``summary.csv``, or a result is missing or of another version.
        """
        rows = summary_of(folder)
        return cls([_read(Path(folder), name, row) for name, row in rows.items()], list(rows))

    def __len__(self) -> int:
        return len(self._results)

    @overload
    def __getitem__(self, index: int) -> Analysis: ...
    @overload
    def __getitem__(self, index: slice) -> Series: ...
    def __getitem__(self, index: int | slice) -> Analysis | Series:
        """A result, or a part of the series."""
        if isinstance(index, slice):
            return Series(self._results[index], self.labels[index])
        return self._results[index]

    @property
    def phases(self) -> tuple[str, ...]:
        """Names of all candidates, in the order of their appearance."""
        return tuple(phase_names(self._results))

    def to_dataframe(self) -> pd.DataFrame:
        """A table of pandas: a row for each scan and phase, and one for each scan that failed.

        Raises
        ------
        UsageError
            If pandas is not installed (the extra "notebook" has it).
        """
        return frame(self._labelled)

    def to_xarray(self, *, two_theta: ArrayLike | None = None, curves: bool = True) -> xr.Dataset:
        """A dataset of xarray over ``scan`` and ``phase``; with fitted curves also over ``two_theta``.

        Parameters
        ----------
        two_theta : (N,) array, optional
            Grid in degrees onto which curves are interpolated (NaN outside a scan). Without it all scans must
            have the same one.
        curves : bool
            Whether curves are wanted, where there are any.

        Returns
        -------
        Dataset
            Variables with their unit in ``attrs["units"]``; NaN where a scan failed or has no such value.

        Raises
        ------
        UsageError
            If xarray is not installed (the extra "notebook" has it), or the scans' grids differ.
        """
        try:
            import xarray
        except ImportError:
            raise missing("xarray", "a dataset") from None
        variables = {**self._of_scans(), **self._of_phases()}
        coords: dict[str, Any] = {
            "scan": list(self.labels),
            "phase": list(self.phases),
            "cell_parameter": list(_CELL),
        }
        with_curves = [a.curves for a in self._results if a.curves is not None] if curves else []
        if with_curves:
            grid = _common_grid(with_curves) if two_theta is None else np.asarray(two_theta, dtype=np.float64)
            coords["two_theta"] = ("two_theta", grid, {"units": "degrees"})
            variables |= self._curves_on(grid)
        return xarray.Dataset(variables, coords)

    def plot(self, figure: FigureBase | None = None, *, colormap: str = "viridis") -> Figure | FigureBase:
        """Heat map of phases over scans, with a strip that shows failures and warnings.

        Parameters
        ----------
        figure : Figure or SubFigure, optional
            To draw into; a new one unless given.
        colormap : str
            matplotlib's name of it.
        """
        return series_figure(self._labelled, figure=figure, colormap=colormap)

    def __repr__(self) -> str:
        failed = sum(a.status == "failed" for a in self._results)
        return f"<Series of {counted(len(self), 'scan')}, {failed} failed, phases {', '.join(self.phases)}>"

    def _repr_html_(self) -> str:
        """A table for notebooks."""
        return series_html(self._labelled)

    @property
    def _labelled(self) -> list[tuple[str, Analysis]]:
        return list(zip(self.labels, self._results, strict=True))

    def _of_scans(self) -> dict[str, Any]:
        texts = {
            "file": [a.file for a in self._results],
            "status": [a.status for a in self._results],
            "error": [a.error or "" for a in self._results],
            "statement": [a.statement.kind if a.status == "ok" else "" for a in self._results],
            "reason": [a.statement.reason for a in self._results],
            "warnings": [codes_text(a, " ") for a in self._results],
        }
        found: dict[str, Any] = {key: ("scan", np.array(value, dtype=str)) for key, value in texts.items()}
        for key, unit in _OF_SCANS.items():
            values = [_number(getattr(a, key)) for a in self._results]
            found[key] = ("scan", np.array(values, dtype=np.float64), {"units": unit})
        return found

    def _of_phases(self) -> dict[str, Any]:
        shape = len(self), len(self.phases)
        row = {name: i for i, name in enumerate(self.phases)}
        values = {key: np.full(shape, np.nan) for key in _OF_PHASES}
        interval, cell = np.full((2, *shape), np.nan), np.full((*shape, len(_CELL)), np.nan)
        for s, analysis in enumerate(self._results):
            for phase in analysis.phases:
                at = s, row[phase.name]
                for key, value in values.items():
                    value[at] = _number(getattr(phase, key))
                interval[:, *at] = phase.interval_percent or (np.nan, np.nan)
                cell[at] = phase.cell or np.nan
        dims = ("scan", "phase")
        found: dict[str, Any] = {
            key: (dims, value, {"units": _OF_PHASES[key]}) for key, value in values.items()
        }
        for end, value in zip(("low", "high"), interval, strict=True):
            found[f"interval_{end}_percent"] = (dims, value, {"units": "wt%"})
        found["cell"] = ((*dims, "cell_parameter"), cell, {"units": "angstrom, degrees"})
        return found

    def _curves_on(self, grid: NDArray[np.float64]) -> dict[str, Any]:
        names = ("observed", "calculated", "background")
        row = {name: i for i, name in enumerate(self.phases)}
        lines = {name: np.full((len(self), grid.size), np.nan) for name in names}
        parts = np.full((len(self), len(self.phases), grid.size), np.nan)
        for s, analysis in enumerate(self._results):
            curves = analysis.curves
            if curves is None:
                continue
            for name in names:
                lines[name][s] = _onto(grid, curves, getattr(curves, name))
            for phase, part in zip(analysis.phases, curves.contributions, strict=True):
                parts[s, row[phase.name]] = _onto(grid, curves, part)
        counts = {"units": "counts"}
        found: dict[str, Any] = {name: (("scan", "two_theta"), line, counts) for name, line in lines.items()}
        return {**found, "contributions": (("scan", "phase", "two_theta"), parts, counts)}


def _read(folder: Path, name: str, row: dict[str, str]) -> Analysis:
    if row["status"] == "failed":
        return failed_analysis(row["file"], row["error"])
    path = folder / f"{name}.json"
    if not path.is_file():
        raise InputError("this result of the batch is missing", remedy="Analyse the scans again", file=path)
    return Analysis.from_json(path)


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def _common_grid(curves: Sequence[Curves]) -> NDArray[np.float64]:
    first = curves[0].two_theta
    same = all(
        c.two_theta.shape == first.shape and np.abs(c.two_theta - first).max() < _SAME_GRID_DEG
        for c in curves
    )
    if not same:
        raise UsageError(
            "the scans were measured at different angles",
            remedy="Give two_theta, the grid to interpolate onto, or curves=False",
        )
    return first


def _onto(grid: NDArray[np.float64], curves: Curves, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values at the points of a grid, NaN outside the scan."""
    if grid is curves.two_theta:
        return values
    return np.interp(grid, curves.two_theta, values, left=np.nan, right=np.nan)
