"""CIF files as they come: what is read, and how each fault is named."""

from __future__ import annotations

from pathlib import Path

import gemmi
import numpy as np
import pytest
from cif_text import SALT, SITE_COLUMNS, cif_block

from mixrd.crystal import read_cif
from mixrd.crystal.displacement import DEFAULT_U_ISO, DEFAULT_U_ISO_ORGANIC
from mixrd.crystal.readings import UNCHECKED
from mixrd.errors import CrystalError
from mixrd.phases import load_phase


def aniso_loop(row: str) -> str:
    keys = ("label", "U_11", "U_22", "U_33", "U_12", "U_13", "U_23")
    return "\n".join(["loop_", *(f"_atom_site_aniso_{k}" for k in keys), row])


@pytest.fixture
def cif(tmp_path: Path):
    def write(text: str, name: str = "phase.cif") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_plain_structure(cif) -> None:
    crystal = read_cif(cif(cif_block(*SALT)))
    assert crystal.name == "phase"
    assert crystal.formula == "NaCl"
    assert crystal.cell_content == {"Na": 4.0, "Cl": 4.0}
    assert crystal.crystal_system == "cubic"
    # 4 (22.990 + 35.453) u / (5.64 A)^3
    assert crystal.density_g_cm3 == pytest.approx(4 * 58.443 / 5.64**3 * 1.66054, rel=1e-4)


def test_standard_uncertainties_in_brackets(cif) -> None:
    text = cif_block(*SALT, cell=("5.6402(2)", "5.6402(2)", "5.6402(2)", "90", "90.0", "90."))
    assert read_cif(cif(text)).cell == (5.6402, 5.6402, 5.6402, 90.0, 90.0, 90.0)


def test_missing_displacement_gets_default_per_class_and_a_note(cif) -> None:
    crystal = read_cif(cif(cif_block(*SALT)))
    assert [s.u_iso for s in crystal.sites] == [DEFAULT_U_ISO["metal"], DEFAULT_U_ISO["nonmetal"]]
    assert any("no displacement parameter given for Na1, Cl1" in note for note in crystal.notes)


def test_organic_default_is_larger(cif) -> None:
    text = cif_block("C1 C 0.1 0.2 0.3", "H1 H 0.2 0.2 0.3", group="P 1")
    crystal = read_cif(cif(text))
    assert crystal.sites[0].u_iso == DEFAULT_U_ISO_ORGANIC
    assert crystal.sites[1].u_iso > crystal.sites[0].u_iso


def test_isotropic_u_and_b(cif) -> None:
    columns = (*SITE_COLUMNS, "U_iso_or_equiv")
    crystal = read_cif(cif(cif_block("Na1 Na 0 0 0 0.0171(3)", "Cl1 Cl 0.5 0.5 0.5 0.0152", columns=columns)))
    assert [s.u_iso for s in crystal.sites] == [0.0171, 0.0152]
    assert crystal.notes == (UNCHECKED,)
    columns = (*SITE_COLUMNS, "B_iso_or_equiv")
    crystal = read_cif(cif(cif_block("Na1 Na 0 0 0 1.35", "Cl1 Cl 0.5 0.5 0.5 1.20", columns=columns)))
    assert [s.u_iso for s in crystal.sites] == pytest.approx([1.35 / (8 * np.pi**2), 1.2 / (8 * np.pi**2)])


def test_anisotropic_displacement(cif) -> None:
    loop = aniso_loop("Zn1 0.0073 0.0073 0.0074 0.00365 0 0")
    cell = ("3.2494", "3.2494", "5.2038", "90", "90", "120")
    text = cif_block(
        "Zn1 Zn 0.3333 0.6667 0", "O1 O 0.3333 0.6667 0.3821", cell=cell, group="P 63 m c", extra=loop
    )
    crystal = read_cif(cif(text))
    assert crystal.sites[0].u_aniso == (0.0073, 0.0073, 0.0074, 0.00365, 0.0, 0.0)
    # Hexagonal with U12 = U11 / 2: isotropic within the plane, so U_eq = (2 U11 + U33) / 3.
    assert crystal.sites[0].u_iso == pytest.approx((2 * 0.0073 + 0.0074) / 3, rel=1e-6)
    assert crystal.sites[1].u_aniso is None
    assert crystal.cell_content == {"Zn": 2.0, "O": 2.0}


