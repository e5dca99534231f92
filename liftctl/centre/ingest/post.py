"""The post office for gateways: sealed orders out, sealed reports in.

Role: two routes of the ingest. Process: ingest. Must never: read an order, or hand one to whoever
has not the gateway's own token.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from liftctl.centre.ingest.body import read_body
from liftctl.centre.mail import take_report, waiting
from liftctl.remote.envelope import MOST_REPORT_BYTES

Answer = Callable[[Request], Awaitable[Response]]


def routes(engine: Engine) -> list[Route]:
    """`GET /orders/NAME`, `POST /reports/NAME`."""

    async def orders(request: Request) -> Response:
        name, token = _who(request)
        found = await run_in_threadpool(waiting, engine, name, token, datetime.now(UTC))
        if found is None:
            return PlainTextResponse("unknown\n", 401)
        return JSONResponse([base64.b64encode(item).decode() for item in found])

    async def reports(request: Request) -> Response:
        name, token = _who(request)
        data = await read_body(request, MOST_REPORT_BYTES)
        if data is None:
            return PlainTextResponse("too large\n", 413)
        why = await run_in_threadpool(take_report, engine, name, token, data, datetime.now(UTC))
        if why:
            return PlainTextResponse(f"{why}\n", 401 if why == "unknown" else 422)
        return Response(status_code=204)

    return [
        Route("/orders/{name}", _guarded(orders)),
        Route("/reports/{name}", _guarded(reports), methods=["POST"]),
    ]


def _who(request: Request) -> tuple[str, str]:
    token = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    return str(request.path_params["name"]).replace("\0", ""), token


def _guarded(route: Answer) -> Answer:
    async def guarded(request: Request) -> Response:
        try:
            return await route(request)
        except SQLAlchemyError:
            return PlainTextResponse("busy\n", 503)  # 5xx: the courier tries again

    return guarded
