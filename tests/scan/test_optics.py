"""What headers say of the beam, format by format."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from mixrd.scan import read_scan
from mixrd.scan.bruker_brml import brml_optics
from mixrd.scan.bruker_raw import raw_optics
from mixrd.scan.bruker_uxd import uxd_headers, uxd_optics
from mixrd.scan.headers import soller_opening
from mixrd.scan.optics import Monochromator, Optics, primary_monochromator, secondary_monochromator
from mixrd.scan.panalytical_xrdml import xrdml_optics
from mixrd.scan.rigaku_ras import ras_optics
from mixrd.scan.rigaku_rasx import rasx_optics

Save = Callable[..., Path]


@pytest.mark.parametrize(
    ("name", "spacing", "single"),
    [
        ("Inc. beam Johansson 1xGe111 Cu/Co", 3.2665, True),
        ("Hybrid monochr. 2xGe(220) Cu asym.", 2.0003, True),
        ("4-bounce Ge (440)", 1.0002, True),
        ("Ge(220)x2", 2.0003, True),
        ("Johansson Kα1", None, True),
        ("Johannson monochromator", None, True),
        ("Cu K-alpha1 monochromator", None, True),
        ("Graphite primary", 3.354, False),
        ("Transmission", None, False),
    ],
)
def test_primary_monochromators(name: str, spacing: float | None, single: bool) -> None:
    assert primary_monochromator(name) == Monochromator(name, spacing, single)


@pytest.mark.parametrize("name", [None, "", "None", "none", "No_unit", "Open"])
def test_no_monochromator(name: str | None) -> None:
    assert primary_monochromator(name) is None
    assert secondary_monochromator(name) is None


@pytest.mark.parametrize(
    ("name", "angle"), [("Bent", 26.6), ("Curved Cu/Co graphite", 26.6), ("Ge111", 27.3), ("LiF", None)]
)
def test_secondary_monochromators(name: str, angle: float | None) -> None:
    found = secondary_monochromator(name)
    assert found is not None
    assert not found.single_line
    assert found.two_theta_deg(1.5406) == (None if angle is None else pytest.approx(angle, abs=0.1))


@pytest.mark.parametrize(
    ("text", "radians"),
    [
        ("Soller slits 0.04 rad.", 0.04),
        ("Soller_slit_5.0deg", math.radians(5.0)),
        ("2,5°", math.radians(2.5)),
        ("2.5", math.radians(2.5)),
        ("Soller_slit_open_s", None),
        ("None", None),
        ("9999", None),
        (None, None),
    ],
)
def test_soller_openings(text: str | None, radians: float | None) -> None:
    assert soller_opening(text) == (None if radians is None else pytest.approx(radians))


def test_plain_data_and_back() -> None:
    optics = Optics(0.5, primary_monochromator("Ge111"), None, "Ni", None, (0.04, None), "fixed", 0.5)
    assert Optics.from_dict(optics.to_dict()) == optics
    assert Optics.from_dict(Optics().to_dict()) == Optics()


@pytest.mark.parametrize(
    ("name", "optics"),
    [
        (
            "measured/dara/ZnO_0p4006-In2O3_0p6008--8min.xrdml",
            Optics(0.5, beta_filter="Ni", soller_rad=(0.04, 0.04), divergence_slit="fixed"),
        ),
        (
            "cases/12-kalpha1-monochromator/ka1_johansson.xrdml",
            Optics(
                0.0,
                Monochromator("Inc. beam Johansson 1xGe111 Cu/Co", 3.2665, True),
                soller_rad=(None, 0.04),
                divergence_slit="fixed",
                divergence_deg=1.0,
            ),
        ),
        (
            "formats/xrdml/geddes_sample.xrdml",
            Optics(0.5, mirror="Bragg-Brentano HD", soller_rad=(None, 0.04)),
        ),
        (
            "formats/rasx/geddes_sample.rasx",
            Optics(beta_filter="Cu_K-beta_1D", soller_rad=(math.radians(2.5), math.radians(2.5))),
        ),
        (
            "formats/ras/xerus_HoB21.ras",
            Optics(
                secondary=Monochromator("Bent", 3.354),
                beta_filter="none",
                soller_rad=(math.radians(5), math.radians(5)),
                divergence_deg=1.25,
            ),
        ),
        ("formats/uxd/xylib_BT86_.UXD", Optics(0.5, beta_filter="none", divergence_deg=0.15)),
        ("formats/bruker_raw/xylib_BT86.raw", Optics(0.5)),
        (
            "formats/bruker_raw/geddes_bruker4_diffrac_eva.raw",
            Optics(0.0, soller_rad=(math.radians(2.5), math.radians(2.5))),
        ),
        ("formats/brml/datalab_TiOF.brml", Optics(0.5)),
        ("measured/cpd/CPD-1A.xye", None),
    ],
)
def test_headers_of_files(data_dir: Path, name: str, optics: Optics | None) -> None:
    assert read_scan(data_dir / name).optics == optics


@pytest.mark.parametrize(
    ("optics", "single"),
    [
        (Optics(), False),
        (Optics(0.5), False),
        (Optics(0.0), True),
        (Optics(0.5, primary_monochromator("Hybrid monochr. 2xGe(220)")), True),
        (Optics(0.5, secondary=secondary_monochromator("graphite")), False),
        (Optics(0.5, mirror="Focusing X-ray mirror"), False),
    ],
)
def test_what_is_a_single_line(optics: Optics, single: bool) -> None:
    assert (optics.single_line is not None) == single


def _measurement(incident: str = "", diffracted: str = "", ratio: str = "0.5") -> ElementTree.Element:
    return ElementTree.fromstring(
        '<xrdMeasurement xmlns="x" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        '<usedWavelength intended="K-Alpha 1"><kAlpha1>1.5405980</kAlpha1>'
        f"<ratioKAlpha2KAlpha1>{ratio}</ratioKAlpha2KAlpha1></usedWavelength>"
        f"<incidentBeamPath>{incident}</incidentBeamPath>"
        f"<diffractedBeamPath>{diffracted}</diffractedBeamPath></xrdMeasurement>"
    )


def test_xrdml_without_a_name_that_says_it() -> None:
    planes = "<hkl><h>1</h><k>1</k><l>1</l></hkl>"
    crystal = f'<monochromator name="my own"><crystal>Ge</crystal>{planes}</monochromator>'
    found = xrdml_optics(_measurement(incident=crystal))
    assert found.primary == Monochromator("my own", 3.2665, True)
    hybrid = xrdml_optics(_measurement(incident='<monochromator name="my own" hybrid="true"/>'))
    assert hybrid.primary == Monochromator("my own", None, True)
    behind = xrdml_optics(
        _measurement(diffracted='<monochromator name="flat"><crystal>C</crystal></monochromator>')
    )
    assert behind.secondary == Monochromator("flat", 3.354)
    assert behind.primary is None


def test_xrdml_slits_and_filter() -> None:
    slit = (
        '<divergenceSlit xsi:type="automaticDivergenceSlitType"><irradiatedLength>10</irradiatedLength>'
        "</divergenceSlit><filter name='Beta-filter Iron'><material>Fe</material></filter>"
    )
    found = xrdml_optics(_measurement(incident=slit, ratio="0.497"))
    assert (found.divergence_slit, found.beta_filter, found.kalpha2_ratio) == ("automatic", "Fe", 0.497)
    assert xrdml_optics(_measurement(ratio="half")).kalpha2_ratio is None


def _brml(primary: str, secondary: str = "", ratio: str = "0.5") -> ElementTree.Element:
    return ElementTree.fromstring(
        f'<R><WaveLengthAlpha2 Value="{"1.54439" if ratio != "0" else "0"}"/>'
        f'<WaveLengthRatio Value="{ratio}"/>'
        f"<PrimaryTracks><T><M>{primary}</M></T></PrimaryTracks>"
        f"<SecondaryTracks><T><M>{secondary}</M></T></SecondaryTracks></R>"
    )


def test_brml_optics() -> None:
    before = (
        '<InfoData LogicName="Monochromator" VisibleName="Johansson Ge111"/>'
        '<InfoData LogicName="SollerMount" VisibleName="Soller 2.5°"/>'
    )
    behind = '<InfoData LogicName="Filter" VisibleName="Ni 0.02"/><InfoData VisibleName="Soller 4°"/>'
    found = brml_optics(_brml(before, behind, ratio="0"))
    assert found.kalpha2_ratio == 0
    assert found.primary == Monochromator("Johansson Ge111", 3.2665, True)
    assert found.beta_filter == "Ni"
    assert found.soller_rad == pytest.approx((math.radians(2.5), math.radians(4)))
    assert brml_optics(_brml("")) == Optics(0.5)


def test_rasx_optics() -> None:
    def conditions(*axes: tuple[str, str], attribute: str = "BB") -> ElementTree.Element:
        parts = "".join(f'<Axis Name="{name}" Position="{place}"/>' for name, place in axes)
        return ElementTree.fromstring(f"<M><Optics><Attribute>{attribute}</Attribute></Optics>{parts}</M>")

    found = rasx_optics(conditions(("Filter1", "None"), attribute="PB-Ge(220)x2_Compress"))
    assert found.single_line is not None
    assert found.beta_filter == "none"
    assert rasx_optics(conditions(("DetectorMonochromator", "Flat"))).secondary is not None
    assert rasx_optics(conditions(("InFilter", "Cu_K-beta"))).beta_filter == "Cu_K-beta"


def test_uxd_codes_have_their_names_below_them() -> None:
    codes = "_MONOCHROMATOR=2\n; Johansson Ge111\n_ANALYZER_CODE=1\n; Graphite\n"
    text = f"{codes}_WLRATIO=0.5\n_2THETACOUNTS\n1 2\n"
    (header,) = uxd_headers(text)
    assert header.optics is not None
    assert header.optics.primary == Monochromator("Johansson Ge111", 3.2665, True)
    assert header.optics.secondary == Monochromator("Graphite", 3.354)
    assert uxd_optics({"WLRATIO": "0.0", "WL2": "1.54439"}).kalpha2_ratio is None
    assert uxd_optics({"WLRATIO": "0.0", "WL2": "0.0"}).kalpha2_ratio == 0
    assert uxd_optics({"BETA_FILTER": "Y"}).beta_filter not in (None, "none")


def test_ras_scans_each_have_their_own() -> None:
    one = (
        '*RAS_HEADER_START\n*MEAS_COND_AXIS_NAME_INTERNAL-3 "IncidentMonochromator"\n'
        '*MEAS_COND_AXIS_POSITION-3 "{}"\n*RAS_INT_START\n1 2 1\n*RAS_INT_END\n'
    )
    found = ras_optics((one.format("Ge(220)x2") + one.format("None")).encode("latin-1"))
    assert [optics.single_line is not None for optics in found] == [True, False]


@pytest.mark.parametrize(
    ("alpha2", "ratio", "found"), [(1.54439, 0.5, 0.5), (0.0, 0.0, 0.0), (1.54439, 0.0, None)]
)
def test_raw_ratio(alpha2: float, ratio: float, found: float | None) -> None:
    data = bytearray(b"RAW1.01".ljust(800, b"\0"))
    struct.pack_into("<5d", data, 616, 1.54184, 1.5406, alpha2, 1.39222, ratio)
    assert raw_optics(bytes(data)).kalpha2_ratio == found
    assert raw_optics(bytes(data[:100])) == Optics()
