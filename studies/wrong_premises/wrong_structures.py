"""Structure files that are wrong, each in one way, written as CIF and read back as a user's would be."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gemmi

from mixrd.crystal import B_OVER_U, Crystal, Site
from mixrd.errors import CrystalError

_CELL_TAGS = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")


@dataclass(frozen=True)
class CifContent:
    """What a CIF says; nothing of it is checked.

    Attributes
    ----------
    name : str
        The file's stem.
    cell : tuple of six float
    space_group : str
        Symbol; none is written if empty.
    operations : tuple of str
        None are listed if empty.
    sites : tuple of Site
    formula : str
        As `_chemical_formula_sum`; none is written if empty.
    units : int
        Formula units in the cell, with the formula.
    density_g_cm3 : float
        With the formula.
    """

    name: str
    cell: tuple[float, ...]
    space_group: str
    operations: tuple[str, ...]
    sites: tuple[Site, ...]
    formula: str
    units: int
    density_g_cm3: float

    @classmethod
    def of(cls, crystal: Crystal) -> CifContent:
        """The true content of `crystal`."""
        units = crystal.formula_units
        content = crystal.cell_content
        formula = " ".join(f"{e}{content[e] / units:.4g}" for e in sorted(content))
        c = crystal
        stated = formula, units, c.density_g_cm3
        return cls(c.name, c.cell, c.space_group, c.symmetry_operations, c.sites, *stated)

    def bare(self) -> CifContent:
        """The same without formula and density, as programs write it: nothing contradicts the sites."""
        return dataclasses.replace(self, formula="")

    def write(self, folder: Path) -> Path:
        """The CIF in `folder`."""
        path = folder / f"{self.name}.cif"
        path.write_text(self._text(), encoding="utf-8")
        return path

    def _text(self) -> str:
        document = gemmi.cif.Document()
        block = document.add_new_block(self.name.replace(" ", "_"))
        if self.formula:
            block.set_pair("_chemical_formula_sum", gemmi.cif.quote(self.formula))
            block.set_pair("_cell_formula_units_Z", str(self.units))
            block.set_pair("_exptl_crystal_density_diffrn", f"{self.density_g_cm3:.3f}")
        for tag, value in zip(_CELL_TAGS, self.cell, strict=True):
            block.set_pair(f"_cell_{tag}", f"{value:.6g}")
        if self.space_group:
            block.set_pair("_symmetry_space_group_name_H-M", gemmi.cif.quote(self.space_group))
        if self.operations:
            loop = block.init_loop("_space_group_symop_", ["operation_xyz"])
            for operation in self.operations:
                loop.add_row([gemmi.cif.quote(operation)])
        loop = block.init_loop(
            "_atom_site_",
            ["label", "type_symbol", "fract_x", "fract_y", "fract_z", "occupancy", "U_iso_or_equiv"],
        )
        for number, site in enumerate(self.sites, start=1):
            place = [f"{x:.6f}" for x in site.fract]
            loop.add_row(
                [f"{site.element}{number}", site.element, *place, f"{site.occupancy:g}", f"{site.u_iso:.6f}"]
            )
        text: str = document.as_string()
        return text


#: Makes the content of a phase's CIF wrong.
Fault = Callable[[CifContent, random.Random], CifContent]


def _with_sites(content: CifContent, sites: Sequence[Site]) -> CifContent:
    if not sites:
        raise CrystalError("no site is left", remedy="Take another phase")
    return dataclasses.replace(content, sites=tuple(sites))


def _changed(
    content: CifContent, change: Callable[[Site], dict[str, Any]], element: str | None = None
) -> CifContent:
    """With these fields of all sites changed, or of those of an element."""
    sites = [
        dataclasses.replace(s, **change(s)) if element in (None, s.element) else s for s in content.sites
    ]
    return dataclasses.replace(content, sites=tuple(sites))


def origin_shifted(content: CifContent, chance: random.Random) -> CifContent:
    """Coordinates of another origin than that of the operations."""
    return _changed(content, lambda s: {"fract": tuple(x + 0.125 for x in s.fract), "u_aniso": None})


def displacement(u_iso: float) -> Fault:
    """All atoms with this U (angstrom^2)."""
    return lambda content, chance: _changed(content, lambda s: {"u_iso": u_iso})


def b_as_u(content: CifContent, chance: random.Random) -> CifContent:
    """Numbers of B in the column of U."""
    return _changed(content, lambda s: {"u_iso": B_OVER_U * s.u_iso})


def occupancy_halved(content: CifContent, chance: random.Random) -> CifContent:
    """The heaviest element half there."""
    return _changed(content, lambda s: {"occupancy": 0.5 * s.occupancy}, _heaviest(content))


def atom_exchanged(content: CifContent, chance: random.Random) -> CifContent:
    """The heaviest element exchanged for one much heavier or lighter."""
    heavy = _heaviest(content)
    number = gemmi.Element(heavy).atomic_number
    factor = 1.6 if number < 20 else chance.choice((0.6, 1.5))
    other = gemmi.Element(max(3, min(round(number * factor), 83))).name
    return _changed(content, lambda s: {"element": other}, heavy)


def half_exchanged(content: CifContent, chance: random.Random) -> CifContent:
    """A solid solution: 40 % of the heaviest element another one, with a formula that says so."""
    heavy = _heaviest(content)
    whole = atom_exchanged(content, chance)
    sites = []
    for site, other in zip(content.sites, whole.sites, strict=True):
        if site.element != heavy:
            sites.append(site)
            continue
        sites.append(dataclasses.replace(site, occupancy=0.6 * site.occupancy))
        sites.append(dataclasses.replace(other, occupancy=0.4 * site.occupancy))
    return _with_sites(content.bare(), sites)


def hydrogen_missing(content: CifContent, chance: random.Random) -> CifContent:
    """No hydrogen among the sites."""
    return _with_sites(content, [s for s in content.sites if s.element not in ("H", "D")])


def site_missing(content: CifContent, chance: random.Random) -> CifContent:
    """A site left out, not one of the heaviest element."""
    heavy = _heaviest(content)
    light = [i for i, s in enumerate(content.sites) if s.element != heavy]
    gone = chance.choice(light or list(range(len(content.sites))))
    return _with_sites(content, [s for i, s in enumerate(content.sites) if i != gone])


def site_moved(content: CifContent, chance: random.Random) -> CifContent:
    """One free coordinate off by 0.04, as a misprint has it."""
    free = [
        (i, k)
        for i, s in enumerate(content.sites)
        for k, x in enumerate(s.fract)
        if min(abs(24 * x - round(24 * x)), 1) > 0.01
    ]
    if not free:
        raise CrystalError("no coordinate is free", remedy="Take another phase")
    i, k = chance.choice(free)
    place = list(content.sites[i].fract)
    place[k] += chance.choice((-0.04, 0.04))
    sites = list(content.sites)
    sites[i] = dataclasses.replace(sites[i], fract=(place[0], place[1], place[2]), u_aniso=None)
    return _with_sites(content, sites)


def cell_scaled(*factors: float) -> Fault:
    """Edges a, b, c times these, as of another temperature, pressure or compound."""

    def fault(content: CifContent, chance: random.Random) -> CifContent:
        a, b, c, *angles = content.cell
        even = abs(a - b) < 1e-4
        edges = (a * factors[0], b * (factors[0] if even else factors[1]), c * factors[2])
        if even and abs(b - c) < 1e-4:
            edges = (a * factors[2], b * factors[2], c * factors[2])
        volume = math.prod(edges) / (a * b * c)
        return dataclasses.replace(
            content, cell=(*edges, *angles), density_g_cm3=content.density_g_cm3 / volume
        )

    return fault


def edges_exchanged(content: CifContent, chance: random.Random) -> CifContent:
    """Edges b and c of another setting than that of the sites."""
    a, b, c, *angles = content.cell
    return dataclasses.replace(content, cell=(a, c, b, *angles))


def operations_missing(content: CifContent, chance: random.Random) -> CifContent:
    """The asymmetric unit with the identity as the only operation, under the full symbol."""
    return dataclasses.replace(content, operations=("x,y,z",))


def symmetry_missing(content: CifContent, chance: random.Random) -> CifContent:
    """The asymmetric unit as the whole cell: P 1."""
    return dataclasses.replace(content, space_group="P 1", operations=("x,y,z",))


def _heaviest(content: CifContent) -> str:
    return max((s.element for s in content.sites), key=lambda e: gemmi.Element(e).atomic_number)
