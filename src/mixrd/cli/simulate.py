"""`mixrd simulate`: the virtual diffractometer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from mixrd.cli.console import say
from mixrd.cli.options import InstrumentOptions, Switch, load_phases
from mixrd.cli.quantities import phase_and_amount
from mixrd.cli.simulation_options import BeamOptions, CountingOptions, SampleOptions, scan_settings

EXAMPLES = """Examples:
  mixrd simulate corundum:30 fluorite:34.4 zincite:35.6 --instrument lab-cu \\
      -o scan.xy
  mixrd simulate quartz:1 my-phase.cif:1 --kind mole --radiation CoKa \\
      --peak-counts 2000 --size-nm 40 -o scan.xy
  mixrd simulate calcite:70 quartz:30 --instrument lab-cu \\
      --texture calcite:104:0.8 --time 2min -o scan.xy
  mixrd simulate corundum:50 zincite:50 --instrument lab-cu --size zincite:20 \\
      --aspect zincite:001:0.5 --microstrain 0.001 --particle-size 10um \\
      --roughness 0.3:0.05 --mu-t 2 --impurities 3 --kbeta 0.01 \\
      --tungsten 0.005 --dead-time 2us --spikes 2 -o scan.xy

All that was simulated stands in scan.truth.json."""


def simulate(
    mixture: Annotated[list[str], Parameter(name="MIXTURE")],
    /,
    *,
    out: Annotated[Path, Parameter(name=["--out", "-o"])],
    options: InstrumentOptions = InstrumentOptions(),  # noqa: B008
    range: tuple[float, float] | None = None,
    sample: SampleOptions = SampleOptions(),  # noqa: B008
    beam: BeamOptions = BeamOptions(),  # noqa: B008
    counting: CountingOptions = CountingOptions(),  # noqa: B008
    kind: Literal["weight", "volume", "mole"] = "weight",
    seed: int = 0,
    force: Switch = False,
) -> int:
    """Simulate the scan of a mixture, with counting noise.

    Parameters
    ----------
    mixture
        Phases with their amounts, as PHASE:AMOUNT; amounts are scaled to sum to 1.
    out
        File of the scan (.xy or .xye); the truth is written beside it.
    range
        First and last angle 2theta in degrees; the instrument's unless given.
    kind
        What the amounts are fractions of.
    seed
        The same seed gives the same scan.
    force
        Overwrite existing files.
    """
    from mixrd.files import refuse_existing, write_whole, writing

    amounts = [phase_and_amount(part) for part in mixture]
    truth_file = out.with_suffix(".truth.json")
    refuse_existing([out, truth_file], force=force)
    instrument = options.required(range)
    crystals = load_phases([name for name, _ in amounts])
    settings = scan_settings(sample, beam, counting)

    import torch

    from mixrd.mixture import Composition
    from mixrd.mixture import simulate as measure
    from mixrd.scan import write_scan

    composition = Composition(tuple(c.name for c in crystals), tuple(a for _, a in amounts), kind)
    made = measure(
        crystals,
        composition,
        instrument,
        generator=torch.Generator().manual_seed(seed),
        settings=settings,
    )
    write_scan(made.scan, out, overwrite=force)
    with writing(truth_file):
        write_whole(truth_file, json.dumps({**made.truth, "seed": seed}, indent=2) + "\n")
    say(f"wrote {out} and {truth_file}")
    return 0
