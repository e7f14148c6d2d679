from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import chi2

from mixrd.crystal import Crystal
from mixrd.errors import ParameterError
from mixrd.fit import Refinement, Restraints, refine
from mixrd.pattern import ForwardModel, Instrument, load_instrument
from mixrd.phases import load_phase
from mixrd.scan import Scan

MakeScan = Callable[..., Scan]
#: Restraints as good as none.
LOOSE = Restraints(
    strain=1.0, inverse_size_per_nm=1.0, microstrain=1.0, width=1.0, lorentzian_width=1.0, zero=1.0,
    displacement_mm=1.0,
)  # fmt: skip


def refined(
    scans: list[Scan], crystals: list[Crystal], instrument: Instrument, **settings: object
) -> list[Refinement]:
    counts = np.stack([s.counts for s in scans])
    sigma = np.sqrt(np.maximum(counts, 1.0))
    return refine(crystals, instrument, scans[0].two_theta, counts, sigma, **settings)  # type: ignore[arg-type]


def test_weights_cells_and_zero_come_back(
    make_scan: MakeScan, crystals: list[Crystal], instrument: Instrument
) -> None:
    strain = (0.0021, -0.0013)
    scan = make_scan(crystals, (30, 70), strain=strain, zero=0.03, peak=50_000)
    found = refined([scan], crystals, instrument, fixed=("displacement",))[0]
    assert found.converged
    sigma = np.sqrt(found.covariance.diagonal())
    assert abs(found.weight_fractions[0] - 0.3) < 4 * sigma[0] < 0.01
    for value, spread, truth in zip(found.strain, found.strain_sigma, strain, strict=True):
        assert abs(value[0] - truth) < 4 * spread[0] < 4e-4
    assert found.zero_deg == pytest.approx(0.03, abs=0.01)
    assert found.r_wp == pytest.approx(found.r_exp, rel=0.1)


def test_sizes_come_back(make_scan: MakeScan, crystals: list[Crystal], instrument: Instrument) -> None:
    scan = make_scan(crystals, (50, 50), size_nm=(25.0, 60.0), peak=100_000)
    # Microstrain and instrument widths broaden too: one of them at a time can be told from a short range.
    found = refined([scan], crystals, instrument, restraints=LOOSE, fixed=("microstrain", "profile"))[0]
    truth = 1 / np.array([25.0, 60.0])
    assert (np.abs(found.inverse_size_per_nm - truth) < 4 * found.inverse_size_sigma).all()
    assert (found.inverse_size_sigma < 0.1 * truth).all()


@pytest.mark.parametrize("displacement", [-0.3, 0.3])
def test_a_displaced_sample_is_found(
    make_scan: MakeScan, crystals: list[Crystal], instrument: Instrument, displacement: float
) -> None:
    scan = make_scan(crystals, (50, 50), displacement=displacement, peak=100_000)
    found = refined([scan], crystals, instrument, restraints=LOOSE, fixed=("zero", "strain"))[0]
    assert found.displacement_mm == pytest.approx(displacement, abs=0.01)
    # Zero, displacement and cells all free: what they share is undetermined, the fit and weights are not.
    free = refined([scan], crystals, instrument)[0]
    assert free.r_wp == pytest.approx(free.r_exp, rel=0.1)
    assert free.weight_fractions[0] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("strain", [(0.004, -0.004), (-0.004, 0.004), (0.01, 0.01)])
def test_wrong_cells_converge_through_the_blurred_stages(
    make_scan: MakeScan, crystals: list[Crystal], instrument: Instrument, strain: tuple[float, float]
) -> None:
    scan = make_scan(crystals, (30, 70), strain=strain)
    found = refined([scan], crystals, instrument)[0]
    assert found.weight_fractions[0] == pytest.approx(0.3, abs=0.01)
    assert [s[0] for s in found.strain] == pytest.approx(strain, abs=5e-4)
    assert found.r_wp < 1.2 * found.r_exp


