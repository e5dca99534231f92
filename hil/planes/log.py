"""What the virtual plane writes into the timeline: truth at a steady pace, everything else when it
changes.

Role: from the processes' own values to events. Must never: judge.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from hil.timeline import Timeline
from liftctl import ipc
from liftctl.gate.turn import Outputs
from liftctl.guard.state import GuardTurnState

Told = dict[str, Any]
CONTACT = "contact_"
GATE_FIELDS = (
    "active",
    "latched",
    "motions",
    "owner",
    "moving",
    "mode",
    "aloft",
    "standing",
    "pickup",
    "tension_pause",
    "in_flight",
)


class Ticking(Protocol):
    """Whatever knows what time it is on the plane."""

    @property
    def now_ns(self) -> int: ...


def flat(truth: Told) -> Told:
    """The room's truth with its contacts beside the other fields."""
    found = dict(truth)
    del found["t_ns"]
    for name, closed in found.pop("contacts").items():
        found[CONTACT + name] = closed
    return found


@dataclass(slots=True)
class Log:
    """`now` holds the newest fields of each lane: what a condition is asked about. `unknown`:
    fields of the truth that nobody knows; a twin's guess at them is for the story alone.
    """

    timeline: Timeline
    clock: Ticking
    start_ns: int
    now: dict[str, Told] = field(default_factory=dict)
    alarms: dict[str, tuple[str, str]] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()
    gate_said: Told = field(default_factory=dict)

    def add(self, lane: str, kind: str, **fields: Any) -> None:
        """One event at this moment of the plane's clock."""
        self.timeline.add(self.clock.now_ns - self.start_ns, lane, kind, **fields)

    def _change(self, lane: str, fields: Told) -> None:
        if self.now.get(lane) != fields:
            self.now[lane] = fields
            self.add(lane, "change", **fields)

    def plant(self, truth: Told, t_ns: int | None = None) -> None:
        """A sample of the truth, taken now or at `t_ns` of the same clock."""
        found = self.now["plant"] = flat(truth)
        if self.unknown:
            found = {name: value for name, value in found.items() if name not in self.unknown}
        at_ns = self.clock.now_ns if t_ns is None else t_ns
        self.timeline.add(at_ns - self.start_ns, "plant", "sample", **found)

    def gate(self, told: tuple[ipc.GateState, Outputs | None]) -> None:
        """A turn of the gate."""
        state, out = told
        for kind, detail in state.events:
            self.add("gate", "event", what=kind, detail=detail)
        for wire in out.refused if out else ():
            self.add("oracle", "violated", rule="minted_outside_whitelist", wire=wire)
        fields = {name: getattr(state, name) for name in GATE_FIELDS}
        fields["commands"] = out.verdict.commands if out else ()
        if fields == self.gate_said:
            return
        self.gate_said = fields
        motions = {
            name: {"act": item.act, "rows": list(item.rows)} for name, item in state.motions.items()
        }
        commands = [[c.axis.value, c.cmd.value, c.speed_mm_s] for c in fields["commands"]]
        lists = {"active": list(state.active), "latched": list(state.latched)}
        self._change("gate", fields | lists | {"motions": motions, "commands": commands})

    def guard(self, state: GuardTurnState) -> None:
        """A turn of the guard."""
        self.guard_said(state.cut, state.relay.toggles)

    def guard_said(self, cut: str, enable: bool) -> None:
        """What the guard tells of itself."""
        self._change("guard", {"cut": cut, "enable": enable})

    def controller(self, view: ipc.ControllerState) -> None:
        """A view for the panels, and the alarms in it."""
        transfer = view.transfer
        fields = {
            "mode": str(view.mode),
            "step": str(transfer.step) if transfer else "idle",
            "permission": view.permission,
            "actions": list(transfer.actions) if transfer else [],
        }
        self._change("controller", fields)
        heard = {row: (priority, signal) for row, priority, signal in view.alarms}
        for row in sorted(self.alarms.keys() | heard.keys()):
            before = self.alarms.get(row, ("", "off"))
            priority, signal = heard.get(row, (before[0], "off"))
            if (priority, signal) != before:
                self.add("alarm", signal, row=row, priority=priority)
        self.alarms = heard

    def ledger(self, told: tuple[str, Told]) -> None:
        """A durable entry, or a frozen black box."""
        kind, fields = told
        self.add("ledger", kind, **fields)
