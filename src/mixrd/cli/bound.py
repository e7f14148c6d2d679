"""`mixrd bound` and `mixrd plan`: what a scan can say at best, before it is measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Group, Parameter

from mixrd.cli.console import show_result
from mixrd.cli.options import InstrumentOptions, Names, Switch, load_phases
from mixrd.cli.quantities import TIME, phase_and_amount
from mixrd.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixrd.analysis import Measurement
    from mixrd.crystal import Crystal
    from mixrd.mixture import Composition

BOUND_EXAMPLES = """Examples:
  mixrd bound quartz:95 calcite:5 --instrument lab-cu
  mixrd bound quartz:95 calcite:5 --instrument lab-cu --range 20 60 --time 10s \\
      --peak-counts 2000 --background-counts 100 --json"""

PLAN_EXAMPLES = """Examples:
  mixrd plan quartz:50 calcite:50 --instrument lab-cu --time 1s 10s 60s
  mixrd plan quartz:98 calcite:2 --instrument lab-cu \\
      --range 20 60 --range 20 90 --want 0.1
  mixrd plan --phases quartz calcite corundum --instrument lab-cu --want 0.5"""

Kind = Literal["weight", "volume", "mole"]


@Parameter(name="*", group=Group("Measurement", sort_key=2))
@dataclass(frozen=True)
class MeasurementOptions:
    """How brightly the sample scatters and how sharp its lines are."""

    peak_counts: float = 10_000.0
    """Expected counts in one second of the strongest point in any range, above the background."""

    background_counts: float = 200.0
    """Expected counts of the background in one second."""

    size_nm: float = 150.0
    """Crystallite size in nm of all phases."""

    microstrain: float = 0.00025
    """Relative spread of lattice spacings of all phases."""

    def load(self) -> Measurement:
        """The same for `mixrd.analysis`."""
        from mixrd.analysis import Measurement

        return Measurement(self.peak_counts, self.background_counts, self.size_nm, self.microstrain)


def bound(
    mixture: Annotated[list[str], Parameter(name="MIXTURE")],
    /,
    *,
    options: InstrumentOptions = InstrumentOptions(),  # noqa: B008
    range: tuple[float, float] | None = None,
    time: str = "1s",
    measurement: MeasurementOptions = MeasurementOptions(),
    kind: Kind = "weight",
    json: Switch = False,
) -> int:
    """Print the best precision that a scan of a mixture allows (Cramér-Rao bound).

    Cells, sizes, microstrains, zero, displacement, profile and background are unknown, as in an analysis; the
    noise is that of counting. No unbiased analysis does better; wrong structures, texture and few grains come
    on top.

    Parameters
    ----------
    mixture
        Phases with their amounts, as PHASE:AMOUNT; amounts are scaled to sum to 1.
    range
        First and last angle 2theta in degrees; the instrument's unless given.
    time
        Counting time of each step in s, or with its unit: 500ms, 2min.
    kind
        What the amounts are fractions of.
    json
        Print JSON instead of a table.
    """
    instrument = options.required(range)
    crystals, composition = _sample(mixture, (), kind)

    from mixrd.analysis import laboratory_bound
    from mixrd.report.bound_tables import bound_line, bound_table

    seconds = TIME.parse(time)
    found = laboratory_bound(crystals, composition, instrument, measurement.load(), seconds_per_step=seconds)
    show_result(json, {"schema": 1, **found.plain()}, bound_table([found]), bound_line(found))
    return 0


def plan(
    mixture: Annotated[list[str] | None, Parameter(name="MIXTURE")] = None,
    /,
    *,
    phases: Names | None = None,
    options: InstrumentOptions = InstrumentOptions(),  # noqa: B008
    time: Names | None = None,
    range: Annotated[list[tuple[float, float]] | None, Parameter(allow_repeating=True)] = None,
    want: float | None = None,
    measurement: MeasurementOptions = MeasurementOptions(),
    kind: Kind = "weight",
    json: Switch = False,
) -> int:
    """Print what precision and detection limit to expect of scans, and which would reach a wanted one.

    These are the best values that counting statistics allow, see `mixrd bound --help`.

    Parameters
    ----------
    mixture
        Phases with their expected amounts, as PHASE:AMOUNT; amounts are scaled to sum to 1.
    phases
        Instead of MIXTURE: phases in equal amounts.
    time
        Counting times of each step in s, or with their unit: 500ms 10s 2min; 1s unless given.
    range
        First and last angle 2theta in degrees, the instrument's unless given; may be given several times.
    want
        Wanted standard deviation in wt% of every phase.
    kind
        What the amounts are fractions of.
    json
        Print JSON instead of a table.
    """
    instrument = options.required()
    crystals, composition = _sample(mixture or (), phases or (), kind)

    from mixrd.analysis import make_plan
    from mixrd.report.bound_tables import bound_table, plan_lines

    made = make_plan(
        crystals,
        composition,
        instrument,
        measurement.load(),
        seconds_per_step=[TIME.parse(t) for t in time or ("1s",)],
        ranges=range or (),
        want_percent=want,
    )
    show_result(json, {"schema": 1, **made.plain()}, bound_table(made.scans), *plan_lines(made))
    return 0


def _sample(mixture: Sequence[str], phases: Sequence[str], kind: Kind) -> tuple[list[Crystal], Composition]:
    """Crystals and how much of each there is."""
    if bool(mixture) == bool(phases):
        raise UsageError(
            "both MIXTURE and --phases are given" if mixture else "no phases are given",
            remedy="Write for example quartz:95 calcite:5, or --phases quartz calcite for equal amounts",
        )
    amounts = [phase_and_amount(part) for part in mixture] or [(name, 1.0) for name in phases]
    crystals = load_phases([name for name, _ in amounts])

    from mixrd.mixture import Composition

    return crystals, Composition(tuple(c.name for c in crystals), tuple(a for _, a in amounts), kind)
