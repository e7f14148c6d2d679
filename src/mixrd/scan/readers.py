"""`read_scan`: a measured powder scan from a file, whatever the format."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory

from mixrd.errors import ScanError
from mixrd.scan.axes import judge_axis
from mixrd.scan.bruker_raw_old import old_raw_scans
from mixrd.scan.checks import make_scan
from mixrd.scan.containers import Archive, load_bytes, without_dos_end
from mixrd.scan.declared_records import refuse_other_banks, refuse_other_raw_size, refuse_short_ras_rows
from mixrd.scan.detect import NAMES, decode, detect
from mixrd.scan.headers import ScanHeader, bruker_tube_lines, choose_scan, several_scans_warning
from mixrd.scan.jade_mdi import mdi_scan
from mixrd.scan.measurement import Scan
from mixrd.scan.optics_text import ras_optics, raw_optics
from mixrd.scan.powder_cif import cif_scans
from mixrd.scan.rigaku_dat import rigaku_dat_scans
from mixrd.scan.sietronics_cpi import cpi_scan
from mixrd.scan.start_step_stop import start_step_stop_scan
from mixrd.scan.text_headers import ras_headers, text_facts, uxd_headers
from mixrd.scan.text_scan import text_scan
from mixrd.scan.vendor import Arrays, geddes_arrays, rietx_headers, rietx_scan
from mixrd.scan.xml_headers import brml_headers, rasx_headers, xrdml_headers

_FROM_DISK = ("bruker_raw", "ras", "gsas", "udf", "philips_rd")
"""Formats that rietx reads, from the file itself."""

_WHOLE_TEXT: dict[str, Callable[[str, PathLike[str]], list[tuple[Arrays, ScanHeader]]]] = {
    "cif": cif_scans,
    "rigaku_dat": rigaku_dat_scans,
    "cpi": lambda text, file: [cpi_scan(text, file)],
    "mdi": lambda text, file: [mdi_scan(text, file)],
    "start_step_stop": lambda text, file: [start_step_stop_scan(text, file)],
}
"""Readers of formats that are text, of all scans in them at once."""


def read_scan(path: str | PathLike[str], *, scan: int | None = None) -> Scan:
    """Read a measured powder scan; the format is found from the content, not from the name.

    Text columns (.xy, .xye, .csv, .txt, .dat, .prn), PANalytical .xrdml, Philips .udf and .rd, Bruker .raw
    (versions 1 to 4), .brml and .uxd, Rigaku .ras, .rasx and .dat, Sietronics .cpi, Jade .mdi, counts below
    start, step and stop (DBWS .rit, Koalariet .xdd), GSAS powder data and powder CIF. Wavelength, anode,
    counting time, axis and goniometer radius are those of the file's header, None where it says nothing.
    Intensities in counts per second become counts where the header has the counting time.

    Parameters
    ----------
    path : path
        The file.
    scan : int, optional
        Which of several scans in the file, counted from 1. Without it a file of successive ranges gives
        the first, with the warning SEVERAL_SCANS.

    Raises
    ------
    ScanError
        If the file cannot be read, is not a powder scan over 2-theta with X-rays, or holds several scans
        of the same range and none was chosen.
    """
    file = Path(path)
    if scan is not None and (isinstance(scan, bool) or not isinstance(scan, int)):
        raise ScanError(f"scan={scan!r} is not a whole number", remedy="Scans are counted from 1.", file=file)
    whole = load_bytes(file)
    data = without_dos_end(whole)
    kind = detect(data, file)
    try:
        if data is not whole and kind in _FROM_DISK:
            arrays, header = _read_copy(data, kind, scan, file)
        else:
            arrays, header = _read(data, kind, scan, file)
        return make_scan(arrays, header, data=whole, format_name=NAMES[kind], file=file)
    except ScanError:
        raise
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError, MemoryError) as problem:
        raise ScanError(
            f"a {NAMES[kind]} file that cannot be understood ({type(problem).__name__}: {problem})",
            remedy="It is damaged or cut off: copy or export it again.",
            file=file,
        ) from problem


def _read_copy(data: bytes, kind: str, scan: int | None, file: Path) -> tuple[Arrays, ScanHeader]:
    """Read a cleaned copy, for a reader that opens the file itself."""
    with TemporaryDirectory() as folder:
        copy = Path(folder) / file.name
        copy.write_bytes(data)
        try:
            return _read(data, kind, scan, copy)
        except ScanError as error:
            raise ScanError(error.cause, remedy=error.remedy, file=file) from error


def _read(data: bytes, kind: str, scan: int | None, file: Path) -> tuple[Arrays, ScanHeader]:
    if kind == "text":
        choose_scan([ScanHeader()], scan, file)
        return text_scan(decode(data, file), file)
    if kind in ("bruker_raw_1", "bruker_raw_2"):
        return _chosen(old_raw_scans(data, file), scan, file)
    if kind in _WHOLE_TEXT:
        return _chosen(_WHOLE_TEXT[kind](decode(data, file), file), scan, file)
    if kind in _FROM_DISK:
        return _through_rietx(data, kind, scan, file)
    return _through_geddes(data, kind, scan, file)


def _chosen(
    found: list[tuple[Arrays, ScanHeader]], scan: int | None, file: Path
) -> tuple[Arrays, ScanHeader]:
    headers = [header for _, header in found]
    index = choose_scan(headers, scan, file)
    return found[index][0], _noted(headers, headers[index], scan)


def _through_geddes(data: bytes, kind: str, scan: int | None, file: Path) -> tuple[Arrays, ScanHeader]:
    """XRDML, BRML, RASX and UXD: arrays by geddes, header with the standard library."""
    if kind == "xrdml":
        headers = xrdml_headers(data, file)
    elif kind == "uxd":
        headers = uxd_headers(decode(data, file), file)
    else:
        archive = Archive(data, file)
        headers = brml_headers(archive) if kind == "brml" else rasx_headers(archive)
    _refuse_if_no_scan_is_over_two_theta(headers, file)
    if len(headers) > 1 and any(header.last is None for header in headers):
        headers = [_with_range(data, kind, i, header, file) for i, header in enumerate(headers)]
    index = choose_scan(headers, scan, file)
    header = _noted(headers, headers[index], scan)
    doubts = judge_axis(header.axis, file=file, detector_only=header.detector_only)
    header = replace(header, warnings=header.warnings + doubts)
    if kind == "brml" and header.attenuation is not None:
        # which of the two columns carries the absorber is rietx's to know: its sigma follows from it
        arrays, _ = rietx_scan(file, kind, index)
        note = ("ATTENUATED", "an absorber was in the beam at some points; intensities are corrected")
        return arrays, replace(header, attenuation=None, warnings=(*header.warnings, note))
    return geddes_arrays(data, kind, index, file), header


def _refuse_if_no_scan_is_over_two_theta(headers: list[ScanHeader], file: Path) -> None:
    """A pole figure is refused for its axis, before anyone is asked which of its scans is meant."""
    refusals = []
    for header in headers:
        try:
            judge_axis(header.axis, file=file)
        except ScanError as refusal:
            refusals.append(refusal)
    if refusals and len(refusals) == len(headers):
        raise refusals[0]


def _with_range(data: bytes, kind: str, index: int, header: ScanHeader, file: Path) -> ScanHeader:
    x = geddes_arrays(data, kind, index, file).two_theta
    return replace(header, first=float(x[0]), last=float(x[-1])) if x.size else header


def _through_rietx(data: bytes, kind: str, scan: int | None, file: Path) -> tuple[Arrays, ScanHeader]:
    """Bruker RAW, RAS and GSAS: binary or intricate, so that the reader gives the header too."""
    if kind == "bruker_raw":
        refuse_other_raw_size(data, file)
    elif kind == "ras":
        refuse_short_ras_rows(data, file)
    headers = rietx_headers(file, kind)
    index = choose_scan(headers, scan, file)
    arrays, header = rietx_scan(file, kind, index)
    doubts: tuple[tuple[str, str], ...] = ()
    if kind == "ras":
        own = ras_headers(data)
        told = own[index] if index < len(own) else ScanHeader()
        header = replace(
            header,
            axis=told.axis or header.axis,
            detector_only=True,
            goniometer_radius_mm=header.goniometer_radius_mm or told.goniometer_radius_mm,
            points=told.points,
            step=told.step,
        )
        beams = ras_optics(data)
        header = replace(header, optics=beams[index] if index < len(beams) else None)
    elif kind == "bruker_raw":
        alpha1, alpha2 = bruker_tube_lines(data)
        header = replace(
            header,
            wavelength_angstrom=alpha1 or header.wavelength_angstrom,
            optics=raw_optics(data),
        )
        if alpha1 is not None and alpha2 == 0.0:
            doubts += (("KALPHA2_REMOVED", "the header has no K-alpha-2 line: it was taken off by software"),)
    elif kind == "gsas":
        text = decode(data, file)
        above = re.split(r"^BANK\s", text, maxsplit=1, flags=re.MULTILINE)[0]
        refuse_other_banks(text, index, arrays.two_theta.size, file)
        facts = text_facts(above.splitlines())
        header = replace(
            header,
            wavelength_angstrom=facts.wavelength_angstrom,
            anode=facts.anode,
            counting_time_s=facts.counting_time_s,
        )
        if "neutron" in above.lower():
            raise ScanError("its header says neutron data", remedy="mixrd analyses X-ray scans.", file=file)
    doubts += judge_axis(header.axis, file=file, detector_only=header.detector_only)
    return arrays, _noted(headers, replace(header, warnings=header.warnings + doubts), scan)


def _noted(headers: list[ScanHeader], header: ScanHeader, scan: int | None) -> ScanHeader:
    """The header with a warning where the first of several scans was taken without a choice."""
    if len(headers) < 2 or scan is not None:
        return header
    return replace(header, warnings=(several_scans_warning(headers), *header.warnings))
