"""Reflections: which there are, how many each stands for, and what a unit cell's choice changes (nothing)."""

from __future__ import annotations

from dataclasses import replace

import gemmi
import numpy as np
import pytest
import torch

from mixrd.crystal import Crystal, Site
from mixrd.diffraction import Scattering, radiation, reflections, strained_sticks
from mixrd.diffraction.form_factor import dispersion, f0_coefficients
from mixrd.diffraction.reflections import MOST_REFLECTIONS
from mixrd.errors import CrystalError, ParameterError, RadiationError
from mixrd.phases import catalog_entry, load_phase

CU = radiation("CuKa1")
RANGE = (5.0, 100.0)


def table(crystal: Crystal, two_theta_range: tuple[float, float] = RANGE, margin: float = 0.0):
    return reflections(crystal, CU, two_theta_range=two_theta_range, margin=margin)


def families(crystal: Crystal, high: float = 100.0) -> dict[tuple[int, ...], int]:
    """Multiplicity by the indices' absolute values, largest first (cubic: unique for small indices)."""
    found = table(crystal, (5.0, high))
    keys = [tuple(sorted(map(abs, hkl), reverse=True)) for hkl in found.hkl.tolist()]
    assert len(set(keys)) == len(keys)
    return dict(zip(keys, found.multiplicity.int().tolist(), strict=True))


def test_body_centred_iron() -> None:
    assert families(load_phase("iron")) == {(1, 1, 0): 12, (2, 0, 0): 6, (2, 1, 1): 24, (2, 2, 0): 12}


def test_face_centred_aluminium() -> None:
    expected = {(1, 1, 1): 8, (2, 0, 0): 6, (2, 2, 0): 12, (3, 1, 1): 24, (2, 2, 2): 8}
    assert families(load_phase("aluminium"), 90.0) == expected


def test_diamond_structure_extinguishes_200_and_222() -> None:
    """Spherical, isotropic atoms: (222) of diamond-type structures is zero too."""
    assert families(load_phase("silicon")) == {
        (1, 1, 1): 8, (2, 2, 0): 12, (3, 1, 1): 24, (4, 0, 0): 6, (3, 3, 1): 24, (4, 2, 2): 24, (5, 1, 1): 24,
        (3, 3, 3): 8,
    }  # fmt: skip


def test_low_laue_symmetry_has_two_families_of_210() -> None:
    """Pyrite, P a -3: (210) and (120) are not equivalent, 12 each, where m-3m would have 24 in one."""
    found = table(load_phase("pyrite"))
    sums = [tuple(sorted(map(abs, h))) for h in found.hkl.tolist()]
    counts = [int(m) for h, m in zip(sums, found.multiplicity, strict=True) if h == (0, 1, 2)]
    assert counts == [12]  # of 210 and 120 one is extinct by the glide plane
    counts = [int(m) for h, m in zip(sums, found.multiplicity, strict=True) if h == (1, 2, 3)]
    assert counts == [24, 24]


