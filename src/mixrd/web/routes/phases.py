"""Phases, instruments, networks and radiations that can be chosen, and what users add to them."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from mixrd.errors import MixrdError
from mixrd.web.answers import InstrumentAnswer, ModelAnswer, Phase, RadiationAnswer
from mixrd.web.bodies import CodNumber
from mixrd.web.database import new_id
from mixrd.web.disposition import attachment
from mixrd.web.library import preset_instruments, radiations
from mixrd.web.problems import ApiError, problem_of, status_of, stem_of
from mixrd.web.routes.forms import FILE_FORM
from mixrd.web.services import Server, Services
from mixrd.web.turns import in_turn
from mixrd.web.uploads import received

router = APIRouter(prefix="/api")
#: Patience with COD while a user waits.
_COD_ATTEMPTS, _COD_SILENCE_SECONDS, _COD_SECONDS = 2, 15.0, 60.0
#: What the page can do about it, which is not what a command line could.
_COD_REMEDIES = {
    422: "Check the number, or add the CIF file itself",
    500: "Check the folder of the server's data",
    502: "Try again later, or add the CIF file itself",
}


@router.get("/phases", tags=["phases"], response_model=list[Phase])
def phases(
    server: Server, q: str = Query("", max_length=100, description="Part of a name, formula or class")
) -> list[dict[str, Any]]:
    """Phases that can be chosen: users' own first, then the catalog."""
    return server.library.phases(q)


@router.post("/phases/cif", tags=["phases"], response_model=Phase, status_code=201, openapi_extra=FILE_FORM)
async def add_cif(
    request: Request,
    server: Server,
    block: str | None = Query(None, max_length=200, description="Which data block, where there are several"),
) -> dict[str, Any]:
    """Add the structure of a CIF file."""
    async with received(request, server.database, server.settings.max_upload_bytes) as upload:
        return await in_turn(
            server.turns.reading,
            _add_cif,
            server,
            upload.path,
            upload.name,
            block=block,
            kind="cif",
            name=stem_of(upload.name),
        )


@router.post("/phases/cod", tags=["phases"], response_model=Phase, status_code=201)
async def add_cod(wanted: CodNumber, server: Server) -> dict[str, Any]:
    """Fetch a structure of the Crystallography Open Database: the one request that leaves the computer."""
    return await in_turn(server.turns.fetching, _add_cod, server, wanted.number)


@router.delete("/phases/{phase}", tags=["phases"], status_code=204)
def remove_phase(phase: str, server: Server) -> None:
    """Forget a phase that a user added."""
    server.library.remove("phase", phase)


@router.get("/instruments", tags=["instruments"], response_model=list[InstrumentAnswer])
def instruments(server: Server) -> list[dict[str, Any]]:
    """Instruments that can be chosen: users' own first, then those that ship."""
    return server.library.instruments()


@router.post(
    "/instruments",
    tags=["instruments"],
    response_model=InstrumentAnswer,
    status_code=201,
    openapi_extra=FILE_FORM,
)
async def add_instrument(request: Request, server: Server) -> dict[str, Any]:
    """Add an instrument from the TOML file that `mixrd calibrate` writes."""
    return await _add_file(request, server, "instrument", kind="own")


@router.get("/instruments/{instrument}.toml", tags=["instruments"], response_class=Response)
def instrument_file(instrument: str, server: Server) -> Response:
    """An instrument as the file that `mixrd analyze --instrument` takes."""
    from mixrd.pattern import load_instrument, to_toml

    about = server.library.known("instrument", instrument)
    preset = instrument in preset_instruments()
    text = to_toml(load_instrument(instrument if preset else server.library.file("instrument", instrument)))
    headers = attachment(f"{about['title']}.toml")
    return Response(text, media_type="application/toml", headers=headers)


@router.delete("/instruments/{instrument}", tags=["instruments"], status_code=204)
def remove_instrument(instrument: str, server: Server) -> None:
    """Forget an instrument that a user added."""
    server.library.remove("instrument", instrument)


@router.get("/models", tags=["models"], response_model=list[ModelAnswer])
def models(server: Server) -> list[dict[str, Any]]:
    """Trained networks that can be chosen instead of training one, newest first."""
    return server.library.own("model")


@router.post("/models", tags=["models"], response_model=ModelAnswer, status_code=201, openapi_extra=FILE_FORM)
async def add_model(request: Request, server: Server) -> dict[str, Any]:
    """Add a trained network, the file that `mixrd train` writes."""
    return await _add_file(request, server, "model")


@router.delete("/models/{model}", tags=["models"], status_code=204)
def remove_model(model: str, server: Server) -> None:
    """Forget a trained network."""
    server.library.remove("model", model)


@router.get("/radiations", tags=["instruments"], response_model=list[RadiationAnswer])
def all_radiations() -> list[dict[str, Any]]:
    """Radiations that can be chosen where there is no instrument."""
    return radiations()


async def _add_file(request: Request, server: Services, what: str, **more: str) -> dict[str, Any]:
    """Read an uploaded file of one of the library's kinds, and keep it."""
    async with received(request, server.database, server.settings.max_upload_bytes) as upload:
        about = await in_turn(server.turns.reading, server.readers.read, what, upload.path, upload.name)
        name = new_id()
        upload.path.replace(server.library.file(what, name))
    await run_in_threadpool(server.library.add, what, name, {**more, **about})
    return {"id": name, **more, **about}


def _add_cod(server: Services, number: int) -> dict[str, Any]:
    from mixrd.phases import CodClient, read_record

    try:
        client = CodClient(
            server.database.folder / "cod",
            base_url=server.settings.cod_url,
            attempts=_COD_ATTEMPTS,
            timeout_seconds=_COD_SILENCE_SECONDS,
            answer_seconds=_COD_SECONDS,
        )
        path = client.cif(number)
    except MixrdError as error:
        told = {**problem_of(error, f"COD {number}"), "remedy": _COD_REMEDIES[status_of(error)]}
        raise ApiError.of(status_of(error), told) from None
    record = read_record(path)
    name = record.mineral.lower() if record and record.mineral else f"cod-{number}"
    return _add_cif(server, path, f"COD {number}", block=None, kind="cod", name=name)


def _add_cif(
    server: Services, path: Path, file: str, *, block: str | None, kind: str, name: str
) -> dict[str, Any]:
    """Read a CIF and keep it; the same structure under the same name is the same phase."""
    about = server.readers.read("cif", path, file, block=block, name=_phase_name(name))
    digest = hashlib.sha256(f"{about['name']}\0{block}\0".encode())
    digest.update(path.read_bytes())
    identity = f"cif-{digest.hexdigest()[:16]}"
    shutil.copyfile(path, server.library.file("phase", identity))
    server.library.add("phase", identity, {"kind": kind, "block": block, **about})
    return {"id": identity, "kind": kind, **about}


def _phase_name(text: str) -> str:
    """A name for a phase from that of its file, in characters that files and tables can bear."""
    return re.sub(r"[^\w.+()-]+", "-", text).strip("-.")[:60] or "phase"
