"""Many results together: DataFrame, Dataset, heat map, HTML, and back from the folder of a batch."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from mixrd.analysis import Analysis
from mixrd.errors import InputError, UsageError
from mixrd.report.files import write_batch, write_result
from mixrd.report.series import Series
from mixrd.report.series_figure import amounts, states


@pytest.fixture
def series(make_analysis, failed_analysis: Analysis) -> Series:
    """Two phases, a failure, three phases."""
    return Series(
        [make_analysis(2, file="s1.xy"), failed_analysis, make_analysis(3, file="s3.xy", warnings=())]
    )


def test_is_a_sequence(series: Series) -> None:
    assert len(series) == 3
    assert series[1].status == "failed"
    part = series[1:]
    assert isinstance(part, Series) and part.labels == ("broken.xy", "s3.xy")
    assert series.phases == ("phase-0", "phase-1", "phase-2")
    assert "3 scans, 1 failed" in repr(series)
    with pytest.raises(UsageError, match="2 labels for 3"):
        Series(list(series), ["a", "b"])


def test_dataframe_is_tidy_and_pivots(series: Series) -> None:
    pytest.importorskip("pandas")
    table = series.to_dataframe()
    assert list(table["scan"]) == ["s1.xy"] * 2 + ["broken.xy"] + ["s3.xy"] * 3
    assert table.loc[2, "error"] == "no data. Export it again"
    wide = table.dropna(subset="phase").pivot(index="scan", columns="phase", values="weight_percent")
    assert wide.loc["s1.xy", "phase-1"] == 50 and np.isnan(wide.loc["s1.xy", "phase-2"])
    assert wide.loc["s3.xy"].sum() == pytest.approx(100)


def test_dataset_has_scan_phase_and_curves(series: Series) -> None:
    pytest.importorskip("xarray")
    data = series.to_xarray()
    assert dict(data.sizes) == {"scan": 3, "phase": 3, "cell_parameter": 6, "two_theta": 1201}
    assert float(data.weight_percent.sel(scan="s3.xy", phase="phase-2")) == pytest.approx(100 / 3)
    assert np.isnan(data.weight_percent.sel(scan="broken.xy")).all()
    assert data.weight_percent.attrs["units"] == "wt%"
    assert float(data["cell"].sel(scan="s1.xy", phase="phase-0", cell_parameter="c")) == 12.9925
    assert list(data.status.values) == ["ok", "failed", "ok"]
    assert str(data["error"].sel(scan="broken.xy").values) == "no data. Export it again"
    assert list(data["warnings"].values) == ["POOR_FIT", "", ""]
    curves = series[2].curves
    assert curves is not None
    np.testing.assert_array_equal(data.observed.sel(scan="s3.xy"), curves.observed)
    whole = data.background + data.contributions.sum("phase")
    np.testing.assert_allclose(whole.sel(scan="s3.xy"), data.calculated.sel(scan="s3.xy"))
    assert np.isnan(data.contributions.sel(scan="s1.xy", phase="phase-2")).all()
    assert float(data.observed.sel(two_theta=50, method="nearest").sel(scan="s1.xy")) >= 0


def test_curves_on_different_grids_are_not_mixed_in_silence(series: Series) -> None:
    pytest.importorskip("xarray")
    curves = series[0].curves
    assert curves is not None
    shifted = dataclasses.replace(
        series[0], curves=dataclasses.replace(curves, two_theta=curves.two_theta + 0.01)
    )
    mixed = Series([series[2], shifted])
    with pytest.raises(UsageError, match="different angles"):
        mixed.to_xarray()
    assert "observed" not in mixed.to_xarray(curves=False)
    data = mixed.to_xarray(two_theta=[19.0, 50.005, 80.02])
    assert np.isnan(data.observed.isel(two_theta=[0, 2])).all()
    at = int(np.searchsorted(curves.two_theta, 50.0 - 1e-9))
    assert float(curves.two_theta[at]) == pytest.approx(50.0)
    share = (50.005 - 0.01 - curves.two_theta[at - 1]) / (curves.two_theta[at] - curves.two_theta[at - 1])
    expected = (1 - share) * curves.observed[at - 1] + share * curves.observed[at]
    assert float(data.observed.isel(scan=1, two_theta=1)) == pytest.approx(expected)


def test_series_without_curves_or_results(make_analysis, failed_analysis: Analysis) -> None:
    pytest.importorskip("xarray")
    assert "two_theta" not in Series([make_analysis(curves=None)]).to_xarray().sizes
    assert Series([failed_analysis]).to_xarray().sizes["phase"] == 0
    assert Series([failed_analysis]).plot().axes
    assert len(Series([]).to_dataframe()) == 0


def test_comes_back_from_the_folder_of_a_batch(series: Series, tmp_path: Path) -> None:
    names = ["s1", "broken", "s3"]
    for name, analysis in zip(names, series, strict=True):
        if analysis.status == "ok":
            write_result(analysis, tmp_path, name=name, plots=False)
    write_batch(list(zip(names, series, strict=True)), tmp_path)
    back = Series.from_folder(tmp_path)
    assert back.labels == tuple(names)
    assert [a.to_dict() for a in back if a.status == "ok"] == [
        a.to_dict() for a in series if a.status == "ok"
    ]
    assert back[1].error == series[1].error
    (tmp_path / "s3.json").unlink()
    with pytest.raises(InputError, match=r"s3\.json"):
        Series.from_folder(tmp_path)
    with pytest.raises(InputError, match="summary"):
        Series.from_folder(tmp_path / "nowhere")


def test_html_escapes_and_shortens(make_analysis, failed_analysis: Analysis) -> None:
    bad = dataclasses.replace(failed_analysis, error="<script>")
    shown = Series([make_analysis(file=f"<i>{i}") for i in range(40)] + [bad])._repr_html_()
    assert "<i>" not in shown and "<script>" not in shown and "&lt;script&gt;" in shown
    assert shown.count("<tr>") == 22, "a head, ten, dots, ten"
    assert "1 failed, 40 with warnings" in shown


def test_heat_map_shows_amounts_and_states(series: Series) -> None:
    strip, map_, *_ = series.plot().axes
    results = list(zip(series.labels, series, strict=True))
    shown = np.ma.filled(map_.images[0].get_array().astype(float), np.nan)
    np.testing.assert_allclose(shown, amounts(results, series.phases))
    np.testing.assert_allclose(shown[:, 0], [50, 50, np.nan])
    assert np.isnan(shown[:, 1]).all()
    assert strip.images[0].get_array().tolist() == [[1, 2, 0]] == [states(list(series)).tolist()]
    assert [label.get_text() for label in map_.get_xticklabels()] == list(series.labels)
    assert [label.get_text() for label in map_.get_yticklabels()] == list(series.phases)


def test_heat_map_into_a_part_of_a_figure(series: Series) -> None:
    from matplotlib.figure import Figure

    left, right = Figure().subfigures(1, 2)
    assert series.plot(right, colormap="magma") is right
    assert not left.axes and right.axes[1].images[0].get_cmap().name == "magma"


def test_long_series_is_numbered_from_one(make_analysis) -> None:
    labels = [label.get_text() for label in Series([make_analysis()] * 200).plot().axes[1].get_xticklabels()]
    assert labels[0] == "1" and labels[-1] == "200" and len(labels) < 15
