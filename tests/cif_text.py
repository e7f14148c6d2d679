"""Small CIFs, built for a test."""

from __future__ import annotations

SITE_COLUMNS = ("label", "type_symbol", "fract_x", "fract_y", "fract_z")
SALT = ("Na1 Na 0 0 0", "Cl1 Cl 0.5 0.5 0.5")
CUBIC = ("5.64", "5.64", "5.64", "90", "90", "90")


def cif_block(
    *sites: str,
    name: str = "salt",
    cell: tuple[str, ...] = CUBIC,
    group: str = "F m -3 m",
    columns: tuple[str, ...] = SITE_COLUMNS,
    extra: str = "",
) -> str:
    keys = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    lines = [f"data_{name}"]
    lines += [f"_cell_{key} {value}" for key, value in zip(keys, cell, strict=True)]
    lines += [f"_space_group_name_H-M_alt '{group}'"] if group else []
    lines += [extra, "loop_", *(f"_atom_site_{column}" for column in columns), *sites]
    return "\n".join(lines) + "\n"
