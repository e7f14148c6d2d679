"""Crystalline polymers: told by their connectivity, or by their name.

What counts as one, and why, is told in docs/cod.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import gemmi
import numpy as np
from numpy.typing import NDArray

from mixrd.crystal.connectivity import BondGraph, Component, bond_graph, components
from mixrd.crystal.formula import hill_formula
from mixrd.crystal.structure import Crystal

#: Contacts of these are those of ions of a salt, long and without direction: they link no polymer.
IONIC = frozenset({"Na", "K", "Rb", "Cs", "Fr"})
#: What an organic group may consist of besides carbon; metals and metalloids end it.
NONMETALS = frozenset({"H", "D", "N", "O", "F", "P", "S", "Cl", "Se", "Br", "I"})
#: Small groups with carbon that count as inorganic: their atoms other than H, in the order of Hill. (Carbon
#: alone, as in carbides and acetylides, is none of the organic groups anyway.)
SMALL_ANIONS: Mapping[str, str] = {
    "C O": "carbonyl",
    "C O2": "formate, carbon dioxide",
    "C O3": "carbonate, hydrogencarbonate",
    "C2 O2": "acetate",
    "C2 O4": "oxalate, hydrogenoxalate",
    "C N": "cyanide",
    "C N2": "cyanamide",
    "C N O": "cyanate, fulminate",
    "C N S": "thiocyanate",
    "C N Se": "selenocyanate",
    "C S2": "carbon disulfide",
    "C S3": "trithiocarbonate",
}
#: Names that authors and databases give to polymers. "Polymorph", "polytype", "polyhalite" and
#: "catena-silicate" are none.
POLYMER_NAMES = re.compile(
    r"catena[-\s]?poly|catena[-\s]?[\[({]|\bpoly[-\s]?[\[({]|\bpolymer\b|\bmetal[-\s]organic framework\b"
    r"|\bcovalent organic framework\b|\b(mof|zif|cof|uio|irmof)-?\d|\bnylon\b|\bcellulose\b|\bchitin\b"
    r"|\bpoly-?(ethylene|propylene|styrene|amide|ester|butene|butadiene|isoprene|acetylene|oxymethylene"
    r"|acrylonitrile|tetrafluoroethylene|vinyl|glycine|alanine|lactide|glycolide|caprolactone|urethane"
    r"|aniline|thiophene|pyrrole|carbonate|methylene|dimethylsiloxane)",
    re.IGNORECASE,
)

PolymerKind = Literal["organic", "metal-organic"]


@dataclass(frozen=True)
class Polymer:
    """Polymeric connectivity that was found.

    Attributes
    ----------
    dimension : int
        1 chain, 2 layer, 3 framework.
    without_carbon : int
        Dimension of what is left of it without its organic carbon.
    kind : {"organic", "metal-organic"}
    """

    dimension: int
    without_carbon: int
    kind: PolymerKind


def polymer_fault(
    crystal: Crystal, names: tuple[str, ...] = (), disorder: Mapping[str, int] | None = None
) -> str:
    """What makes a structure a crystalline polymer; empty where nothing does.

    A name counts only where there is organic carbon: inorganic chains (a catena-polyphosphate) and simple
    salts (an oxalate) are no polymers, whatever they are called.

    Parameters
    ----------
    crystal : Crystal
    names : tuple of str
        Its chemical names.
    disorder : mapping, optional
        As `bond_graph` takes it.
    """
    if (polymer := find_polymer(crystal, disorder)) is not None:
        shape = {1: "chain", 2: "layer", 3: "framework"}[polymer.dimension]
        return f"{polymer.kind} {shape}"
    named = next((name for name in names if POLYMER_NAMES.search(name)), None)
    if named is not None and organic_carbon(bond_graph(crystal, disorder)).any():
        return f"it is called {named}"
    return ""


def organic_carbon(graph: BondGraph) -> NDArray[np.bool_]:
    """Which atoms ((A,) bool) are carbon of organic groups.

    A group is what hangs together when metals and metalloids are taken away. It is organic if it holds carbon
    and another nonmetal, and is none of `SMALL_ANIONS`; so carbon itself, carbides and carbonates are not.
    """
    outside = np.array([e != "C" and e not in NONMETALS for e in graph.elements])
    organic = np.zeros(len(graph.elements), dtype=bool)
    for group in components(graph.without(outside)):
        carbon = [a for a in group.atoms if graph.elements[a] == "C"]
        if not carbon or all(graph.elements[a] == "C" for a in group.atoms):
            continue
        small = group.dimension == 0 and _heavy_atoms(graph, group, carbon) in SMALL_ANIONS
        organic[carbon] = not small
    return organic


def _heavy_atoms(graph: BondGraph, group: Component, carbon: list[int]) -> str:
    """Formula of a group without hydrogen; atoms that are spread over several places count as one."""
    content: dict[str, float] = {}
    for atom in group.atoms:
        if graph.elements[atom] != "H":
            element = graph.elements[atom]
            content[element] = content.get(element, 0.0) + float(graph.occupancy[atom])
    whole = float(graph.occupancy[carbon].max())
    return hill_formula({e: round(n / whole) for e, n in content.items()})


def find_polymer(crystal: Crystal, disorder: Mapping[str, int] | None = None) -> Polymer | None:
    """The most extended polymeric part of a crystal, or None.

    A connected part is polymeric if it is periodic, and in fewer dimensions without its organic carbon:
    then it is organic groups that hold it together, whether by themselves (polyethylene) or by linking metals
    (a coordination polymer). A silicate with an organic guest, or a layer that organic groups hang on,
    is not.

    Parameters
    ----------
    crystal, disorder
        As `bond_graph` takes them.
    """
    graph = bond_graph(crystal, disorder)
    graph = graph.without(np.array([e in IONIC for e in graph.elements]))
    carbon = organic_carbon(graph)
    if not carbon.any():
        return None
    return max(_polymers(graph, carbon), key=lambda p: p.dimension, default=None)


def _polymers(graph: BondGraph, carbon: NDArray[np.bool_]) -> Iterator[Polymer]:
    rest = components(graph.without(carbon))
    for part in components(graph):
        if part.dimension == 0 or not carbon[part.atoms].any():
            continue
        inside = set(part.atoms.tolist())
        left = max(p.dimension for p in rest if p.atoms[0] in inside)
        if left < part.dimension:
            metal = any(gemmi.Element(graph.elements[a]).is_metal for a in part.atoms)
            yield Polymer(part.dimension, left, "metal-organic" if metal else "organic")
