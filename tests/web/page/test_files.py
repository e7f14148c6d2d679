"""The files of the page: what they hold, and what they agree with."""

from __future__ import annotations

import re
from pathlib import Path

import mixrd.web
from mixrd.report.colours import PHASE_COLOURS

PAGE = Path(mixrd.web.__file__).parent / "page"
OWN = sorted(p for p in PAGE.rglob("*") if p.is_file() and "vendor" not in p.parts)


def test_nothing_is_inline_or_from_outside() -> None:
    html = (PAGE / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son\w+=", html)
    assert all(re.search(r"\ssrc=", tag) for tag in re.findall(r"<script[^>]*>", html))
    links = re.findall(r'(?:src|href)="([^"#]+)"', html)
    assert {link for link in links if not link.startswith("static/")} == {"docs"}
    assert all((PAGE / link.removeprefix("static/")).is_file() for link in links if link != "docs")
    for path in OWN:
        addresses = re.findall(r"https?://[\w.]+", path.read_text(encoding="utf-8"))
        assert set(addresses) <= {"http://www.w3.org"}, path  # a name of XML, not an address


def test_text_never_becomes_html() -> None:
    for path in PAGE.glob("js/*.js"):
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", source), path


def test_files_are_short() -> None:
    assert {p.name: n for p in OWN if (n := p.read_text(encoding="utf-8").count("\n")) > 300} == {}


def test_imports_exist_and_every_module_is_used() -> None:
    modules = {path.name: path.read_text(encoding="utf-8") for path in PAGE.glob("js/*.js")}
    imported = set()
    for name, source in modules.items():
        for names, module in re.findall(r'import \{([^}]+)\} from "\./([\w.]+)"', source):
            imported.add(module)
            for one in (part.strip() for part in names.split(",")):
                if one:
                    assert re.search(rf"export [\w ]*\b{one}\b", modules[module]), f"{name}: {one}"
                    assert len(re.findall(rf"\b{one}\b", source)) > 1, f"{name} does not use {one}"
    assert set(modules) - imported == {"app.js", "theme.js"}


def test_colours_are_those_of_the_plots() -> None:
    source = (PAGE / "js/palette.js").read_text(encoding="utf-8")
    listed = re.search(r"PHASE_COLOURS = \[([^\]]+)\]", source)
    assert listed
    assert tuple(re.findall(r'"(#\w{6})"', listed[1])) == PHASE_COLOURS


def test_the_library_has_its_licence_and_version() -> None:
    folder = PAGE / "vendor/uplot"
    assert "MIT" in (folder / "LICENSE").read_text(encoding="utf-8")
    version = re.search(r"uPlot (\d+\.\d+\.\d+)", (folder / "README.md").read_text(encoding="utf-8"))
    code = (folder / "uPlot.iife.min.js").read_text(encoding="utf-8")
    assert version
    assert f"v{version[1]}" in code
    assert len(code) < 60_000
