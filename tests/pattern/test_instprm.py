from __future__ import annotations

from pathlib import Path

import pytest

from mixrd.errors import InstrumentError
from mixrd.pattern import load_instrument

HEAD = "#GSAS-II instrument parameter file; do not add/delete items!\n"
LAB = HEAD + (
    "Type:PXC\nBank:1.0\nLam1:1.5405\nLam2:1.5443\nZero:0.01\nPolariz.:0.7\nAzimuth:0.0\nI(L2)/I(L1):0.5\n"
    "U:2.0\nV:-2.0\nW:5.0\nX:1.5\nY:2.5\nZ:0.0\nSH/L:0.002\nSource:CuKa\n"
)


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "aeris.instprm"
    path.write_text(text, encoding="utf-8")
    return path


def test_units(tmp_path: Path) -> None:
    """Widths at 2theta = 90 deg, where tan(theta) = 1: by hand and by rietx."""
    path = written(tmp_path, LAB + "Gonio. radius:145.0\n")
    found = load_instrument(path)
    variance = 2.0 - 2.0 + 5.0  # centidegrees^2
    fwhm = 2.3548 * variance**0.5 / 100
    profile = found.profile
    assert (profile.u + profile.v + profile.w) ** 0.5 == pytest.approx(fwhm, rel=1e-4)
    assert (profile.x, profile.y, profile.sh_l) == pytest.approx((0.015, 0.025, 0.002))
    assert found.name == "aeris" and found.goniometer_radius_mm == 145
    assert [line.weight for line in found.radiation.lines] == pytest.approx([2 / 3, 1 / 3])
    rietx = pytest.importorskip("rietx")
    theirs = rietx.read_gsas2_instprm(path)
    for name in ("u", "v", "w", "x", "y"):
        assert getattr(profile, name) == pytest.approx(getattr(theirs.profile, name).value, rel=1e-9)


def test_polarization_becomes_a_monochromator(tmp_path: Path) -> None:
    import math

    found = load_instrument(written(tmp_path, LAB))
    passed = math.cos(math.radians(found.monochromator_two_theta)) ** 2
    assert 1 / (1 + passed) == pytest.approx(0.7)
    assert found.polarized_fraction is None
    plain = load_instrument(written(tmp_path, LAB.replace("Polariz.:0.7", "Polariz.:0.5")))
    assert plain.monochromator_two_theta == 0
    beamline = LAB.replace("Polariz.:0.7", "Polariz.:0.99")
    assert load_instrument(written(tmp_path, beamline)).polarized_fraction == pytest.approx(0.99)


def test_a_single_line_and_items_on_one_line(tmp_path: Path) -> None:
    text = HEAD + "Type:PXC;Lam:0.4;Polariz.:0.99;U:1;V:0;W:1;X:0.1;Y:0.1;SH/L:0.001\n"
    found = load_instrument(written(tmp_path, text))
    assert found.radiation.wavelength_angstrom == 0.4 and len(found.radiation.lines) == 1


def test_the_first_bank_is_taken(tmp_path: Path) -> None:
    two = HEAD + "#Bank 1: a\n" + LAB[len(HEAD) :] + "#Bank 2: b\n" + LAB[len(HEAD) :].replace("W:5", "W:50")
    assert load_instrument(written(tmp_path, two)) == load_instrument(written(tmp_path, LAB))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("Type:PXC", "Type:PNT"), "PNT"),
        (("U:2.0\n", ""), "U is missing"),
        (("U:2.0", "U:x"), "U is 'x'"),
        (("Z:0.0", "Z:1.0"), "Z = 1.0"),
        (("Polariz.:0.7", "Polariz.:0.2"), "0.5"),
        ((HEAD, "nothing\n"), "GSAS-II"),
        (("Lam1:1.5405", "Lam1:0"), "0.05-10"),
    ],
)
def test_what_cannot_be_used(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    with pytest.raises(InstrumentError, match=said) as raised:
        load_instrument(written(tmp_path, LAB.replace(*change)))
    assert raised.value.file is not None


def test_what_mixrd_exports_comes_back(tmp_path: Path) -> None:
    from mixrd.pattern import save_instrument

    found = load_instrument(written(tmp_path, LAB))
    save_instrument(found, tmp_path / "a.toml")
    assert load_instrument(tmp_path / "a.toml") == found
