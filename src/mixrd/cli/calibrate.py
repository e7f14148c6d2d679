"""`mixrd calibrate`: an instrument from a scan of a standard."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from mixrd.cli.console import say, show
from mixrd.cli.options import InstrumentOptions, Switch
from mixrd.errors import UsageError

EXAMPLES = """Examples:
  mixrd calibrate corundum.xy --phase corundum --radiation CuKa \\
      --monochromator 26.6 --radius 173
  mixrd calibrate LaB6.xrdml --phase lanthanum-hexaboride -o aeris.toml
  mixrd calibrate silicon.raw --phase silicon --instrument lab-cu

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
    force
        Overwrite existing files.
    """
    from mixrd.report.files import refuse_existing, writing

    picture = plot or out.with_suffix(".png")
    if out.suffix.lower() != ".toml":
        raise UsageError("an instrument is a TOML file", remedy=f"Use -o {out.stem}.toml", file=out)
    refuse_existing([out, picture], force=force)

    from mixrd import analysis
    from mixrd.cli.progress import spinner
    from mixrd.crystal import load_phase
    from mixrd.pattern import save_instrument
    from mixrd.report.plot import plot_calibration
    from mixrd.report.tables import calibration_table
    from mixrd.scan import read_scan

    crystal = load_phase(phase)
    measured = read_scan(standard, scan=scan)
    start = analysis.instrument_for(measured, options.load(measured))
    with spinner(f"fitting {crystal.name}"):
        result = analysis.calibrate(measured, crystal, start, name=out.stem)
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        save_instrument(result.instrument, out)
        picture.parent.mkdir(parents=True, exist_ok=True)
    plot_calibration(result, crystal.name, picture)
    show(calibration_table(result))
    for code, message in measured.warnings:
        say(f"{code}: {message}")
    say(f"wrote {out} and {picture}")
    return 0
