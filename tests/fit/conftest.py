"""The scans that analyses are tested on."""

from tests.analysis.conftest import crystals, instrument, make_scan, model, scan  # noqa: F401
from tests.threads import one_thread  # noqa: F401
