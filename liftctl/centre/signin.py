"""Sign-in by OpenID Connect, and the session it leaves in a signed cookie.

Role: HTTP edge of authentication. Process: console. Must never: keep a password, take a role from a
claim, or answer a change that came from another site's page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from authlib.integrations.base_client import OAuthError
from authlib.integrations.starlette_client import OAuth
from fastapi import FastAPI, HTTPException, Request
from httpx import HTTPError
from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import JSONResponse, RedirectResponse, Response

from liftctl.centre import people
from liftctl.centre.people import Person

SESSION_S = 8 * 3600
DEMO = "demo"


@dataclass(frozen=True, slots=True)
class Provider:
    """An OpenID provider that knows us as `client_id`."""

    issuer: str
    client_id: str
    client_secret: str


@dataclass(frozen=True, slots=True)
class SignIn:
    """How people come in. `demo`: (subject, label) of persons without a password; loopback only."""

    secret: str
    public_url: str
    provider: Provider | None = None
    demo: tuple[tuple[str, str], ...] = ()


def install(app: FastAPI, engine: Engine, settings: SignIn) -> None:
    """Session cookie and the sign-in routes."""
    app.add_middleware(
        SessionMiddleware,
        secret_key=settings.secret,
        session_cookie="liftctl_centre",
        max_age=SESSION_S,
        same_site="lax",
        https_only=settings.public_url.startswith("https://"),
    )
    if settings.provider is not None:
        _oidc(app, engine, settings, settings.provider)
    _session(app, engine, settings)


def _session(app: FastAPI, engine: Engine, settings: SignIn) -> None:
    @app.get("/api/signin")
    async def ways() -> dict[str, Any]:
        """How one may sign in here."""
        persons = [{"subject": subject, "label": label} for subject, label in settings.demo]
        return {"oidc": settings.provider is not None, "demo": persons}

    @app.post("/signin/demo/{subject}")
    async def demo(request: Request, subject: str) -> Response:
        """A demo person; there is no such route's effect outside a demo."""
        same_origin(request)
        if subject not in dict(settings.demo):
            raise HTTPException(404)
        await _begin(engine, request, DEMO, subject)
        return JSONResponse({})

    @app.post("/signout")
    async def signout(request: Request) -> Response:
        """Ends every session of this person, also in other browsers."""
        same_origin(request)
        if (told := _told(request)) is not None:
            await run_in_threadpool(people.end_sessions, engine, *told)
        request.session.clear()
        return JSONResponse({})


def _oidc(app: FastAPI, engine: Engine, settings: SignIn, provider: Provider) -> None:
    oauth: Any = OAuth()  # type: ignore[no-untyped-call]
    oauth.register(
        "oidc",
        server_metadata_url=f"{provider.issuer}/.well-known/openid-configuration",
        client_id=provider.client_id,
        client_secret=provider.client_secret,
        client_kwargs={"scope": "openid", "code_challenge_method": "S256"},
    )

    @app.get("/signin")
    async def signin(request: Request) -> Response:
        """To the provider."""
        back = f"{settings.public_url}/signin/callback"
        try:
            found: Response = await oauth.oidc.authorize_redirect(request, back)
        except (HTTPError, OAuthError) as error:
            raise HTTPException(503, "the sign-in provider does not answer") from error
        return found

    @app.get("/signin/callback")
    async def callback(request: Request) -> Response:
        """Back from the provider; the ID token is verified before it is believed."""
        try:
            token = await oauth.oidc.authorize_access_token(request)
        except (HTTPError, OAuthError, ValueError) as error:
            raise HTTPException(401, "the sign-in did not succeed; begin again") from error
        told = token.get("userinfo") or {}
        issuer, subject = str(told.get("iss", "")), str(told.get("sub", ""))
        await _begin(engine, request, issuer, subject)
        return RedirectResponse("/", 303)


async def _begin(engine: Engine, request: Request, issuer: str, subject: str) -> None:
    """A session of its own length, whatever the cookie's; HTTPException 403."""
    request.session.clear()
    number = await run_in_threadpool(people.session, engine, issuer, subject)
    if number is None:
        raise HTTPException(403, f"'{subject}' has no role here; ask the centre for one")
    since = int(now_s())
    request.session.update(issuer=issuer, subject=subject, session=number, since=since)


def now_s() -> float:
    """Seconds since 1970."""
    return datetime.now(UTC).timestamp()


def _told(request: Request) -> tuple[str, str, int] | None:
    """Issuer, subject and session number of a cookie that we signed less than SESSION_S ago."""
    told = request.session
    since, number = told.get("since"), told.get("session")
    if not isinstance(since, int) or not isinstance(number, int):
        return None
    if not 0 <= now_s() - since < SESSION_S:
        return None
    return str(told.get("issuer")), str(told.get("subject")), number


def same_origin(request: Request) -> None:
    """A change asked for by our own page; HTTPException 403 otherwise."""
    origin = request.headers.get("origin", "")
    if urlsplit(origin).netloc != request.headers.get("host", "") or not origin:
        raise HTTPException(403, "this request did not come from the centre's own page")


def who(engine: Engine, request: Request) -> Person:
    """The person behind a request; HTTPException 401."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        found = people.by_token(engine, token.strip(), datetime.now(UTC))
    else:
        told = _told(request)
        found = people.member(engine, *told) if told else None
    if found is None:
        raise HTTPException(401, "sign in first", {"www-authenticate": "Bearer"})
    return found
