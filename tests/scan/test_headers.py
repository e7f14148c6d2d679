"""What headers say: wavelength, anode, time, axis, radius; and nothing where they say nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixrd.scan import read_scan
from mixrd.scan.text_headers import text_facts


@pytest.mark.parametrize(
    ("name", "wavelength", "anode", "time", "axis", "radius"),
    [
        ("formats/xrdml/geddes_sample.xrdml", 1.540598, "Cu", 39.27, "Gonio", 240.0),
        ("formats/brml/datalab_TiOF.brml", 1.5406, "Cu", 124.8, "Coupled TwoTheta/Theta", 141.0),
        ("formats/uxd/xylib_BT86_.UXD", 1.5406, "Cu", 0.5, "COUPLED", 200.5),
        ("formats/ras/xerus_HoB21.ras", 1.540593, "Cu", 0.4, "TwoThetaTheta", 150.0),
        ("formats/rasx/dara_RM20220915Si01.rasx", 1.540593, "Cu", 0.6, "TwoThetaTheta", 300.0),
        ("formats/bruker_raw/xylib_BT86.raw", 1.5406, "Cu", 0.5, "locked coupled", 200.5),
        # the range header says 1.5418 (the mean), the tube's own record 1.5406 for K-alpha-1
        ("formats/bruker_raw/xrdpattern_bruker.raw", 1.5406, "Cu", 0.288, "2Theta", None),
        ("formats/gsas/gsas2tut_11bmb_8716.fxye", 0.413259, None, 0.2, None, None),
        ("formats/gsas/gsas2tut_FAP.XRA", None, None, None, None, None),
        ("formats/xy/dara_BiFeO3.xy", None, None, None, None, None),
        ("measured/cpd/CPD-1A.xye", 1.540593, None, None, None, None),
        ("measured/cpd/corundum-pure.prn", None, None, None, None, None),
        ("measured/dara/ZnO_0p4006-In2O3_0p6008--8min.xrdml", 1.540598, "Cu", 12.495, "Gonio", 145.0),
    ],
)
def test_header(
    data_dir: Path,
    name: str,
    wavelength: float | None,
    anode: str | None,
    time: float | None,
    axis: str | None,
    radius: float | None,
) -> None:
    scan = read_scan(data_dir / name)
    assert scan.wavelength_angstrom == wavelength
    assert scan.anode == anode
    assert scan.counting_time_s == time
    assert scan.scan_axis == axis
    assert scan.goniometer_radius_mm == radius


def test_every_measured_scan_reads_without_doubt(data_dir: Path) -> None:
    files = [p for p in (data_dir / "measured").rglob("*") if p.suffix in (".xye", ".prn", ".xrdml")]
    assert len(files) == 30
    for path in files:
        scan = read_scan(path)
        assert scan.warnings == ()
        assert (scan.sigma is not None) == (path.suffix == ".xye")


def test_removed_line_is_told(data_dir: Path) -> None:
    scan = read_scan(data_dir / "formats/bruker_raw/geddes_bruker4_diffrac_eva.raw")
    assert {"KALPHA2_REMOVED", "NEGATIVE_COUNTS", "NOT_COUNTS"} <= dict(scan.warnings).keys()


@pytest.mark.parametrize(
    ("line", "wavelength"),
    [
        ("1.540593", 1.540593),
        ("# wavelength: 1.78897 A", 1.78897),
        ("# Wavelength (nm) = 0.15406", 1.5406),
        ("; lambda = 0,7093", 0.7093),
        ("K-Alpha1 wavelength,1.5405980", 1.540598),
        ("K-Alpha2 wavelength,1.5444260", None),
        ("Ratio K-Alpha2/K-Alpha1,0.5", None),
        ("K-Beta wavelength,1.39225", None),
        ("# sample 1.54", None),
        ("8001", None),
    ],
)
def test_wavelength_in_text(line: str, wavelength: float | None) -> None:
    assert text_facts([line]).wavelength_angstrom == (
        None if wavelength is None else pytest.approx(wavelength, rel=1e-9)
    )


def test_eva_export_header() -> None:
    facts = text_facts(['\'Id: "" Anode: "Co" Scantype: "Coupled TwoTheta/Theta" TimePerStep: "96"'])
    assert (facts.anode, facts.counting_time_s) == ("Co", 96.0)
    assert facts.axis == "Coupled TwoTheta/Theta"
