"""The number of points that a file declares against the number that it holds."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mixrd.errors import ScanError
from mixrd.scan import read_scan
from mixrd.scan.declared import refuse_stretched_range

Save = Callable[..., Path]

_X = np.round(np.arange(10.0, 20.001, 0.02), 3)
_ROWS = "\n".join(f"{x} {100 + i * i % 37}" for i, x in enumerate(_X))


@pytest.mark.parametrize(
    "head", ["# Points: {}", "Number of points = {}", "title\n2-Theta Angle (Degrees)\nIntensity\n      {}"]
)
def test_text_that_declares_its_points(save: Save, head: str) -> None:
    assert len(read_scan(save(f"{head.format(_X.size)}\n{_ROWS}\n"))) == _X.size
    with pytest.raises(ScanError, match=f"{_X.size} of the {_X.size + 9} points"):
        read_scan(save(f"{head.format(_X.size + 9)}\n{_ROWS}\n"))


def test_text_that_declares_steps(save: Save) -> None:
    assert len(read_scan(save(f"# number of steps: {_X.size - 1}\n{_ROWS}\n"))) == _X.size


def test_text_that_declares_a_range(save: Save) -> None:
    head = "Start angle: 10\nStop angle: {}\nStep size: 0.02\n"
    assert "INCOMPLETE" not in dict(read_scan(save(head.format(20) + _ROWS)).warnings)
    assert "INCOMPLETE" in dict(read_scan(save(head.format(30) + _ROWS)).warnings)
    lines = _ROWS.splitlines()
    with pytest.raises(ScanError, match="header declares steps"):
        read_scan(save(head.format(20) + "\n".join(lines[:100] + lines[101:])))


_STRIP = 0.0131302826  # degrees: a strip of 55 micrometres at 240 mm


@pytest.mark.parametrize(
    ("first", "step", "points", "radius"),
    [
        (4.0 + _STRIP / 2, _STRIP, 5027, 240.0),
        (5.0 + 0.0167112690 / 2, 0.0167112690, 7181, 240.0),
        (10.004 + 0.01086644 / 2, 0.01086644, 8282, 145.0),
        (20.0, 0.02, 3001, 240.0),
        (26.025, 0.03, 1800, None),
    ],
)
@pytest.mark.parametrize("lost", [1, 3])
def test_a_lost_count_stretches_no_axis(
    first: float, step: float, points: int, radius: float | None, lost: int
) -> None:
    first = round(first, 8)
    last = round(first + step * (points - 1), 8)
    refuse_stretched_range(first, last, points, radius)
    with pytest.raises(ScanError, match=f"{points - lost} of the {points} points"):
        refuse_stretched_range(first, last, points - lost, radius)


def test_other_steps_are_left_alone() -> None:
    refuse_stretched_range(10.0031, 79.9873, 3317, 240.0)


@pytest.mark.parametrize(
    "name",
    [
        "formats/xrdml/datalab_Scan_C1.xrdml",
        "formats/xrdml/geddes_sample.xrdml",
        "measured/dara/ZnO_0p4006-In2O3_0p6008--8min.xrdml",
    ],
)
def test_xrdml_without_one_count(data_dir: Path, save: Save, name: str) -> None:
    text = (data_dir / name).read_text(encoding="utf-8-sig")
    found = re.search(r"(<(?:intensities|counts)[^>]*>\s*)\S+ (\S+ )", text)
    assert found is not None
    with pytest.raises(ScanError, match="points that it declares"):
        read_scan(save(text.replace(found[0], found[1] + found[2], 1), "a.xrdml"))


def _without_line(data: bytes, line: int) -> bytes:
    lines = data.split(b"\n")
    return b"\n".join(lines[:line] + lines[line + 1 :])


@pytest.mark.parametrize("name", ["rasx/geddes_sample.rasx", "brml/datalab_TiOF.brml"])
def test_archives_without_one_point(data_dir: Path, save: Save, name: str) -> None:
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(data_dir / "formats" / name) as old,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for member in old.namelist():
            data = old.read(member)
            if member.endswith("Profile0.txt"):
                data = _without_line(data, 200)
            elif member.endswith("RawData0.xml"):
                data = re.sub(rb"<Datum>[^<]*</Datum>", b"", data, count=1)
            new.writestr(member, data)
    with pytest.raises(ScanError, match="points that it declares"):
        read_scan(save(packed.getvalue(), "a.zip"))


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("ras/xerus_HoB21.ras", 1500),
        ("uxd/xylib_BT86_.UXD", 1000),
        ("gsas/geddes_gsas.raw", 200),
        ("gsas/gsas2tut_FAP.XRA", 300),
        ("gsas/gsas2tut_11bmb_8716.fxye", 3000),
    ],
)
def test_texts_without_one_line(data_dir: Path, save: Save, name: str, line: int) -> None:
    data = (data_dir / "formats" / name).read_bytes()
    with pytest.raises(ScanError):
        read_scan(save(_without_line(data, line), Path(name).name))


@pytest.mark.parametrize("name", ["gsas/geddes_gsas.raw", "gsas/gsas2tut_FAP.XRA"])
def test_a_gsas_record_that_stands_twice(data_dir: Path, save: Save, name: str) -> None:
    lines = (data_dir / "formats" / name).read_bytes().split(b"\n")
    with pytest.raises(ScanError, match="records"):
        read_scan(save(b"\n".join([*lines[:100], lines[99], *lines[100:]]), "a.gsas"))


@pytest.mark.parametrize("extra", [b"", b"\1\2\3\4"])
def test_bytes_of_a_raw_file(data_dir: Path, save: Save, extra: bytes) -> None:
    data = (data_dir / "formats/bruker_raw/xylib_BT86.raw").read_bytes()
    with pytest.raises(ScanError):
        read_scan(save(data + extra if extra else data[:-4], "a.raw"))


def test_a_ras_row_without_a_column(data_dir: Path, save: Save) -> None:
    data = (data_dir / "formats/ras/xerus_HoB21.ras").read_bytes()
    with pytest.raises(ScanError, match="has 2 columns"):
        read_scan(save(re.sub(rb"\n(15\.0000 )\S+ ", rb"\n\1", data, count=1), "a.ras"))


@pytest.mark.parametrize(
    "name",
    ["uxd/xylib_BT86_.UXD", "gsas/gsas2tut_FAP.XRA", "ras/xerus_HoB21.ras", "xrdml/geddes_sample.xrdml"],
)
def test_end_of_file_mark_of_dos(data_dir: Path, save: Save, name: str) -> None:
    path = data_dir / "formats" / name
    plain, marked = read_scan(path), read_scan(save(path.read_bytes() + b"\x1a", path.name))
    np.testing.assert_array_equal(plain.counts, marked.counts)
    np.testing.assert_array_equal(plain.two_theta, marked.two_theta)


def test_miniflex_radius(data_dir: Path) -> None:
    scan = read_scan(data_dir / "cases/22-rigaku-miniflex/HoMoC2.ras")
    assert (len(scan), scan.goniometer_radius_mm) == (3001, 150.0)
    assert read_scan(data_dir / "formats/ras/xrayutilities_inas.ras").goniometer_radius_mm == 300.0
