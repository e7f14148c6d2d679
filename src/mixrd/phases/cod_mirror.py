"""Structures with COD numbers from a folder of CIF files: the same as the network gives, offline."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import gemmi

from mixrd.crystal.formula import atoms_of_formula, hill_formula
from mixrd.errors import CrystalError, PhaseNotFoundError, UsageError
from mixrd.phases.cod import keep_whole
from mixrd.phases.cod_query import FIRST_NUMBER, LAST_NUMBER, CodQuery, CodRecord

#: The index is written this often (files) while it is made, so that a run that was killed goes on.
_SAVE_EVERY = 2_000
_VERSION = 1
_CODE = re.compile(rb"^_cod_database_code\s+['\"]?(\d{7})\b", re.MULTILINE)


@dataclass(frozen=True)
class _Indexed:
    """A file of the mirror as it was when it was indexed; `record` is None where it has no COD number."""

    size: int
    modified_ns: int
    record: CodRecord | None


class CodMirror:
    """A folder of CIF files, found by the number that stands in each (`_cod_database_code`).

    The folders may be laid out in any way. The index is made once and kept; files that were changed, added or
    removed since are noticed by their size and time. Where several files have the same number, the first by
    path counts.

    Parameters
    ----------
    folder : path
        Where the CIF files are.
    index_folder : path
        Where the index is kept.
    on_progress : callable, optional
        Told (files done, files in all) while the index is made.

    Attributes
    ----------
    files : int
        CIF files in the folder.
    repeated : int
        Files whose number another file has as well.

    Raises
    ------
    UsageError
        If there is no such folder, or no file in it has a COD number.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        index_folder: str | Path,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise UsageError("there is no such folder", remedy="Give a folder of CIF files", file=self.folder)
        key = sha256(str(self.folder.resolve()).encode()).hexdigest()[:32]
        self._index_file = Path(index_folder) / f"mirror-{key}.json"
        index = self._current_index(on_progress)
        self._records: dict[int, CodRecord] = {}
        self._paths: dict[int, Path] = {}
        for relative in sorted(index):
            record = index[relative].record
            if record is not None and record.number not in self._records:
                self._records[record.number] = record
                self._paths[record.number] = self.folder / relative
        self.files = len(index)
        self.repeated = sum(entry.record is not None for entry in index.values()) - len(self._records)
        if not self._records:
            raise UsageError(
                f"none of its {self.files} CIF files has a COD number",
                remedy="Give a folder of CIF files from COD (with _cod_database_code)",
                file=self.folder,
            )

    @property
    def numbers(self) -> tuple[int, ...]:
        """All COD numbers of the mirror, sorted."""
        return tuple(sorted(self._records))

    def search(self, query: CodQuery) -> list[CodRecord]:
        """Records that satisfy the query, by number."""
        return [self._records[n] for n in self.numbers if query.accepts(self._records[n])]

    def cif(self, number: int) -> Path:
        """File of a structure.

        Raises
        ------
        PhaseNotFoundError
            If the mirror has no such structure.
        """
        if number not in self._paths:
            raise PhaseNotFoundError(
                f"the mirror has no structure {number}",
                remedy="`mixrd cod search --mirror` finds those it has",
                file=self.folder,
            )
        return self._paths[number]

    def _current_index(self, on_progress: Callable[[int, int], None] | None) -> dict[str, _Indexed]:
        known = self._load()
        paths = sorted(p for p in self.folder.rglob("*") if p.suffix.lower() == ".cif" and p.is_file())
        index: dict[str, _Indexed] = {}
        unsaved = 0
        for done, path in enumerate(paths, 1):
            relative, state = path.relative_to(self.folder).as_posix(), path.stat()
            before = known.get(relative)
            if before and (before.size, before.modified_ns) == (state.st_size, state.st_mtime_ns):
                index[relative] = before
            else:
                index[relative] = _Indexed(state.st_size, state.st_mtime_ns, read_record(path))
                unsaved += 1
                if unsaved % _SAVE_EVERY == 0:
                    self._save({**known, **index})
            if on_progress is not None:
                on_progress(done, len(paths))
        if unsaved or set(known) != set(index):
            self._save(index)
        return index

    def _load(self) -> dict[str, _Indexed]:
        """The index of an earlier time; nothing where there is none that can be read."""
        try:
            data = json.loads(self._index_file.read_text(encoding="utf-8"))
            if data["version"] != _VERSION:
                return {}
            return {
                relative: _Indexed(size, modified, CodRecord(**record) if record else None)
                for relative, (size, modified, record) in data["files"].items()
            }
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def _save(self, index: dict[str, _Indexed]) -> None:
        files = {
            relative: (entry.size, entry.modified_ns, asdict(entry.record) if entry.record else None)
            for relative, entry in index.items()
        }
        keep_whole(self._index_file, json.dumps({"version": _VERSION, "files": files}).encode())


def read_record(path: Path) -> CodRecord | None:
    """What a CIF tells of its structure; None where it has no COD number (or cannot be read at all)."""
    try:
        text = path.read_bytes()
    except OSError:
        return None
    code = _CODE.search(text)
    if code is None or not FIRST_NUMBER <= int(code[1]) <= LAST_NUMBER:
        return None
    number = int(code[1])
    try:
        document = gemmi.cif.read_string(text.decode("utf-8", errors="replace"))
    except (ValueError, RuntimeError):
        return CodRecord(number)  # it has its number, and the screening will say what ails it
    block = next((b for b in document if b.find_value("_cod_database_code")), document[0])

    def value(*tags: str) -> str:
        texts = (gemmi.cif.as_string(found) for tag in tags if (found := block.find_value(tag)))
        return next((" ".join(t.split()) for t in texts if t), "")

    return CodRecord(
        number,
        formula=_in_hill_order(value("_chemical_formula_sum")),
        mineral=value("_chemical_name_mineral"),
        name=value("_chemical_name_common", "_chemical_name_systematic"),
        space_group=value("_space_group_name_H-M_alt", "_symmetry_space_group_name_H-M"),
        title=value("_publ_section_title"),
    )


def _in_hill_order(formula: str) -> str:
    try:
        return hill_formula(atoms_of_formula(formula))
    except CrystalError:
        return formula
