"""Damaged copies of every sample file: a scan or a ScanError, nothing else."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from mixrd.errors import ScanError
from mixrd.scan import read_scan

_FOLDERS = (
    "brml",
    "bruker_raw",
    "csv",
    "dat",
    "gsas",
    "other",
    "ras",
    "rasx",
    "stoe_raw",
    "uxd",
    "xrdml",
    "xy",
    "xye",
)
_LARGEST = 250_000  # bytes: the larger samples add time, not cases


def _damage(data: bytes, rng: random.Random) -> bytes:
    damaged = bytearray(data)
    kind = rng.randrange(4)
    if kind == 0:
        return bytes(damaged[: rng.randrange(len(damaged))])
    at = rng.randrange(min(len(damaged), 4000))
    if kind == 1:
        for _ in range(20):
            damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    elif kind == 2:
        damaged[at : at + 4] = rng.choice([b"\xff\xff\xff\x7f", b"\0\0\0\0", b"nan ", b"1e99"])
    else:
        del damaged[at : at + 100]
    return bytes(damaged)


@pytest.mark.parametrize("folder", _FOLDERS)
def test_only_scan_errors_come_out(data_dir: Path, tmp_path: Path, folder: str) -> None:
    rng = random.Random(folder)
    refused = 0
    files = [p for p in sorted((data_dir / "formats" / folder).iterdir()) if p.stat().st_size < _LARGEST]
    for sample in files:
        for _ in range(8):
            path = tmp_path / sample.name
            path.write_bytes(_damage(sample.read_bytes(), rng))
            try:
                scan = read_scan(path)
            except ScanError as error:
                refused += 1
                assert error.cause and error.remedy and error.file == str(path)
            else:
                assert np.all(np.diff(scan.two_theta) > 0)
                assert np.all(np.isfinite(scan.counts))
                assert scan.two_theta[0] >= 0 and scan.two_theta[-1] <= 180
    assert refused > 0


@pytest.mark.parametrize(
    "name",
    [
        "brml/datalab_TiOF.brml",
        "bruker_raw/datalab_TiO2.raw",
        "bruker_raw/xylib_BT86.raw",
        "gsas/gsas2tut_FAP.XRA",
        "ras/xerus_HoB21.ras",
        "rasx/geddes_sample.rasx",
        "xrdml/geddes_sample.xrdml",
    ],
)
@pytest.mark.parametrize("part", [0.1, 0.5, 0.95])
def test_formats_that_know_their_length_are_never_read_in_part(
    data_dir: Path, tmp_path: Path, name: str, part: float
) -> None:
    data = (data_dir / "formats" / name).read_bytes()
    path = tmp_path / Path(name).name
    path.write_bytes(data[: int(part * len(data))])
    with pytest.raises(ScanError):
        read_scan(path)
