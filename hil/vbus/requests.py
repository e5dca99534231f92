"""Faults of a bus by request: what a test asks the hub for, as JSON objects.

Pure but for the core it is given. A request names a participant by `node` (the hub's number) or
`pid`; `state` lists both. It must never send a frame in a participant's name but by `babble`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hil.vbus.bus import DOMINANT, RECESSIVE, BusCore
from hil.vbus.frame import Frame
from hil.vbus.physics import ErrorKind, ErrorSpec, Injection

Request = Mapping[str, Any]


class BusFaults:
    """One bus under request; `pids` maps the hub's node numbers to process ids."""

    def __init__(self, core: BusCore) -> None:
        self._core = core
        self._injections: list[Injection] = []
        self.pids: dict[int, int] = {}
        self._verbs = {
            "state": lambda _request, _now_ns: None,
            "inject": self._inject,
            "clear": self._clear,
            "stick": self._stick,
            "babble": self._babble,
            "cut": self._cut,
            "mend": self._mend,
            "restart": self._restart,
        }

    def execute(self, request: Request, now_ns: int) -> dict[str, Any]:
        """Do it; the bus's state. Raises ValueError with a sentence."""
        verb = self._verbs.get(str(request.get("do")))
        if verb is None:
            raise ValueError(f"unknown request, one of: {', '.join(sorted(self._verbs))}")
        try:
            verb(request, now_ns)
        except KeyError as error:
            raise ValueError(str(error.args[0])) from error
        return self.state()

    def state(self) -> dict[str, Any]:
        """Participants with counters, and how often each injection struck."""
        nodes = {number: self._core.counters(number) for number in self._core.numbers()}
        return {
            "nodes": [
                {"node": n, "pid": self.pids.get(n), "tec": c.tec, "rec": c.rec, "state": c.state}
                for n, c in sorted(nodes.items())
            ],
            "hits": [injection.hits for injection in self._injections],
        }

    def _node(self, request: Request) -> int:
        if "node" in request:
            return _number(request, "node")
        pid = _number(request, "pid")
        found = [node for node, owner in self.pids.items() if owner == pid]
        if not found:
            raise ValueError(f"no participant of this bus belongs to process {pid}")
        return max(found)

    def _inject(self, request: Request, _now_ns: int) -> None:
        known = {kind.name.lower(): kind for kind in ErrorKind}
        kind = known.get(str(request.get("kind")))
        if kind is None:
            raise ValueError(f"'kind' is one of: {', '.join(known)}")
        by_name = {
            name: _number(request, name)
            for name in ("can_id", "receiver", "bit")
            if name in request
        }
        if {"node", "pid"} & set(request):
            by_name["sender"] = self._node(request)
        count = _number(request, "count") if request.get("count") is not None else None
        spec = ErrorSpec(kind, count=count, is_extended=bool(request.get("extended")), **by_name)
        self._injections.append(self._core.inject(spec))

    def _clear(self, _request: Request, _now_ns: int) -> None:
        for injection in self._injections:
            injection.clear()

    def _stick(self, request: Request, now_ns: int) -> None:
        level = request.get("level")
        if level not in (DOMINANT, RECESSIVE, None):
            raise ValueError(f"'level' is {DOMINANT}, {RECESSIVE} or null")
        self._core.stick(level, now_ns)

    def _babble(self, request: Request, now_ns: int) -> None:
        frame = None
        if request.get("can_id") is not None:
            frame = Frame(_number(request, "can_id"), bytes.fromhex(str(request.get("data", ""))))
            if frame.can_id > 0x7FF or len(frame.data) > 8:
                raise ValueError("a babbling node sends an 11-bit identifier and up to 8 bytes")
        self._core.babble(self._node(request), frame, now_ns)

    def _cut(self, request: Request, now_ns: int) -> None:
        self._core.cut(self._node(request), now_ns)

    def _mend(self, request: Request, now_ns: int) -> None:
        self._core.mend(self._node(request), now_ns)

    def _restart(self, request: Request, now_ns: int) -> None:
        self._core.restart(self._node(request), now_ns)


def _number(request: Request, name: str) -> int:
    value = request.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"'{request.get('do')}' needs '{name}' as a whole number, not negative")
    return value
