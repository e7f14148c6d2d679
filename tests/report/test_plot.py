"""The plot holds what it should, and nothing lies on anything else."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from mixrd.errors import UsageError
from mixrd.report.colours import PHASE_COLOURS, phase_style
from mixrd.report.plot import fit_figure, plot_analysis

SIGNATURE = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize("scale", ["linear", "sqrt"])
def test_writes_a_picture_of_readable_size(make_analysis, tmp_path: Path, scale) -> None:
    path = tmp_path / "plot.png"
    plot_analysis(make_analysis(), path, scale=scale)
    assert path.read_bytes().startswith(SIGNATURE)
    height, width = imread(path).shape[:2]
    assert width >= 1200 and height >= 800


def test_picture_tells_nothing_of_the_machine(make_analysis, tmp_path: Path) -> None:
    path = tmp_path / "plot.png"
    plot_analysis(make_analysis(file="/home/someone/secret/scan.xy"), path)
    content = path.read_bytes()
    assert b"Software\x00mixrd" in content
    assert not any(word in content for word in (b"someone", b"secret", b"matplotlib", b"atplotlib"))


def test_result_without_curves_cannot_be_drawn(make_analysis, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no fitted curves"):
        plot_analysis(make_analysis(curves=None), tmp_path / "plot.png")


def test_folder_that_is_not_there(make_analysis, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        plot_analysis(make_analysis(), tmp_path / "no" / "plot.png")


@pytest.mark.parametrize("phases", [1, 3, 9])
def test_each_phase_has_its_line_its_marks_and_its_name(make_analysis, phases: int) -> None:
    analysis = make_analysis(phases)
    names = [p.name for p in analysis.phases]
    top, marks, difference = fit_figure(analysis.curves, names, "title").axes
    labels = [text.get_text() for text in top.get_legend().get_texts()]
    assert labels == ["measured", "fit", "background", *names]
    assert [text.get_text() for text in marks.get_yticklabels()] == names
    drawn = {line.get_label(): line for line in top.get_lines()}
    for i, name in enumerate(names):
        expected = analysis.curves.background + analysis.curves.contributions[i]
        np.testing.assert_array_equal(drawn[name].get_ydata(), expected)
    expected = analysis.curves.observed - analysis.curves.calculated
    np.testing.assert_array_equal(difference.get_lines()[-1].get_ydata(), expected)
    assert "degrees" in difference.get_xlabel()
    assert "counts" in top.get_ylabel() and "counts" in difference.get_ylabel()


@pytest.mark.parametrize("phases", [1, 3, 9])
@pytest.mark.parametrize("scale", ["linear", "sqrt"])
def test_nothing_overlaps(make_analysis, phases: int, scale) -> None:
    analysis = make_analysis(phases)
    figure = fit_figure(analysis.curves, [p.name for p in analysis.phases], "two\nlines", scale=scale)
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    top, marks, difference = figure.axes
    boxes = {
        "title": top._left_title.get_window_extent(renderer),
        "data": top.get_window_extent(renderer),
        "legend": top.get_legend().get_window_extent(renderer),
        "marks": marks.get_window_extent(renderer),
        "difference": difference.get_window_extent(renderer),
        "labels": top.yaxis.label.get_window_extent(renderer),
        "difference's label": difference.yaxis.label.get_window_extent(renderer),
        "names": marks.yaxis.get_tightbbox(renderer),
    }
    overlapping = [
        pair
        for pair in itertools.combinations(boxes, 2)
        if boxes[pair[0]].padded(-1).overlaps(boxes[pair[1]])
    ]
    assert overlapping == []
    for label in top.get_yticklabels():
        others = [o for o in top.get_yticklabels() if o is not label]
        extent = label.get_window_extent(renderer)
        assert not any(extent.overlaps(o.get_window_extent(renderer)) for o in others)
    width, height = figure.canvas.get_width_height()
    assert all(b.x0 >= 0 and b.y0 >= 0 and b.x1 <= width + 1 and b.y1 <= height + 1 for b in boxes.values())


def test_every_phase_looks_different() -> None:
    styles = [phase_style(i) for i in range(4 * len(PHASE_COLOURS))]
    assert len(set(styles)) == len(styles)


def test_negative_intensities_can_be_drawn_on_a_root_scale(make_analysis, tmp_path: Path) -> None:
    analysis = make_analysis()
    analysis.curves.observed[:] -= 100
    plot_analysis(analysis, tmp_path / "plot.png", scale="sqrt")
    assert (tmp_path / "plot.png").stat().st_size > 10_000
