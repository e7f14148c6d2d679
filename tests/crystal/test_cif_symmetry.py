"""One structure written with its symmetry said in many ways: read right or refused, never silently wrong."""

from __future__ import annotations

from pathlib import Path

import gemmi
import pytest
from cif_text import SALT, cif_block

from mixrd.crystal import Crystal, doubts_of_file, read_cif
from mixrd.crystal.plausibility import same_powder
from mixrd.crystal.space_group_name import settings_named
from mixrd.errors import CrystalError
from mixrd.phases import load_phase

CUBE = gemmi.UnitCell(8, 8, 8, 90, 90, 90)
HEXAGONAL = gemmi.UnitCell(5, 5, 12, 90, 90, 120)

#: Structures in groups with two origins: cell and sites in the origin that is named.
TWO_ORIGINS = {
    "spinel": ("F d -3 m:2", (8.0832,) * 3, "Mg .125 .125 .125; Al .5 .5 .5; O .2624 .2624 .2624"),
    "diamond": ("F d -3 m:1", (3.567,) * 3, "C 0 0 0"),
    "anatase": ("I 41/a m d:1", (3.785, 3.785, 9.514), "Ti 0 0 0; O 0 0 .2081"),
    "zircon": ("I 41/a m d:2", (6.607, 6.607, 5.982), "Zr 0 .75 .125; Si 0 .25 .375; O 0 .0661 .1953"),
    "scheelite": ("I 41/a:2", (5.243, 5.243, 11.376), "Ca 0 .25 .625; W 0 .25 .125; O .1507 .0086 .2106"),
    "cuprite": ("P n -3 m:1", (4.2696,) * 3, "Cu .25 .25 .25; O 0 0 0"),
    "litharge": ("P 4/n m m:1", (3.9729, 3.9729, 5.0217), "O 0 0 0; Pb 0 .5 .2385"),
    "matlockite": ("P 4/n m m:2", (4.11, 4.11, 7.246), "Pb .25 .25 .2058; Cl .25 .25 .6485; F .75 .25 0"),
    "manganese and silicon": ("I 41/a c d:2", (11.8, 11.8, 11.9), "Mn .125 0 .25; Si 0 .25 .125"),
    "sulfur": (
        "F d d d:2",
        (10.465, 12.866, 24.486),
        "S .8554 .9526 .9516; S .7844 .0301 .0763; S .7069 .9795 .0040; S .7862 .9073 .1290",
    ),
    "red zirconia": ("P 42/n m c:2", (3.596, 3.596, 5.184), "Zr .75 .25 .75; O .25 .25 .4567"),
    "pyrochlore": (
        "F d -3 m:2",
        (10.42,) * 3,
        "Ca .5 .5 .5; Nb 0 0 0; O .3182 .125 .125; F .375 .375 .375",
    ),
}
#: A made-up structure and one whose atoms are all in general positions: formula and Z hold in both origins.
UNDECIDED = ("sulfur", "manganese and silicon")


