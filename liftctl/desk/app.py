"""The technician's page and its JSON: every route is a GET, but for the answer to support.

Role: HTTP edge. Process: desk. Must never: offer a verb that moves, resets or releases anything.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Query, Response
from fastapi.responses import FileResponse, JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from config.languages import codes
from config.schema import Site
from liftctl.desk import answers, ledger
from liftctl.desk.metrics import Room, registry
from liftctl.desk.watch import Watch
from liftctl.panel.edge import Edge, listen, server
from liftctl.places import Places

STATIC = Path(__file__).parent / "static"
Limit = Annotated[int, Query(ge=1, le=500)]
Offset = Annotated[int, Query(ge=0)]


def create(site: Site) -> ASGIApp:
    """The application of one room."""
    watch = Watch(site)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with watch.running():
            yield

    app = FastAPI(title="liftctl desk", lifespan=lifespan, docs_url=None, redoc_url=None)
    _status(app, site, watch)
    _records(app, site)
    answers.install(app, site, watch)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return Edge(app, site.web)


def _status(app: FastAPI, site: Site, watch: Watch) -> None:
    clock = time.monotonic_ns
    room = registry(Room(watch, ledger.Outcomes(Places(site.name).ledger), clock))

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    @app.get("/api/state")
    async def state(language: str = "en") -> dict[str, Any]:
        """Processes, devices, rows and counters."""
        today = datetime.now().astimezone().date().isoformat()
        return watch.view(clock(), language if language in codes() else "en", today)

    @app.get("/healthz")
    async def healthz() -> JSONResponse:
        """200 while the gate's tick is younger than 1 s."""
        troubles = watch.troubles(clock())
        return JSONResponse({"ok": not troubles, "reasons": troubles}, 503 if troubles else 200)

    @app.get("/metrics")
    def metrics() -> Response:
        """Prometheus text format."""
        return Response(generate_latest(room), media_type=CONTENT_TYPE_LATEST)


def _records(app: FastAPI, site: Site) -> None:
    path = Places(site.name).ledger

    @app.get("/api/transfers")
    def transfers(limit: Limit = 50, offset: Offset = 0) -> list[dict[str, Any]]:
        """Transfers from the ledger, newest first."""
        return ledger.transfers(path, limit, offset)

    @app.get("/api/report")
    def report() -> dict[str, Any]:
        """Saved staff time against the site's baselines."""
        return ledger.report(path, site.baseline)


def run(site: Site, port: int | None = None) -> None:
    """Serve until told to stop; SystemExit(2) when the port is taken."""
    sock = listen(site.web.host, port or site.web.desk_port, "desk")
    server(create(site)).run(sockets=[sock])
