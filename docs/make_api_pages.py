"""Write docs/api: a page for each room with the names that it offers (docs/conf.py calls this)."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import mixrd

FOLDER = Path(__file__).parent / "api"
#: Ways in and out that are no Python interface.
NO_INTERFACE = {"cli", "web", "__main__"}


def rooms() -> list[str]:
    """Rooms of the package that offer names."""
    names = sorted(m.name for m in pkgutil.iter_modules(mixrd.__path__) if m.name not in NO_INTERFACE)
    return [
        n for n in names if n == "errors" or getattr(importlib.import_module(f"mixrd.{n}"), "__all__", ())
    ]


def write_api_pages(folder: Path = FOLDER) -> list[Path]:
    """A page for each room and an index; what is there already is rewritten only if it differs."""
    folder.mkdir(exist_ok=True)
    pages = {"mixrd.md": _top()}
    for room in rooms():
        text = f"# `mixrd.{room}`\n\n```{{eval-rst}}\n.. automodule:: mixrd.{room}\n```\n"
        pages[f"{room}.md"] = text
    pages["index.md"] = (
        "# Python\n\nWhat each room of the package offers. `mixrd` itself has the names that most need; "
        "the rooms below have the rest.\n\n```{toctree}\n:maxdepth: 1\n\nmixrd\n"
        + "\n".join(rooms())
        + "\n```\n"
    )
    for name, text in pages.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    return [folder / name for name in pages]


def _top() -> str:
    rows = []
    for name in mixrd.__all__:
        if name.startswith("_"):
            continue
        thing = getattr(mixrd, name)
        summary = (thing.__doc__ or "").strip().splitlines()[0]
        home = thing.__module__.split(".")[1]
        rows.append(f"| [`{name}`]({home}.md) | {summary} |")
    table = "\n".join(["| name | |", "|---|---|", *rows])
    return f"# `mixrd`\n\n{(mixrd.__doc__ or '').strip()}\n\n{table}\n"


if __name__ == "__main__":
    write_api_pages()
