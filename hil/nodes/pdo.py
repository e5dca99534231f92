"""Process data of a simulated node: mapping, event timers, change of value, RPDO deadline."""

from __future__ import annotations

import struct
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
        record = 0x1800 + number - 1
        self._cob_id, self._type, self._period = (od.entry((record, sub)) for sub in (1, 2, 5))
        self._mapped = [od.entry(key) for key, _ in mapping(od, 0x1A00 + number - 1)]
        codes = "".join(entry.codec.format.removeprefix("<") for entry in self._mapped)
        self._codec = struct.Struct("<" + codes)
        self.restart()

    def restart(self) -> None:
        """Due at once: the node became operational."""
        self._due_ns = 0
        self._last: bytes | None = None

    def poll(self, now_ns: int) -> Frame | None:
        """The frame, if it is due or its content changed."""
        period_ns = self._period.value * NS_PER_MS
        elapsed = period_ns != 0 and now_ns >= self._due_ns
        if not (elapsed or self._type.value == _ON_CHANGE or self._last is None):
            return None
        data, cob_id = (
            self._codec.pack(*[entry.value for entry in self._mapped]),
            self._cob_id.value,
        )
        if cob_id & _INVALID or not (elapsed or data != self._last):
            return None
        if elapsed:
            on_time = self._due_ns + period_ns
            self._due_ns = on_time if on_time > now_ns else now_ns + period_ns
        self._last = data
        return Frame(cob_id & 0x7FF, data)


class ReceivePdo:
    """One RPDO; its deadline (14xx:05) exists only where the dictionary has it."""

    def __init__(self, od: ObjectDictionary, number: int) -> None:
        record = 0x1400 + number - 1
        self._od, self._cob_id = od, od.entry((record, 1))
        self._deadline = od.entry((record, 5)) if (record, 5) in od else None
        self._map = mapping(od, 0x1600 + number - 1)
        self.size = sum(size for _, size in self._map)
        self.received_ns: int | None = None

    @property
    def cob_id(self) -> int:
        """Identifier it listens to."""
        return self._cob_id.value

    def take(self, data: bytes, now_ns: int) -> None:
        """Write the mapped values; the caller has checked the length."""
        for key, size in self._map:
            self._od.decode(key, data[:size])
            data = data[size:]
        self.received_ns = now_ns

    def late(self, now_ns: int) -> bool:
        """Whether the deadline has passed since the last reception."""
        if self.received_ns is None or self._deadline is None or not self._deadline.value:
            return False
        return now_ns - self.received_ns > self._deadline.value * NS_PER_MS


def present(od: ObjectDictionary, first_record: int) -> Iterator[int]:
    """Numbers of the PDOs the dictionary describes."""
    return (n for n in range(1, 5) if (first_record + n - 1, 1) in od)
