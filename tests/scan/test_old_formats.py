"""Old formats that list counts: read with the right angles, or refused for the number that is wrong."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mixrd.errors import ScanError
from mixrd.scan import read_scan

Save = Callable[..., Path]

_COUNTS = np.random.default_rng(5).poisson(200, 251)


def _rows(width: int, separator: str = " ", counts: np.ndarray = _COUNTS) -> str:
    return "\n".join(
        separator.join(str(count) for count in counts[i : i + width]) for i in range(0, counts.size, width)
    )


def _udf(counts: np.ndarray = _COUNTS) -> str:
    head = "SampleIdent,x,/\nAnode,Cu,/\nLabdaAlpha1, 1.54060,/\nDataAngleRange, 10.0, 15.0,/\n"
    return f"{head}ScanStepSize, 0.020,/\nRawScan\n{_rows(8, ', ', counts)}/\n"


def _rigaku(counts: np.ndarray = _COUNTS, groups: int = 1) -> str:
    one = "*BEGIN\n*START = 10.0\n*STOP = 15.0\n*STEP = 0.02\n*COUNT = 251\n{}\n*END\n"
    head = f"*TYPE = Raw\n*TARGET = 29\n*WAVE_LENGTH1 = 1.54056\n*GROUP_COUNT = {groups}\n"
    return head + one.format(_rows(4, ", ", counts)) * groups + "*EOF\n"


def _texts(counts: np.ndarray = _COUNTS) -> dict[str, str]:
    return {
        "Philips UDF": _udf(counts),
        "Sietronics CPI": "SIETRONICS XRD SCAN\n10.00\n15.00\n0.02\nCu\n1.54056\n1-1-1999\n1\nx\nSCANDATA\n"
        f"{_rows(1, counts=counts)}\n",
        "Jade MDI": f"x   07/01/99 DIF\n 10.000 0.020 1.0 CU 1.54056 15.000 251\n{_rows(8, counts=counts)}\n",
        "Rigaku DAT": _rigaku(counts),
        "DBWS": f"  10.000   0.020  15.000 sample\n{_rows(8, counts=counts)}\n",
        "XDD": f"/* a comment\nof two lines */\nsample A\n10.000 0.020 15.000\n{_rows(10, counts=counts)}\n",
        "one a line": f"10.000 0.020 15.000\n{_rows(1, counts=counts)}\n",
        "stop before step": f"10.000 15.000 0.020\n{_rows(5, counts=counts)}\n",
    }


@pytest.mark.parametrize("name", _texts())
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\x1a"])
def test_counts_of_text_formats(save: Save, name: str, end: str) -> None:
    text = _texts()[name]
    scan = read_scan(save(text + end if "\x1a" in end else text.replace("\n", end), "scan.txt"))
    np.testing.assert_allclose(scan.two_theta, 10 + 0.02 * np.arange(251), atol=1e-9)
    np.testing.assert_array_equal(scan.counts, _COUNTS)
    assert scan.format in (name, "counts below start, step and stop")
    if name not in ("DBWS", "XDD", "one a line", "stop before step"):
        assert scan.anode == "Cu" and scan.wavelength_angstrom in (1.5406, 1.54056)


@pytest.mark.parametrize("name", _texts())
@pytest.mark.parametrize("counts", [_COUNTS[:-1], np.delete(_COUNTS, 100), np.append(_COUNTS, [3, 4])])
def test_another_number_of_counts(save: Save, name: str, counts: np.ndarray) -> None:
    with pytest.raises(ScanError, match=f"{counts.size}.*251|251.*{counts.size}"):
        read_scan(save(_texts(counts)[name], "scan.txt"))


@pytest.mark.parametrize("name", [name for name in _texts() if "XDD" not in name])
def test_a_count_that_is_no_number(save: Save, name: str) -> None:
    head, tail = _texts()[name][:-100], _texts()[name][-100:]
    with pytest.raises(ScanError):
        read_scan(save(head + tail.replace("2", "?"), "scan.txt"))


def test_groups_of_a_rigaku_file(save: Save) -> None:
    path = save(_rigaku(groups=2))
    with pytest.raises(ScanError, match="holds 2 scans"):
        read_scan(path)
    assert len(read_scan(path, scan=2)) == 251
    with pytest.raises(ScanError, match="1 whole groups"):
        read_scan(save(_rigaku(groups=2)[:-300]))


def test_a_table_below_start_step_and_stop_stays_a_table(save: Save) -> None:
    rows = "\n".join(f"{10 + 0.02 * i:.2f} {count}" for i, count in enumerate(_COUNTS))
    scan = read_scan(save(f"10.0 0.02 15.0\n{rows}\n"))
    assert scan.format == "text columns" and len(scan) == 251


def _raw_1(ranges: int = 1, repeat: bool = True) -> bytes:
    data = b""
    for i in range(ranges):
        head = struct.pack("<IffIIf", 251, 4.0, 0.02, 0, 0, 10.0 + 10 * i) + struct.pack(
            "<3f", -1e6, -1e6, -1e6
        )
        head += (
            bytes(32) + struct.pack("<2f", 1.54056, 1.54439) + bytes(72) + struct.pack("<I", i + 1 < ranges)
        )
        data += (b"RAW " if repeat or i == 0 else b"") + head + _COUNTS.astype("<f4").tobytes()
    return data


def _raw_2(ranges: int = 1) -> bytes:
    head = b"RAW2" + struct.pack("<H", ranges) + bytes(162) + b"19-12-1997".ljust(20) + b"Cu"
    head += struct.pack("<3f", 1.54056, 1.54439, 0.5)
    head = head.ljust(256, b"\0")
    for i in range(ranges):
        own = struct.pack("<HHIfff", 60, 251, 0, 3.0, 0.02, 10.0 + 10 * i)
        head += own.ljust(60, b"\0") + _COUNTS.astype("<f4").tobytes()
    return head


@pytest.mark.parametrize("data", [_raw_1(), _raw_2(), _raw_1(2), _raw_1(2, repeat=False), _raw_2(2)])
def test_old_raw(save: Save, data: bytes) -> None:
    scan = read_scan(save(data, "a.raw"))
    np.testing.assert_allclose(scan.two_theta, 10 + 0.02 * np.arange(251), atol=1e-9)
    np.testing.assert_array_equal(scan.counts, _COUNTS)
    assert scan.wavelength_angstrom == 1.54056
    assert scan.counting_time_s == (3.0 if data.startswith(b"RAW2") else 4.0)


@pytest.mark.parametrize("data", [_raw_1(), _raw_2()])
def test_old_raw_of_another_length(save: Save, data: bytes) -> None:
    with pytest.raises(ScanError, match=r"250 of the 251|249 of the 251"):
        read_scan(save(data[:-4]))
    with pytest.raises(ScanError, match="follow the points"):
        read_scan(save(data + b"\1\2\3\4"))
    with pytest.raises(ScanError, match="header"):
        read_scan(save(data[:100]))


@pytest.mark.parametrize(
    "name", ["philips.udf", "sietronics.cpi", "jade.mdi", "rigaku.dat", "dbws.rit", "koalariet.xdd"]
)
def test_files_of_the_case(data_dir: Path, name: str) -> None:
    truth = read_scan(data_dir / "cases/08-pyfai-q/pyfai_2th.dat")
    scan = read_scan(data_dir / "cases/25-old-text-formats" / name)
    np.testing.assert_allclose(scan.two_theta, truth.two_theta, atol=1e-9)
    np.testing.assert_array_equal(scan.counts, truth.counts)
    assert scan.warnings == ()


def test_raw_files_of_the_cases(data_dir: Path) -> None:
    scan = read_scan(data_dir / "cases/24-bruker-raw-1/pyxrd_raw1.raw")
    assert (len(scan), scan.two_theta[0], scan.counting_time_s) == (876, 4.98, 4.0)
    np.testing.assert_allclose(np.diff(scan.two_theta), 0.04)
    scan = read_scan(data_dir / "formats/bruker_raw/pyxrd_brk_raw2.raw")
    assert (len(scan), scan.two_theta[0], scan.two_theta[-1], scan.anode) == (7251, 5.0, 150.0, "Cu")
