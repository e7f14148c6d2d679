"""Radiation: names, wavelengths, and what is no radiation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixrd.diffraction import EmissionLine, Radiation, radiation, tube_of, with_contamination
from mixrd.errors import RadiationError


@pytest.mark.parametrize("text", ["CuKa", "cuka", "Cu Ka", "Cu-Kalpha", "CuK alpha", "CuKa12"])
def test_doublet_by_any_spelling(text: str) -> None:
    beam = radiation(text)
    assert beam.name == "CuKa"
    assert [line.wavelength_angstrom for line in beam.lines] == [1.5405929, 1.5444274]
    assert [line.weight for line in beam.lines] == pytest.approx([2 / 3, 1 / 3])


@pytest.mark.parametrize(
    ("name", "wavelength"),
    # Mean of K alpha1 and K alpha2 (2:1) of International Tables C.
    [
        ("CrKa", 2.29103),
        ("FeKa", 1.93735),
        ("CoKa", 1.79028),
        ("CuKa", 1.54187),
        ("MoKa", 0.71075),
        ("AgKa", 0.56089),
    ],
)
def test_mean_wavelengths(name: str, wavelength: float) -> None:
    beam = radiation(name)
    mean = sum(line.wavelength_angstrom * line.weight for line in beam.lines)
    assert mean == pytest.approx(wavelength, abs=3e-4)
    assert sum(line.weight for line in beam.lines) == pytest.approx(1.0)


def test_first_line_alone() -> None:
    beam = radiation("CoKa1")
    assert beam.name == "CoKa1"
    assert beam.lines == (EmissionLine(1.788996, 1.0),)


@pytest.mark.parametrize("value", [1.5406, "1.5406", " 0.41 "])
def test_wavelength_is_one_line(value: float | str) -> None:
    beam = radiation(value)
    assert beam.lines == (EmissionLine(float(value), 1.0),)
    assert beam.wavelength_angstrom == float(value)


@pytest.mark.parametrize("text", ["", "Cu", "CuKb", "XxKa", "Ka", "copper", "1,54", "CuKa3"])
def test_unknown_radiation_lists_the_known(text: str) -> None:
    with pytest.raises(RadiationError, match="unknown radiation") as caught:
        radiation(text)
    assert "CuKa" in caught.value.remedy
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("value", [0.0, -1.54, 154.06, 0.001, float("nan"), float("inf")])
def test_impossible_wavelength(value: float) -> None:
    with pytest.raises(RadiationError, match=r"outside 0\.05-10 A"):
        radiation(value)


@given(st.floats(0.05, 10.0))
def test_any_possible_wavelength_is_kept(value: float) -> None:
    assert radiation(value).wavelength_angstrom == value


@pytest.mark.parametrize(
    ("wavelength", "anode"),
    [
        (1.540598, "Cu"),
        (1.54056, "Cu"),
        (1.5418, "Cu"),
        (1.54443, "Cu"),
        (1.78901, "Co"),
        (0.7093, "Mo"),
        (0.7107, "Mo"),
    ],
)
def test_tube_is_known_by_its_wavelength(wavelength: float, anode: str) -> None:
    assert tube_of(wavelength) == anode


@pytest.mark.parametrize("wavelength", [0.41, 1.0, 1.55, 1.3922])
def test_other_wavelengths_are_no_tube(wavelength: float) -> None:
    assert tube_of(wavelength) is None


def test_own_lines_are_checked() -> None:
    with pytest.raises(RadiationError, match="outside"):
        Radiation("odd", (EmissionLine(1.54, 0.9), EmissionLine(99.0, 0.1)))
    with pytest.raises(RadiationError, match=r"weight -0\.1"):
        Radiation("odd", (EmissionLine(1.54, 0.9), EmissionLine(1.55, -0.1)))


def test_contamination_is_relative_to_the_first_line() -> None:
    beam = with_contamination(radiation("CuKa"), kbeta=0.01, tungsten=0.02)
    assert beam.name == "CuKa"
    wavelengths = [line.wavelength_angstrom for line in beam.lines]
    assert wavelengths == pytest.approx([1.5405929, 1.5444274, 1.392234, 1.4764, 1.4874], abs=5e-5)
    relative = [line.weight / beam.lines[0].weight for line in beam.lines]
    assert relative == pytest.approx([1, 0.5, 0.01, 0.02, 0.0022])
    assert sum(line.weight for line in beam.lines) == pytest.approx(1.0)


def test_tungsten_lines_by_their_energies() -> None:
    # X-ray Data Booklet: 8397.6 and 8335.2 eV; hc = 12398.42 eV A.
    lines = with_contamination(radiation("MoKa1"), tungsten=0.1).lines[1:]
    energies = [12398.42 / line.wavelength_angstrom for line in lines]
    assert energies == pytest.approx([8397.6, 8335.2], abs=0.3)


def test_no_contamination_is_the_same_beam() -> None:
    for name in ("CuKa", "0.7"):
        beam = radiation(name)
        assert with_contamination(beam) is beam


def test_a_wavelength_of_a_tube_knows_its_k_beta() -> None:
    beam = with_contamination(radiation(1.789), kbeta=0.1)
    assert beam.lines[1].wavelength_angstrom == pytest.approx(1.6208, abs=1e-4)


@pytest.mark.parametrize("share", [-0.01, 0.6, float("nan")])
@pytest.mark.parametrize("name", ["kbeta", "tungsten"])
def test_shares_that_cannot_be(name: str, share: float) -> None:
    with pytest.raises(RadiationError, match=name) as raised:
        with_contamination(radiation("CuKa"), **{name: share})
    assert "0 to 0.5" in raised.value.remedy


def test_what_is_not_known_of_a_beam() -> None:
    with pytest.raises(RadiationError, match="known tube"):
        with_contamination(radiation(0.41), kbeta=0.1)
    with pytest.raises(RadiationError, match="Ag K beta"):
        with_contamination(radiation("AgKa"), kbeta=0.1)
    with pytest.raises(RadiationError, match="already"):
        with_contamination(with_contamination(radiation("CuKa"), kbeta=0.1), kbeta=0.1)


def test_radiation_without_a_line_is_refused() -> None:
    with pytest.raises(RadiationError, match="no line"):
        Radiation("CuKa", ())