def test_the_blurred_stages_are_what_converges(
    make_scan: MakeScan, crystals: list[Crystal], instrument: Instrument
) -> None:
    """Cells wrong by 2 %, far beyond the width of a line: the sharp fit alone sees nothing of the phases."""
    scan = make_scan(crystals, (30, 70), strain=(0.02, 0.02))
    sharp = refined([scan], crystals, instrument, stages_deg=())[0]
    assert sharp.r_wp > 3 * sharp.r_exp
    staged = refined([scan], crystals, instrument)[0]
    assert staged.r_wp < 1.2 * staged.r_exp


def test_a_start_far_off_converges(
    make_scan: MakeScan, crystals: list[Crystal], instrument: Instrument
) -> None:
    """A network's estimate wrong by 0.4 % in the cells."""
    scan = make_scan(crystals, (30, 70))
    start = ForwardModel(crystals, instrument, np.arange(30.0, 60.0, 0.1)).reference().flat()
    start[0, :2] = torch.tensor([0.004, -0.004])
    found = refined([scan], crystals, instrument, start=start)[0]
    assert found.weight_fractions[0] == pytest.approx(0.3, abs=0.01)
    assert np.abs(np.concatenate(found.strain)).max() < 5e-4


def test_a_batch_gives_what_its_scans_give_alone(
    make_scan: MakeScan, crystals: list[Crystal], instrument: Instrument
) -> None:
    cases = (((30, 70), (0.001, 0.0)), ((95, 5), (0.0, 0.002)), ((100, 0), (-0.003, 0.0)))
    scans = [make_scan(crystals, w, strain=s, seed=i) for i, (w, s) in enumerate(cases)]
    together = refined(scans, crystals, instrument)
    assert len(together) == 3
    for scan, one in zip(scans, together, strict=True):
        alone = refined([scan], crystals, instrument)[0]
        sigma = np.sqrt(alone.covariance.diagonal()) + 1e-5
        assert (np.abs(alone.weight_fractions - one.weight_fractions) < 0.1 * sigma).all()
        assert np.abs(alone.calculated - one.calculated).max() < 0.01 * scan.counts.max()
        assert alone.r_wp == pytest.approx(one.r_wp, rel=1e-3)


def test_threads_are_given_back(scan: Scan, crystals: list[Crystal], instrument: Instrument) -> None:
    before = torch.get_num_threads()
    refined([scan], crystals, instrument, stages_deg=())
    assert torch.get_num_threads() == before


@pytest.mark.slow
def test_stated_uncertainties_are_those_of_repeated_scans(
    make_scan: MakeScan, crystals: list[Crystal], instrument: Instrument
) -> None:
    """Thirty scans of one sample: the scatter of weights is what each of them states."""
    repeats = 30
    scans = [
        make_scan(crystals, (30, 70), strain=(0.001, -0.001), peak=5_000, seed=s) for s in range(repeats)
    ]
    found = refined(scans, crystals, instrument)
    fractions = np.array([f.weight_fractions[0] for f in found])
    sigma = np.array([np.sqrt(f.covariance[0, 0]) for f in found])
    low, high = chi2.ppf([1e-4, 1 - 1e-4], repeats)
    pulls = (fractions - 0.3) / sigma
    # Restraints pull a little, so that the stated value may be on the safe side by some.
    assert 0.6 * low < (pulls**2).sum() < 1.3 * high
    assert abs(pulls.mean()) < 4 / np.sqrt(repeats), "no bias"
    assert sigma.std() < 0.2 * sigma.mean()


def test_more_counts_smaller_uncertainty(
    make_scan: MakeScan, crystals: list[Crystal], instrument: Instrument
) -> None:
    weak, strong = (
        refined([make_scan(crystals, (30, 70), peak=p, background=p / 100)], crystals, instrument)[0]
        for p in (5_000, 500_000)
    )
    ratio = np.sqrt(weak.covariance[0, 0] / strong.covariance[0, 0])
    assert ratio == pytest.approx(10, rel=0.3)


