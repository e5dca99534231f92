"""A gate, a recorder and a panel made of values, round the pure `turn`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from config.schema import Site, load
from liftctl import records
from liftctl.controller import rows
from liftctl.controller.turn import turn
from liftctl.controller.values import Asked, Config, Input, Link, Outputs, State, Today
from liftctl.ipc import (
    GateState,
    NewPlan,
    Permission,
    Refused,
    TransferClosed,
    Workflow,
    Written,
    encode,
)
from safety.types import Motion

SITES = Path(__file__).parents[2] / "config" / "sites"
ALONE, PAIR = "r-7f3a", "r-21c9"


def site(kind: str) -> Site:
    found = load(SITES / f"demo-{kind}.toml")
    two = replace(found.resident[0], token=PAIR, carers=2, one_carer_until="")
    return replace(found, resident=(found.resident[0], two))


def gate_state(kind: str, **facts: Any) -> GateState:
    calm = GateState(
        tick_ns=1, site=f"demo-{kind}", kind=kind, mode="ready", owner="", moving="", motions={},
        values={"load_kg": 0.0, "hoist_height_mm": 600.0, "traverse_pos_mm": 0.0,
                "stand_stroke_mm": 0.0, "battery_pct": 90.0},
        quality={}, active=(), latched=(), aloft=False, standing=False, tension_pause=False,
        pickup=0, limit_kg=200, in_flight=False, events=(), devices={}, ages_ms={}, counters={},
        config_hash="c0ffee", config_fallback=False, version="0.1.0",
    )  # fmt: skip
    return msgspec.structs.replace(calm, **facts)


class World:
    """`facts` persist from tick to tick; every message that came out is kept."""

    def __init__(self, kind: str = "lift", today: str = "2026-11-22", auto_write: bool = True):
        self.config = Config(site(kind), rows.priority_of, rows.SERVICE_ROWS)
        self.kind, self.auto_write = kind, auto_write
        self.state, self.now_ns, self.ids = State(), 5_000_000_000, 0
        self.facts: dict[str, Any] = {}
        self.values = dict(gate_state(kind).values)
        self.sent: list[Any] = []
        self.out = Outputs()
        self.turn(Today(today), Link("gate", True), Link("recorder", True))

    def turn(self, *inputs: Input) -> Outputs:
        self.state, self.out = turn(self.config, self.state, self.now_ns, inputs)
        self.sent += [*self.out.gate, *self.out.recorder, *self.out.panels]
        for said in self.out.recorder if self.auto_write else ():
            kind = {"TransferOpened": "opened", "TransferClosed": "closed"}.get(type(said).__name__)
            if kind:
                out = self.out
                self.turn(Written(said.id, kind, 1, "h"))
                self.out = out
        return self.out

    def tick(self, seconds: float = 0.04, **facts: Any) -> Outputs:
        self.values |= facts.pop("values", {})
        self.facts |= facts
        self.now_ns += round(seconds * 1e9)
        shown = {"events": (), **self.facts, "values": dict(self.values)}
        self.facts.pop("events", None)
        return self.turn(gate_state(self.kind, tick_ns=self.now_ns, **shown))

    def ask(self, action: str, **args: str) -> str:
        """The refusal's code, or ""."""
        self.ids += 1
        said = Workflow("panel", action, args)
        replies = self.turn(Asked(7, said, f"id{self.ids}")).replies
        for channel, reply in replies:
            assert channel == 7
            assert isinstance(reply, Refused)
            assert reply.hint
        return replies[0][1].code if replies else ""

    def begin(self, **args: str) -> str:
        kind = "bed-chair" if self.kind == "lift" else "stand-sit"
        return self.ask("begin", **{"kind": kind, "resident": ALONE, "carers": "1", **args})

    @property
    def step(self) -> str:
        return self.state.transfer.step.value if self.state.transfer else "idle"

    @property
    def mask(self) -> Motion:
        lease = self.state.permission
        return Motion(lease.motions if lease else 0)

    def of(self, kind: type[Any]) -> list[Any]:
        return [item for item in self.sent if isinstance(item, kind)]

    @property
    def lease(self) -> Permission:
        lease = self.state.permission
        assert lease is not None
        return lease

    @property
    def plan(self) -> NewPlan:
        return self.of(NewPlan)[-1]

    # --- ways to a step ------------------------------------------------------------------------

    def to_hooking(self, **args: str) -> None:
        self.tick()
        assert self.begin(**args) == ""
        self.tick()
        assert self.ask("checks_ok") == ""
        assert self.ask("consent_yes") == ""

    def to_pause(self, **args: str) -> None:
        self.to_hooking(**args)
        assert self.ask("hooked") == ""
        self.tick(moving="UP")
        self.tick(2, aloft=True, in_flight=True, pickup=1, values={"load_kg": 80.0})
        self.tick(2, tension_pause=True, moving="", values={"hoist_height_mm": 680.0})

    def to_air(self, **args: str) -> None:
        self.to_pause(**args)
        assert self.ask("loops_ok") == ""
        self.tick(tension_pause=False, moving="UP")

    def to_outcome(self, **args: str) -> None:
        self.to_air(**args)
        self.tick(8, values={"hoist_height_mm": 1100.0})
        self.tick(moving="RIGHT")
        self.tick(10, values={"traverse_pos_mm": 1500.0})
        self.tick(moving="DOWN")
        self.tick(10, values={"hoist_height_mm": 600.0, "load_kg": 0.0}, aloft=False)
        self.tick(moving="", in_flight=False)
        assert self.ask("unhooked") == ""


def record(world: World) -> dict[str, Any]:
    """The last closed record; it is whole, and reads as what it is."""
    said = world.of(TransferClosed)[-1]
    encode(said)
    json.dumps(said.record)
    assert records.plain(records.read(said.record)) == said.record
    return said.record
