"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

# A loaded machine is slow, not wrong: what an example takes is no reason to fail.
settings.register_profile("mixrd", deadline=None)
settings.load_profile("mixrd")

sys.path.insert(0, str(Path(__file__).parent))
from cod_server import cod  # noqa: E402, F401
from shape_check import modules_with_shapes  # noqa: E402

REPOSITORY = Path(__file__).resolve().parents[1]
# Before the first import of them.
install_import_hook(modules_with_shapes(REPOSITORY / "src" / "mixrd"), "shape_check.checked")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of measured scans and structures, named by MIXRD_DATA (default ../shared/data)."""
    folder = Path(os.environ.get("MIXRD_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"measured data not found at {folder}; set MIXRD_DATA to its folder")
    return folder
