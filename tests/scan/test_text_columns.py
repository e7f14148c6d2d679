"""Text columns: separators, decimal marks, encodings, headers, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mixrd.errors import ScanError
from mixrd.scan import read_scan

Save = Callable[..., Path]
Points = list[tuple[float, int]]


def _table(points: Points, separator: str = " ", comma: bool = False, head: str = "", end: str = "\n") -> str:
    rows = [f"{x:.3f}{separator}{y:.1f}" for x, y in points]
    if comma:
        rows = [row.replace(".", ",") for row in rows]
    return head + end.join(rows) + end


@pytest.mark.parametrize(
    ("separator", "comma"),
    [
        (" ", False),
        ("\t", False),
        (";", False),
        (",", False),
        (", ", False),
        (" ", True),
        ("\t", True),
        (";", True),
        ("; ", True),
    ],
)
@pytest.mark.parametrize("head", ["", "# made up\n", "2Theta;Intensity\n", "a title\n\n2Theta Counts\n"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators(save: Save, points: Points, separator: str, comma: bool, head: str, end: str) -> None:
    scan = read_scan(save(_table(points, separator, comma, head.replace("\n", end), end)))
    np.testing.assert_array_equal(scan.two_theta, [x for x, _ in points])
    np.testing.assert_array_equal(scan.counts, [y for _, y in points])
    assert scan.warnings == (("SHORT_RANGE", "the scan covers 2.95 deg only"),)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
def test_encodings(save: Save, points: Points, encoding: str) -> None:
    scan = read_scan(save(_table(points, head="# µm\n").encode(encoding)))
    np.testing.assert_array_equal(scan.counts, [y for _, y in points])


def test_comments_anywhere(save: Save, points: Points) -> None:
    lines = _table(points).splitlines()
    lines[10:10] = ["# lamp off", "! note", "", "; note"]
    assert len(read_scan(save("\n".join(lines)))) == 60


def test_lone_first_number_is_the_wavelength(save: Save, points: Points) -> None:
    assert read_scan(save(_table(points, head="0.7093\n"))).wavelength_angstrom == 0.7093
    assert read_scan(save(_table(points, head="60\n"))).wavelength_angstrom is None


def test_start_step_stop_line_is_not_a_point(save: Save, points: Points) -> None:
    assert len(read_scan(save(_table(points, head="10.0 0.05 12.95\n")))) == 60


def test_third_column_is_the_uncertainty(save: Save, points: Points) -> None:
    text = "\n".join(f"{x} {y} {y**0.5:.4f}" for x, y in points)
    scan = read_scan(save(text))
    assert scan.sigma is not None
    np.testing.assert_allclose(scan.sigma, np.sqrt([y for _, y in points]), atol=1e-4)


@pytest.mark.parametrize("third", ["1.0", "{big}", "-{y}", "nan"])
def test_third_column_that_is_none(save: Save, points: Points, third: str) -> None:
    text = "\n".join(f"{x} {y} " + third.format(y=y % 5 + 1, big=y * 3) for x, y in points)
    scan = read_scan(save(text))
    assert scan.sigma is None
    assert "COLUMN_IGNORED" in dict(scan.warnings)


def test_third_column_named_otherwise(save: Save, points: Points) -> None:
    text = "2Theta,Iobs,Icalc\n" + "\n".join(f"{x},{y},{y**0.5:.3f}" for x, y in points)
    scan = read_scan(save(text))
    assert scan.sigma is None
    assert "Icalc" in dict(scan.warnings)["COLUMN_IGNORED"]


def test_named_columns_of_a_wide_table(save: Save, points: Points) -> None:
    text = "No,2Theta,Iobs,bkg\n" + "\n".join(f"{i},{x},{y},{i % 3}" for i, (x, y) in enumerate(points))
    scan = read_scan(save(text, "a.csv"))
    np.testing.assert_array_equal(scan.two_theta, [x for x, _ in points])
    np.testing.assert_array_equal(scan.counts, [y for _, y in points])


def test_zero_uncertainties_get_the_smallest(save: Save, points: Points) -> None:
    text = "\n".join(f"{x} {y} {0 if i == 5 else y**0.5}" for i, (x, y) in enumerate(points))
    scan = read_scan(save(text))
    assert scan.sigma is not None
    assert scan.sigma[5] == np.delete(scan.sigma, 5).min() > 0
    assert "SIGMA_ZERO" in dict(scan.warnings)


def test_rate_column(save: Save, points: Points) -> None:
    text = _table(points, head="# Time per step: 2.5\n2Theta [deg] Intensity[cps]\n")
    scan = read_scan(save(text.replace("2Theta [deg]", "2Theta")))
    np.testing.assert_allclose(scan.counts, [2.5 * y for _, y in points])


def test_descending_scan_is_turned_round(save: Save, points: Points) -> None:
    scan = read_scan(save(_table(points[::-1])))
    np.testing.assert_array_equal(scan.counts, [y for _, y in points])
    assert "REVERSED" in dict(scan.warnings)


def test_points_that_stand_twice(save: Save, points: Points) -> None:
    scan = read_scan(save(_table([*points[:20], points[19], *points[20:]])))
    assert len(scan) == 60 and "DUPLICATES" in dict(scan.warnings)
    with pytest.raises(ScanError, match="stand twice"):
        read_scan(save(_table([*points[:20], (points[19][0], 9), *points[20:]])))


def test_negative_counts_are_doubted(save: Save, points: Points) -> None:
    assert "NEGATIVE_COUNTS" in dict(read_scan(save(_table([(x, y - 45) for x, y in points]))).warnings)


@pytest.mark.parametrize(
    ("label", "cause"),
    [
        ("Q(1/A) Intensity", "momentum transfer Q"),
        ("# q I", "momentum transfer Q"),
        ("d(A);I", "d spacing"),
        ("TOF counts", "time of flight"),
        ("Q (Inverse Nanometres)\nIntensity", "momentum transfer Q"),
        ("# neutron data of D2B", "neutron"),
    ],
)
def test_other_axes_are_refused(save: Save, points: Points, label: str, cause: str) -> None:
    separator = ";" if ";" in label else " "
    with pytest.raises(ScanError, match=cause):
        read_scan(save(_table(points, separator, head=label + "\n")))


def _change(points: Points, **changes: object) -> str:
    rows = [[f"{x}", f"{y}"] for x, y in points]
    for place, value in changes.items():
        column, row = place.split("_")
        rows[int(row)]["xy".index(column)] = str(value)
    return "\n".join(" ".join(row) for row in rows)


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"y_7": "nan"}, "not numbers"),
        ({"y_7": "inf"}, "not numbers"),
        ({"x_30": "3.0"}, "do not increase"),
        ({"x_59": "181"}, "not 2-theta"),
        ({"x_0": "-5"}, "not 2-theta"),
        ({"x_59": "5000"}, "hundredths"),
        ({"y_30": "oops"}, "line 31 is not a row"),
        ({"y_30": "1 2"}, "line 31 has 3 columns"),
        ({"y_59": ""}, "line 60 is not a row"),
    ],
)
def test_bad_rows(save: Save, points: Points, changes: dict[str, object], cause: str) -> None:
    with pytest.raises(ScanError, match=cause):
        read_scan(save(_change(points, **changes)))


@pytest.mark.parametrize(
    ("rows", "cause"),
    [
        ([(10 + i, 7) for i in range(30)], "7 everywhere"),
        ([(10 + i, 0) for i in range(30)], "0 everywhere"),
        ([(10 + i, -1 - i) for i in range(30)], "above zero"),
        ([(10 + i, i) for i in range(12)], "12 points are too few"),
        ([(10 + i * 0.01, i) for i in range(25)], "too short"),
    ],
)
def test_what_is_no_scan(save: Save, rows: Points, cause: str) -> None:
    with pytest.raises(ScanError, match=cause):
        read_scan(save(_table(rows)))


def test_intensities_without_angles(save: Save) -> None:
    with pytest.raises(ScanError, match="single column"):
        read_scan(save("\n".join(str(i * 7 % 11) for i in range(100))))
    with pytest.raises(ScanError, match="rows of 10 numbers"):
        read_scan(save("\n".join(" ".join(str((i * j) % 13) for j in range(10)) for i in range(50))))


def test_prose(save: Save) -> None:
    with pytest.raises(ScanError, match="no table of angles and intensities"):
        read_scan(save("Dear colleague,\nplease find the scan attached.\n"))


def test_a_table_alone_is_read_as_one_with_a_blank_line(save: Save, points: Points) -> None:
    """The first goes a quicker way."""
    rows = [f" {x:.3f}\t+{y:.2e} " for x, y in points]
    even = read_scan(save("\n".join(["# a comment", "", *rows])))
    other = read_scan(save("\n".join(["# a comment", "", *rows[:9], "", *rows[9:]])))
    assert np.array_equal(even.two_theta, other.two_theta) and np.array_equal(even.counts, other.counts)
    assert even.warnings == other.warnings
