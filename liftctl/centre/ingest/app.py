"""The door for homes: one POST, one signed message, one answer.

Role: HTTP edge of the ingest. Process: ingest, any number of them. Must never: read more than
MAX_BODY_BYTES, keep anything between two requests but keys and limits, or answer with what is not
in the protocol.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from liftctl.centre.ingest import post as office
from liftctl.centre.ingest.body import read_body
from liftctl.centre.ingest.directory import Directory, enrol
from liftctl.centre.ingest.limits import Limiter
from liftctl.centre.ingest.take import Sealed, take
from liftctl.uplink import protocol
from liftctl.uplink.protocol import Batch, Conflict, Enrol, FromCentre, Refused

STATUS = {"unacceptable": 422, "message": 400, "signature": 401, "unknown": 403, "code": 403,
          "taken": 409, "large": 413, "flood": 429, "busy": 503}  # fmt: skip
CODES_PER_S, CODES_AT_ONCE = 0.2, 30.0


@dataclass(slots=True)
class Ingest:
    """Takes bodies. `now` and `mono_ns` are the process's clocks."""

    engine: Engine
    now: Callable[[], datetime]
    mono_ns: Callable[[], int]
    limiter: Limiter
    directory: Directory
    codes: Limiter = field(default_factory=lambda: Limiter(CODES_PER_S, CODES_AT_ONCE, 0.0))

    @classmethod
    def of(cls, engine: Engine, limiter: Limiter) -> Ingest:
        """With the machine's clocks."""
        mono = time.monotonic_ns
        return cls(engine, lambda: datetime.now(UTC), mono, limiter, Directory(engine, mono))

    def answer(self, body: bytes, signature: str, peer: str) -> FromCentre:
        """The reply to one body."""
        try:
            asked = protocol.from_home(body)
        except protocol.ProtocolError as error:
            return Refused("message", str(error))
        try:
            if isinstance(asked, Enrol):
                return self._enrol(asked, body, signature, peer)
            return self._take(asked, body, signature)
        except SQLAlchemyError as error:
            return Refused("busy", f"the database is away ({type(error).__name__})", 5.0)

    def _enrol(self, asked: Enrol, body: bytes, signature: str, peer: str) -> FromCentre:
        if wait_s := self.codes.wait_s(peer, 1, self.mono_ns()):
            return Refused("flood", "too many codes were tried from there", wait_s)
        if not protocol.signed_by(asked.public_key, body, signature):
            return Refused("signature", "not signed by the key it brings")
        return enrol(self.engine, asked, self.now())

    def _take(self, batch: Batch, body: bytes, signature: str) -> FromCentre:
        if "\0" in batch.municipality + batch.controller:
            return Refused("unknown", "no controller has such a name")
        key, home = self.directory.key(batch.municipality, batch.controller)
        if key is None:
            return Refused("unknown", "this controller is not enrolled here; enrol it")
        if not protocol.signed_by(key, body, signature):
            return Refused("signature", "not signed by this controller's key")
        whose = f"{batch.municipality}/{home}"
        if wait_s := self.limiter.wait_s(whose, len(body), self.mono_ns()):
            return Refused("flood", f"{home} sends more than its share; wait", wait_s)
        return take(self.engine, Sealed(batch, body, signature), self.now())


def create(engine: Engine, limiter: Limiter | None = None) -> Starlette:
    """The application of one ingest process."""
    ingest = Ingest.of(engine, limiter or Limiter())

    async def post(request: Request) -> Response:
        body = await read_body(request, protocol.MAX_BODY_BYTES)
        if body is None:
            most = protocol.MAX_BODY_BYTES
            return _reply(Refused("large", f"more than {most} bytes; send fewer records"))
        signature = request.headers.get(protocol.SIGNATURE, "")
        peer = request.client.host if request.client else ""
        return _reply(await run_in_threadpool(ingest.answer, body, signature, peer))

    async def healthz(_: Request) -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    return Starlette(
        routes=[
            Route(protocol.PATH, post, methods=["POST"]),
            Route("/healthz", healthz),
            *office.routes(engine),
        ]
    )


def _reply(answer: FromCentre) -> Response:
    status = 409 if isinstance(answer, Conflict) else 200
    if isinstance(answer, Refused):
        status = STATUS[answer.code]
    return Response(protocol.encode(answer), status, media_type=protocol.MEDIA_TYPE)
