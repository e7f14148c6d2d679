"""CIF text as a gemmi document: CIF 1.1, CIF 2.0 and the dotted names of CIF core 3; which block is meant."""

from __future__ import annotations

import math
import re
from pathlib import Path

import gemmi

from mixrd.errors import CrystalError

LARGEST_SENSIBLE_CIF_BYTES = 50_000_000
COORDINATES = ("_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z")
#: Names of CIF core 3 whose dot is not all that sets them apart from those of CIF core 2.
_RENAMED = {"_diffrn_radiation_wavelength_value": "_diffrn_radiation_wavelength"}
_CIF2 = "#\\#CIF_2.0"
_CIF2_TOKEN = re.compile(
    r"""(?P<field>^;.*?^;)
      | (?P<triple>(?:\"{3}.*?\"{3})|(?:'{3}.*?'{3}))
      | (?P<quoted>"[^"\n]*"|'[^'\n]*')
      | (?P<comment>(?<!\S)\#[^\n]*)
      | (?P<open>[\[{]) | (?P<close>[\]}])
      | (?P<other>[^\s\[\]{}]+|\s+)""",
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)


def parse_cif(text: str) -> gemmi.cif.Document:
    """CIF text of any version, with the names of CIF core 2.

    Values of CIF 2.0 in triple quotes become text fields; its lists and tables, which no name that mixrd
    reads has, become ".".

    Raises
    ------
    ValueError, RuntimeError
        Of gemmi, if the text is no CIF.
    """
    if text.lstrip("\ufeff").startswith(_CIF2):
        text = _as_cif1(text.lstrip("\ufeff"))
    return _with_core_2_names(gemmi.cif.read_string(text))


def read_document(path: Path) -> gemmi.cif.Document:
    """The CIF file of a structure.

    Raises
    ------
    CrystalError
        If it is missing, too large or no CIF.
    """
    try:
        if path.stat().st_size > LARGEST_SENSIBLE_CIF_BYTES:
            raise CrystalError(
                "the file is too large for a CIF of one structure", remedy="Cut it down", file=path
            )
        return parse_cif(path.read_bytes().decode("utf-8", errors="replace"))
    except FileNotFoundError:
        raise CrystalError("no such file", remedy="Check the path of the CIF", file=path) from None
    except OSError as error:
        raise CrystalError(
            f"it cannot be opened ({error.strerror})", remedy="Check the file", file=path
        ) from None
    except (ValueError, RuntimeError) as error:
        raise CrystalError(
            f"it is not a readable CIF ({str(error).splitlines()[0]})",
            remedy="Open it in a CIF checker (for example checkCIF) and mend the syntax",
            file=path,
        ) from None


def choose_block(document: gemmi.cif.Document, path: Path, wanted: str | None) -> gemmi.cif.Block:
    """The data block that holds the structure.

    Raises
    ------
    CrystalError
        If none holds atom sites with coordinates, or several do and none is `wanted`.
    """
    names = [block.name for block in document]
    if wanted is not None and wanted not in names:
        raise CrystalError(
            f"there is no data block {wanted!r}", remedy=f"Choose one of: {', '.join(names)}", file=path
        )
    found = [block for block in document if wanted in (None, block.name) and has_coordinates(block)]
    if not found:
        raise CrystalError(
            "it holds no atom sites with coordinates",
            remedy="Give a CIF with an _atom_site loop (fractional coordinates) and a cell",
            file=path,
        )
    if len(found) > 1:
        raise CrystalError(
            f"it holds {len(found)} structures: {', '.join(block.name for block in found)}",
            remedy="Name the data block, as FILE.cif#BLOCK on the command line or block=... in Python",
            file=path,
        )
    return found[0]


def has_coordinates(block: gemmi.cif.Block) -> bool:
    """Whether a block has an atom site with a coordinate: loops of question marks are no structure."""
    rows = block.find(list(COORDINATES))
    return any(_says_something(value) for row in rows for value in row)


def _says_something(value: str) -> bool:
    return value not in ("?", ".")


def text_value(block: gemmi.cif.Block, *tags: str) -> str | None:
    """First of these tags that has a value, as plain text of one line; None where none has.

    A loop of one row counts too.
    """
    for tag in tags:
        raw = block.find_value(tag) or next(iter(block.find_loop(tag)), None)
        text = "" if raw is None else " ".join(gemmi.cif.as_string(str(raw)).split())
        if text and text not in ("?", "."):
            return text
    return None


def number_value(block: gemmi.cif.Block, *tags: str) -> float | None:
    """First of these tags that has a number (its uncertainty dropped); None where none has."""
    for tag in tags:
        text = text_value(block, tag)
        value = math.nan if text is None else gemmi.cif.as_number(text)
        if math.isfinite(value):
            return float(value)
    return None


def _as_cif1(text: str) -> str:
    pieces: list[str] = []
    depth = 0
    for token in _CIF2_TOKEN.finditer(text):
        kind, piece = token.lastgroup, token[0]
        if kind == "open":
            depth += 1
            piece = " . " if depth == 1 else ""
        elif kind == "close":
            depth -= 1
            piece = ""
        elif depth > 0:
            piece = ""
        elif kind == "triple":
            piece = "\n;" + piece[3:-3].replace("\n;", "\n ;") + "\n;\n"
        pieces.append(piece)
    return "".join(pieces)


def _with_core_2_names(document: gemmi.cif.Document) -> gemmi.cif.Document:
    """The document with `_atom_site.label` written `_atom_site_label`; as it is where no name has a dot."""
    tags = [tag for block in document for item in block for tag in _tags_of(item)]
    if not any("." in tag for tag in tags):
        return document
    renamed = gemmi.cif.Document()
    for block in document:
        new = renamed.add_new_block(block.name)
        for item in block:
            if (pair := _pair(item)) is not None:
                new.set_pair(_core_2_name(pair[0]), pair[1])
            elif item.loop is not None:
                loop = new.init_loop("", [_core_2_name(tag) for tag in item.loop.tags])
                width = item.loop.width()
                for start in range(0, width * item.loop.length(), width):
                    loop.add_row(item.loop.values[start : start + width])
    return renamed


def _tags_of(item: gemmi.cif.Item) -> list[str]:
    if (pair := _pair(item)) is not None:
        return [pair[0]]
    return list(item.loop.tags) if item.loop is not None else []


def _pair(item: gemmi.cif.Item) -> tuple[str, str] | None:
    if item.pair is None:
        return None
    tag, value = list(item.pair)  # type: ignore[call-overload]
    return str(tag), str(value)


def _core_2_name(tag: str) -> str:
    name = tag.replace(".", "_")
    return _RENAMED.get(name.lower(), name)
