"""The books of an outsider: what he has sent to a gate, and so what it may put on the wires.

Role: the judge of the random walk. He sees the inputs, the bytes that leave, and the record the
gate asks the disk to keep. Must never: look at the gate's state, or decode with drivers/.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from drivers.device import Chunk
from liftctl import ipc
from liftctl.gate.inputs import Durable, GateInput, Link, RxFrame
from liftctl.gate.turn import Outputs
from tests.gate import conditions as c
from tests.gate import wiring
from tests.gate.wiring import Order, order

MS = 1_000_000
EVIDENCE, PERMISSION, GUARD, LATE_START, SLOWER = 250 * MS, 100 * MS, 200 * MS, 2500 * MS, 300 * MS
Seen = dict[int, bytes]


@dataclass(eq=False)
class Press:
    """One press of one finger; `moved` once a frame moved for it."""

    id: int
    motion: str
    since: int
    moved: bool = False


@dataclass
class Finger:
    """The newest believable evidence of one station."""

    session: str
    echo: int = 0
    rx: int = 0
    last_id: int = 0
    neutral: bool = False
    press: Press | None = None


@dataclass
class Books:
    """`check` takes the inputs of a turn and what came of them; it raises when a rule broke."""

    kind: str
    fingers: dict[str, Finger] = field(default_factory=dict)
    lease: ipc.Permission | None = None
    guard: ipc.GuardSays | None = None
    records: dict[int, bool] = field(default_factory=lambda: {0: False})
    confirmed: int = 0
    heard: int = -(10**18)
    broken: bool = False
    keys: int = 0
    hand_id: int = 0
    orders: dict[str, Order] = field(default_factory=dict)
    released: bool = False  # the chair's motors
    barred_ns: int = 0
    full_ns: dict[str, int] = field(default_factory=dict)  # when more than docking was allowed
    then_ns: int = 0
    moved: int = 0
    tried: Counter[str] = field(default_factory=Counter)  # how often each check met a motion

    def check(self, now: int, inputs: tuple[GateInput, ...], out: Outputs) -> None:
        stopped = False
        seen: Seen = {}
        for item in inputs:
            stopped |= isinstance(item, ipc.StopPress)
            self._note(item, now, seen)
        for finger in self.fingers.values():
            if finger.press and not self._fresh(finger.echo, finger.rx, now):
                self.tried["evidence lost"] += finger.press.moved
                self._end(finger)
            if stopped:
                self._end(finger)
            if finger.press and not finger.press.moved and now - finger.press.since > LATE_START:
                self._end(finger)
        named = self._allowed(now)
        for motion in named:
            self.full_ns[motion] = now
        barred = self._barred(now, seen, named)
        if stopped:
            barred["STOP"] = c.ALL
        self._try(barred)
        orders = self._whitelisted(now, out)
        self._moves(now, orders, named, barred, seen)
        for axis, before in self.orders.items() if stopped else ():
            assert not before.motion or orders[axis].brakes, f"STOP did not brake {axis}"
        self._drive(now, out, named, barred)
        self.orders, self.then_ns = orders, now
        self.records.setdefault(out.verdict.marker.seq, out.verdict.marker.in_flight)
        self.records = {seq: v for seq, v in self.records.items() if seq >= self.confirmed}

    def _note(self, item: GateInput, now: int, seen: Seen) -> None:
        match item:
            case ipc.Hold():
                self._hold(item, now)
            case ipc.StopPress():
                for finger in self.fingers.values():
                    self._end(finger)
            case ipc.StationGone() if item.station in self.fingers:
                self._end(self.fingers[item.station])
                self.fingers[item.station].neutral = False
            case ipc.Permission():
                self.lease = item
            case ipc.GuardSays():
                self.guard = item
            case Durable(ok=True):
                self.confirmed = max(self.confirmed, item.seq)
            case Link() if item.on == self.kind:
                self.broken = item.kind in ("bus-off", "down")
            case RxFrame() if item.bus == self.kind:
                self._frame(item, now, seen)

    def _frame(self, item: RxFrame, now: int, seen: Seen) -> None:
        if not item.flags & 4:
            self.broken, self.heard = False, item.t_ns
        if item.flags or wiring.HEARD[self.kind].get(item.id) != len(item.data):
            return
        seen.pop(item.id, None)
        if 0 <= now - item.t_ns <= 100 * MS:
            seen[item.id] = item.data
        if item.id == c.KEYPAD[self.kind]:
            self._keypad(item, now)

    def _keypad(self, item: RxFrame, now: int) -> None:
        """A key is a press of a finger whose evidence is the frame itself."""
        finger = self.fingers.setdefault("hand", Finger("hand"))
        keys = item.data[1] & sum(c.KEYS[self.kind])
        if not item.data[1] & 0x80:
            self._end(finger)
            finger.neutral, self.keys = False, 0
            return
        self.hand_id += bool(keys and not self.keys)
        if keys and self.keys not in (0, keys):
            self._end(finger)  # another key without neutral
            finger.neutral = False
        self.keys = keys
        motion = c.KEYS[self.kind].get(keys, "?" if keys else "")
        self._beat("hand", "hand", self.hand_id if keys else 0, motion, item.t_ns, item.t_ns, now)

    def _hold(self, item: ipc.Hold, now: int) -> None:
        if item.station != "hand" and item.motion in ("", *c.OWN[self.kind]):
            press = item.press if item.motion else 0
            self._beat(
                item.station, item.session, press, item.motion, item.echo_ns, item.rx_ns, now
            )

    def _beat(
        self, station: str, session: str, press: int, motion: str, echo: int, rx: int, now: int
    ) -> None:
        finger, fresh = self.fingers.get(station), self._fresh(echo, rx, now)
        if finger and finger.session != session:
            self._end(finger)
            finger.neutral = False
        if not fresh:
            return
        if not finger or finger.session != session:
            finger = self.fingers[station] = Finger(session)
        finger.echo, finger.rx = max(finger.echo, echo), max(finger.rx, rx)
        held = finger.press
        if not press:
            self._end(finger)
            finger.neutral = True
        elif held and (held.id, held.motion) == (press, motion):
            return
        elif held:
            self._end(finger)
            finger.neutral = False
        elif press > finger.last_id:
            others = [it for it in self.fingers.values() if it.press]  # none outlives a new press
            rivals = [it for it in others if it.press and it.press.moved]
            if finger.neutral and motion != "?" and not rivals:
                finger.press = Press(press, motion, now)
            for other in others:
                self._end(other)
            finger.neutral = False
        finger.last_id = max(finger.last_id, press)

    @staticmethod
    def _end(finger: Finger) -> None:
        """What has ended has ended for ever."""
        if finger.press:
            finger.press, finger.neutral = None, False

    @staticmethod
    def _fresh(echo: int, rx: int, now: int) -> bool:
        return 0 <= now - echo <= EVIDENCE and 0 <= now - rx <= EVIDENCE

    def _allowed(self, now: int) -> set[str]:
        """What may go at full speed: the lease names it and the guard is there and has not cut."""
        lease, guard = self.lease, self.guard
        if not lease or not guard or guard.cut:
            return set()
        if not 0 <= now - lease.echo_ns <= PERMISSION or not 0 <= now - guard.echo_ns <= GUARD:
            return set()
        return {name for name, bit in c.BITS.items() if lease.motions & bit}

    def _barred(self, now: int, seen: Seen, named: set[str]) -> dict[str, frozenset[str]]:
        found = {
            name: motions
            for name, ids, is_so, motions in c.CONDITIONS[self.kind]
            if all(can_id in seen for can_id in ids) and is_so(*(seen[n] for n in ids))
        }
        found["no permission or no guard"] = frozenset((c.NEED_MORE | c.DRIVE) - named)
        if self.broken:
            found["bus-off"] = frozenset(c.NEED_MORE | c.DRIVE)
        if now - self.then_ns > 80 * MS:
            found["a late turn"] = c.ALL
        return found

    def _try(self, barred: dict[str, frozenset[str]]) -> None:
        moving = {item.motion for item in self.orders.values()} | {"DRIVE" * self.released}
        self.tried.update(name for name, motions in barred.items() if moving & motions)

    def _whitelisted(self, now: int, out: Outputs) -> dict[str, Order]:
        orders: dict[str, Order] = {}
        assert out.refused == (), out.refused
        for wire in out.wires:
            if isinstance(wire, Chunk):
                assert (self.kind, wire.line) == ("chair", "motors"), wire
                assert wire.data in wiring.SERIAL, wire
                continue
            assert wire.bus == self.kind, wire
            assert not (wire.extended or wire.remote or wire.error), wire
            assert (wire.id, len(wire.data)) in wiring.SENT[self.kind], wire
            if wire.id == 0:
                assert wire.data[0] in (0x01, 0x80) and wire.data[1] in wiring.NODES[self.kind], (
                    wire
                )
            elif wire.id == 0x701:
                assert wire.data == b"\x05" and now - self.heard <= 250 * MS, "a heartbeat unheard"
            elif wire.id & 0x780 == 0x600:
                assert int.from_bytes(wire.data[1:3], "little") in wiring.OBJECTS, wire
            else:
                said = order(wire.id, wire.data)
                assert said.axis not in orders, f"two orders for {said.axis}"
                orders[said.axis] = said
        assert set(orders) == set(wiring.AXES[self.kind].values()), "an axis got no order"
        return orders

    def _moves(
        self,
        now: int,
        orders: dict[str, Order],
        named: set[str],
        barred: dict[str, frozenset[str]],
        seen: Seen,
    ) -> None:
        moving = [item for item in orders.values() if item.motion]
        assert len(moving) <= 1, moving
        for item in moving:
            motion, self.moved = item.motion, self.moved + 1
            why = [name for name, motions in barred.items() if motion in motions]
            assert not why, f"{motion} in spite of {why}"
            live = [f.press for f in self.fingers.values() if f.press]
            assert [it.motion for it in live] == [motion], f"{motion} without a live press"
            live[0].moved = True
            assert motion not in ("UP", "STAND") or self._durable(), f"{motion} before the marker"
            self._speed(now, item, named, seen)
        for finger in self.fingers.values():
            held = finger.press
            if held and held.moved and held.motion not in {item.motion for item in moving}:
                self._end(finger)  # what has stopped moves no more

    def _durable(self) -> bool:
        """The record on disk says "in flight", and so does every later one that may be there."""
        return all(flying for seq, flying in self.records.items() if seq >= self.confirmed)

    def _speed(self, now: int, item: Order, named: set[str], seen: Seen) -> None:
        full, docking = c.SPEEDS[item.motion]
        before = self.orders[item.axis].speed_mm_s if item.axis in self.orders else 0.0
        assert item.speed_mm_s <= full, f"{item.motion} at {item.speed_mm_s}"
        slow = item.motion not in named and now - self.full_ns.get(item.motion, 0) > SLOWER
        assert not slow or item.speed_mm_s <= docking, f"{item.motion} at {item.speed_mm_s}: slow"
        weight = seen.get(0x1A1, b"")
        if weight and not weight[4] & 3 and 15 < c.load_kg(weight) <= 1000:
            most = max(before, c.WITH_A_PERSON.get(item.motion, full))
            assert item.speed_mm_s <= most, f"a person at {item.speed_mm_s}"

    def _drive(
        self, now: int, out: Outputs, named: set[str], barred: dict[str, frozenset[str]]
    ) -> None:
        """The chair's own joystick: inhibited at once, released a second after the last bar."""
        said = [wire.data for wire in out.wires if isinstance(wire, Chunk)]
        why = [name for name, motions in barred.items() if "DRIVE" in motions]
        if why:
            self.barred_ns = now
            assert wiring.RELEASE not in said, f"driving in spite of {why}"
            assert not self.released or wiring.INHIBIT in said, f"driving goes on in spite of {why}"
        if wiring.RELEASE in said:
            assert now - self.barred_ns >= 1000 * MS, "driving again within a second"
        words = [data for data in said if data in (wiring.INHIBIT, wiring.RELEASE)]
        self.released = words[-1] == wiring.RELEASE if words else self.released
