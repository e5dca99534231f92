"""A load cell on plain CAN whose frames are end-to-end protected (docs/wiring.md).

It sends by itself and listens to nobody. Faults: what a broken, confused or foreign sender does.
"""

from __future__ import annotations

import struct

from hil.nodes.canopen_node import BOOT_NS
from hil.nodes.e2e import protect_p01
from hil.nodes.pdo import NS_PER_MS
from hil.vbus.frame import Frame

CAN_ID, DATA_ID, FOREIGN_ID = 0x6A1, 0x4C43, 0x4C44
PERIOD_NS = 20 * NS_PER_MS
_OVERRANGE_KG = 400.0


class ProtectedScale:
    """`mode` is ok or a fault; a masquerade is a second sender that claims `claimed_kg`."""

    MODES = (
        *("ok", "invalid", "wrong_crc", "frozen_counter", "skipped_counter"),
        *("invalid_counter", "wrong_data_id", "masquerade"),
    )

    def __init__(self, node_id: int) -> None:
        self.node_id = node_id  # only the room's name for it: its frames carry none
        self.load_kg = self.offset_kg = self.claimed_kg = 0.0
        self.mode = "ok"
        self._powered = True
        self._start()

    def _start(self) -> None:
        self._counter = 0
        self._due_ns: int | None = None

    def power(self, on: bool) -> None:
        """Switch its supply; the counter starts again."""
        if on != self._powered:
            self._powered = on
            self._start()

    def on_frame(self, _frame: Frame, _now_ns: int) -> list[Frame]:
        """It listens to nobody."""
        return []

    def tick(self, now_ns: int) -> list[Frame]:
        """The frames that are due."""
        if not self._powered:
            return []
        if self._due_ns is None:
            self._due_ns = now_ns + BOOT_NS
        if now_ns < self._due_ns:
            return []
        self._due_ns = max(self._due_ns + PERIOD_NS, now_ns)
        return [Frame(CAN_ID, data) for data in self._payloads()]

    def _payloads(self) -> list[bytes]:
        step = {"frozen_counter": 0, "skipped_counter": 7}.get(self.mode, 1)
        self._counter = (self._counter + step) % 15
        counter = 15 if self.mode == "invalid_counter" else self._counter
        data_id = FOREIGN_ID if self.mode == "wrong_data_id" else DATA_ID
        own = self._payload(self.load_kg + self.offset_kg, counter, data_id)
        if self.mode == "wrong_crc":
            own = own[:-1] + bytes((own[-1] ^ 0x01,))
        if self.mode == "masquerade":
            return [own, self._payload(self.claimed_kg, (counter + 1) % 15, FOREIGN_ID)]
        return [own]

    def _payload(self, load_kg: float, counter: int, data_id: int) -> bytes:
        status = (self.mode == "invalid") << 4 | (abs(load_kg) > _OVERRANGE_KG) << 5
        data = struct.pack("<BiB", status, round(load_kg * 100), 0)
        return protect_p01(data, counter, data_id, crc_byte=5, counter_bit=0)
