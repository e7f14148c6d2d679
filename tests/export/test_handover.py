from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from mixrd.analysis import Analysis, failed_analysis
from mixrd.errors import InputError, UsageError
from mixrd.export import FORMATS, Handover, export, handover
from mixrd.scan import Scan


def test_scales_give_the_weights_back(given: Handover, analysis: Analysis) -> None:
    """Hill & Howard: the weight of a phase goes with S M V."""
    masses = [p.rietveld_scale * p.crystal.mass_per_cell * p.crystal.volume for p in given.phases]
    assert 100 * masses[0] / sum(masses) == pytest.approx(analysis.phases[0].refined_percent, abs=1e-6)
    assert analysis.phases[0].refined_percent == pytest.approx(40, abs=1)


def test_what_is_handed_over_is_what_was_refined(given: Handover, analysis: Analysis) -> None:
    for phase, result in zip(given.phases, analysis.phases, strict=True):
        assert phase.crystal.cell == result.cell
    assert given.phases[0].size_nm == pytest.approx(80, rel=0.1)
    assert given.zero_deg == analysis.zero_deg
    assert given.limits[0] >= 22 and given.limits[1] == pytest.approx(70, abs=0.05)


def test_background_is_followed(given: Handover) -> None:
    low, high = given.limits
    angles = np.linspace(low, high, 200)
    x = (2 * angles - low - high) / (high - low)
    found = np.polynomial.chebyshev.chebval(x, given.chebyshev())
    assert found == pytest.approx(150 - angles, abs=8)


def test_graphite_monochromator_polarizes(given: Handover) -> None:
    passed = np.cos(np.radians(26.6)) ** 2
    assert given.perpendicular == pytest.approx(1 / (1 + passed))


def test_counts_of_an_automatic_slit_are_converted(analysis: Analysis, scan: Scan, given: Handover) -> None:
    assert analysis.refined_model is not None
    machine = dataclasses.replace(analysis.refined_model.instrument, divergence_slit="automatic")
    model = dataclasses.replace(analysis.refined_model, instrument=machine)
    found = handover(dataclasses.replace(analysis, refined_model=model), scan)
    opening = np.sin(np.radians(found.two_theta / 2))
    assert found.counts * opening == pytest.approx(given.counts)
    assert found.instrument.divergence_slit == "fixed"


def test_another_scan_is_refused(analysis: Analysis, scan: Scan) -> None:
    with pytest.raises(InputError, match="not the scan of this result"):
        handover(analysis, dataclasses.replace(scan, sha256="0" * 64))


def test_without_a_refinement_there_is_nothing_to_export(analysis: Analysis, scan: Scan) -> None:
    with pytest.raises(UsageError, match="no refinement"):
        handover(dataclasses.replace(analysis, refined_model=None), scan)
    with pytest.raises(UsageError, match="failed"):
        handover(failed_analysis("a.xy", UsageError("broken", remedy="mend")), scan)


def test_names_become_different_files(analysis: Analysis, scan: Scan) -> None:
    assert analysis.refined_model is not None
    first, second = analysis.phases
    named = (dataclasses.replace(first, name="a/b"), dataclasses.replace(second, name="a b"))
    found = handover(dataclasses.replace(analysis, phases=named), scan)
    stems = [phase.file_stem for phase in found.phases]
    assert len({s.lower() for s in stems}) == 2 and not any(set(s) & set("/ ") for s in stems)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_format_writes_text(
    name: str, analysis: Analysis, scan: Scan, rough_and_textured: Handover
) -> None:
    contents = export(analysis, scan, name)
    assert contents and all(text.endswith("\n") for text in contents.values())
    assert all("nan" not in text.split() for text in FORMATS[name](rough_and_textured).values())


def test_an_unknown_format(analysis: Analysis, scan: Scan) -> None:
    with pytest.raises(UsageError, match="topas"):
        export(analysis, scan, "word")
