"""A CIF beside what it states: the strangers' files, and files built with one contradiction each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cif_text import CUBIC, SALT, SITE_COLUMNS, cif_block

from mixrd.crystal import Crystal, doubts_of_file, read_cif
from mixrd.crystal.readings import UNCHECKED
from mixrd.errors import ContradictionError, CrystalError

SALT_STATED = "_chemical_formula_sum 'Cl Na'\n_cell_formula_units_Z 4"
XYZ = "loop_\n_symmetry_equiv_pos_as_xyz\n'x, y, z'"


@pytest.fixture
def read(tmp_path: Path):
    def one(text: str) -> Crystal:
        path = tmp_path / "phase.cif"
        path.write_text(text, encoding="utf-8")
        return read_cif(path)

    return one


CASES = {
    "01-anatase-second-origin/anatase_o2_noops.cif": ("TiO2", 3.89),
    "02-spinel-coordinate-system-code/spinel_o2_noops.cif": ("Al2MgO4", 3.578),
    "04-halite-full-symbol-one-operation/nacl_Fm3m_xyz.cif": ("NaCl", 2.163),
    "04-halite-full-symbol-one-operation/nacl_fullHM_noops.cif": ("NaCl", 2.163),
    "04-halite-full-symbol-one-operation/nacl_fullHM_xyz.cif": ("NaCl", 2.163),
    "05-hydrogen-missing/kaolinite_gsas2.cif": ("Al2H4Si2O9", 2.599),
    "05-hydrogen-missing/struvite_noH.cif": ("MgH16NPO10", 1.706),
    "06-caoxite-water-counted-twice/caoxite.cif": ("CaC2H6O7", 1.862),
    "07-hydroxyl-label-holmium/organic_HO_labels.cif": ("CHO2", None),
    "26-dotted-names/cif2.cif": ("ZnO", 5.675),
    "27-displacement-refusals/CuCr2O4.cif": ("Cr2CuO4", None),
    "27-displacement-refusals/neg_uiso.cif": ("CaF2", None),
    "28-unknown-hydrogen/h_unknown.cif": ("CaH4SO6", None),
    "28-unknown-hydrogen/icsd59959.cif": ("KMnF3", 3.417),
    "29-blocks-of-question-marks/springer_sum.cif": ("AlKSi3O8", None),
}


@pytest.mark.parametrize("case", CASES)
def test_strangers_file_is_read_right(data_dir: Path, case: str) -> None:
    formula, density = CASES[case]
    crystal = read_cif(data_dir / "cases" / case)
    assert crystal.formula == formula
    if density is not None:
        assert crystal.density_g_cm3 == pytest.approx(density, rel=0.004)


@pytest.mark.parametrize(
    ("case", "cause"),
    [
        ("26-dotted-names/lbco.cif", "lacks _cell_angle_gamma"),
        ("29-blocks-of-question-marks/rb2mnf6.cif", "holds 2 structures"),
    ],
)
def test_strangers_file_is_refused_for_the_true_reason(data_dir: Path, case: str, cause: str) -> None:
    with pytest.raises(CrystalError, match=cause):
        read_cif(data_dir / "cases" / case)


def test_tsumcorite_has_its_water(data_dir: Path) -> None:
    crystal = read_cif(data_dir / "cases" / "29-blocks-of-question-marks" / "tsumcorite.cif")
    content = crystal.cell_content
    assert {e: content[e] for e in ("Pb", "Zn", "Fe", "As", "O")} == pytest.approx(
        {"Pb": 2.04, "Zn": 2.58, "Fe": 1.38, "As": 4.0, "O": 20.0}, abs=0.01
    )


def test_zinc_of_na_co_o2_keeps_its_stated_u(data_dir: Path) -> None:
    crystal = read_cif(data_dir / "cases" / "27-displacement-refusals" / "Na0.8CoO2.cif")
    sodium = next(site for site in crystal.sites if site.label == "Na2")
    assert (sodium.u_iso, sodium.u_aniso) == (pytest.approx(0.011889), None)


HOSTILE = {
    "cif-080adbf0.cif": 2.707,  # an operation with a translation of 4294967296/3
    "cif-1395b89c.cif": 7.664,
    "cif-20f42662.cif": 7.402,  # y,x,0/2+z in the list
    "cif-230ab3a1.cif": 3.892,
    "cif-55b5bb4e.cif": 3.699,
    "cif-886a3dd3.cif": 7.664,
    "cif-95a1e638.cif": 1.748,  # operations lost
    "cif-0f2d5078.cif": None,  # c = 360 A
    "cif-37b2b164.cif": None,
    "cif-50e5a8fc.cif": None,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_damaged_file_is_read_as_it_was_or_refused(data_dir: Path, name: str) -> None:
    path = data_dir / "hostile" / name
    if HOSTILE[name] is None:
        with pytest.raises(CrystalError, match=r"contradicts itself|has the coordinates"):
            read_cif(path)
    else:
        assert read_cif(path).density_g_cm3 == pytest.approx(HOSTILE[name], rel=1e-3)


def test_spinels_of_the_collection_in_the_other_origin(data_dir: Path) -> None:
    """Their operations are of the second origin, their coordinates of the first."""
    for name, formula in (("CoFe2O4", "CoFe2O4"), ("NiFe2O4", "Fe2NiO4")):
        crystal = read_cif(data_dir / "structures" / "openchemistry" / "oxides" / f"{name}.cif")
        assert crystal.formula == formula
        assert any("which alone agrees" in doubt for doubt in doubts_of_file(crystal))


def test_a_list_of_the_identity_beside_a_symbol(read) -> None:
    crystal = read(cif_block(*SALT, extra=f"{SALT_STATED}\n{XYZ}"))
    assert crystal.cell_content == {"Na": 4.0, "Cl": 4.0}
    assert doubts_of_file(crystal)
    assert read(cif_block(*SALT, extra=XYZ)).cell_content == {"Na": 4.0, "Cl": 4.0}


def test_all_atoms_of_the_cell_beside_a_symbol_that_was_left_standing(read) -> None:
    atoms = ("0 0 0", "0 .5 .5", ".5 0 .5", ".5 .5 0")
    sodium = [f"Na{i} Na {place}" for i, place in enumerate(atoms)]
    chlorine = [f"Cl{i} Cl {place}" for i, place in enumerate((".5 .5 .5", ".5 0 0", "0 .5 0", "0 0 .5"))]
    crystal = read(cif_block(*sodium, *chlorine, extra=XYZ))
    assert crystal.cell_content == {"Na": 4.0, "Cl": 4.0}
    assert doubts_of_file(crystal) == (UNCHECKED,)
    # Displaced atoms have no symmetry: then the list holds.
    moved = [row.replace("Cl0 Cl .5 .5 .5", "Cl0 Cl .47 .52 .51") for row in chlorine]
    crystal = read(cif_block(*sodium, *moved, extra=XYZ))
    assert len(crystal.symmetry_operations) == 1
    assert crystal.cell_content == {"Na": 4.0, "Cl": 4.0}


def test_identity_alone_in_a_cubic_cell_is_refused_or_doubted(read) -> None:
    with pytest.raises(CrystalError, match="no symmetry but x,y,z"):
        read(cif_block(*SALT, group="", extra=XYZ))
    with pytest.raises(CrystalError, match="not those that it states"):
        read(cif_block(*SALT, group="", extra=f"{SALT_STATED}\n{XYZ}"))


def test_formula_of_other_elements_is_refused_with_both(read) -> None:
    text = cif_block(*SALT, extra="_chemical_formula_sum 'K Br'\n_cell_formula_units_Z 4")
    with pytest.raises(CrystalError, match=r"NaCl.* g/cm3, and it states K Br, Z = 4"):
        read(text)


def test_a_contradiction_has_its_own_error(read) -> None:
    with pytest.raises(ContradictionError) as caught:
        read(cif_block(*SALT, extra="_chemical_formula_sum 'K Br'"))
    assert caught.value.file is not None
    assert "_space_group_IT_coordinate_system_code" in caught.value.remedy


def test_z_that_the_sites_do_not_give_is_refused(read) -> None:
    with pytest.raises(CrystalError, match="not as many as its formula and Z"):
        read(cif_block(*SALT, extra="_chemical_formula_sum 'Cl Na'\n_cell_formula_units_Z 8"))


def test_formula_of_the_whole_cell_is_no_contradiction(read) -> None:
    crystal = read(cif_block(*SALT, extra="_chemical_formula_sum 'Cl4 Na4'\n_cell_formula_units_Z 4"))
    assert doubts_of_file(crystal) == ()


def test_odd_density_beside_the_right_formula_is_a_doubt(read) -> None:
    crystal = read(cif_block(*SALT, extra=f"{SALT_STATED}\n_exptl_crystal_density_diffrn 1.95"))
    assert any("it states 1.95" in doubt for doubt in doubts_of_file(crystal))
    crystal = read(cif_block(*SALT, extra=f"{SALT_STATED}\n_exptl_crystal_density_diffrn 2164"))  # kg/m3
    assert doubts_of_file(crystal) == ()
    with pytest.raises(CrystalError, match="have not its density"):
        read(cif_block(*SALT, extra="_chemical_formula_sum 'Cl Na'\n_exptl_crystal_density_diffrn 1.1"))


def test_cell_with_another_volume_than_stated_is_refused(read) -> None:
    with pytest.raises(CrystalError, match=r"has 179\.\d+ A\^3, it states 191"):
        read(cif_block(*SALT, extra=f"{SALT_STATED}\n_cell_volume 191.1"))
    crystal = read(cif_block(*SALT, extra=f"{SALT_STATED}\n_cell_volume 44.85"))  # of the primitive cell
    assert crystal.formula == "NaCl"


def test_small_differences_are_no_refusal(read) -> None:
    columns = (*SITE_COLUMNS, "occupancy")
    sites = ("Na1 Na 0 0 0 0.97", "K1 K 0 0 0 0.03", "Cl1 Cl 0.5 0.5 0.5 1")
    crystal = read(cif_block(*sites, columns=columns, extra=SALT_STATED))
    assert crystal.cell_content["K"] == pytest.approx(0.12)


def test_missing_hydrogen_counts_in_mass_and_does_not_scatter(read) -> None:
    cell = ("3.589", "3.589", "4.911", "90", "90", "120")
    extra = "_chemical_formula_sum 'Ca H2 O2'"
    crystal = read(
        cif_block("Ca1 Ca 0 0 0", "O1 O 0.3333 0.6667 0.234", cell=cell, group="P -3 m 1", extra=extra)
    )
    assert crystal.unlocated == (("H", 2.0),)
    assert crystal.density_g_cm3 == pytest.approx(74.093 / crystal.volume * 1.66054, rel=1e-3)
    assert [site.element for site in crystal.sites] == ["Ca", "O"]
    assert any("2 H of its formula" in note for note in crystal.notes)


def test_missing_deuterium_is_deuterium(read) -> None:
    cell = ("3.589", "3.589", "4.911", "90", "90", "120")
    sites = ("Ca1 Ca 0 0 0", "O1 O 0.3333 0.6667 0.234")
    text = cif_block(*sites, cell=cell, group="P -3 m 1", extra="_chemical_formula_sum 'Ca D2 O2'")
    assert read(text).unlocated == (("D", 2.0),)


WATER_CELL = ("7", "8", "9", "90", "90", "90")


def test_hydrogen_of_water_is_counted_once_and_that_of_hydroxyl_kept(read) -> None:
    sites = (
        "Ca1 Ca 0.1 0.1 0.1",
        "Wat1 Wat 0.5 0.5 0.5",
        "H1 H 0.5 0.5 0.6",
        "H2 H 0.63 0.5 0.47",
        "O1 O 0.1 0.4 0.1",
        "H3 H 0.1 0.4 0.21",
    )
    crystal = read(cif_block(*sites, cell=WATER_CELL, group="P 1"))
    assert crystal.cell_content == {"Ca": 1.0, "O": 2.0, "H": 3.0}
    crystal = read(cif_block(*sites[:2], *sites[4:], cell=WATER_CELL, group="P 1"))
    assert crystal.cell_content == {"Ca": 1.0, "O": 2.0, "H": 3.0}


def test_labels_that_are_no_elements(read) -> None:
    columns = ("label", "fract_x", "fract_y", "fract_z")
    sites = ("CA1 .1 .1 .1", "O1 .28 .1 .1", "HO1 .36 .18 .1")
    extra = "_chemical_formula_sum 'C H O'"
    crystal = read(cif_block(*sites, columns=columns, cell=WATER_CELL, group="P 1", extra=extra))
    assert [site.element for site in crystal.sites] == ["C", "O", "H"]
    # Without a formula, holmium has no room beside oxygen.
    crystal = read(cif_block("C1 .1 .1 .1", *sites[1:], columns=columns, cell=WATER_CELL, group="P 1"))
    assert [site.element for site in crystal.sites] == ["C", "O", "H"]
    # True holmium stays.
    holmium = cif_block("Ho1 0 0 0", "O1 .5 .5 .5", columns=columns, cell=("4.9",) * 3 + ("90",) * 3)
    assert read(holmium).formula == "HoO"


@pytest.mark.parametrize(
    ("symbol", "content"),
    [
        ("OH2", {"O": 1.0, "H": 2.0}),
        ("OH", {"O": 1.0, "H": 1.0}),
        ("NH4", {"N": 1.0, "H": 4.0}),
        ("'0.75Si + 0.25Al'", {"Si": 0.75, "Al": 0.25}),
        ("Si0.75Al0.25", {"Si": 0.75, "Al": 0.25}),
    ],
)
def test_groups_and_mixtures_as_type_symbol(read, symbol: str, content: dict[str, float]) -> None:
    crystal = read(cif_block("Na1 Na 0 0 0", f"X1 {symbol} 0.5 0.5 0.5", cell=WATER_CELL, group="P 1"))
    assert crystal.cell_content == {"Na": 1.0, **content}
    assert any(note.startswith("X1: ") for note in crystal.notes)


def test_dots_for_coordinates_are_zero_only_where_that_is_confirmed(read) -> None:
    sites = ("Na1 Na . . .", "Cl1 Cl .5 .5 .5")
    assert read(cif_block(*sites, extra=SALT_STATED)).cell_content == {"Na": 4.0, "Cl": 4.0}
    with pytest.raises(CrystalError, match="Na1 has no coordinates"):
        read(cif_block(*sites))
    with pytest.raises(CrystalError, match="Na1 has no coordinates"):
        read(cif_block("Na1 Na ? . .", "Cl1 Cl .5 .5 .5", extra=SALT_STATED))


def test_negative_displacement_gives_way_to_the_default(read) -> None:
    columns = (*SITE_COLUMNS, "U_iso_or_equiv")
    crystal = read(cif_block("Na1 Na 0 0 0 -0.02", "Cl1 Cl .5 .5 .5 0.015", columns=columns))
    assert [site.u_iso for site in crystal.sites] == [0.006, 0.015]
    assert "Na1: U = -0.02 A^2 is negative, the default of its element is used" in crystal.notes


DOTTED = """#\\#CIF_2.0
data_salt
_space_group.name_H-M_alt 'F m -3 m'
_chemical_formula.sum 'Cl Na'
_cell.formula_units_Z 4
_cell.length_a 5.64(1)
_cell.length_b 5.64
_cell.length_c 5.64
_cell.angle_alpha 90
_cell.angle_beta 90
_cell.angle_gamma 90
_publ.text \"\"\"it's 'quoted'
; and [listed] {here: 1}\"\"\"
_my.list [1 [2 'three'] 4]
_my.table {'a': 1 "b": 2}
loop_
_atom_site.label
_atom_site.fract_x
_atom_site.fract_y
_atom_site.fract_z
Na1 0 0 0
Cl1 0.5 0.5 0.5
"""


def test_dotted_names_and_cif_2(read) -> None:
    assert read(DOTTED).cell_content == {"Na": 4.0, "Cl": 4.0}
    with pytest.raises(CrystalError, match="angle_gamma"):
        read(DOTTED.replace("_cell.angle_gamma", "_cell.other"))


def test_block_of_question_marks_is_passed_over(read) -> None:
    empty = cif_block("? ? ? ? ?", name="empty")
    assert read(empty + cif_block(*SALT)).formula == "NaCl"
    with pytest.raises(CrystalError, match="no atom sites"):
        read(empty)


def test_reading_is_kept_by_copies(read) -> None:
    """Notes and hydrogen without sites survive the way to JSON and back."""
    crystal = read(cif_block(*SALT, cell=CUBIC, extra=f"{SALT_STATED}\n{XYZ}"))
    assert doubts_of_file(Crystal.from_dict(crystal.to_dict())) == doubts_of_file(crystal)
    assert replace(crystal, name="other").notes == crystal.notes
