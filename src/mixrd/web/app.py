"""The application: paths, errors, and the page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

import mixrd
from mixrd.errors import MixrdError
from mixrd.web.answers import ErrorAnswer, Health
from mixrd.web.documentation import documentation_page
from mixrd.web.jobs import RUNNING
from mixrd.web.problems import ApiError, internal_problem, problem, problem_of, status_of
from mixrd.web.routes import guidance, jobs, phases, results, scans
from mixrd.web.security import HEADERS, Guard
from mixrd.web.services import Server, Services
from mixrd.web.settings import ServerSettings

PAGE = Path(__file__).parent / "page"
_DESCRIPTION = """Weight fractions of crystalline phases from powder X-ray diffraction scans.

Upload scans, choose phases and an instrument, ask for a job, watch it, fetch what it found. Answers of status
400 and above have the body `{"error": {"code", "message", "remedy", "file"}}`. Where the server asks for a
token, send it as `Authorization: Bearer TOKEN`."""


def create_app(settings: ServerSettings, services: Services | None = None) -> FastAPI:
    """The ASGI application.

    Parameters
    ----------
    settings : ServerSettings
    services : Services, optional
        Default those of `settings`; they start and stop with the application.

    Raises
    ------
    UsageError
        If the folder of the data cannot be used.
    """
    made = services or Services.of(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(made.start)
        yield
        await run_in_threadpool(made.stop)

    app = FastAPI(
        title="mixrd",
        version=mixrd.__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        # FastAPI's own pages load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        responses={"4XX": {"model": ErrorAnswer}, "5XX": {"model": ErrorAnswer}},
    )
    app.state.services = made
    for routes in (guidance, phases, scans, jobs, results):
        app.include_router(routes.router)
    _add_pages(app)
    _add_error_handlers(app)
    app.add_middleware(Guard, settings=settings)
    return app


def _add_pages(app: FastAPI) -> None:
    @app.get("/api/health", tags=["server"], response_model=Health)
    def health(server: Server) -> dict[str, Any]:
        """The server, and how busy it is."""
        from mixrd.scan.scan_format import all_endings

        return {
            "version": mixrd.__version__,
            "running": server.jobs.count(*RUNNING),
            "queued": server.jobs.count("queued"),
            "max_upload_bytes": server.settings.max_upload_bytes,
            "scan_endings": all_endings(),
            "training_steps": server.settings.training_steps,
        }

    @app.get("/", include_in_schema=False)
    def page() -> Response:
        return HTMLResponse((PAGE / "index.html").read_text(encoding="utf-8"))

    @app.get("/docs", include_in_schema=False)
    def docs() -> Response:
        return HTMLResponse(documentation_page(app.openapi()))

    app.mount("/static", StaticFiles(directory=PAGE), name="static")


def _add_error_handlers(app: FastAPI) -> None:
    remedy = "See /docs for what the interface takes"

    async def told(_: Request, error: Exception) -> Response:
        headers: Mapping[str, str] | None = None
        match error:
            case ApiError():
                body, status = error.body, error.status
            case MixrdError():
                body, status = problem_of(error), status_of(error)
            case RequestValidationError():
                first = error.errors()[0]
                where = ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "path"))
                body = problem("INPUT", f"{where}: {first['msg']}" if where else str(first["msg"]), remedy)
                status = 422
            case HTTPException():
                code = {404: "NOT_FOUND", 413: "TOO_LARGE"}.get(error.status_code, "INPUT")
                body = problem(code, str(error.detail), remedy)
                status, headers = error.status_code, error.headers
            case _:
                # This answer is made outside all layers, the guard's too.
                body, status, headers = internal_problem(error), 500, HEADERS
        return JSONResponse({"error": body}, status_code=status, headers=headers)

    for kind in (ApiError, MixrdError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, told)
