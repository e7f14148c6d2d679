"""Sphinx: ``make docs`` builds docs/_build/html, every warning an error."""

from __future__ import annotations

import re
import runpy
from importlib.metadata import version as installed_version
from pathlib import Path

from sphinx.application import Sphinx

HERE = Path(__file__).parent

project = "mixrd"
author = "mixrd contributors"
release = installed_version("mixrd")
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
templates_path: list[str] = []

myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4

autodoc_default_options = {"members": True, "imported-members": True}
autodoc_member_order = "groupwise"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

copybutton_prompt_text = r"\$ |>>> "
copybutton_prompt_is_regexp = True

html_theme = "pydata_sphinx_theme"
html_title = f"mixrd {release}"
html_static_path: list[str] = []
html_show_sourcelink = False
html_theme_options = {
    "show_prev_next": True,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
project_copyright = "mixrd contributors, MIT licence"

# Attributes of several classes share names with plain words in docstrings: no reference is meant.
suppress_warnings = ["ref.python"]

# Pages that are made from the code: one for each warning, one for each room.
for script, function in (
    ("make_warnings_page.py", "write_code_pages"),
    ("make_api_pages.py", "write_api_pages"),
):
    runpy.run_path(str(HERE / script))[function]()

_OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./([^)]+)\)")


def _name_outside_files(app: Sphinx, page: str, source: list[str]) -> None:
    """Links to files of the repository that are no pages become their path."""
    if "/" not in page:
        source[0] = _OUTSIDE.sub(r"\1 (`\2`)", source[0])


_SEVERAL = re.compile(r"^(\w+(?:, \w+)+) : (.+)$")


def _one_name_a_line(
    app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]
) -> None:
    """Attributes that share a line, "low, high : float", get one each, as napoleon wants them."""
    split: list[str] = []
    for line in lines:
        found = _SEVERAL.match(line)
        split += [f"{one} : {found[2]}" for one in found[1].split(", ")] if found else [line]
    lines[:] = split


def _keep_bars(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """|F|^2 in a docstring is no substitution."""
    lines[:] = [line if "``" in line else re.sub(r"(?<!\\)\|", r"\\|", line) for line in lines]


def setup(app: Sphinx) -> None:
    """Hooks of this documentation."""
    app.connect("source-read", _name_outside_files)
    # Before napoleon, which listens at 500.
    app.connect("autodoc-process-docstring", _one_name_a_line, priority=400)
    app.connect("autodoc-process-docstring", _keep_bars)
