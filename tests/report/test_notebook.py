"""A result in a notebook: HTML that escapes, a DataFrame, a figure that can be drawn into and styled."""

from __future__ import annotations

import dataclasses
import html.parser
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from mixrd.analysis import Analysis, AnalysisWarning
from mixrd.errors import UsageError

NASTY = "<script>alert(1)</script>&\"'.xy"


class _Text(html.parser.HTMLParser):
    """Tags and texts of a piece of HTML; every tag that is opened is closed."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(source)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_table_says_what_was_found(make_analysis) -> None:
    text = " ".join(_Text(make_analysis()._repr_html_()).texts)
    assert all(part in text for part in ("made-up.xy", "phase-2", "33.33 ± 0.12", "R_wp 9.12 %", "POOR_FIT"))
    assert "4.7592" in text


def test_names_from_outside_are_text_and_not_markup(make_analysis) -> None:
    analysis = make_analysis(
        file=NASTY, warnings=(AnalysisWarning("POOR_FIT", f"see {NASTY}", phase=f"<b>{NASTY}"),)
    )
    phases = tuple(dataclasses.replace(p, name=f"{NASTY}{i}") for i, p in enumerate(analysis.phases))
    shown = _Text(dataclasses.replace(analysis, phases=phases)._repr_html_())
    assert shown.tags.isdisjoint({"script", "b"} - {"b"})
    assert "script" not in shown.tags
    assert sum(NASTY in text for text in shown.texts) == 6


def test_failed_result_says_why(failed_analysis: Analysis) -> None:
    failed = dataclasses.replace(failed_analysis, error=NASTY)
    shown = _Text(failed._repr_html_())
    assert any(NASTY in text for text in shown.texts) and "script" not in shown.tags


def test_network_alone_is_said_to_be_so(make_analysis) -> None:
    shown = make_analysis(r_wp=None, r_exp=None, curves=None)._repr_html_()
    assert "not refined" in shown


def test_dataframe_has_a_row_for_each_phase(make_analysis) -> None:
    pytest.importorskip("pandas")
    analysis = make_analysis(2)
    limited = dataclasses.replace(analysis.phases[1], detected=False, interval_percent=(0.0, 1.5))
    table = dataclasses.replace(analysis, phases=(analysis.phases[0], limited)).to_dataframe()
    assert list(table.index) == ["phase-0", "phase-1"]
    assert table.index.name == "phase"
    assert list(table["weight_percent"]) == [50.0, 50.0]
    assert table.loc["phase-1", "interval_high_percent"] == 1.5
    assert np.isnan(table.loc["phase-0", "interval_high_percent"])
    assert table["detected"].isna().tolist() == [True, False] and not table.loc["phase-1", "detected"]
    assert table["crystallite_size_nm"].dtype == np.float64
    assert table.loc["phase-0", "c_angstrom"] == 12.9925


def test_dataframe_of_a_failure_says_why(failed_analysis: Analysis) -> None:
    pytest.importorskip("pandas")
    table = failed_analysis.to_dataframe()
    assert len(table) == 1 and table["error"].item() == "no data. Export it again"
    assert table["weight_percent"].isna().all()


@pytest.mark.parametrize("package", ["pandas", "xarray"])
def test_without_the_package_it_says_what_to_install(
    make_analysis, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mixrd.report.series import Series

    monkeypatch.setitem(sys.modules, package, None)
    call = make_analysis().to_dataframe if package == "pandas" else Series([make_analysis()]).to_xarray
    with pytest.raises(UsageError, match=rf"{package}, which is not installed.*mixrd\[notebook\]"):
        call()


def test_plot_is_a_figure_with_its_three_axes(make_analysis) -> None:
    figure = make_analysis().plot(colours=["red", "lime"])
    assert isinstance(figure, Figure) and len(figure.axes) == 3
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    assert to_rgba(lines["phase-0"].get_color()) == to_rgba("red")
    assert to_rgba(lines["phase-2"].get_color()) == to_rgba("red"), "colours come again"
    assert figure._repr_png_().startswith(b"\x89PNG"), "a notebook shows it"


def test_plot_into_axes_of_your_own(make_analysis) -> None:
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert make_analysis().plot(right, scale="linear") is figure
    assert not left.lines and right.get_xlim() == (20.0, 80.0)
    np.testing.assert_array_equal(right.lines[0].get_ydata(), make_analysis().curves.observed)
    assert right.get_yscale() == "linear"


def test_plot_without_curves_says_what_to_do(make_analysis) -> None:
    with pytest.raises(UsageError, match="no fitted curves"):
        make_analysis(curves=None).plot()


def test_analysis_loads_no_report() -> None:
    code = "import sys, mixrd.analysis; print(*(m for m in sys.modules if m.startswith('mixrd.report')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
