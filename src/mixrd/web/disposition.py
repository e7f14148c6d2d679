"""Names of downloads, whatever characters they hold."""

from __future__ import annotations

import re
from urllib.parse import quote

from mixrd.web.problems import shown_name


def attachment(name: str) -> dict[str, str]:
    """The header that makes a browser keep an answer as a file of this name (RFC 6266)."""
    clean = shown_name(name, "result")
    plain = re.sub(r"[^A-Za-z0-9._+() -]", "_", clean)
    return {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(clean, safe='')}"
    }
