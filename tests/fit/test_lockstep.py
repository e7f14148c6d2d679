"""Refinements taken together are those of each alone, and an error ends its own scan only."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from mixrd.analysis.inputs.setup import part_of
from mixrd.crystal import Crystal
from mixrd.errors import RefinementError
from mixrd.fit import lockstep
from mixrd.fit.lockstep import FitRequest, Steps, alone, together
from mixrd.fit.staging import SampleRefinement, sample_steps
from mixrd.pattern import Instrument
from mixrd.scan import Scan

MakeScan = Callable[..., Scan]


def steps_of(scan: Scan, crystals: list[Crystal], instrument: Instrument) -> Steps[SampleRefinement]:
    return sample_steps(crystals, instrument, *part_of(scan, (0.0, 180.0)), counted=True)


def test_together_as_alone(make_scan: MakeScan, crystals: list[Crystal], instrument: Instrument) -> None:
    """Whatever the others of the batch need: more steps, another background."""
    scans = [
        make_scan(crystals, (share, 100 - share), strain=(0.002, strain), size_nm=(size, 90.0), seed=seed)
        for seed, (share, strain, size) in enumerate(
            [(30, 0.001, 80.0), (55, -0.002, 25.0), (80, 0.0, 200.0)]
        )
    ]
    single = [alone(steps_of(scan, crystals, instrument)) for scan in scans]
    many = together([steps_of(scan, crystals, instrument) for scan in scans])
    for one, other in zip(single, many, strict=True):
        assert isinstance(other, SampleRefinement)
        assert one.freed == other.freed
        # The last step of a fit may go a little further or less.
        difference = one.refinement.weight_fractions - other.refinement.weight_fractions
        assert np.abs(difference).max() < 2e-5
        assert other.refinement.r_wp == pytest.approx(one.refinement.r_wp, rel=1e-5)
        assert other.refinement.converged


def test_fits_of_one_model_are_made_at_once(
    make_scan: MakeScan,
    crystals: list[Crystal],
    instrument: Instrument,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batches: list[int] = []
    original = lockstep.fit

    def counted(model, basis, observed, *arguments, **more):
        batches.append(len(observed))
        return original(model, basis, observed, *arguments, **more)

    monkeypatch.setattr(lockstep, "fit", counted)
    scans = [make_scan(crystals, (30, 70), seed=seed) for seed in range(3)]
    together([steps_of(scan, crystals, instrument) for scan in scans])
    assert batches[0] == 3 and max(batches) == 3


def test_an_error_ends_its_own_scan(
    make_scan: MakeScan, crystals: list[Crystal], instrument: Instrument
) -> None:
    def broken() -> Steps[SampleRefinement]:
        raise ValueError("not this one")
        yield

    scan = make_scan(crystals, (30, 70))
    first, second = together([broken(), steps_of(scan, crystals, instrument)])
    assert isinstance(first, ValueError)
    assert isinstance(second, SampleRefinement)


def test_singular_equations_of_one_scan_leave_the_others(
    make_scan: MakeScan,
    crystals: list[Crystal],
    instrument: Instrument,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    original = lockstep.fit
    mark = 12345.0

    def singular(model, basis, observed, *arguments, **more):
        if bool((observed == mark).any()):
            torch.linalg.inv(torch.zeros(2, 2))
        return original(model, basis, observed, *arguments, **more)

    def marked(steps: Steps[SampleRefinement]) -> Steps[SampleRefinement]:
        request = next(steps)
        changed = request.observed.clone()
        changed[0, 0] = mark
        found = yield FitRequest(**{**vars(request), "observed": changed})
        return steps.send(found)  # type: ignore[return-value]

    monkeypatch.setattr(lockstep, "fit", singular)
    scan = make_scan(crystals, (30, 70))
    bad, good = together([marked(steps_of(scan, crystals, instrument)), steps_of(scan, crystals, instrument)])
    assert isinstance(bad, RefinementError) and "could not be solved" in str(bad)
    assert isinstance(good, SampleRefinement)
