"""The instrument file: presets, round trip, and each fault with its remedy."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixrd.diffraction import radiation
from mixrd.errors import InstrumentError
from mixrd.pattern import (
    Instrument,
    Profile,
    instrument_from_dict,
    instrument_to_dict,
    load_instrument,
    preset_names,
    save_instrument,
    to_toml,
)

MINIMAL = 'name = "mine"\n[radiation]\nname = "CuKa"\n'


@pytest.mark.parametrize("name", preset_names())
def test_presets_load_and_say_what_they_are(name: str) -> None:
    instrument = load_instrument(name)
    assert instrument.note
    assert instrument.two_theta_range[0] < 30 < instrument.two_theta_range[1]


def test_there_is_a_monochromator_and_a_filter_preset() -> None:
    assert {"lab-cu", "lab-cu-monochromator", "lab-co"} <= set(preset_names())
    assert load_instrument("lab-cu").monochromator_two_theta == 0.0
    assert load_instrument("lab-cu-monochromator").monochromator_two_theta == pytest.approx(26.6, abs=0.3)


@pytest.mark.parametrize("name", preset_names())
def test_saved_instrument_is_the_same(name: str, tmp_path: Path) -> None:
    instrument = load_instrument(name)
    save_instrument(instrument, tmp_path / "mine.toml")
    assert load_instrument(tmp_path / "mine.toml") == instrument
    assert instrument_from_dict(json.loads(json.dumps(instrument_to_dict(instrument)))) == instrument


@given(
    name=st.text(max_size=30).filter(lambda text: all(ch.isprintable() for ch in text)),
    wavelength=st.floats(0.05, 10.0),
    # A Lorentzian width above zero: without any width there is no instrument.
    widths=st.tuples(*[st.floats(-1.0, 1.0)] * 3, *[st.floats(0.001, 1.0)] * 2),
    radius=st.floats(10.0, 2000.0),
    monochromator=st.floats(0.0, 179.0),
    low=st.floats(0.0, 90.0),
    span=st.floats(1.0, 90.0),
)
@settings(max_examples=40, deadline=None)
def test_any_instrument_survives_its_file(
    name: str,
    wavelength: float,
    widths: tuple[float, ...],
    radius: float,
    monochromator: float,
    low: float,
    span: float,
) -> None:
    instrument = Instrument(
        name=name,
        radiation=radiation(wavelength),
        goniometer_radius_mm=radius,
        monochromator_two_theta=monochromator,
        profile=Profile(*widths),
        two_theta_range=(low, low + span),
        note=f"note of {name}",
    )
    assert instrument_from_dict(instrument_to_dict(instrument)) == instrument


def test_defaults_are_documented_ones(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINIMAL)
    assert load_instrument(path) == Instrument("mine", radiation("CuKa"))


def test_line_breaks_in_a_note_do_not_break_the_file() -> None:
    instrument = Instrument('odd "name" \\', radiation("CuKa"), note="one\ntwo\x00")
    assert instrument_to_dict(instrument)["note"] == "one two "
    assert instrument_to_dict(instrument)["name"] == 'odd "name" \\'
    assert "\n\n" in to_toml(instrument)


FAULTS = {
    "no TOML": ("name = \n", "not valid TOML"),
    "no radiation": ('name = "x"\n', "missing or of the wrong kind"),
    "radiation is text": ('name = "x"\nradiation = "CuKa"\n', "missing or of the wrong kind"),
    "unknown radiation": (MINIMAL.replace("CuKa", "CuKz"), "unknown radiation"),
    "wavelength in nanometres": (MINIMAL.replace("CuKa", "0.0154"), "outside 0.05-10 A"),
    "weight of nothing": (
        MINIMAL + "[[radiation.lines]]\nwavelength_angstrom = 1.54\nweight = 0.0\n",
        "weight 0",
    ),
    "no name": ('[radiation]\nname = "CuKa"\n', "missing or of the wrong kind"),
    "text for a number": (MINIMAL + '[profile]\nw = "wide"\n', "missing or of the wrong kind"),
    "unknown profile term": (MINIMAL + "[profile]\nz = 0.1\n", "unknown profile term z"),
    "not finite": (MINIMAL + "[profile]\nw = nan\n", "not finite"),
    "range upside down": (MINIMAL + "[range]\nstart = 90.0\nstop = 10.0\n", "range 90-10 deg"),
    "range too far": (MINIMAL + "[range]\nstart = 10.0\nstop = 200.0\n", "range 10-200 deg"),
    "no step": (MINIMAL + "[range]\nstep = 0.0\n", "step 0 deg"),
    "radius in metres": (MINIMAL + "[geometry]\ngoniometer_radius_mm = 0.2\n", "goniometer radius 0.2 mm"),
    "monochromator": (MINIMAL + "[geometry]\nmonochromator_two_theta = -3.0\n", "monochromator angle -3"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_named_with_file_and_remedy(tmp_path: Path, fault: str) -> None:
    text, cause = FAULTS[fault]
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(InstrumentError, match=cause) as caught:
        load_instrument(path)
    assert caught.value.file == str(path)
    assert caught.value.remedy
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("source", ["no-such-preset", "nowhere/mine.toml"])
def test_missing_instrument_lists_the_presets(source: str) -> None:
    with pytest.raises(InstrumentError, match="no such instrument") as caught:
        load_instrument(source)
    assert "lab-cu" in caught.value.remedy


@pytest.mark.parametrize("profile", [Profile(w=0.0), Profile(w=-0.01), Profile(w=0.0, x=-0.1)])
def test_profile_without_any_width_is_refused(profile: Profile) -> None:
    with pytest.raises(InstrumentError, match="no width"):
        replace(load_instrument("lab-cu"), profile=profile)


def test_polarization_and_monochromator_position_round_trip_and_are_checked(tmp_path: Path) -> None:
    ring = replace(load_instrument("lab-cu"), polarized_fraction=0.95, monochromator_position="incident")
    save_instrument(ring, tmp_path / "ring.toml")
    assert load_instrument(tmp_path / "ring.toml") == ring
    with pytest.raises(InstrumentError, match="polarized"):
        replace(ring, polarized_fraction=1.2)
    with pytest.raises(InstrumentError, match="monochromator position"):
        replace(ring, monochromator_position="behind")  # type: ignore[arg-type]
