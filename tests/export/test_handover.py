from __future__ import annotations

import dataclasses

import gemmi
import numpy as np
import pytest
import torch

from mixrd.analysis import Analysis, failed_analysis
from mixrd.crystal import Site
from mixrd.diffraction import beam_overspill
from mixrd.errors import InputError, UsageError
from mixrd.export import Handover, export, export_formats, handover
from mixrd.export.handover import moved_by
from mixrd.scan import Scan


def test_scales_give_the_weights_back(given: Handover, analysis: Analysis) -> None:
    """Hill & Howard: the weight of a phase goes with S M V."""
    masses = [p.rietveld_scale * p.crystal.mass_per_cell * p.crystal.volume for p in given.phases]
    assert 100 * masses[0] / sum(masses) == pytest.approx(analysis.phases[0].apparent_percent, abs=1e-6)
    assert analysis.phases[0].apparent_percent == pytest.approx(40, abs=1)
    # Stated with what microabsorption takes away on average.
    assert given.phases[0].weight_percent == analysis.phases[0].weight_percent
    assert given.phases[0].weight_percent != given.phases[0].apparent_percent


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


def test_counts_of_a_short_sample_are_converted(analysis: Analysis, scan: Scan, given: Handover) -> None:
    found = handover(dataclasses.replace(analysis, overspill=0.3, b_offset_angstrom2=-0.2), scan)
    share = beam_overspill(torch.deg2rad(torch.tensor(found.two_theta) / 2), 0.3).numpy()
    assert share.min() < 0.8 and found.counts * share == pytest.approx(given.counts)
    assert found.sigma * share == pytest.approx(given.sigma)
    for moved, before in zip(found.phases, given.phases, strict=True):
        for new, old in zip(moved.crystal.sites, before.crystal.sites, strict=True):
            assert new.u_iso == pytest.approx(max(old.u_iso - 0.2 / (8 * np.pi**2), 1e-4))


def test_a_tensor_grows_alike_in_all_directions() -> None:
    cell = (5.0, 6.0, 7.0, 80.0, 95.0, 110.0)
    tensor = (0.02, 0.015, 0.03, 0.004, -0.002, 0.001)
    site = Site("O1", "O", (0.1, 0.2, 0.3), 1.0, 0.02, tensor)
    moved = moved_by(site, 0.005, cell)
    assert moved.u_aniso is not None and moved.u_iso == pytest.approx(0.025)
    reciprocal = gemmi.UnitCell(*cell).reciprocal()
    stars = (reciprocal.a, reciprocal.b, reciprocal.c)

    def squared(u: tuple[float, ...], h: tuple[int, int, int]) -> float:
        """Mean-square displacement along a reciprocal-lattice vector times its squared length."""
        v = [n * star for n, star in zip(h, stars, strict=True)]
        u11, u22, u33, u12, u13, u23 = u
        return (
            u11 * v[0] ** 2 + u22 * v[1] ** 2 + u33 * v[2] ** 2
            + 2 * (u12 * v[0] * v[1] + u13 * v[0] * v[2] + u23 * v[1] * v[2])
        )  # fmt: skip

    for h in ((1, 0, 0), (1, 2, 0), (-1, 1, 3), (2, -1, 1)):
        length = gemmi.UnitCell(*cell).calculate_1_d2(h)
        assert squared(moved.u_aniso, h) - squared(tensor, h) == pytest.approx(0.005 * length)


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


@pytest.mark.parametrize("name", [name for name, one in export_formats().items() if one.write_result])
def test_every_format_writes_text(
    name: str, analysis: Analysis, scan: Scan, rough_and_textured: Handover
) -> None:
    contents = export(analysis, scan, name)
    write = export_formats()[name].write_result
    assert write is not None
    assert contents and all(text.endswith("\n") for text in contents.values())
    assert all("nan" not in text.split() for text in write(rough_and_textured).values())


def test_an_unknown_format(analysis: Analysis, scan: Scan) -> None:
    with pytest.raises(InputError, match="topas"):
        export(analysis, scan, "word")
    with pytest.raises(InputError, match="network"):
        export(analysis, scan, "onnx")
