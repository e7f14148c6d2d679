"""Phases that premises are made of: which are taken for one another, which have lines where."""

from __future__ import annotations

from mixrd.phases import catalog_names

#: Two hundred reflections and more: an analysis that fails takes ten times as long.
COSTLY = (
    "albite", "alpha-tcp", "beta-tcp", "bismite", "gibbsite", "kaolinite", "larnite", "microcline",
    "newberyite", "octacalcium-phosphate", "struvite", "tetracalcium-phosphate", "uric-acid", "weddellite",
    "whewellite",
)  # fmt: skip
#: What samples and candidates are drawn from.
USUAL = tuple(name for name in catalog_names() if name not in COSTLY)
#: The same type of structure, or nearly: another compound.
SIMILAR = {
    "aluminium": "gold", "barite": "celestine", "brucite": "portlandite",
    "bunsenite": "periclase", "calcite": "rhodochrosite", "celestine": "barite", "cerianite": "fluorite",
    "cobalt-oxide": "magnetite", "copper": "nickel", "corundum": "hematite", "dolomite": "calcite",
    "fluorapatite": "hydroxyapatite", "fluorite": "cerianite", "galena": "sylvite", "gold": "silver",
    "gypsum": "brushite", "halite": "galena", "hematite": "corundum", "hydroxyapatite": "fluorapatite",
    "indium oxide": "yttrium-oxide", "indium-oxide": "yttrium-oxide", "iron": "tungsten", "lime": "bunsenite",
    "magnesite": "siderite", "magnetite": "spinel", "nickel": "copper",
    "periclase": "bunsenite", "portlandite": "brucite", "rhodochrosite": "siderite", "siderite": "magnesite",
    "silicon": "sphalerite", "silver": "aluminium", "sphalerite": "silicon", "spinel": "magnetite",
    "sylvite": "galena", "titanium-carbide": "titanium-nitride", "titanium-nitride": "titanium-carbide",
    "tungsten": "iron", "yttrium-oxide": "indium-oxide",
}  # fmt: skip
#: The same compound, or another hydrate of it: another structure.
POLYMORPH = {
    "anatase": "rutile", "anhydrite": "gypsum", "aragonite": "calcite",
    "baddeleyite": "zirconia-tetragonal", "bassanite": "anhydrite",
    "brookite": "anatase", "calcite": "aragonite", "cristobalite": "quartz", "diamond": "graphite",
    "goethite": "hematite", "gypsum": "bassanite", "magnetite": "hematite", "quartz": "cristobalite",
    "rutile": "anatase", "vaterite": "calcite", "zirconia-tetragonal": "baddeleyite",
}  # fmt: skip
#: Strongest or first line below where the lines of `HIGH_ANGLE` begin.
LOW_ANGLE = (
    "boehmite", "brucite", "brushite", "gibbsite", "gypsum", "kaolinite", "newberyite", "struvite",
    "weddellite", "whewellite",
)  # fmt: skip
#: First line above 28 degrees (Cu K alpha).
HIGH_ANGLE = (
    "aluminium", "bunsenite", "copper", "fluorite", "iron", "lime", "nickel", "periclase", "silicon",
    "titanium-nitride", "tungsten", "zincite", "cuprite", "titanium-carbide", "cerianite",
)  # fmt: skip
#: With hydrogen among the sites.
HYDROUS = ("boehmite", "brucite", "brushite", "gibbsite", "goethite", "gypsum", "kaolinite", "portlandite")
#: Orthorhombic, monoclinic or triclinic: the edges are three.
LOW_SYMMETRY = (
    "albite", "anhydrite", "aragonite", "baddeleyite", "barite", "bismite", "celestine", "diopside",
    "forsterite", "goethite", "gypsum", "shcherbinaite", "tenorite", "zabuyelite",
)  # fmt: skip
#: Phases that lie flat, and on which plane.
PLATES = {
    "brucite": (0, 0, 1), "gibbsite": (0, 0, 1), "gypsum": (0, 1, 0), "kaolinite": (0, 0, 1),
    "portlandite": (0, 0, 1), "calcite": (1, 0, 4), "corundum": (0, 0, 1), "hematite": (0, 0, 1),
    "albite": (0, 1, 0), "zincite": (0, 0, 1), "barite": (0, 0, 1), "dolomite": (1, 0, 4),
}  # fmt: skip
