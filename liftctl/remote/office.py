"""The centre's half of the transport: orders lie ready, reports are kept as they came.

Role: a folder and three routes; any Starlette application can hold them. Process: a centre, or
`liftctl office serve`. Must never: sign, change or judge an order (the site does that), or keep a
report that its site did not sign.

The folder of a controller is the centre's end of the audit trail: each report is kept sealed, and
whoever doubts it can verify it again.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable
from pathlib import Path

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from liftctl.files import replace_file
from liftctl.remote.documents import Answer, Bundle, Live, Up, read_down
from liftctl.remote.envelope import MOST_REPORT_BYTES, open_envelope, verify_report
from liftctl.remote.reasons import Refusal


class Known(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A controller: its name, the key its reports are signed with, the hash of its token."""

    controller: str
    public: str
    token: str


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Office:
    """`folder` holds everything; several processes may serve one folder."""

    def __init__(self, folder: Path, now_s: Callable[[], float]) -> None:
        self._folder, self._now_s = folder, now_s

    def _of(self, controller: str) -> Path:
        """A name becomes a folder by its hash: no name can lead elsewhere."""
        return self._folder / _digest(controller)[:32]

    def enrol(self, controller: str, public: str) -> str:
        """Know a controller; its token, told once. An earlier token no longer counts."""
        token = secrets.token_urlsafe(32)
        known = Known(controller, public, _digest(token))
        replace_file(self._of(controller) / "known.json", msgspec.json.encode(known))
        return token

    def known(self, controller: str, token: str | None = None) -> Known | None:
        """The controller, if there is one of that name and (where given) with that token."""
        try:
            data = (self._of(controller) / "known.json").read_bytes()
            found = msgspec.json.decode(data, type=Known)
        except (FileNotFoundError, msgspec.DecodeError):
            return None
        right = token is None or secrets.compare_digest(found.token, _digest(token))
        return found if right else None

    # --- orders -----------------------------------------------------------------------------------

    def put(self, envelope: bytes) -> str:
        """Lay an order ready; its id. Refusal when it is none, or for a controller not known."""
        try:
            order = read_down(open_envelope(envelope).body)
        except ValueError as error:
            raise Refusal("LC-REM-FORM", str(error)) from error
        if self.known(order.controller) is None:
            raise Refusal("LC-REM-OTHER", order.controller)
        if order.expires <= self._now_s():
            raise Refusal("LC-REM-EXPIRED")
        replace_file(self._of(order.controller) / "orders" / f"{order.id}.json", envelope)
        return order.id

    def waiting(self, controller: str) -> list[bytes]:
        """Orders that are neither answered nor expired, oldest first."""
        found = []
        for path in (self._of(controller) / "orders").glob("*.json"):
            data = path.read_bytes()
            order = read_down(open_envelope(data).body)
            if order.expires <= self._now_s():
                path.unlink(missing_ok=True)
            else:
                found.append((order.issued, order.id, data))
        return [data for _, _, data in sorted(found)]

    # --- reports ----------------------------------------------------------------------------------

    def take(self, known: Known, envelope: bytes) -> Up:
        """Keep a report; Refusal when it is not this controller's own, or a bundle is not what its
        hash (which stands in the site's ledger) says.
        """
        report = verify_report(envelope, known.controller, known.public)
        if isinstance(report, Bundle) and hashlib.sha256(report.data).hexdigest() != report.sha256:
            raise Refusal("LC-REM-FORM", "the bundle is not what its hash says")
        folder = self._of(known.controller)
        if isinstance(report, Live):
            replace_file(folder / "live.json", envelope)  # a picture replaces the one before
            return report
        name = _digest(envelope.hex())[:32]  # the same report twice is one file
        replace_file(folder / "reports" / f"{report.at:012d}-{name}.json", envelope)
        if isinstance(report, Answer) and report.to:
            (folder / "orders" / f"{report.to}.json").unlink(missing_ok=True)
        if isinstance(report, Bundle):
            replace_file(folder / f"bundle-{report.sha256[:32]}.zip", report.data)
        return report

    def reports(self, controller: str) -> list[Up]:
        """What the controller reported, as it came; each verified again."""
        known = self.known(controller)
        if known is None:
            return []
        folder = self._of(controller) / "reports"
        paths = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        return [verify_report(path.read_bytes(), controller, known.public) for path in paths]


def routes(office: Office) -> list[Route]:
    """`GET /orders/NAME`, `POST /reports/NAME`, with the controller's bearer token."""

    def who(request: Request) -> Known | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        name = request.path_params["controller"]
        return office.known(name, token) if scheme == "Bearer" else None

    async def orders(request: Request) -> Response:
        known = await run_in_threadpool(who, request)
        if known is None:
            return Response(status_code=401)
        found = await run_in_threadpool(office.waiting, known.controller)
        return JSONResponse([base64.b64encode(data).decode() for data in found])

    async def reports(request: Request) -> Response:
        known = await run_in_threadpool(who, request)
        if known is None:
            return Response(status_code=401)
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > MOST_REPORT_BYTES:
                return Response(status_code=413)
        try:
            await run_in_threadpool(office.take, known, bytes(body))
        except Refusal as refusal:
            return Response(json.dumps({"code": refusal.code, "text": refusal.text}), 422)
        return Response(status_code=204)

    return [
        Route("/orders/{controller}", orders, methods=["GET"]),
        Route("/reports/{controller}", reports, methods=["POST"]),
    ]