def test_displacement_that_is_negative_within_its_precision_is_zero(cif) -> None:
    text = cif_block(*SALT, extra=aniso_loop("Na1 0.0145 0.0145 0.02 0.015 0 0"))
    crystal = read_cif(cif(text))
    u11, u22, u33, u12, *rest = crystal.sites[0].u_aniso
    # Principal values 0.0295, -0.0005 (along 1 -1 0) and 0.02: the negative one becomes 0.
    assert (u11, u22, u33, u12, *rest) == pytest.approx((0.01475, 0.01475, 0.02, 0.01475, 0, 0), abs=1e-9)
    assert any(note.startswith("Na1: anisotropic U negative") for note in crystal.notes)
    columns = (*SITE_COLUMNS, "U_iso_or_equiv")
    crystal = read_cif(cif(cif_block("Na1 Na 0 0 0 -0.0004", "Cl1 Cl 0.5 0.5 0.5 0.01", columns=columns)))
    assert [s.u_iso for s in crystal.sites] == [0.0, 0.01]
    assert crystal.notes == (UNCHECKED, "Na1: U = -0.0004 A^2 is negative within its precision, 0 is used")


@pytest.mark.parametrize("row", ["0.02 0.02 -0.02 0 0 0", "0.02 0.02 0.02 0.03 0 0"])
def test_anisotropic_u_that_is_not_positive_definite_gives_way(cif, row: str) -> None:
    crystal = read_cif(cif(cif_block(*SALT, extra=aniso_loop(f"Na1 {row}"))))
    assert (crystal.sites[0].u_iso, crystal.sites[0].u_aniso) == (DEFAULT_U_ISO["metal"], None)
    assert any("Na1: its anisotropic U is not positive definite" in note for note in crystal.notes)
    sites = ("Na1 Na 0 0 0 0.017", "Cl1 Cl 0.5 0.5 0.5 0.015")
    text = cif_block(*sites, columns=(*SITE_COLUMNS, "U_iso_or_equiv"), extra=aniso_loop(f"Na1 {row}"))
    assert read_cif(cif(text)).sites[0].u_iso == 0.017


def test_anisotropic_u_of_an_oblique_cell_is_judged_by_its_principal_values(cif) -> None:
    """U_ij = U a*_i.a*_j / (|a*_i| |a*_j|) is isotropic, however large its off-diagonal parts."""
    cell = ("5", "6", "7", "60", "70", "80")
    lattice = np.array(gemmi.UnitCell(*map(float, cell)).orth.mat.tolist()).T
    star = np.linalg.inv(lattice)
    metric = star.T @ star / np.outer(*[np.linalg.norm(star, axis=0)] * 2)
    u = 0.01 * metric[[0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]]
    loop = aniso_loop("O1 " + " ".join(f"{x:.8f}" for x in u))
    crystal = read_cif(cif(cif_block("O1 O 0.1 0.2 0.3", cell=cell, group="P 1", extra=loop)))
    assert crystal.sites[0].u_iso == pytest.approx(0.01, rel=1e-5)
    assert crystal.notes == (UNCHECKED,)


def test_atoms_listed_with_their_images_are_counted_once(cif) -> None:
    crystal = read_cif(cif(cif_block(*SALT, "Na2 Na 0.5 0.5 0", "Cl2 Cl 0 0 0.5")))
    assert crystal.cell_content == {"Na": 4.0, "Cl": 4.0}
    assert "Na2: the same atom as Na1 by symmetry, counted once" in crystal.notes


