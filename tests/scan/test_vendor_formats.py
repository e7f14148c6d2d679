"""Vendor formats where the sample files have no case: several scans, rates, attenuators, hostile files."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mixrd.errors import ScanError
from mixrd.scan import opened_file, read_scan

Save = Callable[..., Path]

_XRDML = """<?xml version="1.0" encoding="UTF-8"?>
<xrdMeasurements xmlns="http://www.xrdml.com/XRDMeasurement/2.1" status="Completed">
<xrdMeasurement measurementType="{kind}" status="Completed">
<usedWavelength intended="K-Alpha 1"><kAlpha1 unit="Angstrom">1.7889700</kAlpha1>
<kAlpha2 unit="Angstrom">1.7929000</kAlpha2></usedWavelength>
<incidentBeamPath><radius unit="mm">240.00</radius><xRayTube><anodeMaterial>Co</anodeMaterial></xRayTube>
</incidentBeamPath>
{scans}
</xrdMeasurement></xrdMeasurements>"""

_SCAN = """<scan mode="Continuous" scanAxis="{axis}" status="Completed"><dataPoints>
<positions axis="2Theta" unit="deg"><startPosition>{first}</startPosition>
<endPosition>{last}</endPosition></positions>{extra}
<commonCountingTime unit="seconds">4.00</commonCountingTime>
<{tag} unit="{unit}">{values}</{tag}></dataPoints></scan>"""

_VALUES = np.arange(101) % 7 * 5.0 + 40


def _scan(
    first: float = 10.0,
    last: float = 20.0,
    axis: str = "Gonio",
    unit: str = "counts",
    tag: str = "intensities",
    extra: str = "",
) -> str:
    values = " ".join(f"{value:g}" for value in _VALUES)
    return _SCAN.format(axis=axis, first=first, last=last, extra=extra, unit=unit, tag=tag, values=values)


def _xrdml(*scans: str, kind: str = "Scan") -> str:
    return _XRDML.format(kind=kind, scans="\n".join(scans))


def test_xrdml(save: Save) -> None:
    scan = read_scan(save(_xrdml(_scan()), "a.dat"))
    np.testing.assert_array_equal(scan.counts, _VALUES)
    np.testing.assert_allclose(scan.two_theta, np.linspace(10, 20, 101))
    assert (scan.wavelength_angstrom, scan.anode, scan.counting_time_s) == (1.78897, "Co", 4.0)
    assert scan.format == "PANalytical XRDML"
    assert scan.reader.startswith("geddes ")
    assert len(scan.sha256) == 64


def test_rates_become_counts(save: Save) -> None:
    scan = read_scan(save(_xrdml(_scan(unit="cps"))))
    np.testing.assert_allclose(scan.counts, 4.0 * _VALUES)
    assert scan.sigma is None
    assert "RATE_TO_COUNTS" in dict(scan.warnings)


def test_attenuated_counts_get_their_own_sigma(save: Save) -> None:
    factors = np.where(np.arange(101) == 50, 100.0, 1.0)
    extra = f"<beamAttenuationFactors>{' '.join(map(str, factors))}</beamAttenuationFactors>"
    scan = read_scan(save(_xrdml(_scan(tag="counts", extra=extra))))
    assert scan.sigma is not None
    assert scan.counts[50] == pytest.approx(100.0 * _VALUES[50])
    assert scan.sigma[50] == pytest.approx(100.0 * np.sqrt(_VALUES[50]))
    assert scan.sigma[49] == pytest.approx(np.sqrt(_VALUES[49]))
    assert "ATTENUATED" in dict(scan.warnings)


def test_scans_of_one_range_must_be_chosen(save: Save) -> None:
    path = save(_xrdml(_scan(), _scan()))
    with pytest.raises(ScanError, match="holds 2 scans") as caught:
        read_scan(path)
    assert "1: 10-20, 2: 10-20 deg" in caught.value.cause
    assert "--scan N" in caught.value.remedy and "scan=N" in caught.value.remedy
    assert len(read_scan(path, scan=2)) == 101


def test_successive_ranges_give_the_first_and_say_so(save: Save) -> None:
    path = save(_xrdml(_scan(10, 20), _scan(30, 40)))
    first = read_scan(path)
    assert first.two_theta[-1] == pytest.approx(20.0)
    assert "1: 10-20, 2: 30-40" in dict(first.warnings)["SEVERAL_SCANS"]
    second = read_scan(path, scan=2)
    assert second.two_theta[0] == pytest.approx(30.0)
    assert second.warnings == ()


@pytest.mark.parametrize("scan", [0, 3, -1, True, 1.0])
def test_wrong_scan_number(save: Save, scan: int) -> None:
    with pytest.raises(ScanError, match="counted from 1"):
        read_scan(save(_xrdml(_scan(10, 20), _scan(30, 40))), scan=scan)


def test_scan_number_of_a_single_scan(save: Save, points: list[tuple[float, int]]) -> None:
    path = save("\n".join(f"{x} {y}" for x, y in points))
    assert len(read_scan(path, scan=1)) == 60
    with pytest.raises(ScanError, match="there is no scan 2: the file holds 1"):
        read_scan(path, scan=2)


def test_ranges_of_a_bruker_raw_file(data_dir: Path) -> None:
    path = data_dir / "formats/bruker_raw/xylib_format1.raw"
    assert "1: 10-20, 2: 30-35, 3: 40-45" in dict(read_scan(path).warnings)["SEVERAL_SCANS"]
    third = read_scan(path, scan=3)
    assert (third.two_theta[0], third.two_theta[-1], len(third)) == (40.0, 45.0, 51)


def test_ranges_of_a_uxd_file_of_one_range_twice(data_dir: Path, save: Save) -> None:
    text = (data_dir / "formats/uxd/xylib_BT86_.UXD").read_text()
    path = save(text + text[text.index("; (Data for Range") :])
    with pytest.raises(ScanError, match="1: 3-40, 2: 3-40 deg"):
        read_scan(path)


@pytest.mark.parametrize("axis", ["Omega", "Phi", "Chi", "Z"])
def test_other_axes_are_refused_by_name(save: Save, axis: str) -> None:
    with pytest.raises(ScanError, match=f"the scanned axis is {axis}"):
        read_scan(save(_xrdml(_scan(axis=axis))))


def test_powder_scan_beside_a_rocking_curve(save: Save) -> None:
    path = save(_xrdml(_scan(axis="Omega"), _scan()))
    assert len(read_scan(path, scan=2)) == 101
    with pytest.raises(ScanError, match="rocking curve"):
        read_scan(path, scan=1)


@pytest.mark.parametrize(
    ("axis", "code"), [("2Theta-Omega", "NOT_POWDER_GEOMETRY"), ("2Theta", "FIXED_INCIDENCE")]
)
def test_geometries_that_are_no_powder_geometry(save: Save, axis: str, code: str) -> None:
    assert [warning[0] for warning in read_scan(save(_xrdml(_scan(axis=axis)))).warnings] == [code]


def test_area_measurement_is_refused_even_when_chosen(save: Save) -> None:
    path = save(_xrdml(_scan(), _scan(), kind="Area measurement"))
    with pytest.raises(ScanError, match="reciprocal-space map"):
        read_scan(path, scan=1)


def _gsas_std_with_counters(count: int) -> str:
    lines = [f"BANK 1 {count} {-(-count // 10)} CONST 1000.0 5.0 0 0 STD"]
    cells = [f"{2:2d}{i % 50 + 100:6d}" for i in range(count)]
    return "\n".join(["title", *lines, *("".join(cells[i : i + 10]) for i in range(0, count, 10))]) + "\n"


def test_gsas_std_with_counter_numbers(save: Save) -> None:
    scan = read_scan(save(_gsas_std_with_counters(100), "a.raw"))
    assert len(scan) == 100
    np.testing.assert_allclose(scan.two_theta, 10 + 0.05 * np.arange(100))
    np.testing.assert_allclose(scan.counts / scan.counts[0], (np.arange(100) % 50 + 100) / 100, rtol=1e-6)


def test_gsas_file_that_was_cut_off(save: Save) -> None:
    text = _gsas_std_with_counters(100)
    with pytest.raises(ScanError, match="of the 100 points"):
        read_scan(save(text[: len(text) * 2 // 3]))


def test_neutron_time_of_flight_is_refused(save: Save) -> None:
    rows = "\n".join(f" {1000 + 5 * i}.0 {100 + i} 10.0" for i in range(50))
    with pytest.raises(ScanError, match="time of flight"):
        read_scan(save(f"title\nBANK 1 50 50 SLOG 1000 1245 0.005 0 FXYE\n{rows}\n", "a.gsas"))


_CIF = """data_scan
_diffrn_radiation_probe x-ray
_diffrn_radiation_wavelength 1.5406
_pd_meas_2theta_range_min 10.0
_pd_meas_2theta_range_max 15.0
_pd_meas_2theta_range_inc 0.1
loop_
_pd_meas_counts_total
_pd_proc_ls_weight
{rows}
"""


def test_powder_cif(save: Save) -> None:
    rows = "\n".join(f"{100 + i}(10) 0.01" for i in range(51))
    scan = read_scan(save(_CIF.format(rows=rows), "a.cif"))
    np.testing.assert_allclose(scan.two_theta, np.linspace(10, 15, 51))
    np.testing.assert_array_equal(scan.counts, 100 + np.arange(51))
    assert scan.sigma is not None
    np.testing.assert_allclose(scan.sigma, 10.0)
    assert scan.wavelength_angstrom == 1.5406


def test_structure_cif_is_no_scan(data_dir: Path) -> None:
    with pytest.raises(ScanError, match="without a measured powder pattern"):
        read_scan(next((data_dir / "structures/cpd").glob("*.cif")))


@pytest.mark.parametrize("magic", ["", "#\\#CIF_2.0\n"])
def test_powder_cif_with_the_dotted_names_of_core_3(save: Save, magic: str) -> None:
    rows = "\n".join(f"{10 + 0.02 * i:.2f} {200 + i % 7}" for i in range(200))
    text = (
        f"{magic}data_s\n_diffrn_radiation.probe x-ray\n_diffrn_radiation_wavelength.value 1.5406\n"
        f"loop_\n_pd_meas.2theta_scan\n_pd_meas.intensity_total\n{rows}\n"
    )
    scan = read_scan(save(text, "a.cif"))
    assert scan.two_theta[[0, -1]] == pytest.approx([10.0, 13.98])
    assert scan.wavelength_angstrom == pytest.approx(1.5406)
    with pytest.raises(ScanError, match="neutron"):
        read_scan(save(text.replace("x-ray", "neutron"), "n.cif"))


def test_entities_are_refused(save: Save) -> None:
    bomb = '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    body = _xrdml(_scan()).replace("<xrdMeasurements", bomb + "<xrdMeasurements", 1)
    for data in (body.encode(), body.replace("UTF-8", "UTF-16").encode("utf-16")):
        with pytest.raises(ScanError, match="document type"):
            read_scan(save(data, "a.xrdml"))


def test_archive_that_unpacks_too_large(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened_file, "MAX_UNPACKED_BYTES", 2**20)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Data0/Profile0.txt", b"0" * 2**22)
    with pytest.raises(ScanError, match="unpacks to more than"):
        read_scan(save(packed.getvalue(), "a.rasx"))


def test_archive_of_something_else(save: Save) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("word/document.xml", "<a/>")
    with pytest.raises(ScanError, match="neither Bruker BRML nor Rigaku RASX"):
        read_scan(save(packed.getvalue(), "a.docx"))


def test_file_that_is_too_large(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened_file, "MAX_FILE_BYTES", 100)
    with pytest.raises(ScanError, match="too large"):
        read_scan(save(b"1 2\n" * 100))


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "empty"),
        (b"\0\0\0\0 \n", "empty"),
        (b"RAW2\1\0\0\0" + bytes(400), "version 2 claims 0 bytes"),
        (b"RAW \0\0\0\0" + bytes(400), "Bruker RAW version 1 file gives no start"),
        (b"\x7fELF\0\0\0\0" + bytes(400), "binary"),
        (b"%PDF-1.4 ...", "PDF"),
        (b"<html><body/></html>", "root is <html>"),
        (b"[1, 2]", "JSON"),
    ],
)
def test_foreign_files(save: Save, content: bytes, cause: str) -> None:
    with pytest.raises(ScanError, match=cause):
        read_scan(save(content))


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="no such file"):
        read_scan(tmp_path / "none.xy")
    with pytest.raises(ScanError, match="folder"):
        read_scan(tmp_path)


def test_importing_the_room_loads_no_reader() -> None:
    names = "('geddes', 'rietx', 'gemmi', 'torch')"
    code = f"import sys, mixrd.scan; print([m for m in {names} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
