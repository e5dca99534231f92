"""What both web processes put around their application: host check, headers, socket.

Role: HTTP edge. Process: panel and desk. Must never: answer for a foreign host name (DNS
rebinding).
"""

from __future__ import annotations

import argparse
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from config.schema import ConfigError, Site, WebSpec
from liftctl.accept import load_or_fall_back

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


def hostname(address: str) -> str:
    """The name in a Host header or an origin, without port; "" when it cannot be read."""
    try:
        return urlsplit(address if "//" in address else f"//{address}").hostname or ""
    except ValueError:
        return ""


def own_origin(headers: Headers, web: WebSpec) -> bool:
    """Whether a WebSocket was opened by this process's own page or a listed origin."""
    return headers.get("origin", "") in {f"http://{headers.get('host', '')}", *web.origins}


class Edge:
    """ASGI wrapper: refuses foreign hosts, adds the security headers."""

    def __init__(self, app: ASGIApp, web: WebSpec) -> None:
        self._app = app
        self._hosts = LOOPBACK | {web.host} | {hostname(origin) for origin in web.origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if hostname(Headers(scope=scope).get("host", "")) not in self._hosts:
            await _refuse(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._app(scope, receive, guarded)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 4403})
        return
    await PlainTextResponse("unknown host\n", 421)(scope, receive, send)


def listen(host: str, port: int, process: str) -> socket.socket:
    """The bound socket; a port in use ends the process with one line and status 2."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # connections inherit it; without it an answer in two writes waits 40 ms for the peer's ACK
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        sys.stderr.write(
            f"liftctl {process}: cannot listen on {host}:{port} ({error.strerror}); "
            f"stop what uses it, or set web.{process}_port or --port\n"
        )
        raise SystemExit(2) from error
    return sock


def server(app: ASGIApp) -> uvicorn.Server:
    """A quiet server. Small messages only; a silent socket is closed within 10 s."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            ws="websockets-sansio",
            ws_max_size=4096,
            ws_ping_interval=5,
            ws_ping_timeout=5,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=1,
        )
    )


def main(process: str, run: Callable[[Site, int | None], None]) -> None:
    """`--site FILE [--port N]`; the last accepted site when the file is unacceptable."""
    parser = argparse.ArgumentParser(prog=f"liftctl {process}")
    parser.add_argument("--site", type=Path, required=True, help="the site's TOML file")
    parser.add_argument("--port", type=int, help="instead of the site's own")
    given = parser.parse_args()
    try:
        site, _, why = load_or_fall_back(given.site)
    except ConfigError as error:
        sys.stderr.write(f"liftctl {process}: {error}\n")
        raise SystemExit(2) from error
    if why:
        sys.stderr.write(f"liftctl {process}: {why}. Showing the last accepted configuration\n")
    run(site, given.port)