def test_composition_slightly_above_one_is_used_with_a_note(cif) -> None:
    columns = (*SITE_COLUMNS, "occupancy")
    sites = ("Co1 Co 0 0 0 0.87", "Fe1 Fe 0 0 0 0.11", "Ni1 Ni 0 0 0 0.13")
    crystal = read_cif(cif(cif_block(*sites, columns=columns)))
    assert crystal.cell_content == pytest.approx({"Co": 3.48, "Fe": 0.44, "Ni": 0.52})
    assert any("add up to more than 1, used as stated: Co1 (1.11)" in note for note in crystal.notes)


def test_disordered_site_shared_by_two_elements(cif) -> None:
    columns = (*SITE_COLUMNS, "occupancy")
    sites = ("Ca1 Ca 0 0 0 0.75", "Mg1 Mg 0 0 0 0.25(1)", "O1 O 0.5 0.5 0.5 1.0")
    crystal = read_cif(cif(cif_block(*sites, columns=columns)))
    assert crystal.cell_content == {"Ca": 3.0, "Mg": 1.0, "O": 4.0}
    assert crystal.formula == "Ca3MgO4"


def test_zero_occupancy_is_left_out_with_a_note(cif) -> None:
    columns = (*SITE_COLUMNS, "occupancy")
    crystal = read_cif(cif(cif_block("Na1 Na 0 0 0 1", "K1 K 0.25 0.25 0.25 0", columns=columns)))
    assert crystal.formula == "Na"
    assert any("K1: occupancy 0" in note for note in crystal.notes)


def test_deuterium_and_charges(cif) -> None:
    cell = ("3.15", "3.15", "4.77", "90", "90", "120")
    sites = ("Mg1 Mg2+ 0 0 0", "O1 O2- 0.3333 0.6667 0.22", "D1 D 0.3333 0.6667 0.43")
    crystal = read_cif(cif(cif_block(*sites, cell=cell, group="P -3 m 1")))
    assert [s.element for s in crystal.sites] == ["Mg", "O", "D"]
    assert [s.charge for s in crystal.sites] == [2, -2, 0]
    assert crystal.mass_per_cell == pytest.approx(24.305 + 2 * 15.999 + 2 * 2.014, abs=2e-3)


def test_water_written_as_one_atom(cif) -> None:
    crystal = read_cif(cif(cif_block(*SALT, "Wat1 Wat 0.25 0.25 0.25")))
    assert crystal.cell_content == {"Na": 4.0, "Cl": 4.0, "O": 8.0, "H": 16.0}
    assert any("water given as one atom" in note for note in crystal.notes)


@pytest.mark.parametrize("group", ["P 1 21/n 1", "P 21/n", "P 1 1 21/b", "A 1 2/n 1", "I 1 2/a 1"])
def test_non_standard_settings_by_symbol(cif, group: str) -> None:
    unique_c = group == "P 1 1 21/b"
    angles = ("90", "90", "95") if unique_c else ("90", "95", "90")
    text = cif_block("O1 O 0.11 0.23 0.37", cell=("7", "8", "9", *angles), group=group)
    crystal = read_cif(cif(text))
    assert crystal.crystal_system == "monoclinic"
    assert len(crystal.symmetry_operations) == (8 if group[0] in "AI" else 4)
    assert crystal.cell_content["O"] == len(crystal.symmetry_operations)


def operations(*triplets: str) -> str:
    return "\n".join(["loop_", "_space_group_symop_operation_xyz", *(f"'{t}'" for t in triplets)])


def test_operations_of_the_file_win_over_its_symbol(cif) -> None:
    extra = operations("x,y,z", "-x,-y,-z")
    crystal = read_cif(cif(cif_block("O1 O 0.11 0.23 0.37", group="P 1", extra=extra)))
    assert crystal.cell_content == {"O": 2.0}
    assert any("P -1" in note for note in crystal.notes)


