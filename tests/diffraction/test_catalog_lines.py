"""The shipped lines are those that the catalog's structures have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mixrd.diffraction.catalog_lines import D_RANGE, catalog_lines, phase_lines, write_catalog_lines
from mixrd.phases import catalog_entry, catalog_names


def test_every_phase_is_there() -> None:
    assert tuple(catalog_lines()) == catalog_names()


@pytest.mark.parametrize("name", catalog_names())
def test_what_is_stored_is_what_the_structure_gives(name: str) -> None:
    """If this fails, the catalog has changed: python -m mixrd.diffraction.catalog_lines"""
    stored, calculated = catalog_lines()[name], phase_lines(catalog_entry(name).crystal)
    assert stored.d_spacing == pytest.approx(calculated.d_spacing, rel=1e-6)
    assert stored.intensity == pytest.approx(calculated.intensity, rel=1e-5)
    assert (np.diff(stored.d_spacing) <= 0).all()
    assert D_RANGE[0] <= stored.d_spacing[-1] and stored.d_spacing[0] <= D_RANGE[1]


def test_lines_that_everybody_knows() -> None:
    quartz = catalog_lines()["quartz"]
    assert quartz.d_spacing[:2] == pytest.approx([4.255, 3.343], abs=0.002)


def test_writing_them_is_reproducible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mixrd.diffraction.catalog_lines.catalog_names", lambda: ("halite", "quartz"))
    write_catalog_lines(tmp_path / "lines.npz")
    with np.load(tmp_path / "lines.npz") as stored:
        assert stored["name"].tolist() == ["halite", "quartz"]
        assert int(stored["count"].sum()) == len(stored["d_spacing"]) == len(stored["intensity"])
