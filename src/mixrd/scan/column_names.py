"""Which column of a table is which, by the names above it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from mixrd.errors import ScanError
from mixrd.scan.axis_names import AxisName, axis_label, read_axis_name

_ANGLE = re.compile(r"^(pos)?(2th|2theta|tth|twotheta|angle|x$)")
_INTENSITY = re.compile(r"^(i$|y$|y?obs|i_?obs|int|counts?|cps|yi?$|meas)")
_SIGMA = re.compile(r"^(e$|s$|sig|esd|err|std|su$|unc|delta)")
_CERTAIN_SIGMA = re.compile(r"^(sig|esd|err|unc|std)")
_NO_SIGMA = re.compile(r"^(b(ac)?k|bg|y?calc|i?calc|ycalc|diff|res|time|mon|weight|wt$|live|norm|fit|temp)")

_LABEL_LINE = re.compile(r"[\s#!;%*]*([A-Za-z0-9θ*^ _-]{1,40}\s*[\[(][^\])]*[\])])\s*")
_AXIS_LINE = re.compile(
    r"[\s#!;%*]*(?:x[ "
    r"_-]?(?:axis|label|units?|column)|abscissa|axis|units?)\s*[:=]\s*[\"']?([^\"']+?)[\"']?\s*",
    re.IGNORECASE,
)
#: Quantities that a line of a header may be about without being the axis.
_NO_AXIS_LINE = {"wavelength", "temperature", "energy", "a time"}

Picked = tuple[int, int, int | None, tuple[tuple[str, str], ...]]


def column_names(header: Sequence[str], split: Callable[[str], list[str]], width: int) -> list[str]:
    """Names of the columns from the last line above the table, [] where there is none that fits.

    Units in a line of their own below the names are joined to them.
    """
    named = [line for line in header if re.search(r"[A-Za-zθ]", line)]
    for back, line in enumerate(reversed(named)):
        if _is_statement(line):
            continue
        fields = _fields(line, split, width)
        units = all(re.fullmatch(r"[\[(].*[\])]", field) for field in fields)
        if fields and units and back == 0 and len(named) > 1:
            names = _fields(named[-2], split, width)
            return [f"{name} {unit}" for name, unit in zip(names, fields, strict=True)] if names else fields
        return fields
    return []


def _is_statement(line: str) -> bool:
    """A line such as "wavelength: 1.5406", "Anode Cu 40": it states something and names no columns."""
    words = line.split()
    return bool(re.search(r"\w\s*[:=]\s*\S", line)) or any(
        re.fullmatch(r"[+-]?[\d.]+", word) for word in words
    )


def _fields(line: str, split: Callable[[str], list[str]], width: int) -> list[str]:
    bare = re.sub(r"^\s*(?:[#!;'%*]|//)+", "", line).strip()
    with_units = [match[0] for match in re.finditer(r"[^\s\[(]+(?:\s*[\[(][^\])]*[\])])?", bare)]
    to_bracket = [match[0] for match in re.finditer(r"[^\[(]+[\[(][^\])]*[\])]|\S[^\[(]*$", bare)]
    splits = (
        split(bare),
        re.split(r"\t+|\s{2,}", bare),
        bare.split(),
        re.split(r"[,;]", bare),
        with_units,
        to_bracket,
    )
    for fields in splits:
        if len(fields) == width:
            return [field.strip(" \"',;") for field in fields]
    return []


def pick_columns(names: Sequence[str], width: int) -> Picked:
    """Columns of angle, intensity and (perhaps) uncertainty, and what was left aside.

    Raises
    ------
    ScanError
        If there are more than three columns and the names do not single out axis and intensity.
    """
    labels = [axis_label(name) for name in names]
    angles = [i for i, label in enumerate(labels) if _ANGLE.match(label)]
    heights = [i for i, label in enumerate(labels) if _INTENSITY.match(label)]
    if width == 2:
        if angles == [1] and heights == [0]:
            return 1, 0, None, (("COLUMNS_SWAPPED", f"the angles stand in the second column ({names[1]!r})"),)
        return 0, 1, None, ()
    elsewhere = len(angles) == 1 and len(heights) == 1 and (angles[0], heights[0]) != (0, 1)
    if width == 3 and not elsewhere:
        if labels and (
            _NO_SIGMA.match(labels[2]) or (not _SIGMA.match(labels[2]) and _ANGLE.match(labels[0]))
        ):
            return 0, 1, None, (("COLUMN_IGNORED", f"the third column ({names[2]!r}) was not used"),)
        return 0, 1, 2, ()
    if not angles:
        angles = [i for i, name in enumerate(names) if _is_convertible(read_axis_name(name))]
    if len(angles) == 1 and len(heights) == 1:
        chosen = f"of {width} columns {names[angles[0]]!r} and {names[heights[0]]!r} were read"
        spread = [i for i, label in enumerate(labels) if _CERTAIN_SIGMA.match(label)]
        third = spread[0] if len(spread) == 1 else None
        if third is not None:
            read = (names[angles[0]], names[heights[0]], names[third])
            chosen = f"of {width} columns {', '.join(map(repr, read))} were read"
        return angles[0], heights[0], third, (("COLUMN_IGNORED", chosen),)
    shown = f" ({', '.join(names[:6])} ...)" if names else ""
    if not names:
        cause = f"rows of {width} numbers without names: not columns of angle and intensity"
    elif len(angles) > 1:
        cause = f"a table of {width} columns{shown} with {len(angles)} angle columns"
    else:
        cause = f"a table of {width} columns{shown}, and the names do not say which is 2-theta and counts"
    raise ScanError(cause, remedy="Keep two columns, 2-theta and counts, and save them as .xy.")


def _is_convertible(axis: AxisName | None) -> bool:
    return axis is not None and axis.quantity != "other"


def is_named_uncertainty(names: Sequence[str], column: int) -> bool:
    """Whether the column is called a standard uncertainty."""
    return column < len(names) and bool(_SIGMA.match(axis_label(names[column])))


def named_axis(header: Sequence[str], names: Sequence[str], column: int) -> AxisName | None:
    """What the file calls the axis: by the name of its column, a line that is only a label, or 'x-axis: ...'.

    None where nothing says it.
    """
    if names:
        beside = names[column + 1] if column + 1 < len(names) else None
        if (found := read_axis_name(names[column], beside)) is not None:
            return found
    for line in header:
        label, stated = _LABEL_LINE.fullmatch(line), _AXIS_LINE.fullmatch(line)
        named = stated or label
        found = None if named is None else read_axis_name(named[1])
        if found is not None and not (found.quantity == "other" and _is_by_the_way(found)):
            return found
    return None if names or not header else _first_word(header[-1])


def _is_by_the_way(axis: AxisName) -> bool:
    return axis.what in _NO_AXIS_LINE or axis.what.startswith("a quantity")


def _first_word(line: str) -> AxisName | None:
    """An axis with its unit at the head of the last line, whose further words do not fit the columns."""
    words = re.sub(r"^\s*(?:[#!;'%*]|//)+", "", line).split()
    if not 1 < len(words) <= 6:
        return None
    for text in (words[0], " ".join(words[:2])):
        found = read_axis_name(text)
        if found is not None and found.unit is not None and not _is_by_the_way(found):
            return found
    return None
