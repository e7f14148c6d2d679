"""What was weighed: the tables `compositions.csv` and `phases.csv` of a folder of measured mixtures."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mixrd.crystal import Crystal
from mixrd.errors import InputError, MixrdError, UsageError
from mixrd.phases import catalog_entry, catalog_names, load_phase

#: Weighed fractions are rounded: their sum may exceed 100 wt% by this much.
ROUNDING_PERCENT = 0.5


@dataclass(frozen=True)
class WeighedRow:
    """One row of `compositions.csv`.

    Attributes
    ----------
    file : str
        Scan, relative to the folder.
    weighed : dict
        wt% by phase name.
    group : dict
        The further columns.
    """

    file: str
    weighed: dict[str, float]
    group: dict[str, str]


class PhaseNames:
    """Crystals by name: those of the folder's `phases.csv` first, then the catalog, then CIF files.

    Parameters
    ----------
    folder : path
    rows : iterable of WeighedRow
        Each phase goes by the name under which it was weighed in.
    """

    def __init__(self, folder: Path, rows: Iterable[WeighedRow]) -> None:
        self.files = _read_phase_files(folder)
        self.spelling: dict[str, str] = {}
        for name in dict.fromkeys(name for row in rows for name in row.weighed):
            try:
                self.spelling.setdefault(self._identity(name), name)
            except MixrdError:
                continue  # said of each sample that needs it
        self.loaded: dict[str, Crystal] = {}

    def label(self, name: str | Path) -> str:
        """The one name under which results state this phase."""
        identity = self._identity(name)
        file = Path(identity.partition("#")[0])
        return self.spelling.get(identity, file.stem if file.suffix else identity)

    def crystal(self, name: str | Path) -> Crystal:
        """The crystal, named by its label.

        Raises
        ------
        CrystalError
            If nothing answers to the name or its CIF cannot be used.
        """
        identity = self._identity(name)
        if identity not in self.loaded:
            self.loaded[identity] = dataclasses.replace(load_phase(identity), name=self.label(name))
        return self.loaded[identity]

    def _identity(self, name: str | Path) -> str:
        """What two names of one phase have in common: its file, or its name in the catalog."""
        listed = self.files.get(str(name).strip().lower())
        if listed is not None:
            return str(listed)
        crystal = load_phase(name)
        shipped = crystal.name in catalog_names() and crystal == catalog_entry(crystal.name).crystal
        return crystal.name if shipped else str(name)


def read_rows(folder: Path, *, select: Mapping[str, str] | None = None) -> list[WeighedRow]:
    """Rows of the folder's `compositions.csv`.

    Parameters
    ----------
    folder : path
    select : mapping, optional
        Only rows that have these values in these columns.

    Raises
    ------
    InputError
        If the table cannot be used or no row is left.
    """
    path = folder / "compositions.csv"
    rows = []
    for number, record in _read_table(path, ("file", "wt_pct")):
        weighed = _parse_composition(record["wt_pct"], path, number)
        group = {k: v for k, v in record.items() if k not in ("file", "wt_pct")}
        rows.append(WeighedRow(record["file"], weighed, group))
    return _selected(rows, select or {}, path)


def _read_phase_files(folder: Path) -> dict[str, Path]:
    path = folder / "phases.csv"
    if not path.is_file():
        return {}
    return {
        record["name"].lower(): folder / record["cif"] for _, record in _read_table(path, ("name", "cif"))
    }


def _read_table(path: Path, required: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    """Rows of a CSV file with their line numbers; cells stripped, empty rows left out."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise InputError(
            "no such table, or not text", remedy=f"Give a folder with a {path.name}", file=path
        ) from None
    reader = csv.DictReader(text.splitlines(), restval="")
    missing = [column for column in required if column not in (reader.fieldnames or ())]
    if missing:
        raise InputError(
            f"it has no column {', '.join(missing)}", remedy="The first line names the columns", file=path
        )
    rows = []
    for record in reader:
        if None in record:
            raise InputError(
                f"line {reader.line_num} has more cells than columns", remedy="Mend the line", file=path
            )
        cells = {key: value.strip() for key, value in record.items()}
        if any(cells.values()):
            rows.append((reader.line_num, cells))
    return rows


def _parse_composition(text: str, path: Path, line: int) -> dict[str, float]:
    weighed: dict[str, float] = {}
    try:
        for part in filter(None, (part.strip() for part in text.split(";"))):
            name, value = part.rsplit("=", 1)
            if name.strip() in weighed:
                raise ValueError(f"{name.strip()} twice")
            weighed[name.strip()] = float(value)
        sane = all(0 <= value <= 100 for value in weighed.values())
        if not weighed or not sane or not 0 < sum(weighed.values()) <= 100 + ROUNDING_PERCENT:
            raise ValueError("wt% outside 0-100")
    except ValueError as error:
        raise InputError(
            f"line {line}: {text!r} is no composition ({error})",
            remedy="Write wt_pct as name=value;name=value, with values in wt%",
            file=path,
        ) from None
    return weighed


def _selected(rows: list[WeighedRow], select: Mapping[str, str], path: Path) -> list[WeighedRow]:
    columns = {column for row in rows for column in row.group}
    unknown = sorted(set(select) - columns)
    if unknown:
        raise UsageError(
            f"there is no column {', '.join(unknown)} to select by",
            remedy=f"Columns: {', '.join(sorted(columns)) or 'none besides file and wt_pct'}",
            file=path,
        )
    chosen = [row for row in rows if all(row.group[key] == value for key, value in select.items())]
    if not chosen:
        raise UsageError("no row is selected", remedy="Check --select and the table", file=path)
    return chosen