def test_covariance_of_fractions_sums_to_nothing(
    scan: Scan, crystals: list[Crystal], instrument: Instrument
) -> None:
    """Fractions sum to 1, so their deviations sum to 0."""
    found = refined([scan], crystals, instrument)[0]
    assert found.covariance.sum(axis=0) == pytest.approx([0, 0], abs=1e-12)
    assert found.weight_fractions.sum() == pytest.approx(1)
    assert np.linalg.eigvalsh(found.covariance).min() > -1e-12


def test_an_absent_phase_gets_next_to_nothing(
    make_scan: MakeScan, crystals: list[Crystal], instrument: Instrument
) -> None:
    four = [*crystals, load_phase("corundum"), load_phase("periclase")]
    for seed in range(3):
        scan = make_scan(four, (40, 60, 0, 0), strain=(0.0,) * 5, seed=seed)
        found = refined([scan], four, instrument)[0]
        assert found.weight_fractions[:2] == pytest.approx([0.4, 0.6], abs=0.01)
        sigma = np.sqrt(found.covariance.diagonal())
        assert (found.weight_fractions[2:] <= np.maximum(4 * sigma[2:], 1e-6)).all()
        assert (found.weight_fractions >= 0).all()
        assert np.isfinite(found.covariance).all()


def test_a_trace_is_measured(make_scan: MakeScan, crystals: list[Crystal], instrument: Instrument) -> None:
    scan = make_scan(crystals, (99, 1), peak=100_000)
    found = refined([scan], crystals, instrument)[0]
    sigma = np.sqrt(found.covariance[1, 1])
    assert abs(found.weight_fractions[1] - 0.01) < 4 * sigma < 0.008


def test_curves_add_up(scan: Scan, crystals: list[Crystal], instrument: Instrument) -> None:
    found = refined([scan], crystals, instrument)[0]
    assert found.contributions.shape == (2, len(scan))
    total = found.background + found.contributions.sum(0)
    assert total == pytest.approx(found.calculated, rel=1e-9)
    assert (found.contributions > -1e-6 * scan.counts.max()).all()
    sigma = np.sqrt(np.maximum(scan.counts, 1))
    r_wp = np.linalg.norm((scan.counts - found.calculated) / sigma) / np.linalg.norm(scan.counts / sigma)
    assert found.r_wp == pytest.approx(r_wp, rel=1e-6)


def test_what_is_fixed_stays(scan: Scan, crystals: list[Crystal], instrument: Instrument) -> None:
    found = refined([scan], crystals, instrument, fixed=("strain", "zero", "profile", "inverse_size"))[0]
    assert np.abs(np.concatenate(found.strain)).max() == 0
    assert np.abs(np.concatenate(found.strain_sigma)).max() == 0
    assert found.zero_deg == 0
    p = instrument.profile
    assert found.profile == pytest.approx([p.u, p.v, p.w, p.x, p.y, p.sh_l], abs=1e-12)


def test_rough_surface_is_found_when_it_is_looked_for() -> None:
    crystals, instrument = [load_phase("corundum")], load_instrument("lab-cu")
    two_theta = np.arange(20.0, 110.0, 0.05)
    model = ForwardModel(crystals, instrument, two_theta)
    truth = model.reference()
    truth = replace(truth, roughness=truth.roughness + torch.tensor([[0.5, 0.2]]))
    pattern = model.columns(truth)[0, 0].numpy()
    counts = 20_000 * pattern / pattern.max() + 50.0
    found = [
        refine(
            crystals, instrument, two_theta, counts[np.newaxis], np.sqrt(counts)[np.newaxis],
            restraints=Restraints(roughness=spread), stages_deg=(),
        )[0]
        for spread in (0.0, 1.0)
    ]  # fmt: skip
    misfit = [np.abs(f.calculated - counts).max() / counts.max() for f in found]
    assert misfit[1] < 2e-3 < 1e-2 < misfit[0]


def test_name_that_is_no_parameter_is_not_held_in_silence(
    make_scan: MakeScan, crystals: list[Crystal], instrument: Instrument
) -> None:
    with pytest.raises(ParameterError, match="strian"):
        refined([make_scan(crystals, (30, 70))], crystals, instrument, fixed=("strian",))
