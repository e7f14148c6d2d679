"""`python -m mixrd`: the command line."""

from __future__ import annotations

import sys

from mixrd.cli import main

sys.exit(main())
