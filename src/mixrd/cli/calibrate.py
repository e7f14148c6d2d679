"""`mixrd calibrate`: an instrument from a scan of a standard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from mixrd.cli.console import say, show_result
from mixrd.cli.options import InstrumentOptions, Switch
from mixrd.errors import UsageError

if TYPE_CHECKING:
    from mixrd.analysis import Calibration

EXAMPLES = """Examples:
  mixrd calibrate corundum.xy --phase corundum --radiation CuKa \\
      --monochromator 26.6 --radius 173
  mixrd calibrate LaB6.xrdml --phase lanthanum-hexaboride -o aeris.toml
  mixrd calibrate silicon.raw --phase silicon --instrument lab-cu --json

Then: mixrd analyze scan.xy --phases ... --instrument instrument.toml"""


def calibrate(
    standard: Annotated[Path, Parameter(name="STANDARD_SCAN")],
    /,
    *,
    phase: str,
    options: InstrumentOptions = InstrumentOptions(),  # noqa: B008
    out: Annotated[Path, Parameter(name=["--out", "-o"])] = Path("instrument.toml"),
    plot: Path | None = None,
    scan: int | None = None,
    json: Switch = False,
    force: Switch = False,
) -> int:
    """Fit an instrument's line widths to the scan of a pure, well-crystallised phase.

    Radiation may be left out where the scan's header names the tube.

    Parameters
    ----------
    standard
        File of the scan.
    phase
        The phase it is of: a name of `mixrd phases`, or a CIF file.
    out
        File of the instrument; its name without ending becomes the instrument's.
    plot
        Plot of the fit (PNG), beside the instrument's file unless given.
    scan
        Which scan, where the file holds several, counted from 1.
    json
        Print instrument and fit as JSON instead of a table.
    force
        Overwrite existing files.
    """
    from mixrd.files import refuse_existing, writing

    picture = plot or out.with_suffix(".png")
    if out.suffix.lower() != ".toml":
        raise UsageError("an instrument is a TOML file", remedy=f"Use -o {out.stem}.toml", file=out)
    refuse_existing([out, picture], force=force)

    from mixrd import analysis
    from mixrd.cli.progress import spinner
    from mixrd.pattern import save_instrument
    from mixrd.phases import load_phase
    from mixrd.report.plot import plot_calibration
    from mixrd.report.tables import calibration_table
    from mixrd.scan import read_scan

    crystal = load_phase(phase)
    measured = read_scan(standard, scan=scan)
    given = options.load(measured)
    start = analysis.instrument_for(measured, given)
    with spinner(f"fitting {crystal.name}"):
        result = analysis.calibrate(measured, crystal, start, name=out.stem)
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        save_instrument(result.instrument, out)
        picture.parent.mkdir(parents=True, exist_ok=True)
    plot_calibration(result, crystal.name, picture)
    show_result(json, _plain(result, measured.warnings), calibration_table(result))
    doubts = ((doubt.code, doubt.message) for doubt in analysis.beam_warnings(measured, start, given))
    for code, message in (*measured.warnings, *doubts):
        say(f"{code}: {message}")
    say(f"wrote {out} and {picture}")
    return 0


def _plain(result: Calibration, doubts: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    from mixrd.pattern import instrument_to_dict

    return {
        "schema": 1,
        "instrument": instrument_to_dict(result.instrument),
        "zero_deg": result.zero_deg,
        "displacement_mm": result.displacement_mm,
        "r_wp": result.r_wp,
        "r_exp": result.r_exp,
        "warnings": [{"code": code, "message": message} for code, message in doubts],
    }