def test_generators_alone_are_completed(cif) -> None:
    extra = operations("x,y,z", "-y,x,z")
    crystal = read_cif(cif(cif_block("O1 O 0.11 0.23 0.37", group="P 4", extra=extra)))
    assert crystal.cell_content == {"O": 4.0}
    assert any("2 symmetry operations are listed, the 4 they imply" in note for note in crystal.notes)


def test_setting_that_no_table_lists_is_read_from_its_operations(cif) -> None:
    extra = operations("x,y,z", "x+1/3,y,z", "x+2/3,y,z")
    crystal = read_cif(cif(cif_block("O1 O 0.11 0.23 0.37", group="", extra=extra)))
    assert crystal.cell_content == {"O": 3.0}
    assert any("setting unknown" in note for note in crystal.notes)


def test_rhombohedral_axes(cif) -> None:
    cell = ("5.128", "5.128", "5.128", "55.28", "55.28", "55.28")
    sites = ("Al1 Al 0.352 0.352 0.352", "O1 O 0.556 0.944 0.25")
    crystal = read_cif(cif(cif_block(*sites, cell=cell, group="R -3 c")))
    assert crystal.cell_content == {"Al": 4.0, "O": 6.0}
    assert crystal.density_g_cm3 == pytest.approx(3.99, abs=0.03)


def test_rounded_third_is_one_atom_not_two(cif) -> None:
    cell = ("3.25", "3.25", "5.2", "90", "90", "120")
    sites = ("Zn1 Zn 0.333 0.667 0", "O1 O 0.333 0.667 0.382")
    assert read_cif(cif(cif_block(*sites, cell=cell, group="P 63 m c"))).cell_content == {"Zn": 2.0, "O": 2.0}


def test_several_structures_are_named_and_one_can_be_chosen(cif) -> None:
    path = cif(cif_block(*SALT, name="salt") + cif_block("Mg1 Mg 0 0 0", name="other"))
    with pytest.raises(CrystalError, match="2 structures: salt, other") as caught:
        read_cif(path)
    assert "FILE.cif#BLOCK" in caught.value.remedy
    assert caught.value.file == str(path)
    assert load_phase(f"{path}#other").formula == "Mg"
    assert read_cif(path, block="salt").formula == "NaCl"
    with pytest.raises(CrystalError, match="no data block 'nope'"):
        load_phase(f"{path}#nope")


def test_block_without_sites_beside_a_structure_is_passed_over(cif) -> None:
    path = cif("data_global\n_journal_year 1999\n" + cif_block(*SALT))
    assert read_cif(path).formula == "NaCl"


