"""What a room tells from afar, and what it keeps."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import msgspec

from liftctl.ipc import GateState, MotionState
from liftctl.recorder.ledger import Entry
from liftctl.uplink.watcher import COMMISSIONING_LIFTS, TRIPS_AN_HOUR, Watcher

TICK_NS = 20_000_000
QUIET = GateState(
    tick_ns=0, site="demo", kind="lift", mode="ready", owner="", moving="",
    motions={"UP": MotionState(True, False, "MOVE", ())},
    values={"load_kg": 0.0, "hoist_speed_mm_s": 0.0, "hoist_height_mm": 900.0,
            "hoist_current_pct": 5.0, "battery_pct": 80.0},
    quality={}, active=(), latched=(), aloft=False, standing=False, tension_pause=False, pickup=0,
    limit_kg=140.0, in_flight=False, events=(), devices={}, ages_ms={}, counters={},
    config_hash="h", config_fallback=False, version="1",
)  # fmt: skip


@dataclass
class Room:
    """Gate states at 50 Hz into a watcher."""

    watcher: Watcher = field(default_factory=lambda: Watcher(200.0))
    now_ns: int = 0
    told: list[Entry] = field(default_factory=list)

    def run(self, seconds: float, step_ns: int = TICK_NS, **change: Any) -> None:
        values = {**QUIET.values, **change.pop("values", {})}
        for _ in range(int(seconds * 1e9 / step_ns)):
            self.now_ns += step_ns
            state = msgspec.structs.replace(QUIET, tick_ns=self.now_ns, values=values, **change)
            self.told += self.watcher.see(state)

    def once(self, *events: tuple[str, str], **change: Any) -> None:
        self.run(0.02, events=events, **change)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [entry.payload for entry in self.told if entry.kind == kind]


def test_a_stop_takes_its_last_ten_seconds_along_and_no_weight() -> None:
    room = Room()
    raising = {"load_kg": 83.4, "hoist_speed_mm_s": 50.0, "hoist_current_pct": 37.0}
    room.run(30, moving="UP", values=raising)
    room.once(("trip", "slack"), active=("slack",), values=raising)
    (trip,) = room.of("trip")
    window = trip["window"]
    assert trip["row"] == "slack"
    assert -10.1 <= window["t_s"][0] <= -9.5
    assert len(window["t_s"]) == 100
    assert set(window["load_pct_swl"]) == {40.0}
    assert "83.4" not in json.dumps([entry.payload for entry in room.told])


def test_a_chattering_row_is_told_once_a_minute_and_counted() -> None:
    room = Room()
    for _ in range(500):
        room.once(("trip", "slack"))
    assert len(room.of("trip")) == 1
    room.run(61)
    room.once(("trip", "slack"))
    assert len(room.of("trip")) == 2
    for n in range(300):
        room.once(("trip", f"row{n}"))
    assert len(room.of("trip")) == TRIPS_AN_HOUR
    room.run(900, step_ns=10**9)
    assert room.of("report")[-1]["unshown_trips"]["slack"] == 499


def test_a_change_that_stays_is_reported_and_a_quiet_room_every_quarter_of_an_hour() -> None:
    room = Room()
    room.run(1800, step_ns=10**9)
    assert len(room.of("report")) == 2
    room.run(30, step_ns=10**9, latched=("hoist_overspeed",), mode="faulted")
    assert room.of("report")[-1]["latched"] == ["hoist_overspeed"]
    assert len(room.of("report")) == 3


def test_motor_current_is_scaled_to_the_safe_working_load_and_compared_with_the_first_lifts() -> (
    None
):
    room = Room()
    raising = {"load_kg": 80.0, "hoist_speed_mm_s": 50.0, "hoist_current_pct": 24.0}
    for n in range(COMMISSIONING_LIFTS):
        room.once(("pickup", str(n)), moving="UP", values=raising)
    room.run(3700, step_ns=10**9)
    assert room.of("trend")[0]["values"]["motor_current_pct_at_swl"] == 60.0
    assert room.of("commissioned")[0]["values"] == {"motor_current_pct_at_swl": 60.0}
    assert room.of("service")[-1]["cycles"] == COMMISSIONING_LIFTS
    room.run(3700, step_ns=10**9, moving="UP", values={**raising, "hoist_current_pct": 30.0})
    assert len(room.of("commissioned")) == 1
    assert room.of("trend")[-1]["values"]["motor_current_pct_at_swl"] == 75.0


def test_a_light_load_says_nothing_about_the_motor() -> None:
    room = Room()
    light = {"load_kg": 12.0, "hoist_speed_mm_s": 50.0, "hoist_current_pct": 20.0}
    room.run(3700, step_ns=10**9, moving="UP", values=light)
    assert "motor_current_pct_at_swl" not in room.of("trend")[0]["values"]


def test_the_brake_is_judged_only_while_it_holds_a_person_and_nothing_moves() -> None:
    room = Room()
    room.run(10, aloft=True, values={"hoist_height_mm": 900.0})
    room.run(10, aloft=True, values={"hoist_height_mm": 893.0})
    room.run(5, aloft=True, moving="DOWN", values={"hoist_height_mm": 500.0})
    room.run(3700, step_ns=10**9)
    assert room.of("trend")[0]["values"]["brake_drift_mm"] == 7.0


def test_unknown_signals_are_left_out_not_guessed() -> None:
    room = Room()
    unknown = dict.fromkeys(QUIET.values, None)
    room.run(3700, step_ns=10**9, values=unknown)
    room.once(("trip", "hoist_lost"), values=unknown)
    assert room.of("trend") == []
    assert room.of("report")[0]["battery_pct"] is None
