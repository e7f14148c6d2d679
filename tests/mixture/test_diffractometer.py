from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch

from mixrd.crystal import Crystal
from mixrd.errors import CompositionError, UsageError
from mixrd.mixture import Composition, ScanSettings, SimulatedScan, simulate
from mixrd.pattern import ForwardModel, Instrument, load_instrument
from mixrd.phases import load_phase

PURE = ScanSettings(background_counts=0.0, peak_counts=1e6)


def measure(
    crystals: list[Crystal],
    amounts: tuple[float, ...],
    instrument: Instrument,
    *,
    seed: int = 0,
    settings: ScanSettings | None = None,
    kind: str = "weight",
) -> SimulatedScan:
    composition = Composition(tuple(c.name for c in crystals), amounts, kind)  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(seed)
    return simulate(crystals, composition, instrument, generator=generator, settings=settings)


def test_the_scan_is_that_of_the_instrument(crystals: list[Crystal], instrument: Instrument) -> None:
    scan = measure(crystals, (1, 1), instrument).scan
    assert scan.two_theta[0] == pytest.approx(20.0)
    assert scan.two_theta[-1] == pytest.approx(60.0)
    assert np.allclose(np.diff(scan.two_theta), instrument.step)
    assert len(scan) == 1001
    assert scan.wavelength_angstrom == instrument.radiation.wavelength_angstrom
    assert scan.goniometer_radius_mm == instrument.goniometer_radius_mm


def test_counts_are_counts(crystals: list[Crystal], instrument: Instrument) -> None:
    counts = measure(crystals, (1, 1), instrument).scan.counts
    assert counts.dtype == np.float64
    assert np.isfinite(counts).all() and (counts >= 0).all()
    assert np.array_equal(counts, np.round(counts))
    assert counts.max() == pytest.approx(10_000, rel=0.1)


@pytest.mark.parametrize("name", ["calcite", "corundum", "zircon"])
@pytest.mark.parametrize("size", [2.0, 1e5])
def test_no_background_is_no_error(name: str, size: float, instrument: Instrument) -> None:
    settings = ScanSettings(background_counts=0.0, size_nm=size)
    scan = measure([load_phase(name)], (1,), instrument, settings=settings).scan
    assert (scan.counts >= 0).all() and scan.counts.max() > 5000


def test_same_seed_same_scan(crystals: list[Crystal], instrument: Instrument) -> None:
    one, two, other = (measure(crystals, (1, 1), instrument, seed=s) for s in (5, 5, 6))
    assert np.array_equal(one.scan.counts, two.scan.counts)
    assert one.truth == two.truth
    assert not np.array_equal(one.scan.counts, other.scan.counts)
    assert one.truth["phases"] != other.truth["phases"]


def test_the_truth_is_plain_data_within_the_settings(crystals: list[Crystal], instrument: Instrument) -> None:
    settings = ScanSettings(max_strain=0.002, zero_deg=0.03, displacement_mm=-0.1)
    truth = json.loads(json.dumps(measure(crystals, (30, 70), instrument, settings=settings).truth))
    assert truth["weight_percent"] == pytest.approx({"fluorite": 30, "halite": 70})
    assert (truth["zero_deg"], truth["displacement_mm"]) == (0.03, -0.1)
    assert truth["synthetic"] is True
    for phase in truth["phases"].values():
        assert 50 <= phase["crystallite_size_nm"] <= 500
        assert max(map(abs, phase["strain"])) <= 0.002
        assert len(phase["strain"]) == len(phase["strain_components"])
    strains = [phase["strain"] for phase in truth["phases"].values()]
    assert strains[0] != strains[1]


def test_the_truth_explains_the_scan_to_the_noise(crystals: list[Crystal], instrument: Instrument) -> None:
    settings = ScanSettings(
        background_counts=0.0,
        peak_counts=1e5,
        max_strain=0.004,
        zero_deg=0.04,
        displacement_mm=0.2,
        graininess=0.0,
    )
    measured = measure(crystals, (30, 70), instrument, settings=settings)
    truth = json.loads(json.dumps(measured.truth))
    model = ForwardModel(crystals, instrument, measured.scan.two_theta)
    phases = list(truth["phases"].values())
    parameters = dataclasses.replace(
        model.reference(),
        strain=torch.tensor([[s for p in phases for s in p["strain"]]], dtype=torch.float64),
        inverse_size=torch.tensor([[1 / p["crystallite_size_nm"] for p in phases]], dtype=torch.float64),
        microstrain=torch.tensor([[p["microstrain"] for p in phases]], dtype=torch.float64),
        zero=torch.tensor([[0.04]], dtype=torch.float64),
        displacement=torch.tensor([[0.2]], dtype=torch.float64),
    )
    masses = torch.tensor([truth["weight_percent"][c.name] for c in crystals], dtype=torch.float64)
    expected = (masses @ model.columns(parameters)[0]).numpy()
    expected *= 1e5 / expected.max()
    enough = expected > 20
    chi_squared = ((measured.scan.counts - expected)[enough] ** 2 / expected[enough]).mean()
    assert enough.sum() > 200
    assert 0.8 < chi_squared < 1.2


def test_intensities_go_with_the_weight(crystals: list[Crystal], instrument: Instrument) -> None:
    def ratio(amounts: tuple[float, float]) -> float:
        scan = measure(crystals, amounts, instrument, settings=PURE).scan
        fluorite, halite = (
            scan.counts[(scan.two_theta > a) & (scan.two_theta < b)].sum()
            for a, b in ((46.4, 47.6), (31.0, 32.3))
        )
        return float(fluorite / halite)

    even = ratio((50, 50))
    assert ratio((80, 20)) == pytest.approx(4 * even, rel=0.03)
    assert ratio((20, 80)) == pytest.approx(even / 4, rel=0.03)


