"""The plane `hardware`: our real processes on a real bus, with simulated nodes for what is missing.

Role: refuses what is not safe to start; joins the ward's bus to one adapter; leaves the voice of
each node that really is there to it. Must never: send a byte before somebody has said that nobody
is in the sling, or stand on the bus beside a real node of the same id.
"""

from __future__ import annotations

import time

from hil.faces.python_can import Adapter, AdapterError, Where
from hil.faults.hardware import GUARD_NODE, NODES
from hil.judge.ward import WardUnderTest
from hil.planes import Unavailable, unseen
from hil.planes.wards import Processes
from hil.scenario.model import Scenario
from hil.vbus.frame import Frame

ASK_S = 1.0
SILENT_RIGHT = "is it powered, at this bit rate, with this node id?"
WHY_NOT = (
    "the plane hardware commands real drives, and a scenario breaks things on purpose: with nobody "
    "in the sling, on the chair or in reach, and a hand on the real emergency stop, say "
    "--nobody-in-the-sling"
)


class Hardware(Processes):
    """`present`: names of the nodes that really are there; everything else is simulated."""

    name = "hardware"

    def __init__(self, where: str, present: str, nobody_in_the_sling: bool) -> None:
        super().__init__()
        if not nobody_in_the_sling:
            raise Unavailable(WHY_NOT)
        self.where = Where.parse(where)
        self.present = tuple(name for name in present.split(",") if name)
        if odd := [name for name in self.present if name not in NODES]:
            raise Unavailable(f"--present {odd[0]}: no such node; nodes: {', '.join(NODES)}")
        with Adapter(self.where) as adapter:
            _agree(self.where, set(self.present), who_answers(adapter))

    def cannot(self, scenario: Scenario) -> str:
        """Also: another rig's nodes, or what would have to be done to a real node."""
        here = unseen.ON[scenario.rig]
        if odd := [name for name in self.present if name not in here]:
            return f"{odd[0]} is present, and a {scenario.rig} has none"
        return super().cannot(scenario) or unseen.beyond(scenario, self.unknown(scenario.rig))

    def unknown(self, _rig: str) -> frozenset[str]:
        """What belongs to nodes that really are there."""
        return unseen.fields(self.present)

    def ward(self, rig: str) -> WardUnderTest:
        """Its motion bus is joined to the adapter."""
        ids = tuple(NODES[name] or GUARD_NODE[rig] for name in self.present)
        where = (self.where.interface, self.where.channel, self.where.bitrate)
        return WardUnderTest(rooms=(rig,), adapters={rig: where}, present=ids)


def _agree(where: Where, present: set[str], answering: set[str]) -> None:
    """AdapterError when who is on the bus is not who was named."""
    for name in sorted(answering - present):
        raise AdapterError(
            f"{where}: a node {name} answers on the bus, and two of one id would fight; "
            f"name it with --present, or take it off the bus"
        )
    for name in sorted(present - answering):
        raise AdapterError(f"{where}: --present {name}: no answer; {SILENT_RIGHT}")


def who_answers(adapter: Adapter) -> set[str]:
    """The nodes of either rig that answer when asked for their device type (SDO read of 1000h), or
    are heard meanwhile.
    """
    ids = {number: name for name, number in NODES.items() if number}
    ids |= dict.fromkeys(GUARD_NODE.values(), "guard_io")
    for node in ids:
        adapter.send(Frame(0x600 + node, bytes((0x40, 0x00, 0x10, 0, 0, 0, 0, 0))))
    found: set[str] = set()
    end = time.monotonic() + ASK_S
    while (left_s := end - time.monotonic()) > 0:
        for frame in adapter.receive(left_s):
            if frame.can_id & ~0x7F in (0x580, 0x700) and frame.can_id & 0x7F in ids:
                found.add(ids[frame.can_id & 0x7F])
    return found
