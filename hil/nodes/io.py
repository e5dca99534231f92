"""I/O module, load cell and the guard's I/O node: inputs to PDOs, a toggling relay."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from hil.nodes.canopen_node import CanopenNode, Nmt
from hil.nodes.pdo import NS_PER_MS

RELAY_HOLD_NS = 150 * NS_PER_MS
_OVERRANGE_KG = 400.0


class IoModule(CanopenNode):
    """CiA 401: `digital` bytes go to 6000, `analog` values to 6401."""

    def __init__(self, eds: str, node_id: int) -> None:
        self.digital: Sequence[int] = ()
        self.analog: Sequence[int] = ()
        self._copied: object = None
        super().__init__(eds, node_id)

    def power_lost(self) -> None:
        """The dictionary is at its defaults again."""
        self._copied = None

    def application(self, now_ns: int) -> None:
        """Copy the terminals."""
        terminals = (tuple(self.digital), tuple(self.analog))
        if terminals == self._copied:
            return
        self._copied = terminals
        for sub, value in enumerate(self.digital, 1):
            self.od[0x6000, sub] = value
        for sub, value in enumerate(self.analog, 1):
            self.od[0x6401, sub] = value


class GuardIo(IoModule):
    """A relay that stays on while bit 0 of 6200:01 keeps toggling, or when its contact welds."""

    def __init__(self, node_id: int) -> None:
        self.welded = False
        super().__init__("guard_io.eds", node_id)
        self.power_lost()

    def power_lost(self) -> None:
        """The relay falls."""
        self.relay_on = self.welded
        self._bit: int | None = None
        self._edge_ns = 0

    def rpdo_received(self, now_ns: int) -> None:
        """An edge closes or holds the relay."""
        bit = self.od[0x6200, 1] & 1
        if self._bit is not None and bit != self._bit:
            self._edge_ns = now_ns
            self.relay_on = True
        self._bit = bit

    def application(self, now_ns: int) -> None:
        """No edge for 150 ms, or not operational: open."""
        if now_ns - self._edge_ns > RELAY_HOLD_NS or self.state != Nmt.OPERATIONAL:
            self.relay_on = self.welded
        contacts = self.digital[0] if self.digital else 0
        self.od[0x6000, 1] = contacts << 1 | self.relay_on


_NOISE_KG = 0.03


class LoadCell(CanopenNode):
    """CiA 404; `mode` is ok, freeze, invalid or noise (plausible status, wild values)."""

    MODES = ("ok", "freeze", "invalid", "noise")

    def __init__(self, eds: str, node_id: int, seed: int = 0) -> None:
        self.load_kg = 0.0
        self.offset_kg = 0.0
        self.mode = "ok"
        self._random = Random(seed)
        super().__init__(eds, node_id)

    def application(self, now_ns: int) -> None:
        """Publish the reading; a frozen cell repeats its last one with a good status."""
        if self.mode == "freeze":
            return
        # a real cell never reads the same twice at this resolution
        load_kg = self.load_kg + self.offset_kg + self._random.uniform(-_NOISE_KG, _NOISE_KG)
        if self.mode == "noise":
            load_kg = self._random.uniform(-50.0, 450.0)
        self.od[0x9130, 1] = round(load_kg * 100)
        overrange = abs(load_kg) > _OVERRANGE_KG
        self.od[0x6150, 1] = (self.mode == "invalid") | overrange << 1
