"""Print the table of docs/catalog.md: every phase, its source and what it was checked against."""

from __future__ import annotations

from mixrd.phases import PublishedPattern, catalog_entry, catalog_names


def main() -> None:
    """Print counts and table as Markdown."""
    entries = [catalog_entry(name) for name in catalog_names()]
    kinds = [entry.second_kind for entry in entries]
    counts = ", ".join(f"{kinds.count(k)} against a {k}" for k in ("structure", "pattern", "cell"))
    print(f"{len(entries)} phases: {counts}.\n")
    print("| phase | formula | structure | checked against | kind |\n|---|---|---|---|---|")
    for entry in entries:
        kind = entry.second_kind
        if isinstance(entry.second, PublishedPattern) and entry.second.textured:
            kind += " (textured)"  # type: ignore[assignment]
        print(f"| {entry.name} | {entry.formula} | {entry.crystal.source} | {entry.second.source} | {kind} |")


if __name__ == "__main__":
    main()
