"""`mixrd simulate`: the virtual diffractometer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Group, Parameter

from mixrd.cli.console import say
from mixrd.cli.options import InstrumentOptions, Switch, load_phases
from mixrd.errors import UsageError

if TYPE_CHECKING:
    from mixrd.mixture import ScanSettings

EXAMPLES = """Examples:
  mixrd simulate corundum:30 fluorite:34.4 zincite:35.6 --instrument lab-cu \\
      -o scan.xy
  mixrd simulate quartz:1 my-phase.cif:1 --kind mole --radiation CoKa \\
      --peak-counts 2000 --size-nm 40 -o scan.xy
  mixrd simulate calcite:70 quartz:30 --instrument lab-cu \\
      --texture calcite:104:0.8 -o scan.xy

The composition, cells and sizes that were simulated stand in scan.truth.json."""


@Parameter(name="*", group=Group("Sample and counting", sort_key=2))
@dataclass(frozen=True)
class SampleOptions:
    """What the sample is like and how long it is measured."""

    peak_counts: float = 10_000.0
    """Expected counts of the strongest point above the background."""

    background_counts: float = 200.0
    """Expected counts where the background is highest."""

    max_strain: float = 0.001
    """Cells deviate from the catalog's by up to this, relatively."""

    size_nm: float | None = None
    """Crystallite size of all phases in nm; drawn from 50 to 500 nm unless given."""

    zero: float = 0.0
    """Zero shift in degrees 2theta."""

    displacement: float = 0.0
    """Sample displacement in mm."""

    texture: list[str] | None = None
    """Texture as PHASE:HKL:R: the plane that platelets lie on and March-Dollase r, calcite:104:0.8."""

    def settings(self) -> ScanSettings:
        """The same for `mixrd.mixture.simulate`."""
        from mixrd.mixture import ScanSettings

        return ScanSettings(
            peak_counts=self.peak_counts,
            background_counts=self.background_counts,
            max_strain=self.max_strain,
            size_nm=self.size_nm,
            zero_deg=self.zero,
            displacement_mm=self.displacement,
            texture=dict(_texture(part) for part in self.texture or ()),
        )


def simulate(
    mixture: Annotated[list[str], Parameter(name="MIXTURE")],
    /,
    *,
    out: Annotated[Path, Parameter(name=["--out", "-o"])],
    options: InstrumentOptions = InstrumentOptions(),  # noqa: B008
    range: tuple[float, float] | None = None,
    sample: SampleOptions = SampleOptions(),
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
    from mixrd.report.files import refuse_existing, writing

    amounts = [_amount(part) for part in mixture]
    truth_file = out.with_suffix(".truth.json")
    refuse_existing([out, truth_file], force=force)
    instrument = options.required(range)
    crystals = load_phases([name for name, _ in amounts])

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
        settings=sample.settings(),
    )
    write_scan(made.scan, out, overwrite=force)
    with writing(truth_file):
        truth_file.write_text(json.dumps({**made.truth, "seed": seed}, indent=2) + "\n", encoding="utf-8")
    say(f"wrote {out} and {truth_file}")
    return 0


def _texture(part: str) -> tuple[str, tuple[tuple[int, int, int], float]]:
    """Phase, axis and r of a PHASE:HKL:R; indices stand together (104) or with commas (1,0,-4)."""
    try:
        name, indices, r = part.rsplit(":", 2)
        h, k, l = (int(x) for x in (indices.split(",") if "," in indices else indices))
        return load_phases([_named(name)])[0].name, ((h, k, l), float(r))
    except ValueError:
        raise UsageError(
            f"{part!r} is not a texture", remedy="Write PHASE:HKL:R, for example calcite:104:0.8"
        ) from None


def _amount(part: str) -> tuple[str, float]:
    """Name and amount of a PHASE:AMOUNT; the name may hold colons itself (a path on Windows)."""
    name, _, amount = part.rpartition(":")
    try:
        return _named(name), float(amount)
    except ValueError:
        raise UsageError(
            f"{part!r} is not a phase with its amount", remedy="Write for example corundum:30"
        ) from None


def _named(name: str) -> str:
    if not name:
        raise ValueError(name)
    return name