def in_other_origin(symbol: str, rows: str) -> tuple[str, str]:
    """The other origin of a group, and the sites referred to it.

    The shift that takes the operations of one into those of the other is searched in eighths.
    """
    group = gemmi.find_spacegroup_by_name(symbol)
    other = next(g for g in gemmi.spacegroup_table() if g.hm == group.hm and g.number == group.number
                 and g.ext != group.ext)  # fmt: skip
    wanted = {op.triplet() for op in other.operations()}
    ops = list(group.operations())
    eighth = gemmi.Op.DEN // 8
    for number in range(512):
        shift = gemmi.Op("x,y,z")
        shift.tran = [eighth * (number // 64), eighth * (number // 8 % 8), eighth * (number % 8)]
        if {(shift * op * shift.inverse()).wrap().triplet() for op in ops} == wanted:
            moved = []
            for row in rows.split(";"):
                element, *place = row.split()
                fract = shift.apply_to_xyz([float(x) for x in place])
                moved.append(" ".join([element, *(f"{x:.5f}" for x in fract)]))
            return other.xhm(), "; ".join(moved)
    raise AssertionError(f"no shift between the origins of {symbol}")


def text(symbol: str, edges, rows: str, extra: str = "", group: str | None = None) -> str:
    sites = (f"{row.split()[0]}{i} {row}" for i, row in enumerate(rows.split("; ")))
    cell = (*(str(edge) for edge in edges), "90", "90", "90")
    return cif_block(*sites, cell=cell, group=symbol if group is None else group, extra=extra)


@pytest.fixture
def read(tmp_path: Path):
    def one(content: str) -> Crystal:
        path = tmp_path / "phase.cif"
        path.write_text(content, encoding="utf-8")
        return read_cif(path)

    return one


def stated(crystal: Crystal) -> dict[str, str]:
    units = crystal.formula_units
    formula = " ".join(f"{e}{n / units:g}" for e, n in crystal.cell_content.items())
    return {
        "nothing": "",
        "formula": f"_chemical_formula_sum '{formula}'",
        "formula and Z": f"_chemical_formula_sum '{formula}'\n_cell_formula_units_Z {units}",
        "density": f"_exptl_crystal_density_diffrn {crystal.density_g_cm3:.3f}",
    }


@pytest.mark.parametrize("name", TWO_ORIGINS)
@pytest.mark.parametrize("moved", [False, True], ids=["as is", "other origin"])
def test_group_with_two_origins(read, name: str, moved: bool) -> None:
    symbol, edges, rows = TWO_ORIGINS[name]
    if moved:
        symbol, rows = in_other_origin(symbol, rows)
    right = read(text(symbol, edges, rows))
    plain, origin = symbol.split(":")
    number = gemmi.find_spacegroup_by_name(symbol).number
    code = f"_space_group_IT_coordinate_system_code {origin}"
    numbered = f"_symmetry_Int_Tables_number {number}"
    for kind, says in stated(right).items():
        # The origin is named: always right.
        for extra, group in ((f"{code}\n{says}", plain), (f"{code}\n{numbered}\n{says}", ""), (says, symbol)):
            assert same_powder(read(text(symbol, edges, rows, extra, group)), right)
        # It is not: right where the file says how much is in the cell, else right or refused.
        for extra, group in ((says, plain), (says, plain.replace(" ", "")), (f"{numbered}\n{says}", "")):
            try:
                crystal = read(text(symbol, edges, rows, extra, group))
            except CrystalError as error:
                assert kind in ("nothing", "formula") or name in UNDECIDED, error
                assert "two" in error.cause or "ways" in error.cause or "contradicts" in error.cause
                assert "first or second origin" in error.remedy.replace("\n", " ")
            else:
                assert same_powder(crystal, right), (name, kind, crystal.space_group)


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name in ("spinel", "anatase", "zircon", "scheelite", "cuprite")
                       for kind in ("formula and Z", "density")],
)  # fmt: skip
def test_wrong_origin_in_the_symbol_is_corrected_with_a_note(read, name: str, kind: str) -> None:
    symbol, edges, rows = TWO_ORIGINS[name]
    right = read(text(symbol, edges, rows))
    wrong = symbol[:-1] + {"1": "2", "2": "1"}[symbol[-1]]
    crystal = read(text(symbol, edges, rows, stated(right)[kind], wrong))
    assert same_powder(crystal, right)
    assert crystal.space_group == right.space_group
    assert doubts_of_file(crystal)


SYMBOLS = [
    ("F 4/m -3 2/m", "F m -3 m"),
    ("F4/m-32/m", "F m -3 m"),
    ("F m 3 m", "F m -3 m"),
    ("Fm-3m", "F m -3 m"),
    ("FM-3M", "F m -3 m"),
    ("F m \\bar{3} m", "F m -3 m"),
    ("F 41/d -3 2/m", "F d -3 m"),
    ("I 41/a -3 2/d", "I a -3 d"),
    ("P 2/m -3", "P m -3"),
    ("I 21/a -3", "I a -3"),
    ("P 42/n -3 2/m", "P n -3 m"),
    ("P 4/m 2/m 2/m", "P 4/m m m"),
    ("I 41/a 2/m 2/d", "I 41/a m d"),
    ("P 42/m 21/n 2/m", "P 42/m n m"),
    ("P42/m21/n2/m", "P 42/m n m"),
    ("P 21/n 21/m 21/a", "P n m a"),
    ("P 2/m 2/m 2/m", "P m m m"),
    ("C 2/m 2/c 21/m", "C m c m"),
    ("P 1 21/c 1", "P 1 21/c 1"),
    ("P 2(1)/c", "P 1 21/c 1"),
    ("P 2_1/c", "P 1 21/c 1"),
    ("P2_1/c", "P 1 21/c 1"),
    ("P 2(1) 2(1) 2(1)", "P 21 21 21"),
    ("A e m 2", "A b m 2"),
]


@pytest.mark.parametrize(("symbol", "plain"), SYMBOLS)
def test_symbols_short_full_and_old(symbol: str, plain: str) -> None:
    assert {group.hm for group in settings_named(symbol, None, CUBE)} == {plain}


