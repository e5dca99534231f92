"""Help from afar in the console: put a signed order in, see what became of it, fetch a bundle.

Role: HTTP edge of the mail. Process: console. Must never: sign for anybody; an order comes signed
by the technician's own key, made with `liftctl order`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Body, FastAPI, HTTPException, Request
from fastapi.responses import Response
from sqlalchemy import Engine

from liftctl.centre import mail, signin
from liftctl.centre.database import CentreError, ingesting
from liftctl.centre.people import Person, view
from liftctl.remote.envelope import MOST_BYTES

WHERE = "/api/devices/{municipality}/{controller}"


def install(app: FastAPI, engine: Engine, person: Callable[[Request], Person]) -> None:
    """The routes; all but one read."""

    @app.get(f"{WHERE}/mail")
    def letters(request: Request, municipality: str, controller: str) -> dict[str, Any]:
        """Orders with their answers, and the bundles that came."""
        with view(engine, person(request)) as db:
            where = (municipality.replace("\0", ""), controller.replace("\0", ""))
            return {"letters": mail.letters(db, *where), "bundles": mail.bundles(db, *where)}

    @app.get(f"{WHERE}/bundles/{{sha256}}.zip")
    def bundle(request: Request, municipality: str, controller: str, sha256: str) -> Response:
        """One log bundle, as the room let it go."""
        with view(engine, person(request)) as db:
            found = mail.bundle(db, municipality, controller, sha256.replace("\0", ""))
        if found is None:
            raise HTTPException(404, "no such bundle")
        headers = {"content-disposition": f'attachment; filename="{sha256[:16]}.zip"'}
        return Response(found, media_type="application/zip", headers=headers)

    @app.post(f"{WHERE}/mail")
    def put(
        request: Request, municipality: str, controller: str,
        envelope: Annotated[str, Body(embed=True, max_length=2 * MOST_BYTES)],
    ) -> dict[str, str]:  # fmt: skip
        """Put a signed order (base64 of the file `liftctl order` wrote) into a gateway's box."""
        signin.same_origin(request)
        asker = person(request)
        if not asker.may_change:
            raise HTTPException(403, "only a signed-in technician of the centre may do that")
        try:
            data = base64.b64decode(envelope, validate=True)
            with ingesting(engine, municipality.replace("\0", "")) as db:
                return {"id": mail.put(db, municipality, controller, data, asker.name)}
        except (CentreError, binascii.Error) as error:
            raise HTTPException(422, str(error)) from error
