"""The one process of a site with a way out: it carries sealed documents and understands none.

Role: fetches orders from the centre and hands them to the support process, and reports the other
way. Process: remote. Must never: hold a key that signs, know a name, read an answer without end, or
be started unconfined: its one channel and the opener come first, then `confine` takes away
everything else (decisions 0039, 0045).

HTTP: `GET CENTRE/orders/CONTROLLER` -> JSON list of base64 envelopes; `POST
CENTRE/reports/CONTROLLER`, body one envelope, 2xx: the centre has it. Bearer token.
"""

from __future__ import annotations

import base64
import binascii
import os
import select
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import msgspec

from liftctl import ipc
from liftctl.entry import Ending, Unusable, say
from liftctl.remote.answer import AS_IT_IS, bounded
from liftctl.remote.confine import Unconfined, confine
from liftctl.remote.envelope import MOST_BYTES, Trust
from liftctl.remote.opener import DEFAULT_PORTS, Opener, address_of

POLL_S = 5.0
RETRY_S = 0.2
SLOWEST_S = 300.0
MOST_ORDERS = 32  # of one answer
MOST_ANSWER_BYTES, MOST_WORD_BYTES = 4 << 20, 64 << 10
TIMEOUT_S = 15.0
NICE = 10  # behind everything that has to do with a motion
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def checked(centre: str) -> str:
    """The address as it is; Unusable when it is not fit."""
    parts = urlsplit(centre)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise Unusable(f"centre '{centre}' is no https address; enrol again")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise Unusable(f"centre '{centre}' is not https; only a centre on loopback may be")
    return centre


class Courier:
    """`channel` leads to the support process; `http` to the centre."""

    def __init__(self, trust: Trust, channel: ipc.Channel, http: httpx.Client) -> None:
        name = quote(trust.controller, safe="")
        self._orders = f"{trust.centre.rstrip('/')}/orders/{name}"
        self._reports = f"{trust.centre.rstrip('/')}/reports/{name}"
        self._channel, self._http = channel, http
        self._due_s = 0.0
        self._wait_s = POLL_S
        self._waiting: list[ipc.Parcel] = []

    @property
    def alive(self) -> bool:
        return not self._channel.closed

    def step(self, now_s: float, wait_s: float) -> None:
        """Carry what is there; wait at most `wait_s` for more."""
        select.select([self._channel.fileno()], [], [], wait_s)
        self._waiting += [item for item in self._channel.receive() if isinstance(item, ipc.Parcel)]
        if now_s < self._due_s and self._wait_s > POLL_S:
            return  # the centre is away: do not hurry
        try:
            self._carry()
            if now_s >= self._due_s:
                self._fetch()
                self._due_s, self._wait_s = now_s + POLL_S, POLL_S
        except httpx.HTTPError:
            self._wait_s = min(SLOWEST_S, self._wait_s * 2)
            self._due_s = now_s + self._wait_s

    def _carry(self) -> None:
        while self._waiting:
            parcel = self._waiting[0]
            with self._http.stream("POST", self._reports, content=parcel.data) as answer:
                bounded(answer, MOST_WORD_BYTES)  # so that the connection serves again
            if answer.status_code >= 500 or answer.status_code in (401, 408, 429):
                answer.raise_for_status()
            self._waiting.pop(0)  # a report the centre refuses is not better the second time
            if parcel.number and answer.is_success:
                self._channel.send(ipc.Parcel(parcel.number, b""))

    def _fetch(self) -> None:
        with self._http.stream("GET", self._orders) as answer:
            answer.raise_for_status()
            content = bounded(answer, MOST_ANSWER_BYTES)
        for data in _orders(content):
            self._channel.send(ipc.Parcel(0, data))
        self._channel.send(ipc.Parcel(0, b""))  # the centre was heard


def _orders(content: bytes) -> Iterator[bytes]:
    """The envelopes in an answer; what is no list is nothing."""
    try:
        found = msgspec.json.decode(content, type=list[str])
        for text in found[:MOST_ORDERS]:
            data = base64.b64decode(text, validate=True)
            if len(data) <= MOST_BYTES:
                yield data
    except (msgspec.DecodeError, binascii.Error):
        return


def _channel(sock: Path, ending: Ending) -> ipc.Channel | None:
    """To the support process, as soon as it is there; None when we are to end before."""
    while not ending.asked:
        if (found := ipc.connect(sock)) is not None:
            return found
        time.sleep(RETRY_S)
    return None


def run(trust: Trust, sock: Path, token: str, ending: Ending) -> None:
    """Until asked to end, or until the support process is gone (then somebody starts us anew)."""
    with suppress(OSError):
        os.nice(NICE)
    opener = Opener(address_of(checked(trust.centre), proxies=True))
    channel = _channel(sock, ending)
    if channel is None:
        return
    known = {"Authorization": f"Bearer {token}"} if token else {}
    http = httpx.Client(timeout=TIMEOUT_S, headers=known | AS_IT_IS)  # a house's proxy included
    opener.install()
    try:
        confine()
    except Unconfined as error:
        raise Unusable(str(error)) from error
    say("remote", "confined; it gets connections to the centre, and nothing else")
    courier = Courier(trust, channel, http)
    while not ending.asked and courier.alive and not opener.lost:
        courier.step(time.monotonic(), 1.0)
