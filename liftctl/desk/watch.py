"""What the desk last heard from every process.

Role: listens. Process: desk. Must never: send anything but its hello, and the office's answer to
somebody who asks to look (the support process takes no other from here).
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec

from config.languages import texts
from config.schema import Site
from liftctl import ipc, upkeep
from liftctl.entry import Turnover
from liftctl.panel.links import Link
from liftctl.places import Places

STALE_NS = 1_000_000_000
PEERS = ("gate", "guard", "controller", "recorder", "support")


class Watch:
    """Newest message of each kind, and which peers answer. `site` names the room."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.gate: ipc.GateState | None = None
        self.guard: ipc.GuardState | None = None
        self.controller: ipc.ControllerState | None = None
        self.recorder: ipc.RecorderState | None = None
        self.support: ipc.SupportState | None = None
        self.refused = ""  # the code of the newest answer that was not taken
        self._turnover = Turnover(site.hash)
        self._links = {
            name: Link(Places(site.name).sock(name), "desk", self.take)
            for name in PEERS
            if name != "support" or Places(site.name).trust.exists()
        }

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        for link in self._links.values():
            link.start()
        try:
            yield
        finally:
            for link in self._links.values():
                link.stop()

    def take(self, message: ipc.AnyMessage) -> None:
        match message:
            case ipc.GateState():
                self.gate = message
                self._turnover.hear(message.config_hash)
            case ipc.GuardState():
                self.guard = message
            case ipc.ControllerState():
                self.controller = message
            case ipc.RecorderState():
                self.recorder = message
            case ipc.SupportState():
                self.support = message
            case ipc.Refused():
                self.refused = message.code
            case _:
                pass

    def answer(self, action: str, args: dict[str, str]) -> bool:
        """Tell the support process; False when there is none. What comes of it is in its state."""
        link, self.refused = self._links.get("support"), ""
        return link is not None and link.send(ipc.Workflow("desk", action, args))

    def ages_ns(self, now_ns: int) -> dict[str, int | None]:
        """Age of what each process last said; None when it never spoke."""
        said = {
            "gate": self.gate,
            "guard": self.guard,
            "controller": self.controller,
            "recorder": self.recorder,
        }
        return {
            name: max(0, now_ns - item.tick_ns) if item else None for name, item in said.items()
        }

    def troubles(self, now_ns: int) -> list[str]:
        """Why the room is not healthy; empty when it is."""
        age = self.ages_ns(now_ns)["gate"]
        if age is None:
            return ["gate has not spoken; is it running?"]
        if age > STALE_NS:
            return [f"gate's last tick is {age / 1e9:.1f} s old; is it running?"]
        return []

    def view(self, now_ns: int, language: str, today: str = "") -> dict[str, Any]:
        """Everything the page shows; no resident and no carer. `today`: ISO, "" tells no notice."""
        gate, words = self.gate, texts(language)
        rows = (
            sorted({*gate.active, *gate.latched, *_refusing(gate)}, key=_rank(gate)) if gate else []
        )
        return {
            "site": {"name": self.site.name, "title": self.site.title, "hash": self.site.hash},
            "healthy": not self.troubles(now_ns),
            "troubles": self.troubles(now_ns),
            "processes": self._processes(now_ns),
            "rows": [
                {"row": row, "latched": row in gate.latched, "text": words.get(f"row.{row}", row)}
                for row in rows
                if gate
            ],
            "gate": _gate_view(gate) if gate else None,
            "guard": msgspec.to_builtins(self.guard) if self.guard else None,
            "recorder": msgspec.to_builtins(self.recorder) if self.recorder else None,
            "slings": [
                {"sling": serial, "code": code, "text": words.get(f"notice.{code}", code)}
                for serial, code in (self.controller.slings if self.controller else ())
            ],
            "upkeep": self._upkeep(words, today),
            "mode": self.controller.mode if self.controller else None,
            "support": msgspec.to_builtins(self.support) if self.support else None,
            "support_refused": words.get(f"refused.{self.refused}", self.refused),
        }

    def _upkeep(self, words: Mapping[str, str], today: str) -> list[dict[str, Any]]:
        said = self.recorder.upkeep if self.recorder else ()
        table = upkeep.shown(said, self.site.inspection_due, today)
        return [
            {**item, "text": words.get(f"notice.{item['notice']}", ""),
             "title": words[f"upkeep.{item['what']}"]}
            for item in table
        ]  # fmt: skip

    def _processes(self, now_ns: int) -> list[dict[str, Any]]:
        ages = self.ages_ns(now_ns)
        return [
            {
                "name": name,
                "connected": link.up,
                "age_s": None if (age := ages.get(name)) is None else age / 1e9,
            }
            for name, link in self._links.items()
        ]


def _refusing(gate: ipc.GateState) -> set[str]:
    return {row for motion in gate.motions.values() for row in motion.rows}


def _rank(gate: ipc.GateState) -> Any:
    return lambda row: (row not in gate.latched, row)


def _gate_view(gate: ipc.GateState) -> dict[str, Any]:
    shown = ("mode", "owner", "moving", "motions", "values", "quality", "devices", "ages_ms",
             "counters", "limit_kg", "aloft", "standing", "in_flight", "config_hash",
             "config_fallback", "version")  # fmt: skip
    plain: dict[str, Any] = msgspec.to_builtins(gate)
    return {name: plain[name] for name in shown} | {"tick_ns": str(gate.tick_ns)}
