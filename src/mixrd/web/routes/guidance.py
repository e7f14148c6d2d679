"""What helps a newcomer: the meaning of each warning, and an example scan."""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import Any

from fastapi import APIRouter

from mixrd.web.answers import ScanAnswer, WarningExplanation
from mixrd.web.database import new_id
from mixrd.web.library import radiation_of
from mixrd.web.services import Server

router = APIRouter(prefix="/api")
#: The scan of `mixrd demo`, and the name that users see.
_EXAMPLE, _EXAMPLE_NAME = "demo.xy", "example.xy"


@router.get("/warnings", tags=["server"], response_model=list[WarningExplanation])
def warnings() -> list[dict[str, Any]]:
    """Each code that a warning can have: what it means and what to do."""
    from mixrd.warning_texts import warning_texts

    return [vars(text) for text in warning_texts().values()]


@router.post("/scans/example", tags=["scans"], response_model=ScanAnswer, status_code=201)
def example(server: Server) -> dict[str, Any]:
    """The example scan as if it had been uploaded: corundum, fluorite and zincite, copper tube."""
    name = new_id()
    out = server.library.file("scan", name)
    with as_file(files("mixrd.experiments") / "demo" / _EXAMPLE) as path:
        about = server.readers.read("scan", path, _EXAMPLE_NAME, scan=None, out=str(out))
    about["radiation"] = radiation_of(about["header"], about.get("optics"))
    server.library.add("scan", name, about)
    return {"id": name, **about}
