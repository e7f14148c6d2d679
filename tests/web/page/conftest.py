"""The browser and the server that the tests of the page share."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from page_browser import browser, served, visit  # noqa: F401
