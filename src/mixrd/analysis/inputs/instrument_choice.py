"""Where names of a request are looked up, and which instrument a user chose: by name, or described."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mixrd.analysis.inputs.sources import Sources
from mixrd.errors import RequestError
from mixrd.scan import Scan

if TYPE_CHECKING:
    from mixrd.pattern import Instrument


@dataclass(frozen=True, kw_only=True)
class InstrumentChoice:
    """The diffractometer; what is left open is as the scan's header says.

    Attributes
    ----------
    instrument : str, Instrument or None
        A preset, a file, or the instrument itself.
    radiation : str or None
        "CuKa", or a wavelength in angstrom, where there is no instrument.
    monochromator_two_theta : float or None
        In degrees, 0 for none.
    goniometer_radius_mm : float or None

    Raises
    ------
    RequestError
        If both an instrument and a part of a description are given.
    """

    instrument: str | Instrument | None = None
    radiation: str | None = None
    monochromator_two_theta: float | None = None
    goniometer_radius_mm: float | None = None

    def __post_init__(self) -> None:
        parts = self._parts()
        if self.instrument is not None and parts:
            raise RequestError(
                "an instrument and the description of one exclude each other",
                remedy="The instrument holds radiation, monochromator and radius",
                fields=("instrument", parts[0]),
            )

    def _parts(self) -> list[str]:
        """Fields of a description that are given."""
        names = ("radiation", "monochromator_two_theta", "goniometer_radius_mm")
        return [name for name in names if getattr(self, name) is not None]

    @property
    def stands_alone(self) -> bool:
        """Whether an instrument is chosen without a scan's header."""
        return self.instrument is not None or self.radiation is not None

    def chosen_instrument(
        self,
        scan: Scan | None = None,
        sources: Sources = Sources(),  # noqa: B008
    ) -> Instrument | None:
        """The instrument that was named or described; None where nothing was said.

        Parameters
        ----------
        scan : Scan, optional
            Its header says what is left open.
        sources : Sources

        Raises
        ------
        RequestError
            If there is a part of a description without radiation, and no scan.
        RadiationError
            If the scan's header does not name the tube then.
        InstrumentError
            If there is no such instrument.
        """
        from mixrd.analysis.inputs.beam import described_instrument, instrument_for

        if isinstance(self.instrument, str):
            return sources.instrument(self.instrument)
        parts = self._parts()
        if self.instrument is not None or not parts:
            return self.instrument
        if self.radiation is not None:
            return described_instrument(
                self.radiation,
                scan,
                monochromator_two_theta=self.monochromator_two_theta,
                goniometer_radius_mm=self.goniometer_radius_mm,
            )
        if scan is None:
            raise RequestError(
                "a part of an instrument is described without its radiation",
                remedy="Add the radiation, for example CuKa",
                fields=(parts[0], "radiation"),
            )
        return replace(instrument_for(scan, None), **{name: getattr(self, name) for name in parts})
