"""A serial CAN adapter on a simulated bus: its firmware between a terminal and a BusCore.

Runs in whatever process owns the bus; no clock, no wait. What the controller of the adapter goes
through comes out as `e` and `s` lines. It must never touch the bus while its channel is closed.
"""

from __future__ import annotations

import contextlib

from hil.faces.slcan import Setting, SlcanFirmware
from hil.vbus.bus import BusCore, Delivery
from hil.vbus.frame import Frame
from hil.vbus.physics import BusEvent, Operation

_QUEUE = 16  # frames ahead of the wire; beyond it the firmware refuses


class AdapterOnBus:
    """Node `number` of the bus while the channel is open."""

    def __init__(self, core: BusCore, number: int) -> None:
        self.firmware = SlcanFirmware()
        self.number = number
        self._core = core
        self._now_ns = 0
        self._setting: Setting | None = None

    def on_bytes(self, data: bytes, now_ns: int) -> bytes:
        """What the host wrote; what it reads in answer."""
        self._now_ns = now_ns
        answers = b""
        for piece in data.splitlines(keepends=True):
            answers += self.firmware.on_bytes(piece, self._send)
            self._follow()
        return answers

    def _follow(self) -> None:
        """Open and close are plug and unplug: a reopened controller starts with new counters."""
        if self.firmware.setting == self._setting:
            return
        with contextlib.suppress(KeyError):
            self._core.silence(self.number)
        self._core.detach(self.number)
        self._setting = self.firmware.setting
        if self._setting is not None:
            self._core.attach(self.number, self._setting.bit_rate)

    def _send(self, frame: Frame) -> bool:
        if self._setting is None or self._core.waiting(self.number) >= _QUEUE:
            return False
        return self._core.submit(self.number, frame, self._now_ns)

    def on_delivery(self, delivery: Delivery) -> bytes:
        """What the host reads of a frame on the bus."""
        if delivery.sender == self.number or self.number in delivery.deaf:
            return b""
        return self.firmware.heard(delivery.frame)

    def on_event(self, event: BusEvent) -> bytes:
        """Errors and states of its own controller."""
        if event.node != self.number or self._setting is None:
            return b""
        if event.what is Operation.BUS_ERROR and event.error is not None:
            return self.firmware.error(event.error)
        if event.state is not None:
            return self.firmware.status(event.state, event.tec, event.rec)
        return b""
