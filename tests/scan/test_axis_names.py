"""What a column name says, and what becomes of the axis that it names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mixrd.errors import ScanError
from mixrd.scan import read_scan
from mixrd.scan.axis_names import read_axis_name, unit_of

Save = Callable[..., Path]

_WAVELENGTH = 1.5406
_TWO_THETA = np.round(np.arange(10.0, 60.001, 0.05), 3)
_SINE = np.sin(np.radians(_TWO_THETA / 2))
_Q = 4 * np.pi * _SINE / _WAVELENGTH
_D = _WAVELENGTH / 2 / _SINE
_COUNTS = np.random.default_rng(3).poisson(200 + 3000 * np.exp(-(((_TWO_THETA - 26.6) / 0.2) ** 2)))


def _text(axis: np.ndarray, head: str) -> str:
    rows = "\n".join(f"{x:.8g} {y}" for x, y in zip(axis, _COUNTS, strict=True))
    return f"{head}\n{rows}\n"


@pytest.mark.parametrize(
    ("label", "quantity", "unit"),
    [
        ("q_nm^-1", "q", "1/nm"),
        ("q_A^-1", "q", "1/A"),
        ("Q (1/Å)", "q", "1/A"),
        ("Q [A-1]", "q", "1/A"),
        ("Q (nm⁻¹)", "q", "1/nm"),
        ("Q (Inverse Nanometres)", "q", "1/nm"),
        ("2th_deg", "two_theta", "deg"),
        ("2th_rad", "two_theta", "rad"),
        ("2θ (°)", "two_theta", "deg"),
        ("Pos. [°2Th.]", "other", None),
        ("dSpacing", "d", None),
        ("d [A]", "d", "A"),
        ("d-spacing (nm)", "d", "nm"),
        ("d*2_A^-2", "inverse_d_squared", "1/A^2"),
        ("Theta", "theta", None),
        ("r_mm", "other", "length"),
        ("Binding Energy (eV)", "other", "energy"),
        ("log10(q.m)_None", "other", None),
        ("Depth (µm)", "other", "length"),
    ],
)
def test_names(label: str, quantity: str, unit: str | None) -> None:
    found = read_axis_name(label)
    if label.startswith("Pos."):  # the angle is in its unit; an unknown name is no other axis
        assert found is None or found.quantity == "two_theta"
        return
    assert found is not None
    assert (found.quantity, found.unit) == (quantity, unit)


@pytest.mark.parametrize("label", ["sample", "R", "n", "position", "Winkel", "A"])
def test_words_of_a_title_are_no_axis(label: str) -> None:
    assert read_axis_name(label, "factor") is None


def test_units() -> None:
    assert unit_of("Ångström") == "A" and unit_of("nm**-1") == "1/nm" and unit_of("counts") is None


@pytest.mark.parametrize(
    ("label", "axis"),
    [
        ("# q_nm^-1 I", 10 * _Q),
        ("Q (1/Å) Intensity (a.u.)", _Q),
        ("Q\tI\n(1/A)\t(counts)", _Q),
        ("# x-axis: q (1/A)", _Q),
        ("title\n Q (Inverse Nanometres)\n Intensity\n 1001", 10 * _Q),
        ("dSpacing Intensity", _D),
        ("d-spacing (nm) I", _D / 10),
        ("d*2_A^-2 I", 1 / _D**2),
        ("2th_rad I", np.radians(_TWO_THETA)),
        ("Theta Counts", _TWO_THETA / 2),
    ],
)
def test_what_becomes_two_theta_is_converted(save: Save, label: str, axis: np.ndarray) -> None:
    scan = read_scan(save(_text(axis, f"# wavelength: {_WAVELENGTH}\n{label}")))
    np.testing.assert_allclose(scan.two_theta, _TWO_THETA, atol=2e-4)
    np.testing.assert_array_equal(scan.counts, _COUNTS)
    assert "AXIS_CONVERTED" in dict(scan.warnings)


@pytest.mark.parametrize(
    ("label", "axis", "cause"),
    [
        ("q_nm^-1 I", 10 * _Q, "states no wavelength"),
        ("dSpacing I", _D, "states no wavelength"),
        (f"# wavelength: {_WAVELENGTH}\nQ I", _Q, "unit is not stated"),
        (f"# wavelength: {_WAVELENGTH}\nq_A^-1 I", 10 * _Q, "belong to no angle"),
        ("Theta Counts", 2 * _TWO_THETA, "this is never"),
        ("2th_rad I", _TWO_THETA, "this is never"),
        ("r_mm I", _TWO_THETA, "a distance r"),
        ("Binding Energy (eV) counts", _TWO_THETA, "a binding energy"),
        ("Energy (keV) counts", _TWO_THETA, "energy"),
        ("channel counts", _TWO_THETA, "detector channels"),
        ("index I", _TWO_THETA, "number of the point"),
        ("r G(r)", _TWO_THETA, "a distance r"),
        ("s (1/nm) I", _TWO_THETA, "scattering vector s"),
        ("# SAXS of the beamline\nq_A^-1 I", _Q / 20, "small-angle"),
        (f"# wavelength: {_WAVELENGTH}\nq_A^-1 I", _Q / 20, "small-angle"),
    ],
)
def test_what_does_not_is_refused_by_its_name(save: Save, label: str, axis: np.ndarray, cause: str) -> None:
    with pytest.raises(ScanError, match=cause):
        read_scan(save(_text(axis, label)))


@pytest.mark.parametrize(
    "head",
    [
        "# wavelength: 1.5406",
        "Anode Cu",
        "# D 8",
        "sample A",
        "Pos. [°2Th.] Iobs [cts]",
        "2-Theta Angle (Degrees)",
        "X Y",
        "# SAXS and WAXS\n2Theta I",
        "Wavelength (Å)\n1.5406\n2Theta I",
    ],
)
def test_lines_that_name_no_other_axis(save: Save, head: str) -> None:
    scan = read_scan(save(_text(_TWO_THETA, head)))
    np.testing.assert_array_equal(scan.two_theta, _TWO_THETA)
    assert "AXIS_CONVERTED" not in dict(scan.warnings)


def test_pyfai_over_q_and_over_two_theta_agree(data_dir: Path) -> None:
    folder = data_dir / "cases/08-pyfai-q"
    over_q, over_angle = read_scan(folder / "pyfai_q.dat"), read_scan(folder / "pyfai_2th.dat")
    np.testing.assert_allclose(over_q.two_theta, over_angle.two_theta, atol=2e-5)
    np.testing.assert_array_equal(over_q.counts, over_angle.counts)
    assert over_angle.sigma is not None and over_angle.warnings == ()


def test_small_angle_data_are_refused(data_dir: Path) -> None:
    with pytest.raises(ScanError, match="small-angle"):
        read_scan(data_dir / "cases/14-usaxs/alumina_usaxs.dat")
