"""The wall panel's web application.

Role: static page, words, and one WebSocket. Process: panel. Must never: serve anything from
elsewhere, or offer documentation pages (they need a CDN).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect

from config.languages import codes, texts
from config.schema import Site
from liftctl.entry import PANEL, real_time
from liftctl.panel.edge import Edge, listen, own_origin, server
from liftctl.panel.hub import Hub
from liftctl.panel.view import site_view

STATIC = Path(__file__).parent / "static"


def create(site: Site) -> ASGIApp:
    """The application of one room."""
    hub = Hub(site)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with hub.running():
            yield

    app = FastAPI(lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)

    @app.get("/")
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    @app.get("/site.json")
    async def site_json() -> dict[str, Any]:
        return site_view(site)

    @app.get("/languages/{code}.json")
    async def language(code: str) -> dict[str, str]:
        if code not in codes():
            raise HTTPException(404)
        return texts(code)

    @app.websocket("/ws")
    async def socket(ws: WebSocket) -> None:
        await ws.accept()
        if not own_origin(ws.headers, site.web):
            await ws.close(4403)
            return
        try:
            await hub.serve(ws)
        except WebSocketDisconnect:
            return

    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return Edge(app, site.web)


def run(site: Site, port: int | None = None) -> None:
    """Serve until told to stop; SystemExit(2) when the port is taken."""
    sock = listen(site.web.host, port or site.web.panel_port, "panel")
    real_time(PANEL, collect=True)
    server(create(site)).run(sockets=[sock])
