"""How the documentation of the interface shows a form with a file: it is read as a stream, not by FastAPI."""

from __future__ import annotations

from typing import Any

FILE_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}
