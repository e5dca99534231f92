"""Faults of power, wires, sensors, drives and the person (L0, L1, L5 to L7).

Role: what a technician could do to the real device, done to the simulated one; the proof is read
from the plant. Must never: touch the service.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hil.faults.kind import EVERYWHERE, VIRTUAL, Args, Kind, Param, Proof, Running

OFF_MM_S = 12.0  # away from the speed it had: no ramp of a comfort speed
LIFT, CHAIR = frozenset({"lift"}), frozenset({"chair"})
NODES = {
    "hoist": 0x10,
    "traverse": 0x11,
    "contacts": 0x20,
    "scale": 0x21,
    "stander": 0x13,
    "seat": 0x22,
    "guard_io": 0,  # by rig
}
GUARD_NODE = {"lift": 0x30, "chair": 0x31}
Made = Callable[[Args], Running]


def number_of(plane: Any, name: str) -> int:
    """The node id of this name."""
    return GUARD_NODE[plane.kind] if name == "guard_io" else NODES[name]


def node_of(plane: Any, name: str) -> Any:
    """The simulated node of this name; it may not be there on this rig (KeyError)."""
    return plane.room.nodes[number_of(plane, name)]


def _shows(key: str, wanted: Any) -> Callable[[Any], Proof]:
    """The plant's own truth shows it."""

    def proof(plane: Any) -> Proof:
        found = plane.now["plant"].get(key)
        near = isinstance(wanted, float) and found is not None and abs(found - wanted) < 0.02
        return {key: found} if found == wanted or near else None

    return proof


def _hands(request: dict[str, Any], back: dict[str, Any], key: str, on: Any, off: Any) -> Running:
    """Something hands do in the room, and undo."""
    return Running(
        start=lambda plane: plane.command(request),
        proof=_shows(key, on),
        stop=lambda plane: plane.command(back),
        gone=_shows(key, off),
    )


def _charger(_args: Args) -> Running:
    do = {"do": "charger"}
    return _hands({**do, "value": True}, {**do, "value": False}, "charger", True, False)


def _charge(args: Args) -> Running:
    level = args["level"] / 100.0
    do = {"do": "soc"}
    return Running(
        start=lambda plane: plane.command({**do, "value": level}),
        proof=_shows("soc", level),
        stop=lambda plane: plane.command({**do, "value": 0.9}),
        gone=_shows("soc", 0.9),
    )


def _contact(args: Args) -> Running:
    name, closed = args["name"], bool(args["closed"])
    do = {"do": "contact", "name": name}
    return Running(
        start=lambda plane: plane.command({**do, "value": closed}),
        proof=_shows(f"contact_{name}", closed),
        stop=lambda plane: plane.command({**do, "value": None}),
        gone=lambda plane: {f"contact_{name}": plane.now["plant"].get(f"contact_{name}")},
    )


def _hand_unplugged(_args: Args) -> Running:
    do = {"do": "hand"}
    return _hands({**do, "present": False}, {**do, "present": True}, "hand_present", False, True)


def _welded(_args: Args) -> Running:
    def weld(on: bool) -> Callable[[Any], None]:
        return lambda plane: plane.command({"do": "relay_welded", "value": on})

    # The contact shows only where the coil is off; welding closes it at the latest then.
    shows, opened = _shows("relay", True), {"welded": False}
    return Running(weld(True), shows, weld(False), lambda plane: opened)


def _setpoint(args: Args) -> Running:
    """The velocity loop is asked for another speed than the command's; stopping is obeyed."""
    axis, speed = args["axis"], args["speed"]
    key = {"hoist": "speed_mm_s", "traverse": "x_speed_mm_s"}[axis]

    before: list[float] = []

    def start(plane: Any) -> None:
        before.append(plane.now["plant"][key])
        plane.command({**do, "speed_mm_s": speed})

    def proof(plane: Any) -> Proof:
        found = plane.now["plant"][key]
        on_the_way = (found - before[0]) * (speed - before[0]) > 0
        return {key: found} if on_the_way and abs(found - before[0]) > OFF_MM_S else None

    do = {"do": "runaway", "axis": axis}
    return Running(
        start=start,
        proof=proof,
        stop=lambda plane: plane.command({**do, "speed_mm_s": None}),
        gone=lambda plane: {key: plane.now["plant"][key]},
    )


def _mass(args: Args) -> Running:
    before: list[float] = []

    def start(plane: Any) -> None:
        before.append(plane.now["plant"]["mass_kg"])
        plane.command({"do": "mass", "kg": args["kg"]})

    return Running(
        start,
        _shows("mass_kg", args["kg"]),
        lambda plane: plane.command({"do": "mass", "kg": before[0]}),
        lambda plane: {"mass_kg": plane.now["plant"]["mass_kg"]},
    )


def _part(args: Args) -> Running:
    part = args["part"]
    on = part == "jammed"
    do = {"do": part}
    return _hands({**do, "value": on}, {**do, "value": not on}, part, on, not on)