@pytest.mark.parametrize(
    "name",
    [
        "corundum",
        "quartz",
        "calcite",
        "rutile",
        "anatase",
        "aragonite",
        "gypsum",
        "baddeleyite",
        "magnetite",
        "zircon",
    ],
)
def test_reflections_are_those_the_space_group_allows(name: str) -> None:
    """Each family once, with the multiplicity and extinctions that gemmi gives for the group."""
    crystal = load_phase(name)
    group = gemmi.GroupOps([gemmi.Op(op) for op in crystal.symmetry_operations])
    found = table(crystal, (5.0, 70.0))
    assert not any(group.is_systematically_absent(hkl) for hkl in found.hkl.tolist())
    rotations = {tuple(np.ravel(gemmi.Op(op).rot)) for op in crystal.symmetry_operations}
    seen: set[tuple[int, ...]] = set()
    for hkl, multiplicity in zip(found.hkl, found.multiplicity, strict=True):
        images = {tuple(hkl @ (np.array(r).reshape(3, 3) // gemmi.Op.DEN)) for r in rotations}
        images |= {tuple(-x for x in image) for image in images}
        assert len(images) == multiplicity
        assert not images & seen
        seen |= images
    # Nothing else is left but extinct reflections and those whose structure factor is zero.
    for hkl, present in _all_in_range(crystal, 5.0, 70.0):
        if present not in seen and not group.is_systematically_absent(list(hkl)):
            total = sum(
                crystal.sites[i].occupancy * np.exp(2j * np.pi * np.dot(hkl, r))
                for i, r in zip(crystal.atoms.site, crystal.atoms.fract, strict=True)
                if crystal.sites[i].element == crystal.sites[0].element
            )
            assert abs(total) < 1e-4


def _all_in_range(crystal: Crystal, low: float, high: float):
    g = [2 * np.sin(np.radians(x / 2)) / CU.wavelength_angstrom for x in (low, high)]
    n = 15
    reciprocal = np.linalg.inv(crystal.lattice).T
    for hkl in np.ndindex(2 * n + 1, 2 * n + 1, 2 * n + 1):
        h = np.array(hkl) - n
        if g[0] < np.linalg.norm(h @ reciprocal) < g[1]:
            yield h, tuple(h)


def test_spacings_follow_from_the_cell() -> None:
    found = table(load_phase("corundum"))
    a, _, c = load_phase("corundum").cell[:3]
    h, k, m = found.hkl.T
    expected = 4 / 3 * (h * h + h * k + k * k) / a**2 + m * m / c**2
    assert (found.g**2).sum(1).numpy() == pytest.approx(expected)


def as_p1(crystal: Crystal, transform: np.ndarray, name: str = "other cell") -> Crystal:
    """The same atoms on the lattice vectors `transform @ lattice`, without symmetry."""
    lattice = transform @ crystal.lattice
    lengths = np.linalg.norm(lattice, axis=1)
    angles = [
        np.degrees(np.arccos(lattice[i] @ lattice[j] / lengths[i] / lengths[j]))
        for i, j in ((1, 2), (0, 2), (0, 1))
    ]
    sites, places = [], []
    for index, fract in zip(crystal.atoms.site, crystal.atoms.fract, strict=True):
        place = (fract @ np.linalg.inv(transform)) % 1.0
        if not any(i == index and np.allclose((place - p + 0.5) % 1.0, 0.5, atol=1e-4) for i, p in places):
            places.append((index, place))
            sites.append(replace(crystal.sites[index], fract=tuple(place), u_aniso=None))
    return Crystal(name, (*lengths, *angles), "P 1", ("x,y,z",), tuple(sites))


def powder(crystal: Crystal) -> tuple[np.ndarray, np.ndarray]:
    """d-spacings and intensities per mass, equal d added up."""
    found = table(crystal, (10.0, 90.0))
    sticks = strained_sticks(found, torch.zeros(1, len(found.strain_basis), dtype=torch.float64))
    g = sticks.g_squared[0].numpy().round(6)
    values, inverse = np.unique(g, return_inverse=True)
    return values, np.bincount(inverse, weights=sticks.intensity[0].numpy())


@pytest.mark.parametrize("name", ["aluminium", "halite", "fluorite"])
def test_primitive_and_conventional_cell_give_one_pattern(name: str) -> None:
    crystal = load_phase(name)
    crystal = replace(crystal, sites=tuple(replace(s, u_aniso=None) for s in crystal.sites))
    primitive = as_p1(crystal, np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]))
    assert primitive.volume == pytest.approx(crystal.volume / 4)
    for one, other in zip(powder(crystal), powder(primitive), strict=True):
        assert one == pytest.approx(other, rel=1e-5)


def test_symmetry_and_its_absence_give_one_pattern() -> None:
    crystal = load_phase("rutile")
    crystal = replace(crystal, sites=tuple(replace(s, u_aniso=None) for s in crystal.sites))
    for one, other in zip(powder(crystal), powder(as_p1(crystal, np.eye(3))), strict=True):
        assert one == pytest.approx(other, rel=1e-5)


@pytest.mark.parametrize("name", ["anhydrite", "gypsum", "zincite"])
@pytest.mark.parametrize("order", [(1, 2, 0), (2, 0, 1)])
def test_permuted_axes_give_one_pattern(name: str, order: tuple[int, int, int]) -> None:
    crystal = load_phase(name)
    crystal = replace(crystal, sites=tuple(replace(s, u_aniso=None) for s in crystal.sites))
    permuted = as_p1(crystal, np.eye(3)[list(order)])
    for one, other in zip(powder(permuted), powder(crystal), strict=True):
        assert one == pytest.approx(other, rel=1e-5, abs=2e-6)


def test_rhombohedral_and_hexagonal_axes_give_one_pattern() -> None:
    crystal = load_phase("corundum")
    crystal = replace(crystal, sites=tuple(replace(s, u_aniso=None) for s in crystal.sites))
    transform = np.array([[2, 1, 1], [-1, 1, 1], [-1, -2, 1]]) / 3
    other = as_p1(crystal, transform)
    assert other.volume == pytest.approx(crystal.volume / 3)
    for one, two in zip(powder(crystal), powder(other), strict=True):
        assert one == pytest.approx(two, rel=1e-5)


def test_wavelength_moves_lines_as_bragg_says() -> None:
    """Without dispersion the sticks at lambda and at 2 lambda are the same in reciprocal space."""
    crystal = load_phase("quartz")
    near = reflections(crystal, radiation(0.8), two_theta_range=(5.0, 30.0), margin=0.0)
    angle = np.degrees(2 * np.arcsin(2 * np.sin(np.radians(np.array([5.0, 30.0]) / 2))))
    far = reflections(crystal, radiation(1.6), two_theta_range=tuple(angle), margin=0.0)
    assert near.hkl.tolist() == far.hkl.tolist()
    assert near.g.numpy() == pytest.approx(far.g.numpy())
    assert not torch.equal(near.anomalous, far.anomalous)


def test_margin_adds_lines_that_strain_may_bring_in() -> None:
    crystal = load_phase("corundum")
    assert len(table(crystal, (30.0, 40.0), margin=0.05)) > len(table(crystal, (30.0, 40.0)))


@pytest.mark.parametrize(
    "limits",
    [(50.0, 20.0), (30.0, 30.0), (-5.0, 50.0), (5.0, 181.0), (float("nan"), 50.0), (5.0, float("inf"))],
)
def test_impossible_range(limits: tuple[float, float]) -> None:
    with pytest.raises(ParameterError, match=r"two_theta_range is .* Allowed: 0 to 180 deg"):
        table(load_phase("iron"), limits)


@pytest.mark.parametrize("margin", [-0.1, 0.6, float("nan")])
def test_impossible_margin(margin: float) -> None:
    with pytest.raises(ParameterError, match=r"margin is .* Allowed: 0 to 0.5"):
        table(load_phase("iron"), RANGE, margin)


@pytest.mark.parametrize("wavelength", [0.01, 15.0, -1.5, float("nan"), float("inf")])
def test_impossible_wavelength(wavelength: float) -> None:
    with pytest.raises(RadiationError, match=r"0.05-10 A"):
        radiation(wavelength)


@pytest.mark.parametrize("strain", ["symmetry", "general"])
def test_lines_beyond_the_sphere_are_numbers(strain: str) -> None:
    """To 180 deg, with a margin: sin(theta) = lambda / 2d is above 1 for some lines."""
    found = reflections(load_phase("iron"), CU, two_theta_range=(30.0, 180.0), margin=0.3, strain=strain)
    assert float(found.g.norm(dim=1).max()) > 2 / CU.wavelength_angstrom
    amplitudes = torch.full((1, len(found.strain_basis)), -0.05, dtype=torch.float64)
    for values in vars(strained_sticks(found, amplitudes)).values():
        assert bool(torch.isfinite(values).all())


def test_no_reflection_that_any_angle_reaches() -> None:
    with pytest.raises(RadiationError, match=r"iron has no reflection between 5 and 180 deg at 9.0000 A"):
        reflections(load_phase("iron"), radiation(9.0), two_theta_range=(5.0, 180.0))


def gypsum_by_sum(thermal: bool, anomalous: bool) -> tuple[np.ndarray, np.ndarray]:
    """|F|^2 by a plain sum over atoms, and what the sticks say."""
    crystal = load_phase("gypsum")
    found = reflections(crystal, CU, two_theta_range=(10.0, 50.0), margin=0.0,
                        scattering=Scattering(anomalous=anomalous, thermal=thermal))  # fmt: skip
    sticks = strained_sticks(found, torch.zeros(1, len(found.strain_basis), dtype=torch.float64))
    ours = sticks.intensity[0] / found.multiplicity * found.volume * found.mass
    s_squared = (found.g**2).sum(1).numpy() / 4
    total = np.zeros((2, len(found)), dtype=complex)
    for index, fract, u_star in zip(
        crystal.atoms.site, crystal.atoms.fract, crystal.atoms.u_star, strict=True
    ):
        site = crystal.sites[index]
        row = f0_coefficients([site.element])[0]
        f = row[8] + (row[:4] * np.exp(-row[4:8] * s_squared[:, None])).sum(1)
        if anomalous:
            f = f + dispersion(site.element, CU.wavelength_angstrom)
        if thermal:
            exponent = -8 * np.pi**2 * site.u_iso * s_squared
            if site.u_aniso is not None:
                exponent = -2 * np.pi**2 * np.einsum("ri,ij,rj->r", found.hkl, u_star, found.hkl)
            f = f * np.exp(exponent)
        wave = np.exp(2j * np.pi * found.hkl @ fract)
        total += site.occupancy * f * np.stack([wave, wave.conj()])
    return (np.abs(total) ** 2).mean(0), ours.numpy()


@pytest.mark.parametrize("thermal", [True, False])
@pytest.mark.parametrize("anomalous", [True, False])
def test_parts_of_the_scattering_can_be_left_out(thermal: bool, anomalous: bool) -> None:
    expected, found = gypsum_by_sum(thermal, anomalous)
    assert found == pytest.approx(expected, rel=1e-7, abs=1e-8 * expected.max())
    if not (thermal and anomalous):
        full, _ = gypsum_by_sum(True, True)
        assert np.abs(full - expected).max() > 1e-3 * full.max()


def test_no_line_in_range() -> None:
    with pytest.raises(RadiationError, match="iron has no reflection between 5 and 30 deg"):
        table(load_phase("iron"), (5.0, 30.0))


def test_far_too_many_lines() -> None:
    site = Site("C", "C", (0.1, 0.2, 0.3), 1.0, 0.01)
    huge = Crystal("huge", (300.0, 300.0, 300.0, 90.0, 90.0, 90.0), "P 1", ("x,y,z",), (site,))
    with pytest.raises(CrystalError, match="far more reflections"):
        table(huge)
    assert MOST_REFLECTIONS >= 10_000


def test_large_cell_stays_below_the_limit() -> None:
    assert 300 < len(table(load_phase("beta-tcp"), (4.0, 90.0))) < MOST_REFLECTIONS


def test_other_precision_is_the_same_numbers() -> None:
    found = table(catalog_entry("rutile").crystal)
    single = found.to(dtype=torch.float32)
    assert single.g.dtype == single.phase_sums.dtype == torch.float32
    assert single.name == found.name
    assert single.g.double().numpy() == pytest.approx(found.g.numpy(), rel=1e-6)
