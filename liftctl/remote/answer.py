"""An HTTP answer, read to a limit: a centre that answers without end must fill no memory.

Role: one function. Process: remote; the uplink's carrier. Must never: unpack (a few bytes may
become gigabytes).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

AS_IT_IS = {"accept-encoding": "identity"}


def bounded(answer: httpx.Response, most: int) -> bytes:
    """The body as it came; b"" when it is longer than `most`, and the rest is not read."""
    found = bytearray()
    for part in answer.iter_raw(4096):
        found += part
        if len(found) > most:
            return b""
    return bytes(found)
