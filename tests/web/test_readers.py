"""Bad files harm nobody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mixrd.scan.optics import Optics
from mixrd.web.library import radiation_of
from mixrd.web.problems import ApiError
from mixrd.web.readers import Readers
from mixrd.web.reading import preview


@pytest.fixture(scope="module")
def readers() -> Iterator[Readers]:
    made = Readers()
    yield made
    made.pool.close()


def test_a_reader_that_dies_is_replaced(readers: Readers, scan_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.npz"
    readers.read("scan", scan_file, "a.xy", out=str(out))
    child = readers.pool._free.queue[-1]
    child.kill()
    with pytest.raises(ApiError) as refused:
        readers.read("scan", scan_file, "a.xy", out=str(out))
    assert refused.value.status == 422
    assert refused.value.body["file"] == "a.xy"
    assert readers.read("scan", scan_file, "a.xy", out=str(out))["points"] > 1000


def test_a_file_that_takes_for_ever_is_given_up(scan_file: Path, tmp_path: Path) -> None:
    readers = Readers(longest=0.01)
    try:
        with pytest.raises(ApiError, match=r"0\.01 s"):
            readers.read("scan", scan_file, "a.xy", out=str(tmp_path / "a.npz"))
    finally:
        readers.pool.close()


def test_a_file_that_nests_without_end_is_refused(readers: Readers, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb"
    bomb.write_text("a = " + "[" * 50_000, encoding="utf-8")
    with pytest.raises(ApiError) as refused:
        readers.read("instrument", bomb, "bomb.toml")
    assert refused.value.body["code"] == "INSTRUMENT"


def test_the_servers_own_name_of_a_file_is_not_told(readers: Readers, tmp_path: Path) -> None:
    path = tmp_path / "0123456789abcdef"
    path.write_text("no cif at all", encoding="utf-8")
    with pytest.raises(ApiError) as refused:
        readers.read("cif", path, "mine.cif", block=None, name="mine")
    assert "0123456789abcdef" not in str(refused.value.body)
    assert refused.value.body["file"] == "mine.cif"


def test_a_preview_keeps_every_peak() -> None:
    x = np.linspace(10, 90, 50_001)
    y = np.full_like(x, 10.0)
    peaks = np.random.default_rng(0).choice(x.size, 40, replace=False)
    y[peaks] = 1000.0
    shown = preview(x, y, 2000)
    assert len(shown) <= 2000
    # Neighbours within one stretch share its maximum: each peak has a shown one within a stretch.
    heights = x[shown][y[shown] == 1000]
    assert all(np.abs(heights - p).min() <= 80 / 1000 for p in x[peaks])
    assert np.all(np.diff(shown) > 0)


def test_a_short_curve_is_shown_whole() -> None:
    x = np.arange(100.0)
    assert np.array_equal(preview(x, x, 2000), np.arange(100))


def test_what_the_file_says_of_its_beam_is_kept(readers: Readers, data_dir: Path, tmp_path: Path) -> None:
    file = data_dir / "cases/12-kalpha1-monochromator/ka1_johansson.xrdml"
    about = readers.read("scan", file, "a.xrdml", out=str(tmp_path / "a.npz"))
    assert Optics.from_dict(json.loads(json.dumps(about["optics"]))).single_line is not None
    assert radiation_of(about["header"], about["optics"]) == "CuKa1"
    assert radiation_of(about["header"]) == "CuKa"