def _slope(args: Args) -> Running:
    do = {"do": "pitch"}
    return _hands(
        {**do, "pitch_deg": args["angle"]},
        {**do, "pitch_deg": 0.0},
        "pitch_deg",
        args["angle"],
        0.0,
    )


def _joystick(args: Args) -> Running:
    value = args["push"] / 100.0
    do = {"do": "joystick"}
    return _hands({**do, "value": value}, {**do, "value": 0.0}, "joystick", value, 0.0)


def _load_cell(args: Args) -> Running:
    mode = args["mode"]

    def start(plane: Any) -> None:
        plane.command({"do": "load_cell", "mode": mode, "offset_kg": args["offset"]})

    def proof(plane: Any) -> Proof:
        cell = plane.room.load_cell
        same = cell.mode == mode and cell.offset_kg == args["offset"]
        return {"mode": cell.mode, "offset_kg": cell.offset_kg} if same else None

    def gone(plane: Any) -> Proof:
        return {"mode": "ok"} if plane.room.load_cell.mode == "ok" else None

    back = {"do": "load_cell", "mode": "ok", "offset_kg": 0.0}
    return Running(start, proof, lambda plane: plane.command(back), gone)


def _node_off(args: Args) -> Running:
    def power(on: bool) -> Callable[[Any], None]:
        return lambda plane: node_of(plane, args["node"]).power(on)

    def state(plane: Any) -> str:
        node = node_of(plane, args["node"])
        return str(getattr(getattr(node, "state", None), "name", node.__class__.__name__))

    return Running(
        power(False),
        lambda plane: {"state": "OFF"} if state(plane) == "OFF" else None,
        power(True),
        lambda plane: {"state": state(plane)} if state(plane) != "OFF" else None,
    )


def _drive_off(_args: Args) -> Running:
    def supply(on: bool) -> Callable[[Any], None]:
        return lambda plane: plane.command({"do": "roboteq", "power": on})

    def shows(on: bool) -> Callable[[Any], Proof]:
        return lambda plane: {"supplied": on} if plane.room.roboteq.supplied is on else None

    return Running(supply(False), shows(False), supply(True), shows(True))


def _drive_fault(args: Args) -> Running:
    def start(plane: Any) -> None:
        node = node_of(plane, args["node"])
        if args["node"] == "stander":
            node.faults |= 64  # FATAL
        else:
            node.machine.fault()
            node.report(0x2310, 0x03)

    def proof(plane: Any) -> Proof:
        node = node_of(plane, args["node"])
        if args["node"] == "stander":
            return {"faults": int(node.faults)} if node.faults else None
        return {"state": node.machine.state.name} if node.machine.state.name == "FAULT" else None

    def stop(plane: Any) -> None:
        node = node_of(plane, args["node"])
        if args["node"] == "stander":
            node.faults &= ~64
        else:
            node.cleared(0x2310)

    return Running(start, proof, stop, lambda plane: {"cleared": True})


PARTS = ("knee", "belt", "brakes", "castors", "feet", "jammed")
AXIS = Param("word", "hoist", ("hoist", "traverse"))
KINDS = (
    Kind("L0.charger", "a charger is plugged in", _charger, planes=EVERYWHERE),
    Kind("L0.charge", "the battery's charge falls to this", _charge, {"level": Param("share")},
         EVERYWHERE),
    Kind("L0.node_off", "the supply of a node fails", _node_off,
         {"node": Param("word", None, tuple(NODES))}),
    Kind("L0.drive_off", "the supply of the chair's drive controller fails", _drive_off, {},
         VIRTUAL, CHAIR),
    Kind("L1.contact", "a contact or its wire is stuck open or closed", _contact,
         {"name": Param("word"), "closed": Param("bool", False)}, EVERYWHERE),
    Kind("L1.hand_unplugged", "the hand control's cable breaks", _hand_unplugged,
         planes=EVERYWHERE),
    Kind("L1.relay_welded", "the contact of the run enable welds", _welded, planes=EVERYWHERE),
    Kind("L5.drive_fault", "a drive reports a fault and drops out", _drive_fault,
         {"node": Param("word", "hoist", ("hoist", "traverse", "stander"))}),
    Kind("L6.setpoint", "a drive goes at another speed than it is told", _setpoint,
         {"axis": AXIS, "speed": Param("speed")}, EVERYWHERE, LIFT),
    Kind("L6.load_cell", "the load cell freezes, lies, or its zero moves", _load_cell,
         {"mode": Param("word", "ok"), "offset": Param("mass", "0 kg")}, VIRTUAL, LIFT),
    Kind("L7.mass", "the load changes: a second person, a caught edge, a loop that slips", _mass,
         {"kg": Param("mass")}, EVERYWHERE),
    Kind("L7.part", "knee block, belt, brakes, castor lock or feet come loose; it jams", _part,
         {"part": Param("word", None, PARTS)}, EVERYWHERE, CHAIR),
    Kind("L7.slope", "the chair stands on a slope", _slope, {"angle": Param("angle")}, EVERYWHERE,
         CHAIR),
    Kind("L7.joystick", "somebody pushes the joystick", _joystick, {"push": Param("share")},
         EVERYWHERE, CHAIR),
)  # fmt: skip
