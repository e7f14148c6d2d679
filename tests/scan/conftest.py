"""Made-up scans as files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Write text or bytes to a new file and give its path."""

    def _save(content: str | bytes, name: str = "scan.xy") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return _save


@pytest.fixture
def points() -> list[tuple[float, int]]:
    """Sixty points of a scan from 10 degrees in steps of 0.05."""
    return [(round(10 + 0.05 * i, 3), 40 + (i * i) % 17) for i in range(60)]
