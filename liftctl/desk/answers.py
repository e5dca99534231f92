"""The desk's one POST: the home's office says whether somebody far away may look.

Role: HTTP edge. Process: desk. Must never: pass on a step that is not in FROM_OFFICE, or one that
another page sent.
"""

from __future__ import annotations

import time
from typing import Annotated

import msgspec
from fastapi import FastAPI, HTTPException, Request
from msgspec import Meta

from config.schema import Site
from liftctl.desk.watch import Watch
from liftctl.panel.edge import own_origin
from liftctl.panel.session import STEPS
from liftctl.support.answers import FROM_OFFICE

MOST_BYTES = 4096
Text = Annotated[str, Meta(max_length=200)]


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`action` is one of FROM_OFFICE; the rest as on the panel: `minutes` as text, and which
    question it answers: the request's `order` or the bundle's `sha256`.
    """

    action: Text
    name: Text = ""
    minutes: Text = ""
    order: Text = ""
    sha256: Text = ""


def install(app: FastAPI, site: Site, watch: Watch) -> None:
    """`POST /api/support`."""
    bucket = [STEPS]

    @app.post("/api/support", status_code=202)
    async def support(request: Request) -> dict[str, bool]:
        """Answer a request for support, or end it. What came of it is in /api/state."""
        if not own_origin(request.headers, site.web):
            raise HTTPException(403, "only this desk's own page answers")
        bucket[0], within = bucket[0].take(time.monotonic_ns())
        if not within:
            raise HTTPException(429, "too many answers at once; wait a second")
        said = await _said(request)
        args = {
            name: text
            for name, text in msgspec.structs.asdict(said).items()
            if text and name != "action"
        }
        if not watch.answer(said.action, args):
            raise HTTPException(503, "the support process is away; answer on the panel, or wait")
        return {"sent": True}


async def _said(request: Request) -> Said:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise HTTPException(413, f"more than {MOST_BYTES} bytes")
    try:
        said = msgspec.json.decode(bytes(body), type=Said)
    except ValueError as error:
        raise HTTPException(422, str(error)) from error
    if said.action not in FROM_OFFICE:
        raise HTTPException(422, f"'{said.action}' is answered on the panel, beside the lift")
    return said
