"""What both rooms share: the fixed-step loop, node power, held keys, truth and control verbs.

Deterministic: the same frames, requests and times give the same run, in real or virtual time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from hil.nodes.canopen_node import CanopenNode, Hang
from hil.nodes.io import GuardIo
from hil.nodes.scale import ProtectedScale
from hil.plants.axis import STEP_NS
from hil.plants.chair import ChairPlant
from hil.plants.lift import LiftPlant
from hil.rooms.request import Request, RequestError, Verb, field, number
from hil.vbus.frame import Frame

NODE_NS = 5 * STEP_NS
__all__ = ["Request", "RequestError", "Room", "field", "number"]


class Room(ABC):
    """Advance it to a time, give it frames, ask it for the truth."""

    def __init__(
        self,
        plant: LiftPlant | ChairPlant,
        nodes: Sequence[CanopenNode | ProtectedScale],
        guard: GuardIo,
        start_ns: int,
    ) -> None:
        self.t_ns = start_ns
        self.overrides: dict[str, bool] = {}
        self.hand: frozenset[str] = frozenset()
        self.hand_present = True
        self.nodes = {node.node_id: node for node in nodes}
        # Nodes that really are on the bus: their twins here hear and follow, and say nothing.
        self.present: frozenset[int] = frozenset()
        self._plant, self._guard = plant, guard
        self._releases: dict[str, tuple[int, Callable[[], None]]] = {}
        self._node_ns = start_ns
        self.verbs: dict[str, Verb] = {
            "state": lambda _request: None,
            "estop": self._estop,
            "hand": self._hand,
            "contact": self._contact,
            "node": self._node,
            "hang": self._hang,
            "soc": self._soc,
            "charger": self._charger,
            "relay_welded": self._relay_welded,
        }

    # time ------------------------------------------------------------------------------------

    def on_frame(
        self, frame: Frame, now_ns: int, deaf: frozenset[int] = frozenset()
    ) -> list[tuple[int, Frame]]:
        """Advance to `now_ns`, then hand the frame to every node but the `deaf`."""
        out = self.advance(now_ns)
        for node in [item for item in self.nodes.values() if item.node_id not in deaf]:
            answers = node.on_frame(frame, now_ns)
            out += [(now_ns, answer) for answer in answers if node.node_id not in self.present]
        return out

    @property
    def next_ns(self) -> int:
        """When the nodes want to be ticked again."""
        return self._node_ns + NODE_NS

    def skip_to(self, now_ns: int) -> None:
        """Leave a gap in time unsimulated."""
        self.t_ns = self._node_ns = now_ns

    def advance(self, now_ns: int) -> list[tuple[int, Frame]]:
        """Run physics and nodes up to `now_ns`; the frames sent on the way, with their times."""
        out: list[tuple[int, Frame]] = []
        step, next_ns = self._plant.step, self.next_ns
        while self.t_ns + STEP_NS <= now_ns:
            self.t_ns += STEP_NS
            step()
            if self.t_ns >= next_ns:
                self._node_ns = self.t_ns
                out += self._tick_nodes()
                next_ns = self.next_ns
        return out

    def _tick_nodes(self) -> list[tuple[int, Frame]]:
        self._release_keys()
        self.sense()
        out: list[tuple[int, Frame]] = []
        for node in self.nodes.values():
            said = node.tick(self.t_ns)
            out += [(self.t_ns, frame) for frame in said if node.node_id not in self.present]
        self.actuate()
        return out

    @abstractmethod
    def sense(self) -> None:
        """Plant to nodes."""

    @abstractmethod
    def actuate(self) -> None:
        """Nodes to plant."""

    @abstractmethod
    def truth(self) -> dict[str, Any]:
        """What is physically so, whatever the bus says."""

    # wires -----------------------------------------------------------------------------------

    def bits(self, *names: str) -> int:
        """Contacts packed from bit 0."""
        contacts = self._plant.contacts() | self.overrides
        return sum(contacts[name] << bit for bit, name in enumerate(names))

    def hand_bits(self, *keys: str) -> int:
        """The hand control's byte; unplugged it reads 0."""
        if not self.hand_present:
            return 0
        return 0x80 | sum((key in self.hand) << bit for bit, key in enumerate(keys))

    def guard_inputs(self) -> list[int]:
        """E-stop contacts as the guard's own node sees them."""
        closed = not self._plant.chain.pressed
        a = self.overrides.get("guard_estop_a", closed)
        b = self.overrides.get("guard_estop_b", closed)
        return [a | b << 1]

    def common_truth(self) -> dict[str, Any]:
        """Fields of both rooms."""
        return {
            "t_ns": self.t_ns,
            "relay": self._guard.relay_on,
            "estop": self._plant.chain.pressed,
            "torque_off": self._plant.chain.torque_off,
            "soc": round(self._plant.battery.soc, 5),
            "voltage_v": round(self._plant.battery.voltage_v, 2),
            "charger": self._plant.battery.charger_present,
            "hand": sorted(self.hand),
            "hand_present": self.hand_present,
            "contacts": self._plant.contacts() | self.overrides,
        }

    # requests --------------------------------------------------------------------------------

    def command(self, request: Request) -> None:
        """Do what a human or a test does; raises RequestError."""
        verb = self.verbs.get(str(request.get("do")))
        if verb is None:
            raise RequestError(f"unknown request, one of: {', '.join(sorted(self.verbs))}")
        verb(request)

    def hold(self, name: str, request: Request, release: Callable[[], None]) -> None:
        """With `hold_ms` the action ends by itself, as when a finger slips off."""
        self._releases.pop(name, None)
        if "hold_ms" in request:
            hold_ns = int(number(request, "hold_ms", 1, 600_000)) * STEP_NS
            self._releases[name] = (self.t_ns + hold_ns, release)

    def _release_keys(self) -> None:
        for name, (due_ns, release) in list(self._releases.items()):
            if self.t_ns >= due_ns:
                release()
                self._releases.pop(name)

    def _estop(self, request: Request) -> None:
        self._plant.chain.pressed = field(request, "value", bool)

    @property
    @abstractmethod
    def keys(self) -> tuple[str, ...]:
        """Keys of the room's hand control, from bit 0."""

    def _hand(self, request: Request) -> None:
        if "present" in request:
            self.hand_present = field(request, "present", bool)
        if "keys" in request:
            keys = field(request, "keys", list)
            if unknown := [key for key in keys if key not in self.keys]:
                raise RequestError(f"no such key: {unknown}; keys: {', '.join(self.keys)}")
            self.hand = frozenset(keys)
            self.hold("hand", request, self._let_go)

    def _let_go(self) -> None:
        self.hand = frozenset()

    def _contact(self, request: Request) -> None:
        name = field(request, "name", str)
        known = [*self._plant.contacts(), "guard_estop_a", "guard_estop_b"]
        if name not in known:
            raise RequestError(f"no such contact: {name}; contacts: {', '.join(known)}")
        if request.get("value") is None:
            self.overrides.pop(name, None)
        else:
            self.overrides[name] = field(request, "value", bool)

    def _node_of(self, request: Request) -> CanopenNode | ProtectedScale:
        node = self.nodes.get(field(request, "node", int))
        if node is None:
            raise RequestError(f"nodes of this room: {', '.join(map(str, self.nodes))}")
        return node

    def _node(self, request: Request) -> None:
        self._node_of(request).power(field(request, "power", bool))

    def _hang(self, request: Request) -> None:
        """The firmware of a node hangs with its outputs as they are; power ends it."""
        node, how = self._node_of(request), field(request, "how", str)
        if not isinstance(node, CanopenNode) or how not in list(Hang):
            raise RequestError(f"'hang' needs a CANopen node and 'how': {', '.join(Hang)}")
        node.hang = Hang(how)

    def _relay_welded(self, request: Request) -> None:
        self._guard.welded = field(request, "value", bool)

    def _soc(self, request: Request) -> None:
        self._plant.battery.soc = number(request, "value", 0.0, 1.0)

    def _charger(self, request: Request) -> None:
        self._plant.battery.charger_present = field(request, "value", bool)
