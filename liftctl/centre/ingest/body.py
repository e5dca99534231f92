"""Reading what a stranger sends.

Role: one bounded read. Process: ingest. Must never: hold more than it was allowed.
"""

from __future__ import annotations

from starlette.requests import Request


async def read_body(request: Request, most: int) -> bytes | None:
    """The whole body, or None as soon as it is larger than `most`."""
    found = bytearray()
    async for part in request.stream():
        found += part
        if len(found) > most:
            return None
    return bytes(found)
