"""Modules shared by the tests of this folder (and by studies/forward.py) are found by their bare name."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
