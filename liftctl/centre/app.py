"""The centre's console and its JSON.

Role: HTTP edge for people and tools. Process: console, any number of them. Must never: hold a verb
that reaches a device, or answer outside the asker's own transaction.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from fastapi import Body, FastAPI, HTTPException, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from config.languages import codes, texts
from config.schema import WebSpec
from liftctl.centre import fleet, helpdesk, risk, signin
from liftctl.centre.database import ingesting
from liftctl.centre.metrics import metrics
from liftctl.centre.people import Person, view
from liftctl.panel import edge

STATIC = Path(__file__).parent / "static"
SHARED = Path(edge.__file__).parent / "static"  # elements and words: the panel's own modules
LANGUAGES = ("da", "sv", "en")
Limit = Annotated[int, Query(ge=1, le=500)]
Offset = Annotated[int, Query(ge=0, le=1_000_000)]
Word = Annotated[str, Query(max_length=100, pattern=r"^[^\x00]*$")]
Name = Annotated[str, Query(max_length=200)]


def create(engine: Engine, settings: signin.SignIn, host: str = "127.0.0.1") -> ASGIApp:
    """The application of one console process."""
    app = FastAPI(title="liftctl centre", docs_url=None, redoc_url=None)
    signin.install(app, engine, settings)

    def person(request: Request) -> Person:
        return signin.who(engine, request)

    _pages(app)
    _devices(app, engine, person)
    _evidence(app, engine, person)
    helpdesk.install(app, engine, person)
    app.mount("/shared", StaticFiles(directory=SHARED), name="shared")
    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    @app.exception_handler(SQLAlchemyError)
    async def away(_: Request, error: Exception) -> JSONResponse:
        name = type(error).__name__
        return JSONResponse({"detail": f"the database is away ({name}); try again"}, 503)

    return edge.Edge(app, WebSpec(host=host, origins=(settings.public_url,)))


def _now() -> datetime:
    return datetime.now(UTC)


def _pages(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    @app.get("/languages/{code}.json")
    async def words(code: str) -> JSONResponse:
        """The console's texts, with the rows' own names."""
        path = STATIC / "words" / f"{code}.json"
        if code not in LANGUAGES:
            raise HTTPException(404)
        rows = texts(code if code in codes() else "en")
        named = {key: word for key, word in rows.items() if key.startswith("row.")}
        return JSONResponse(named | json.loads(path.read_text(encoding="utf-8")))

    @app.get("/healthz")
    async def healthz() -> dict[str, bool]:
        return {"ok": True}

    @app.get("/api/risk")
    async def legend() -> list[dict[str, object]]:
        """How risk is computed: every reason with its share of today's transfers."""
        return risk.legend()


def _devices(app: FastAPI, engine: Engine, person: Callable[[Request], Person]) -> None:
    @app.get("/api/me")
    def me(request: Request) -> dict[str, Any]:
        """Who is asking and what that person may see."""
        asker = person(request)
        with view(engine, asker) as db:
            seen = fleet.places(db, asker)
        return {"name": asker.name, "role": asker.role, "municipality": asker.municipality,
                "home": asker.home, "may_change": asker.may_change, "places": seen}  # fmt: skip

    @app.get("/api/fleet")
    def devices(
        request: Request, municipality: Word = "", home: Word = "",
        search: Word = "", limit: Limit = 50, offset: Offset = 0,
    ) -> dict[str, Any]:  # fmt: skip
        """Devices by risk to today's transfers, highest first."""
        asker = person(request)
        with view(engine, asker) as db:
            return fleet.fleet(db, asker, _now(), limit, offset, municipality, home, search)

    @app.get("/api/devices/{municipality}/{controller}")
    def device(request: Request, municipality: str, controller: str) -> dict[str, Any]:
        """One device's page."""
        with view(engine, person(request)) as db:
            found = fleet.device(db, _now(), _clean(municipality), _clean(controller))
        if found is None:
            raise HTTPException(404, "no such device")
        return found

    @app.get("/api/devices/{municipality}/{controller}/events")
    def events(
        request: Request, municipality: str, controller: str,
        before: datetime | None = None, limit: Limit = 50,
    ) -> list[dict[str, Any]]:  # fmt: skip
        """Its events, newest first, with freeze frames."""
        until = before or _now() + timedelta(days=1)
        with view(engine, person(request)) as db:
            return fleet.events(db, _clean(municipality), _clean(controller), until, limit)

    @app.post("/api/devices/{municipality}/{controller}/quarantine/clear")
    def clear(
        request: Request, municipality: str,
        controller: str, why: Annotated[str, Body(embed=True, min_length=3, max_length=500)],
    ) -> dict[str, bool]:  # fmt: skip
        """A technician of the centre has looked at a conflict; it stands in the audit trail."""
        signin.same_origin(request)
        asker = person(request)
        if not asker.may_change:
            raise HTTPException(403, "only a signed-in technician of the centre may do that")
        with ingesting(engine, _clean(municipality)) as db:
            done = fleet.clear_quarantine(
                db, _clean(municipality), _clean(controller), asker.name, _clean(why)
            )
        return {"cleared": done}


def _evidence(app: FastAPI, engine: Engine, person: Callable[[Request], Person]) -> None:
    @app.get("/api/evidence")
    def evidence(
        request: Request,
        days: Annotated[int, Query(ge=1, le=3660)] = 90,
    ) -> dict[str, Any]:
        """Transfers, carers and staff time of each home."""
        until, asker = _now(), person(request)
        with view(engine, asker) as db:
            return fleet.evidence(db, asker, until - timedelta(days=days), until)

    @app.get("/metrics")
    def figures(request: Request) -> Response:
        """Prometheus text; with a token, like everything else."""
        asker = person(request)
        with view(engine, asker) as db:
            return Response(metrics(db, asker.municipality, _now()), media_type=CONTENT_TYPE_LATEST)

    @app.get("/api/audit")
    def trail(request: Request, limit: Limit = 100) -> Any:
        """Who did what."""
        asker = person(request)
        if asker.role not in ("centre", "auditor", "municipality"):
            raise HTTPException(403, "the audit trail is for centre, municipality and auditor")
        with view(engine, asker) as db:
            return fleet.audit(db, asker, limit)


def _clean(text: str) -> str:
    return text.replace("\0", "")[:500]