HEXAGONAL_SYMBOLS = [
    ("R -3 2/c", "R -3 c:H"),
    ("R-32/m", "R -3 m:H"),
    ("R 3 2", "R 3 2:H"),
    ("R -3 c H", "R -3 c:H"),
    ("P 63/m 2/m 2/c", "P 63/m m c"),
    ("P -3 2/m 1", "P -3 m 1"),
    ("P 6/m 2/c 2/c", "P 6/m c c"),
]


@pytest.mark.parametrize(("symbol", "plain"), HEXAGONAL_SYMBOLS)
def test_symbols_of_hexagonal_cells(symbol: str, plain: str) -> None:
    assert [group.xhm() for group in settings_named(symbol, None, HEXAGONAL)] == [plain]


@pytest.mark.parametrize("symbol", ["F d -3 m", "Fd-3m", "FD-3M", "F d 3 m", "F 41/d -3 2/m"])
def test_symbol_without_origin_means_both(symbol: str) -> None:
    assert [group.ext for group in settings_named(symbol, None, CUBE)] == ["1", "2"]
    assert [group.ext for group in settings_named(symbol, "2", CUBE)] == ["2"]


FIRST = (":1", " S", " O1", " origin 1")
SECOND = (":2", " :2", " : 2", " Z", "Z", " O2", " (origin choice 2)")


@pytest.mark.parametrize(("suffix", "origin"), [*((s, "1") for s in FIRST), *((s, "2") for s in SECOND)])
def test_suffix_names_the_origin(suffix: str, origin: str) -> None:
    assert [group.ext for group in settings_named(f"F d -3 m{suffix}", None, CUBE)] == [origin]


@pytest.mark.parametrize("symbol", ["", "Q 9 z", "F d -9 m", "salt", "/", "-", "P"])
def test_what_is_no_symbol(symbol: str) -> None:
    assert settings_named(symbol, None, CUBE) == []


CATALOG = (
    "corundum",
    "quartz",
    "calcite",
    "rutile",
    "fluorite",
    "zincite",
    "gypsum",
    "baddeleyite",
    "periclase",
)


@pytest.mark.parametrize("name", CATALOG)
def test_catalog_structure_with_its_symmetry_said_otherwise(read, name: str) -> None:
    right = load_phase(name)
    group = gemmi.find_spacegroup_by_ops(gemmi.GroupOps([gemmi.Op(op) for op in right.symmetry_operations]))
    rows = [f"{s.label}_{i} {s.element} {s.fract[0]:.6f} {s.fract[1]:.6f} {s.fract[2]:.6f} {s.occupancy:.6f}"
            for i, s in enumerate(right.sites)]  # fmt: skip
    columns = ("label", "type_symbol", "fract_x", "fract_y", "fract_z", "occupancy")
    cell = tuple(str(x) for x in right.cell)
    number, hall = f"_symmetry_Int_Tables_number {group.number}", f"_space_group_name_Hall '{group.hall}'"
    xyz = "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z"
    half = "\n".join(["loop_", "_symmetry_equiv_pos_as_xyz",
                      *right.symmetry_operations[: len(right.symmetry_operations) // 2]])  # fmt: skip
    ways = [
        ("", hall),
        (group.xhm(), ""),
        (group.hm, xyz),
        (group.hm, half),
        ("", f"{number}\n{xyz}"),
        ("", number),
    ]
    for says in stated(right).values():
        for symbol, extra in ways:
            try:
                crystal = read(
                    cif_block(*rows, cell=cell, group=symbol, columns=columns, extra=f"{says}\n{extra}")
                )
            except CrystalError as error:
                assert "ways" in error.cause and not group.is_reference_setting()
                continue
            assert same_powder(crystal, right) or doubts_of_file(crystal), (says, symbol, extra[:40])


def test_one_operation_that_is_not_of_the_group_of_the_others(read) -> None:
    listed = [op.triplet() for op in gemmi.find_spacegroup_by_name("F m -3 m").operations()]
    listed[7] = "y+1/4,x,z"
    extra = "\n".join(["loop_", "_space_group_symop_operation_xyz", *listed])
    for group in ("F m -3 m", ""):  # the other operations imply the group
        crystal = read(cif_block(*SALT, group=group, extra=extra))
        assert crystal.cell_content == {"Na": 4.0, "Cl": 4.0}
        assert any("y+1/4,x,z" in note for note in crystal.notes)
