"""What a result offers in a notebook.

An analysis comes before its report and must not import it. So the methods ask the package itself, which binds
all rooms together, for the part of `mixrd.report` that draws and tabulates; it is loaded when one is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Displayed:
    """Methods of `Analysis` by which it shows itself."""

    def to_dataframe(self) -> pd.DataFrame:
        """A table of pandas: a row for each phase, by name.

        Raises
        ------
        UsageError
            If pandas is not installed (the extra "notebook" has it).
        """
        return cast("pd.DataFrame", _display().analysis_frame(self))

    def plot(
        self,
        axes: Axes | None = None,
        *,
        scale: Literal["linear", "sqrt"] = "sqrt",
        colours: Sequence[str] | None = None,
    ) -> Figure:
        """Draw the fitted scan.

        Parameters
        ----------
        axes : matplotlib Axes, optional
            To draw data, fit and phases into. Without it a figure of its own has reflection marks and
            difference too.
        scale : "linear" or "sqrt"
            Of the intensities; "sqrt" shows weak lines.
        colours : sequence of str, optional
            Of the phases; they come again where there are too few.

        Returns
        -------
        Figure
            Whatever is in it can be changed afterwards; a notebook shows it.

        Raises
        ------
        UsageError
            If the result holds no curves: without a refinement, or read from JSON.
        """
        return cast("Figure", _display().plot(self, axes, scale=scale, colours=colours))

    def _repr_html_(self) -> str:
        """A table for notebooks."""
        return cast(str, _display().analysis_html(self))


def _display() -> Any:
    import mixrd

    return mixrd.display_of_results()
