"""Write docs/warnings.md, and a page for each code, from the texts that the report uses.

Usage: python docs/make_warnings_page.py        rewrites docs/warnings.md
       (docs/conf.py calls `write_code_pages` for the pages docs/warnings/CODE.md)
"""

from __future__ import annotations

import textwrap
from pathlib import Path

from mixrd.warning_texts import WarningText, warning_texts

PAGE = Path(__file__).parent / "warnings.md"
CODE_PAGES = Path(__file__).parent / "warnings"
INTRODUCTION = """\
# Warnings and their codes

A result can hold warnings: doubts that do not forbid an answer. Each has a `code`, a `message` and, where one
phase is concerned, its `phase`. They stand below the table, in the report, in the JSON as

```json
{"code": "ESTIMATES_DISAGREE", "phase": "corundum",
 "message": "the network says 46.8 wt%, the refinement 33.4 wt%"}
```

and, codes only, in the column `warnings` of the CSV. What makes an answer impossible is an error instead: see
[exit codes](command-line.md#exit-codes).
"""
SEVERITIES = {
    "stop": "The result cannot be used.",
    "doubt": "The result can be off.",
    "note": "For the record.",
}


def warnings_page() -> str:
    """The page of all codes."""
    parts, group = [INTRODUCTION], ""
    for text in warning_texts().values():
        if text.group != group:
            group = text.group
            parts.append(f"## {group}\n")
        parts.append(f"### {text.code}\n\n{_body(text)}")
    return "\n".join(parts)


def write_code_pages(folder: Path = CODE_PAGES) -> list[Path]:
    """A page for each code, and an index of them; what is there already is rewritten only if it differs."""
    folder.mkdir(exist_ok=True)
    pages = {
        f"{t.code}.md": f"# {t.code}\n\n{SEVERITIES[t.severity]}\n\n{_body(t)}"
        for t in warning_texts().values()
    }
    rows = [
        f"| [{t.code}]({t.code}.md) | {t.group} | {SEVERITIES[t.severity]} |"
        for t in warning_texts().values()
    ]
    tree = "\n".join(t.code for t in warning_texts().values())
    pages["index.md"] = (
        "# One page per warning\n\nAll on one page: [warnings and their codes](../warnings.md).\n\n"
        "| code | about | |\n|---|---|---|\n"
        + "\n".join(rows)
        + f"\n\n```{{toctree}}\n:hidden:\n\n{tree}\n```\n"
    )
    for name, text in pages.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    return [folder / name for name in pages]


def _body(text: WarningText) -> str:
    paragraphs = [text.meaning, f"**What to do.** {text.remedy}", text.details]
    return "\n\n".join(_wrapped(p) for p in paragraphs if p) + "\n"


def _wrapped(paragraph: str) -> str:
    return textwrap.fill(paragraph, 118, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    PAGE.write_text(warnings_page(), encoding="utf-8")