NO_SITES = "data_x\n_cell_length_a 5\n_cell_length_b 5\n_cell_length_c 5\n"
FAULTS = {
    "no sites": (NO_SITES, "no atom sites"),
    "unknown element": (cif_block("Qq1 Qq 0 0 0"), "unknown element 'Qq'"),
    "cell without volume": (cif_block(*SALT, cell=("5", "5", "5", "90", "90", "180")), "angle gamma is 180"),
    "impossible angles": (cif_block(*SALT, cell=("5", "5", "5", "20", "20", "90")), "no volume"),
    "edge of nothing": (cif_block(*SALT, cell=("0", "5", "5", "90", "90", "90")), "edge a is 0 A"),
    "negative edge": (cif_block(*SALT, cell=("-5", "5", "5", "90", "90", "90")), "edge a is -5 A"),
    "cell not given": (cif_block(*SALT, cell=("?", "5", "5", "90", "90", "90")), "lacks _cell_length_a"),
    "angles left out": (
        cif_block(*SALT).replace("_cell_angle_beta", "_cell_other"),
        "lacks _cell_angle_beta",
    ),
    "cell without the symmetry": (
        cif_block(*SALT, cell=("5", "5", "5.2", "90", "90", "90")),
        "lacks the symmetry of",
    ),
    "occupancy above one": (
        cif_block("Na1 Na 0 0 0 4.0", columns=(*SITE_COLUMNS, "occupancy")),
        "occupancy 4, outside 0-1",
    ),
    "negative occupancy": (
        cif_block("Na1 Na 0 0 0 -0.5", columns=(*SITE_COLUMNS, "occupancy")),
        "occupancy -0.5, outside 0-1",
    ),
    "elements on one place above one": (
        cif_block("Na1 Na 0 0 0 0.8", "K1 K 0.5 0 0.5 0.5", columns=(*SITE_COLUMNS, "occupancy")),
        "place of site Na1 add up to 1.3",
    ),
    "two elements at one place": (cif_block("Na1 Na 0 0 0", "K1 K 0 0 0"), "add up to 2"),
    "U that is far too large": (
        cif_block("Na1 Na 0 0 0 7.0", columns=(*SITE_COLUMNS, "U_iso_or_equiv")),
        "Na1 has the displacement U = 7 A",
    ),
    "coordinate missing": (cif_block("Na1 Na 0 ? 0"), "coordinate"),
    "coordinate is no number": (cif_block("Na1 Na 0 nan 0"), "coordinate"),
    "coordinate out of range": (cif_block("Na1 Na 0 1e30 0"), "Na1 has the coordinates 0, 1e\\+30, 0"),
    "unknown space group": (cif_block(*SALT, group="Q 9 z"), "space group"),
    "no space group": (cif_block(*SALT, group=""), "space group"),
    "operation unreadable": (cif_block(*SALT, extra=operations("x,y,z", "x,y,w")), "symmetry operation"),
    "operations without end": (cif_block(*SALT, extra=operations("x,y,z", "x+y,y,z")), "form no group"),
    "not a CIF": ("10.0 123\n10.02 130\n", "not a readable CIF"),
    "empty": ("", "no atom sites"),
    "cut off": (cif_block(*SALT)[:-20] + " 'open", "not a readable CIF"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_named_with_file_and_remedy(cif, fault: str) -> None:
    text, cause = FAULTS[fault]
    path = cif(text)
    with pytest.raises(CrystalError, match=cause) as caught:
        read_cif(path)
    assert caught.value.file == str(path)
    assert caught.value.remedy
    assert caught.value.exit_code == 2


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(CrystalError, match="no such file"):
        load_phase(tmp_path / "nothing.cif")


def test_folder_instead_of_file(tmp_path: Path) -> None:
    (tmp_path / "folder.cif").mkdir()
    with pytest.raises(CrystalError, match="cannot be opened"):
        load_phase(tmp_path / "folder.cif")


def test_binary_file(tmp_path: Path) -> None:
    path = tmp_path / "image.cif"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\xff\xfe" * 50)
    with pytest.raises(CrystalError, match="not a readable CIF"):
        read_cif(path)


def test_database_number_is_the_source(cif) -> None:
    crystal = read_cif(cif(cif_block(*SALT, extra="_cod_database_code 9008678")))
    assert crystal.source == "COD 9008678 (phase.cif)"


def test_structures_of_the_collection_read_with_sane_density(data_dir: Path) -> None:
    paths = sorted((data_dir / "structures").rglob("*.cif"))
    assert len(paths) > 500
    odd = {}
    for path in paths:
        try:
            density = read_cif(path).density_g_cm3
        except CrystalError as error:
            odd[path.name] = error.cause
        else:
            if not 0.2 < density < 23:  # solid helium to osmium
                odd[path.name] = f"density {density:.2f}"
    # That file states gamma = 90 deg for a trigonal structure.
    assert "lacks the symmetry of P -3" in odd.pop("W2C.cif")
    # Their sites are not those of their formulae: MgCO6 and B2N.
    for name in ("MgCO3-Magnesite.cif", "BN.cif"):
        assert "its sites are not those of its formula" in odd.pop(name)
    assert odd == {}
