"""What a value holds that nobody has set: nothing pressed, nothing permitted, nothing known."""

from __future__ import annotations

from dataclasses import MISSING, fields
from math import inf
from typing import Any

import pytest

from safety.authority import Authority
from safety.bounds import Params
from safety.facts import AxisMemory
from safety.memory import EMPTY, LOST_PICKUPS, NEVER_NS, Measured, People
from safety.signals import Spec
from safety.state import KernelConfig, KernelState, boot
from safety.stations import Station, Stations
from safety.table import Row
from safety.types import Axis, Lease, Motion, Plan
from safety.verdict import AxisCommand, Cmd, Marker

DEFAULTS: dict[type, dict[str, Any]] = {
    Authority: {
        "stations": Stations({}), "lease": None, "plan": None, "guard": None, "recorder": None,
        "durable_seq": 0, "reset": False, "released": (), "hard_stop": False,
        "evidence_lost": False, "key_held": False, "press_long": False,
    },
    Station: {
        "press": 0, "motion": Motion.NONE, "press_ns": 0, "last_press": 0, "neutral": False,
        "ever_neutral": False, "echo_ns": 0, "rx_ns": 0,
    },
    Stations: {"owner": "", "idle_since_ns": 0},
    AxisMemory: {"speed_mm_s": 0.0, "may_have_mm_s": 0.0},
    Measured: {"unseen": False, "slack": False, "reset": False, "raising": False},
    People: {
        "pickup_height_mm": None, "confirmed": False, "marker_is_durable": False, "loads": (),
        "window_ns": 0, "carried_kg": 0.0, "lowered_ns": NEVER_NS, "unseen_ns": NEVER_NS,
        "confirmed_ns": NEVER_NS, "silent": True, "rising_ns": None, "slack_ns": None,
        "load_ns": NEVER_NS, "vanished": False, "stroke_mm": 0.0, "stroke_ns": NEVER_NS,
    },
    KernelConfig: {"fallback": False, "fitted": frozenset()},
    KernelState: {
        "readings": {}, "axes": {}, "cmds": {}, "kept": {}, "latched": frozenset(), "active": (),
        "cap_mm_s": inf, "lately": {}, "drive_ok_ns": 0, "drive_freed": False, "ready": False,
    },
    Lease: {"slow_below_mm": 0, "locks": frozenset()},
    Plan: {"sling_kg": 1000.0, "resident_kg": 0.0, "resident_ok": False, "sling_ok": False},
    AxisCommand: {"speed_mm_s": 0.0},
}  # fmt: skip


@pytest.mark.parametrize("what", DEFAULTS, ids=lambda what: what.__name__)
def test_what_nobody_has_set(what: type) -> None:
    found = {}
    for item in fields(what):
        if item.default is not MISSING:
            found[item.name] = item.default
        elif item.default_factory is not MISSING:
            found[item.name] = item.default_factory()
    assert found == DEFAULTS[what]
    assert all(type(found[name]) is type(value) for name, value in DEFAULTS[what].items())


def test_a_row_is_low_ends_by_itself_and_needs_nothing() -> None:
    told = {item.name: item.default for item in fields(Row) if item.default is not MISSING}
    assert told == {
        "priority": "low", "clear": "auto", "kinds": frozenset({"lift", "chair"}),
        "needs": frozenset(),
    }  # fmt: skip


def test_a_signal_is_a_contact_unless_said_otherwise() -> None:
    spec = Spec("io_ms")
    assert (spec.max_age, spec.minimum, spec.maximum) == ("io_ms", 0.0, 1.0)


def test_the_empty_marker() -> None:
    assert Marker(0, in_flight=False, latched=(), pickup=0) == EMPTY


@pytest.mark.parametrize(("kind", "axes"), [
    ("lift", (Axis.HOIST, Axis.TRAVERSE)), ("chair", (Axis.STANDER, Axis.DRIVE)),
])  # fmt: skip
def test_a_start_over_somebody_knows_them_and_moves_nothing(
    kind: str, axes: tuple[Axis, ...]
) -> None:
    marker = Marker(7, in_flight=True, latched=("estop",), pickup=0)
    state = boot(KernelConfig(kind, params := Params()), 5, marker)
    assert (state.last_ns, state.boot_ns, state.marker) == (5, 5, marker)
    assert state.authority.durable_seq == 7
    assert (state.people.aloft, state.people.standing) == (kind == "lift", kind == "chair")
    assert state.people.pickup == LOST_PICKUPS, "0 could never be confirmed"
    assert state.cmds == dict.fromkeys(axes, Cmd.REST)
    assert state.latched == {"estop"}
    fastest = {Axis.HOIST: params.hoist_empty_mm_s, Axis.TRAVERSE: params.traverse_mm_s}
    fastest |= {Axis.STANDER: params.stand_mm_s, Axis.DRIVE: 0.0}
    assert {axis: item.may_have_mm_s for axis, item in state.axes.items()} == {
        axis: fastest[axis] for axis in axes
    }
    assert all(item.speed_mm_s == 0 for item in state.axes.values())
    rotten = boot(KernelConfig(kind, params), 5, None)
    assert rotten.people == state.people
    assert rotten.latched == {"quarantine"}, "which latches it held nobody knows (H37)"
    assert (rotten.marker, rotten.authority.durable_seq) == (EMPTY, 0)
