"""Planning: counting times and ranges that reach what is wanted."""

from __future__ import annotations

import pytest

from mixrd.analysis import Measurement, laboratory_bound, make_plan
from mixrd.crystal import Crystal
from mixrd.errors import ParameterError
from mixrd.mixture import Composition
from mixrd.pattern import Instrument

EVEN = Composition(("fluorite", "halite"), (1.0, 1.0))


def test_scans_are_those_asked_for(crystals: list[Crystal], instrument: Instrument) -> None:
    plan = make_plan(
        crystals, EVEN, instrument, seconds_per_step=(1.0, 10.0), ranges=((20.0, 60.0), (25.0, 50.0))
    )
    asked = [(s.two_theta_range, s.seconds_per_step) for s in plan.scans]
    assert asked == [((20.0, 60.0), 1.0), ((20.0, 60.0), 10.0), ((25.0, 50.0), 1.0), ((25.0, 50.0), 10.0)]
    assert plan.scans[0] == laboratory_bound(crystals, EVEN, instrument)
    assert plan.reached == ()


def test_what_is_wanted_is_reached_and_just_so(crystals: list[Crystal], instrument: Instrument) -> None:
    plan = make_plan(crystals, EVEN, instrument, ranges=((20.0, 60.0), (25.0, 50.0)), want_percent=0.2)
    assert len(plan.reached) == 2
    assert all(0.98 * 0.2 < scan.sigma_percent <= 0.2 for scan in plan.reached)
    assert plan.reached[0].scan_seconds <= plan.reached[1].scan_seconds
    # One second by the square of the ratio, where counts are many and restraints weak.
    once = plan.scans[0].sigma_percent
    same_range = next(s for s in plan.reached if s.two_theta_range == (20.0, 60.0))
    assert same_range.seconds_per_step == pytest.approx((once / 0.2) ** 2, rel=0.1)


def test_a_range_that_cannot_reach_it_is_left_out(crystals: list[Crystal], instrument: Instrument) -> None:
    # No line lies below 25 deg.
    plan = make_plan(crystals, EVEN, instrument, ranges=((20.0, 60.0), (20.0, 25.0)), want_percent=1.0)
    assert [scan.two_theta_range for scan in plan.reached] == [(20.0, 60.0)]
    assert plan.scans[1].sigma_percent > 1000
    dim = Measurement(peak_counts=0.01, background_counts=1e5)
    assert make_plan(crystals, EVEN, instrument, dim, want_percent=0.001).reached == ()


@pytest.mark.parametrize(
    "asked",
    [{"want_percent": 0.0}, {"seconds_per_step": ()}, {"ranges": ((50.0, 30.0),)}],
    ids=lambda a: next(iter(a)),
)
def test_what_cannot_be_planned(
    crystals: list[Crystal], instrument: Instrument, asked: dict[str, object]
) -> None:
    with pytest.raises(ParameterError):
        make_plan(crystals, EVEN, instrument, **asked)  # type: ignore[arg-type]
