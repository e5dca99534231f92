"""Process data of a simulated node: mapping, event timers, change of value, RPDO deadline."""

from __future__ import annotations

from collections.abc import Iterator

from hil.nodes.od import ObjectDictionary
from hil.vbus.frame import Frame

NS_PER_MS = 1_000_000
_ON_CHANGE = 255
_INVALID = 1 << 31


def mapping(od: ObjectDictionary, record: int) -> list[tuple[tuple[int, int], int]]:
    """[((index, subindex), bytes)] of a mapping record."""
    entries = (od[record, sub] for sub in range(1, od[record, 0] + 1))
    return [((e >> 16, e >> 8 & 0xFF), (e & 0xFF) // 8) for e in entries]


class TransmitPdo:
    """One TPDO; type 254 sends by its timer alone, 255 also at each change."""

    def __init__(self, od: ObjectDictionary, number: int) -> None:
        self._od, self._record = od, 0x1800 + number - 1
        self._map = mapping(od, 0x1A00 + number - 1)
        self.restart()

    def restart(self) -> None:
        """Due at once: the node became operational."""
        self._due_ns = 0
        self._last: bytes | None = None

    def poll(self, now_ns: int) -> Frame | None:
        """The frame, if it is due or its content changed."""
        data = b"".join(self._od.encode(key) for key, _ in self._map)
        cob_id, period_ms = self._od[self._record, 1], self._od[self._record, 5]
        elapsed = bool(period_ms) and now_ns >= self._due_ns
        changed = self._od[self._record, 2] == _ON_CHANGE and data != self._last
        if cob_id & _INVALID or not (elapsed or changed or self._last is None):
            return None
        if elapsed:
            period_ns = period_ms * NS_PER_MS
            on_time = self._due_ns + period_ns
            self._due_ns = on_time if on_time > now_ns else now_ns + period_ns
        self._last = data
        return Frame(cob_id & 0x7FF, data)


class ReceivePdo:
    """One RPDO; its deadline (14xx:05) exists only where the dictionary has it."""

    def __init__(self, od: ObjectDictionary, number: int) -> None:
        self._od, self._record = od, 0x1400 + number - 1
        self._map = mapping(od, 0x1600 + number - 1)
        self.size = sum(size for _, size in self._map)
        self.received_ns: int | None = None

    @property
    def cob_id(self) -> int:
        """Identifier it listens to."""
        return self._od[self._record, 1]

    def take(self, data: bytes, now_ns: int) -> None:
        """Write the mapped values; the caller has checked the length."""
        for key, size in self._map:
            self._od.decode(key, data[:size])
            data = data[size:]
        self.received_ns = now_ns

    def late(self, now_ns: int) -> bool:
        """Whether the deadline has passed since the last reception."""
        deadline = (self._record, 5)
        if self.received_ns is None or deadline not in self._od or not self._od[deadline]:
            return False
        return now_ns - self.received_ns > self._od[deadline] * NS_PER_MS


def present(od: ObjectDictionary, first_record: int) -> Iterator[int]:
    """Numbers of the PDOs the dictionary describes."""
    return (n for n in range(1, 5) if (first_record + n - 1, 1) in od)
