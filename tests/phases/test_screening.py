"""The filter: each reason on a file that has it, the lattice in any setting, duplicates."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import gemmi
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixrd.crystal import Crystal, Site, cell_of
from mixrd.phases import REASONS, Screening, catalog_entry
from mixrd.phases.screening import lattice_lengths, space_group_type

HALITE = """data_halite
_chemical_formula_sum 'Cl Na'
_chemical_name_mineral Halite
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'F m -3 m'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Na Na 0 0 0
Cl Cl 0.5 0.5 0.5
"""
CHAIN = """data_chain
_chemical_formula_sum 'C2 H4'
_cell_length_a 2.54
_cell_length_b 8
_cell_length_c 8
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
C1 C 0.0 0.55375 0.5
C2 C 0.5 0.44625 0.5
H1 H 0.0 0.62 0.616
H2 H 0.0 0.62 0.384
H3 H 0.5 0.38 0.616
H4 H 0.5 0.38 0.384
"""


def screened(folder: Path, *texts: str, max_atoms: int = 300) -> Screening:
    screening = Screening(max_atoms)
    for i, text in enumerate(texts):
        file = folder / f"{i}.cif"
        file.write_text(text, encoding="utf-8")
        screening.judge(file)
    return screening


def test_a_sound_structure_is_kept(tmp_path: Path) -> None:
    screening = screened(tmp_path, HALITE)
    assert [v.name for v in screening.kept] == ["0"]
    assert sum(screening.counts.values()) == 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("no CIF at all", "unreadable"),
        (HALITE.replace("_cell_length_b 5.64\n", ""), "unreadable"),
        (HALITE.replace("_cell_length_c 5.64", "_cell_length_c 9.9"), "unreadable"),
        (HALITE.replace("Cl Cl 0.5 0.5 0.5", "Xx Xx 0.5 0.5 0.5"), "unreadable"),
        (HALITE.split("loop_")[0], "no coordinates"),
        (HALITE.replace("0 0 0", "? ? ?").replace("0.5 0.5 0.5", "? ? ?"), "no coordinates"),
        (HALITE.replace("'Cl Na'", "?"), "composition"),
        (HALITE.replace("'Cl Na'", "'common salt'"), "composition"),
        (HALITE.replace("'Cl Na'", "'Cl2 Na'"), "composition"),
        # Chlorine off the special position: six places, each too near to sodium as well.
        (HALITE.replace("Cl Cl 0.5 0.5 0.5", "Cl Cl 0.05 0 0"), "composition"),
        # A second sodium where chlorine is; 0.34 angstrom from it, at six places.
        (HALITE.replace("'Cl Na'", "'Cl Na2'").replace("0.5 0.5 0.5", "0.5 0.5 0.5\nNb Na 0 0.5 0"),
         "unreadable"),
        (HALITE.replace("'Cl Na'", "'Cl Na7'").replace("0.5 0.5 0.5", "0.5 0.5 0.5\nNb Na 0.44 0.5 0.5"),
         "overlap"),
        (CHAIN, "polymer"),
    ],
)  # fmt: skip
def test_each_reason(tmp_path: Path, text: str, reason: str) -> None:
    screening = screened(tmp_path, text)
    assert screening.kept == []
    (verdict,) = screening.rejected
    assert verdict.reason == reason
    assert verdict.detail
    assert {r: n for r, n in screening.counts.items() if n} == {reason: 1}


@pytest.mark.parametrize("seed", range(6))
def test_damaged_files_are_rejected_not_stumbled_over(tmp_path: Path, seed: int) -> None:
    """One bad file among thousands must not end a run."""
    random = np.random.default_rng(seed)
    operations = "loop_\n_space_group_symop_operation_xyz\nx,y,z\n-x,-y,-z\n1/2+x,1/2+y,z\n"
    whole = (HALITE.replace("loop_", f"{operations}loop_", 1)).encode()
    screening = Screening()
    for i in range(60):
        text = bytearray(whole)
        for place in random.integers(len(text), size=int(random.integers(1, 8))):
            text[place] = random.choice(list(b"0123456789.-'\n xyz/,?;("))
        (tmp_path / f"{i}.cif").write_bytes(bytes(text[: int(random.integers(len(text) // 2, len(text)))]))
        screening.judge(tmp_path / f"{i}.cif")
    assert len(screening.kept) + len(screening.rejected) == 60


@pytest.mark.parametrize("operation", ["x,y,", "x,y,z+", "", "x,y,q"])
def test_operations_without_sense_are_unreadable(tmp_path: Path, operation: str) -> None:
    text = HALITE.replace("loop_", f"loop_\n_space_group_symop_operation_xyz\nx,y,z\n'{operation}'\nloop_", 1)
    assert screened(tmp_path, text).counts["unreadable"] == 1


def test_atoms_listed_with_their_images_count_once(tmp_path: Path) -> None:
    images = HALITE + "Na2 Na 0.5 0.5 0\nCl2 Cl 0.5 0 0\n"
    (verdict,) = screened(tmp_path, images).kept
    assert verdict.crystal is not None
    assert verdict.crystal.cell_content == {"Na": 4.0, "Cl": 4.0}


def test_size_counts_each_position(tmp_path: Path) -> None:
    assert screened(tmp_path, HALITE, max_atoms=8).counts["too large"] == 0
    assert screened(tmp_path, HALITE, max_atoms=7).counts["too large"] == 1
    assert screened(tmp_path, HALITE, max_atoms=1).counts["too large"] == 1


def test_a_name_makes_a_polymer_only_of_organic_carbon(tmp_path: Path) -> None:
    name = "_chemical_name_systematic 'catena-poly[sodium-chloride]'\n_chemical_name_mineral"
    assert screened(tmp_path, HALITE.replace("_chemical_name_mineral", name)).counts["polymer"] == 0
    apart = CHAIN.replace("_cell_length_a 2.54", "_cell_length_a 5.08").replace("0.5 0.", "0.25 0.")
    assert screened(tmp_path, apart).counts["polymer"] == 0
    named = apart.replace("_cell_length_a", "_chemical_name_common 'Polyethylene'\n_cell_length_a")
    assert screened(tmp_path, named).counts["polymer"] == 1


def test_duplicates_are_the_same_structure_a_little_changed(tmp_path: Path) -> None:
    other_setting = (
        HALITE.replace("'F m -3 m'", "'P 1'")
        .replace("5.64", "3.99")
        .replace("angle_alpha 90", "angle_alpha 60")
        .replace("angle_beta 90", "angle_beta 60")
        .replace("angle_gamma 90", "angle_gamma 60")
    )
    screening = screened(
        tmp_path,
        HALITE,
        HALITE.replace("5.64", "5.70"),  # hotter
        HALITE.replace("5.64", "5.00"),  # too different to be the same
        HALITE.replace("Cl Cl", "Br Br").replace("Cl Na", "Br Na"),  # another compound
        other_setting,  # without its symmetry: another space group, so not called the same
        HALITE.replace("data_halite", "data_again"),
    )
    assert [v.name for v in screening.kept] == ["0", "2", "3", "4"]
    assert [(v.name, v.detail) for v in screening.rejected] == [
        ("1", "the same structure as 0"),
        ("5", "the same structure as 0"),
    ]


def test_mirror_images_are_duplicates() -> None:
    quartz = catalog_entry("quartz").crystal
    left = gemmi.find_spacegroup_by_name("P 31 2 1")
    right = gemmi.find_spacegroup_by_name("P 32 2 1")
    types = {
        space_group_type(replace(quartz, symmetry_operations=tuple(op.triplet() for op in g.operations())))
        for g in (left, right)
    }
    assert types == {152}


def test_every_reason_has_its_meaning() -> None:
    assert list(Screening().counts) == list(REASONS)


def lattice(cell: tuple[float, ...], centring: str = "P 1") -> Crystal:
    group = gemmi.find_spacegroup_by_name(centring)
    operations = tuple(op.triplet() for op in group.operations())
    return Crystal("made", cell, centring, operations, (Site("Fe", "Fe", (0.0, 0.0, 0.0), 1.0, 0.01),))


def test_lattice_lengths_of_the_cubic_lattices() -> None:
    a = 4.0
    cubic = (a, a, a, 90.0, 90.0, 90.0)
    assert lattice_lengths(lattice(cubic)) == pytest.approx([a] * 3 + [a * 2**0.5] * 3 + [a * 3**0.5])
    # Face-centred: the nearest neighbours at a/sqrt(2), and a for the fourth to sixth class... by hand:
    # of the seven classes six hold a vector of length a/sqrt(2) and one the cube's edge.
    assert lattice_lengths(lattice(cubic, "F m -3 m")) == pytest.approx([a / 2**0.5] * 6 + [a])
    # Body-centred: four classes with half a space diagonal, three with the edge.
    assert lattice_lengths(lattice(cubic, "I m -3 m")) == pytest.approx([a * 3**0.5 / 2] * 4 + [a] * 3)


def test_lattice_lengths_of_an_odd_centring_are_those_of_the_cell() -> None:
    made = replace(lattice((4.0, 5.0, 6.0, 90.0, 90.0, 90.0)), symmetry_operations=("x,y,z", "x+1/3,y,z"))
    assert lattice_lengths(made)[0] == pytest.approx(4.0)


@settings(deadline=None, max_examples=60)
@given(
    lengths=st.tuples(*[st.floats(3.0, 12.0)] * 3),
    angles=st.tuples(*[st.floats(75.0, 110.0)] * 3),
    moves=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 2), st.sampled_from([-1, 1])), max_size=3),
)
def test_lattice_lengths_do_not_depend_on_the_cell(lengths, angles, moves) -> None:
    first = lattice((*lengths, *angles))
    basis = first.lattice.copy()
    for row, step, sign in moves:
        basis[row] += sign * basis[(row + step) % 3]
    assert lattice_lengths(lattice(cell_of(basis))) == pytest.approx(lattice_lengths(first), rel=1e-6)


def test_lattice_lengths_change_continuously_where_reduced_cells_jump() -> None:
    # On both sides of gamma = 90 degrees the reduced cell is of another type.
    one, other = (lattice_lengths(lattice((5.0, 5.001, 7.0, 90.0, 90.0, g))) for g in (89.999, 90.001))
    assert np.abs(one / other - 1).max() < 1e-4