def test_moles_are_turned_into_weights(crystals: list[Crystal], instrument: Instrument) -> None:
    truth = measure(crystals, (1, 1), instrument, kind="mole").truth
    # CaF2 78.075 g/mol, NaCl 58.443 g/mol
    expected = 100 * 78.075 / (78.075 + 58.443)
    assert truth["weight_percent"]["fluorite"] == pytest.approx(expected, rel=1e-4)  # type: ignore[index]


def test_intensity_fractions_are_refused(crystals: list[Crystal], instrument: Instrument) -> None:
    with pytest.raises(CompositionError, match="intensity"):
        measure(crystals, (1, 1), instrument, kind="intensity")


def test_a_composition_of_other_phases_is_refused(crystals: list[Crystal], instrument: Instrument) -> None:
    swapped = Composition(("halite", "fluorite"), (30, 70))
    with pytest.raises(CompositionError, match="not those"):
        simulate(crystals, swapped, instrument, generator=torch.Generator())


def test_a_set_size_holds_for_every_phase(crystals: list[Crystal], instrument: Instrument) -> None:
    truth = measure(crystals, (1, 1), instrument, settings=ScanSettings(size_nm=33.0)).truth
    sizes = [p["crystallite_size_nm"] for p in truth["phases"].values()]  # type: ignore[attr-defined]
    assert sizes == pytest.approx([33, 33])


@pytest.mark.parametrize(
    "wrong",
    [
        {"peak_counts": 0.0},
        {"peak_counts": float("nan")},
        {"background_counts": -1.0},
        {"max_strain": 0.2},
        {"size_nm": 0.0},
        {"zero_deg": 5.0},
        {"displacement_mm": -3.0},
        {"seconds_per_step": 0.0},
        {"dead_time_us": -1.0},
        {"saturation_cps": 0.0},
        {"microstrain": 0.5},
        {"mu_t": 0.0},
        {"packing_fraction": 1.5},
        {"particle_size_um": float("inf")},
        {"graininess": 2.0},
        {"impurities": -1},
        {"impurities": 1.5},
        {"impurity_strength": 0.0},
        {"spikes": 10_000},
        {"hump_counts": float("nan")},
        {"fluorescence_counts": -1.0},
    ],
)
def test_settings_that_cannot_be(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))) as raised:
        ScanSettings(**wrong)
    assert raised.value.remedy


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"phase_size_nm": {"halite": 0.0}}, "size_nm of halite"),
        ({"phase_microstrain": {"halite": 1.0}}, "microstrain of halite"),
        ({"phase_particle_size_um": {"halite": -1.0}}, "particle_size_um of halite"),
        ({"aspect": {"halite": ((0, 0, 1), 0.0)}}, "aspect = 0 of halite"),
        ({"aspect": {"halite": ((0, 0, 0), 2.0)}}, "aspect of halite"),
        ({"texture": {"halite": ((0, 0, 0), 2.0)}}, "texture of halite"),
        ({"roughness": (1.5, 0.1)}, "roughness: share = 1.5"),
        ({"roughness": (0.5, -0.1)}, "roughness: depth = -0.1"),
        ({"overspill": 1.2}, "overspill = 1.2"),
    ],
)
def test_settings_of_a_phase_that_cannot_be(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        ScanSettings(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "setting",
    [
        {"phase_size_nm": {"quartz": 20.0}},
        {"phase_microstrain": {"quartz": 0.001}},
        {"phase_particle_size_um": {"quartz": 5.0}},
        {"aspect": {"quartz": ((0, 0, 1), 2.0)}},
    ],
)
def test_phases_that_are_not_in_the_sample(
    setting: dict[str, object], crystals: list[Crystal], instrument: Instrument
) -> None:
    with pytest.raises(UsageError, match="quartz, which is not in the sample") as raised:
        measure(crystals, (1, 1), instrument, settings=ScanSettings(**setting))  # type: ignore[arg-type]
    assert "fluorite, halite" in raised.value.remedy


def test_texture_strengthens_the_plane_that_platelets_lie_on() -> None:
    phases = [load_phase("calcite")]
    machine = dataclasses.replace(load_instrument("lab-cu"), two_theta_range=(20.0, 40.0))
    composition = Composition(("calcite",), (1.0,))

    def strongest(texture: dict[str, tuple[tuple[int, int, int], float]]) -> tuple[float, float]:
        made = simulate(
            phases,
            composition,
            machine,
            generator=torch.Generator().manual_seed(3),
            settings=ScanSettings(texture=texture, background_counts=0.0, max_strain=0.0),
        )
        near = [np.abs(made.scan.two_theta - angle) < 0.5 for angle in (29.4, 39.4)]
        return tuple(float(made.scan.counts[part].sum()) for part in near)  # type: ignore[return-value]

    plain, textured = strongest({}), strongest({"calcite": ((1, 0, 4), 0.7)})
    assert textured[0] / textured[1] > 1.3 * plain[0] / plain[1]


@pytest.mark.parametrize(
    ("texture", "word"),
    [({"quartz": ((1, 0, 0), 0.8)}, "quartz"), ({"calcite": ((1, 0, 4), 0.0)}, "March-Dollase")],
)
def test_texture_that_cannot_be(texture: dict[str, tuple[tuple[int, int, int], float]], word: str) -> None:
    with pytest.raises(UsageError, match=word):
        simulate(
            [load_phase("calcite")],
            Composition(("calcite",), (1.0,)),
            load_instrument("lab-cu"),
            generator=torch.Generator().manual_seed(0),
            settings=ScanSettings(texture=texture),
        )
