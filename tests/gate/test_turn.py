"""One turn of the gate at its limits: its heartbeat, what is heard, what a message says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from config.schema import load
from drivers.device import Chunk, Device, Grant, Level
from drivers.frames import Frame
from drivers.registry import build
from liftctl import ipc
from liftctl.gate.inputs import Durable, GateInput, Link, RxBytes, RxFrame
from liftctl.gate.turn import GateConfig, GateTurnState, configure, encoded, start, turn
from liftctl.gate.turn import _message as message
from safety import types
from safety.types import ALL_MOTIONS, Motion
from safety.verdict import Marker
from tests.gate.room import SITES

MS, T = 1_000_000, 9_000_000_007
SITE = {kind: load(SITES / f"demo-{kind}.toml") for kind in ("lift", "chair")}


def gate(kind: str = "lift") -> tuple[GateConfig, GateTurnState]:
    site = SITE[kind]
    config = configure(site, tuple(build(spec, site.limits) for spec in site.device))
    return config, start(config, T, Marker(0, False, (), 0))


LIFT, FRESH = gate("lift")
CHAIR, SEATED = gate("chair")


def rx(can_id: int, data: str, flags: int = 0, at: int = T, bus: str = "lift") -> RxFrame:
    return RxFrame(at, bus, can_id, bytes.fromhex(data), flags)


def given(*inputs: GateInput, now: int = T) -> GateTurnState:
    return turn(LIFT, FRESH, now, inputs)[0]


def beats(state: GateTurnState, now: int, config: GateConfig = LIFT) -> list[Any]:
    sent = turn(config, state, now, ())[1].wires
    return [wire for wire in sent if isinstance(wire, Frame) and wire.id == 0x701]


# --- heartbeat


def test_the_heartbeat_goes_every_50_ms_on_a_bus_that_was_heard() -> None:
    state = replace(FRESH, beat_ns=T, heard_ns={"lift": T})
    assert beats(state, T + 50 * MS - 1) == []
    assert beats(state, T + 50 * MS) == [Frame("lift", 0x701, b"\x05")]
    assert turn(LIFT, state, T + 50 * MS - 1, ())[0].beat_ns == T
    assert turn(LIFT, state, T + 50 * MS, ())[0].beat_ns == T + 50 * MS


def test_a_bus_that_was_silent_for_more_than_250_ms_gets_no_heartbeat() -> None:
    state = replace(FRESH, heard_ns={"lift": T})
    assert len(beats(state, T + 250 * MS)) == 1
    assert beats(state, T + 250 * MS + 1) == []
    assert beats(FRESH, T + 250 * MS) == []
    assert turn(LIFT, state, T + 251 * MS, ())[0].beat_ns == T + 251 * MS


def test_a_bus_that_is_only_watched_gets_no_heartbeat() -> None:
    heard = replace(SEATED, heard_ns={bus.name: T for bus in SITE["chair"].bus})
    assert [wire.bus for wire in beats(heard, T + 60 * MS, CHAIR)] == ["chair"]
    assert CHAIR.buses == ("chair",)
    watched = replace(
        SITE["lift"], bus=tuple(replace(bus, monitor_only=True) for bus in SITE["lift"].bus)
    )
    assert configure(watched, LIFT.devices).buses == ()


# --- what is heard


def test_any_data_or_remote_frame_shows_that_the_bus_lives_an_error_frame_does_not() -> None:
    assert given(rx(0x7AA, "", at=T + 5)).heard_ns == {"lift": T + 5}
    assert given(rx(0x7AA, "", 2)).heard_ns == {"lift": T}
    assert given(rx(0x7AA, "", 4)).heard_ns == {}


@pytest.mark.parametrize("flags", [1, 2, 4, 6])
def test_only_data_frames_of_known_ids_are_believed(flags: int) -> None:
    assert "frames_ignored" not in given(rx(0x190, "3702000000000000")).counters
    state = given(rx(0x190, "3702000000000000", flags))
    assert state.counters["frames_ignored"] == 1
    assert state.devices == given().devices


def test_what_does_not_fit_or_is_not_known_is_counted() -> None:
    counters = given(rx(0x190, "37"), rx(0x190, "37"), rx(0x7AA, "")).counters
    assert (counters["frames_not_believed"], counters["frames_ignored"]) == (2, 1)
    again = turn(LIFT, given(rx(0x7AA, "")), T + 1, (rx(0x7AA, ""),))[0].counters
    assert (again["turns"], again["frames_ignored"]) == (2, 2)
    assert "frames_ignored" not in given().counters
    assert 0 not in given(rx(0x190, "370264000000FA00")).counters.values()
    assert given(Link(T, "lift", "bus_off")).counters["link_bus_off"] == 1


def test_bytes_reach_only_the_device_on_their_line() -> None:
    said = turn(CHAIR, SEATED, T, (RxBytes(T, "motors", b"FF=1\r"),))[0]
    assert list(said.display.values()) == [{"fault_flags": 1.0}]
    other = turn(CHAIR, SEATED, T, (RxBytes(T, "elsewhere", b"FF=1\r"),))[0]
    assert (other.display, other.heard_ns) == ({}, {})


def test_values_of_several_frames_of_a_device_are_shown_together() -> None:
    state = given(rx(0x190, "370264000000FA00"), rx(0x290, "1027000003"), rx(0x291, "10"))
    names = {name: set(values) for name, values in state.display.items()}
    assert {"statusword", "velocity_mm_s"} <= set.union(*names.values())
    state = turn(LIFT, state, T, (rx(0x190, "500200000000FA00"),))[0]
    assert {name: set(values) for name, values in state.display.items()} == names
    assert 0x0250 in {values.get("statusword") for values in state.display.values()}


# --- messages


def hold(station: str, session: str = "s", motion: str = "UP") -> ipc.Hold:
    return ipc.Hold(station, session, 3, motion, T - 1, T)


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (hold("panel:1"), types.Beat("panel:1", "s", 3, Motion.UP, T - 1, T)),
        (hold("panel:1", motion=""), types.Beat("panel:1", "s", 3, Motion.NONE, T - 1, T)),
        (hold("panel:1", motion="HOISTING"), None),
        (hold("panel:1", motion="NONE"), None),
        (hold("hand"), None),
        (hold("p" * 32, "s" * 32), types.Beat("p" * 32, "s" * 32, 3, Motion.UP, T - 1, T)),
        (hold("p" * 32, "s" * 33), None),
        (hold("p" * 65, ""), None),
        (ipc.StopPress("a"), types.Stop("a")),
        (ipc.StationGone("a"), types.Gone("a")),
        (ipc.ResetPress("a"), types.Reset("a")),
        (ipc.ReleaseLatch("row", "name"), types.Release("row", "name")),
        (
            ipc.Permission(T, int(ALL_MOTIONS) | 0x80, 2, True, 300),
            types.Lease(T, ALL_MOTIONS, 2, True, 300),
        ),
        (ipc.Permission(T, 1, 0, False, -1), types.Lease(T, Motion(1), 0, False, -1)),
        (ipc.NewPlan(True, 120.0, 2, True), types.PlanSet(types.Plan(120.0, 2, True))),
        (ipc.NewPlan(False), types.PlanSet(None)),
        (ipc.GuardSays(T, "why"), types.GuardBeat(T, "why")),
        (ipc.RecorderSays(T, False), types.RecorderBeat(T, False)),
        (Durable(4, False), types.MarkerDurable(4, False)),
        (Durable(4, True), types.MarkerDurable(4, True)),
    ],
)
def test_each_message_means_exactly_one_thing_or_nothing(item: Any, said: Any) -> None:
    assert message(item) == (() if said is None else (said,))


def test_only_a_reset_press_reaches_the_drives() -> None:
    hurt = given(rx(0x190, "180200000000FA00"))
    asked = turn(LIFT, hurt, T, (ipc.ResetPress("panel:1"),))[1].wires
    assert (0x210, b"\x80\x00") in {(w.id, w.data[:2]) for w in asked if isinstance(w, Frame)}
    for item in (ipc.StopPress("panel:1"), ipc.StationGone("panel:1"), Durable(1, True)):
        wires = turn(LIFT, hurt, T, (item,))[1].wires
        assert b"\x80\x00" not in {w.data[:2] for w in wires if isinstance(w, Frame)}


def test_a_reset_in_the_turn_of_a_fault_does_not_hide_the_fault() -> None:
    """An emergency, a Reset and a fault-free status in one turn: what moved went on (H23)."""
    sick, well = rx(0x090, "1081010000000000"), rx(0x190, "310200000000FA00")
    verdict = turn(LIFT, FRESH, T, (sick, ipc.ResetPress("panel:1"), well))[1].verdict
    assert "hoist_fault" in verdict.active


# --- what may leave


def stub(*wires: Any) -> GateConfig:
    """A gate whose first device sends these wires as well."""

    class Loud:
        def __getattr__(self, name: str) -> Any:
            return getattr(LIFT.devices[0], name)

        def turn(self, state: Any, now_ns: int, command: Any) -> Any:
            return state, wires, ()

    loud: Device = Loud()
    return replace(LIFT, devices=(loud, *LIFT.devices[1:]), lines={"motors": 0})


@pytest.mark.parametrize(
    ("wire", "leaves"),
    [
        (Frame("lift", 0x210, bytes(6)), True),
        (Frame("lift", 0x210, bytes(5)), False),
        (Frame("lift", 0x210, bytes(6), extended=True), False),
        (Frame("other", 0x210, bytes(6)), False),
        (Frame("lift", 0x000, b"\x01\x10"), True),
        (Frame("lift", 0x000, b"\x80\x10"), True),
        (Frame("lift", 0x000, b"\x02\x10"), False),
        (Frame("lift", 0x000, b"\x81\x10"), False),
        (Frame("lift", 0x000, b"\x01\x00"), False),  # all nodes, the guard's too
        (Frame("lift", 0x000, b"\x80\x00"), False),
        (Frame("lift", 0x000, b"\x01\x30"), False),
        (Frame("lift", 0x701, b"\x05"), True),
        (Chunk("motors", b"!EX\r"), True),
        (Chunk("elsewhere", b"!EX\r"), False),
        (Chunk("motors", b"!G 1 100\r"), False),
    ],
)
def test_what_is_not_on_the_whitelist_is_refused_and_counted(wire: Any, leaves: bool) -> None:
    state, out = turn(stub(wire, wire), FRESH, T, ())
    assert (wire in out.wires) == leaves
    assert out.refused == (() if leaves else (str(wire),) * 2)
    assert state.counters.get("minted_outside_whitelist", 0) == (0 if leaves else 2)


def test_a_replay_compares_every_byte_and_the_verdict() -> None:
    out = turn(LIFT, replace(FRESH, heard_ns={"lift": T}), T, ())[1]
    less = replace(out, wires=out.wires[:-1])
    other = replace(out, wires=(*out.wires[:-1], Frame("lift", 0x701, b"\x04")))
    chunk = replace(out, wires=(*out.wires[:-1], Chunk("motors", b"!EX\r")))
    late = replace(out, verdict=replace(out.verdict, marker=Marker(99, True, (), 0)))
    assert len({encoded(item) for item in (out, less, other, chunk, late)}) == 5


# --- the configuration


def test_contacts_and_keys_are_urgent_and_nothing_else() -> None:
    assert {key[2] for key in LIFT.urgent} == {0x1A0}
    assert {key[2] for key in CHAIR.urgent} == {0x1A2}
    assert LIFT.urgent <= set(LIFT.routes)


def test_a_gate_may_send_its_heartbeat_and_what_its_devices_need() -> None:
    assert Grant("lift", 0x701, 1) in LIFT.grants
    assert Grant("observed", 0x701, 1) not in CHAIR.grants
    assert LIFT.grants == {Grant("lift", 0x701, 1)}.union(*(dev.mints for dev in LIFT.devices))
    assert LIFT.kernel.fallback is False
    assert configure(SITE["lift"], LIFT.devices, fallback=True).kernel.fallback is True
    assert CHAIR.lines == {"motors": [d.lines for d in CHAIR.devices].index({"motors"})}
    assert any(dev.level is Level.MONITOR for dev in CHAIR.devices)


def test_a_site_and_its_devices_must_pair_up() -> None:
    with pytest.raises(ValueError, match="zip"):
        configure(SITE["lift"], LIFT.devices[1:])
