"""Uploaded scans."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Query, Request

from mixrd.web.answers import ScanAnswer
from mixrd.web.database import new_id
from mixrd.web.library import radiation_of
from mixrd.web.problems import ApiError
from mixrd.web.routes.forms import FILE_FORM
from mixrd.web.services import Server, Services
from mixrd.web.turns import in_turn
from mixrd.web.uploads import Upload, received

router = APIRouter(prefix="/api/scans", tags=["scans"])


@router.post("", response_model=ScanAnswer, status_code=201, openapi_extra=FILE_FORM)
async def add_scan(
    request: Request,
    server: Server,
    scan: int | None = Query(None, ge=1, description="Which scan, where the file holds several"),
) -> dict[str, Any]:
    """Upload a powder scan in any format that `mixrd analyze` reads."""
    async with received(request, server.database, server.settings.max_upload_bytes) as upload:
        return await in_turn(server.turns.reading, _add, server, upload, scan)


@router.get("/{scan}", response_model=ScanAnswer)
def one_scan(scan: str, server: Server) -> dict[str, Any]:
    """A scan that was uploaded."""
    return server.library.known("scan", scan)


@router.delete("/{scan}", status_code=204)
def remove_scan(scan: str, server: Server) -> None:
    """Forget a scan that no job uses."""
    if server.jobs.uses([scan]):
        raise ApiError(409, "CONFLICT", "a job uses this scan", "Delete the job first")
    server.library.remove("scan", scan)


def _add(server: Services, upload: Upload, scan: int | None) -> dict[str, Any]:
    name = new_id()
    out = server.library.file("scan", name)
    about = server.readers.read("scan", upload.path, upload.name, scan=scan, out=str(out))
    about["radiation"] = radiation_of(about["header"], about.get("optics"))
    server.library.add("scan", name, about)
    return {"id": name, **about}
