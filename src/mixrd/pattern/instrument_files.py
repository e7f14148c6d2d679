"""Instruments by name or from a file, whatever its format."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from mixrd.errors import InstrumentError, RadiationError
from mixrd.pattern.instprm import parse_instprm
from mixrd.pattern.instrument import Instrument, instrument_from_toml


def preset_names() -> tuple[str, ...]:
    """Names of the instruments that ship with mixrd."""
    folder = files("mixrd.pattern") / "presets"
    return tuple(sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")))


def load_instrument(source: str | Path) -> Instrument:
    """Instrument from a TOML file, a GSAS-II ``.instprm`` file, or the name of a preset.

    Raises
    ------
    InstrumentError
        If there is no such file or preset, or it holds something that cannot be.
    """
    if str(source) in preset_names():
        text = (files("mixrd.pattern") / "presets" / f"{source}.toml").read_text(encoding="utf-8")
        return instrument_from_toml(text, f"{source}.toml")
    path = Path(source)
    try:
        text = path.read_text(encoding="utf-8")
        return (
            _from_instprm(text, path)
            if path.suffix.lower() == ".instprm"
            else instrument_from_toml(text, path)
        )
    except (OSError, UnicodeDecodeError):
        raise InstrumentError(
            "no such instrument",
            remedy=f"Give a TOML or .instprm file or a preset: {', '.join(preset_names())}",
            file=path,
        ) from None


def _from_instprm(text: str, path: Path) -> Instrument:
    try:
        return parse_instprm(text, path.stem)
    except (InstrumentError, RadiationError) as error:
        raise InstrumentError(error.cause, remedy=error.remedy, file=path) from None
