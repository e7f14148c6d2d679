"""Regions that the refinement left out are left out of what is handed over, in each program's own way."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path

import gemmi
import numpy as np
import pytest
import rietx
from rietx.io.projects import read_fullprof_pcr

from mixrd.analysis import Analysis, Preparation, analyze
from mixrd.crystal import Crystal
from mixrd.export import Handover, export, handover, with_second_opinion
from mixrd.pattern import Instrument
from mixrd.scan import Scan

HOLDER = (37.0, 38.5)
#: The strongest line of corundum is there, and in the scan the line of a holder 20 times as strong.
REGIONS = (HOLDER, (80.0, 90.0))


@pytest.fixture(scope="module")
def disturbed(scan: Scan) -> Scan:
    line = 4e5 * np.exp(-(((scan.two_theta - 37.8) / 0.1) ** 2))
    return dataclasses.replace(scan, counts=np.round(scan.counts + line))


@pytest.fixture(scope="module")
def result(disturbed: Scan, crystals: list[Crystal], instrument: Instrument) -> Analysis:
    return analyze(disturbed, crystals, instrument, preparation=Preparation(excluded=REGIONS))


@pytest.fixture(scope="module")
def told(result: Analysis, disturbed: Scan) -> Handover:
    return handover(result, disturbed)


def test_regions_within_the_scan(told: Handover) -> None:
    assert told.excluded == (HOLDER,)
    # The data are there, so that a program can show them.
    assert np.any((told.two_theta > 37.2) & (told.two_theta < 38.3))


def test_texts(told: Handover, result: Analysis, disturbed: Scan) -> None:
    assert "  exclude 37.0000 38.5000\n" in export(result, disturbed, "topas")["mixture.inp"]
    assert "\nCUT[1]=37.000:38.500\n" in export(result, disturbed, "bgmn")["mixture.sav"]


def test_fullprof_is_read_back(result: Analysis, disturbed: Scan, tmp_path: Path) -> None:
    for name, text in export(result, disturbed, "fullprof").items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert read_fullprof_pcr(tmp_path / "mixture.pcr").excluded_regions == [HOLDER]


def test_gsas2_settings(result: Analysis, disturbed: Scan) -> None:
    script = export(result, disturbed, "gsas2")["mixture_gsas2.py"]
    (settings,) = (
        node.value
        for node in ast.parse(script).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "SETTINGS"
    )
    assert ast.literal_eval(settings)["excluded"] == [list(HOLDER)]


def test_cif_weighs_nothing_there(result: Analysis, disturbed: Scan) -> None:
    block = gemmi.cif.read_string(export(result, disturbed, "cif")["mixture.cif"])[-1]
    assert "37 to 38.5" in block.find_value("_pd_proc_info_excluded_regions")
    for x, weight in block.find(["_pd_meas_2theta_scan", "_pd_proc_ls_weight"]):
        assert (float(weight) == 0) == (HOLDER[0] <= float(x) <= HOLDER[1])


def test_rietx_finds_the_same_with_it(
    result: Analysis, disturbed: Scan, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in export(result, disturbed, "rietx").items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    script = tmp_path / "mixture_rietx.py"
    exec(compile(script.read_text("utf-8"), str(script), "exec"), {"__file__": str(script)})
    line = next(row for row in capsys.readouterr().out.splitlines() if row.startswith("corundum"))
    assert float(line.split()[1]) == pytest.approx(40, abs=1)


def test_the_second_opinion_leaves_them_out(result: Analysis, disturbed: Scan) -> None:
    opinion = with_second_opinion(result, disturbed).second_opinion
    assert opinion is not None and opinion.weight_percent["corundum"] == pytest.approx(40, abs=1.5)
    assert rietx.__version__ == opinion.version
