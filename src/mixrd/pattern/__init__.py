"""What a diffractometer records: instrument, profile, background, noise, and the forward model."""

from mixrd.pattern.background import background_basis, draw_background
from mixrd.pattern.forward import FORWARD_MODEL_VERSION, ForwardModel, Parameters
from mixrd.pattern.instrument import (
    Instrument,
    Profile,
    instrument_from_dict,
    instrument_to_dict,
    load_instrument,
    preset_names,
    save_instrument,
    to_toml,
)
from mixrd.pattern.noise import apply_counting_noise, apply_fast_counting_noise
from mixrd.pattern.render import Peaks, Renderer

__all__ = [
    "FORWARD_MODEL_VERSION",
    "ForwardModel",
    "Instrument",
    "Parameters",
    "Peaks",
    "Profile",
    "Renderer",
    "apply_counting_noise",
    "apply_fast_counting_noise",
    "background_basis",
    "draw_background",
    "instrument_from_dict",
    "instrument_to_dict",
    "load_instrument",
    "preset_names",
    "save_instrument",
    "to_toml",
]
