"""A CANopen slave: NMT, boot-up, heartbeat producer and consumer, SDO server, PDOs, EMCY.

Devices inherit and fill in the hooks. Time is an argument; nothing here waits.
"""

from __future__ import annotations

import struct
from enum import IntEnum, StrEnum

from hil.nodes.od import EDS_DIR, ObjectDictionary, serve_sdo
from hil.nodes.pdo import NS_PER_MS, ReceivePdo, TransmitPdo, present
from hil.vbus.frame import Frame

BOOT_NS = 200 * NS_PER_MS
EMCY_HEARTBEAT, EMCY_PDO_LENGTH, EMCY_RPDO_TIMEOUT = 0x8130, 0x8210, 0x8250


class Nmt(IntEnum):
    """Node states with their heartbeat values; OFF sends nothing."""

    BOOTING = 0
    STOPPED = 4
    OPERATIONAL = 5
    PRE_OPERATIONAL = 127
    OFF = 255


class Hang(StrEnum):
    """How a firmware hangs: its outputs stay as they are, nothing is heard or computed."""

    NO = "no"
    BEATING = "beating"  # the heartbeat comes from a timer that still runs
    SILENT = "silent"


class CanopenNode:
    """One node with the dictionary of `eds` (a file name in config/eds)."""

    def __init__(self, eds: str, node_id: int) -> None:
        self.node_id = node_id
        self.od = ObjectDictionary(EDS_DIR / eds, node_id)
        self.state = Nmt.BOOTING
        self.hang = Hang.NO
        self._out: list[Frame] = []
        self._boot_ns: int | None = None
        self._init_communication()

    def _init_communication(self) -> None:
        self._tpdos = [TransmitPdo(self.od, n) for n in present(self.od, 0x1800)]
        self._rpdos = [ReceivePdo(self.od, n) for n in present(self.od, 0x1400)]
        self._beat_ns = 0
        self._period = self.od.entry((0x1017, 0))
        self._heard_ns: dict[int, int] = {}
        self._limits_ns: dict[int, int] = {}  # what 1016 says, by producer
        self._errors: dict[int, int] = {}

    # hooks -----------------------------------------------------------------------------------

    def application(self, now_ns: int) -> None:
        """Compute the device; called at each tick while powered and booted."""

    def rpdo_received(self, now_ns: int) -> None:
        """Mapped values are new."""

    def sdo_written(self, key: tuple[int, int]) -> None:
        """A client wrote this object."""

    def communication_lost(self) -> None:
        """Heartbeat consumer or RPDO deadline expired, or NMT left operational."""

    def power_lost(self) -> None:
        """Power off or reset: forget everything volatile."""

    # power and time --------------------------------------------------------------------------

    def power(self, on: bool) -> None:
        """Switch the node's supply."""
        if on != (self.state == Nmt.OFF):
            return
        self.hang = Hang.NO  # a cold start ends every hang
        self._reset()
        self.state = Nmt.BOOTING if on else Nmt.OFF

    def _reset(self) -> None:
        self.power_lost()
        self.od.reset()
        self._init_communication()
        self._boot_ns = None
        self._out.clear()
        self.state = Nmt.BOOTING

    def tick(self, now_ns: int) -> list[Frame]:
        """Advance to `now_ns`; the frames the node sends."""
        if self.state is Nmt.OFF:
            return []
        if self.hang is not Hang.NO:
            if self.hang is Hang.BEATING and self.state != Nmt.BOOTING:
                self._heartbeat(now_ns)
            return self._flush()
        if self.state is Nmt.BOOTING:
            self._boot(now_ns)
            return self._flush()
        self._supervise(now_ns)
        self.application(now_ns)
        if self.state is Nmt.OPERATIONAL:
            for pdo in self._tpdos:
                if frame := pdo.poll(now_ns):
                    self._out.append(frame)
        self._heartbeat(now_ns)
        return self._flush()

    def _flush(self) -> list[Frame]:
        if not self._out:
            return []
        out, self._out = self._out, []
        return out

    def _boot(self, now_ns: int) -> None:
        if self._boot_ns is None:
            self._boot_ns = now_ns + BOOT_NS
        if now_ns >= self._boot_ns:
            self.state = Nmt.PRE_OPERATIONAL
            self._out.append(Frame(0x700 + self.node_id, b"\0"))
            self._beat_ns = now_ns + self._period.value * NS_PER_MS

    def _heartbeat(self, now_ns: int) -> None:
        period_ns = self._period.value * NS_PER_MS
        if period_ns and now_ns >= self._beat_ns:
            self._out.append(Frame(0x700 + self.node_id, bytes([self.state])))
            self._beat_ns = max(self._beat_ns + period_ns, now_ns)

    # supervision -----------------------------------------------------------------------------

    def _supervise(self, now_ns: int) -> None:
        for node, heard_ns in self._heard_ns.items():
            if now_ns - heard_ns > self._limit_ns(node):
                self.report(EMCY_HEARTBEAT, 0x11)
                self._heard_ns.clear()
                self.communication_lost()
                break
        for pdo in self._rpdos if self.state is Nmt.OPERATIONAL else ():
            if pdo.late(now_ns):
                self.report(EMCY_RPDO_TIMEOUT, 0x11)
                for late in self._rpdos:
                    late.received_ns = None
                self.communication_lost()
                break

    def _limit_ns(self, node: int) -> int:
        """Consumer time for a producer; 0 = not monitored."""
        if node not in self._limits_ns:
            self._limits_ns[node] = self._configured_ns(node)
        return self._limits_ns[node]

    def _configured_ns(self, node: int) -> int:
        if (0x1016, 0) not in self.od:
            return 0
        entries = (self.od[0x1016, sub] for sub in range(1, self.od[0x1016, 0] + 1))
        return next(((e & 0xFFFF) * NS_PER_MS for e in entries if e >> 16 & 0x7F == node), 0)

    def report(self, code: int, register: int, detail: bytes = b"") -> None:
        """Send an EMCY once while the error stands."""
        if code not in self._errors:
            self._errors[code] = register
            self._emergency(code, detail)

    def cleared(self, code: int) -> None:
        """The error is gone; the last one sends 'error reset'."""
        if self._errors.pop(code, None) is not None and not self._errors:
            self._emergency(0)

    def _emergency(self, code: int, detail: bytes = b"") -> None:
        register = 0
        for bits in self._errors.values():
            register |= bits
        self.od[0x1001, 0] = register
        if self.state != Nmt.STOPPED:
            data = struct.pack("<HB5s", code, register, detail)
            self._out.append(Frame(0x80 + self.node_id, data))

    # reception -------------------------------------------------------------------------------

    def on_frame(self, frame: Frame, now_ns: int) -> list[Frame]:
        """Take one frame from the bus; the frames sent in answer."""
        state = self.state
        silent = state is Nmt.OFF or state is Nmt.BOOTING or self.hang is not Hang.NO
        if silent or frame.is_extended or frame.is_remote or frame.is_error:
            return []
        if frame.can_id == 0x000 and len(frame.data) == 2:
            self._on_nmt(frame.data[0], frame.data[1], now_ns)
        elif frame.can_id == 0x600 + self.node_id and self.state != Nmt.STOPPED:
            self._on_sdo(frame.data)
        elif 0x700 < frame.can_id <= 0x77F:
            self._on_heartbeat(frame.can_id & 0x7F, now_ns)
        elif state is Nmt.OPERATIONAL:
            self._on_pdo(frame, now_ns)
        return self._flush()

    def _on_sdo(self, data: bytes) -> None:
        answer, written = serve_sdo(self.od, data)
        self._out.append(Frame(0x580 + self.node_id, answer))
        if written:
            self._limits_ns.clear()
        if written == (0x1016, 1):
            self._heard_ns.clear()  # monitoring starts with the next heartbeat
        elif written:
            self.sdo_written(written)

    def _on_heartbeat(self, node: int, now_ns: int) -> None:
        if self._limit_ns(node):
            self._heard_ns[node] = now_ns
            self.cleared(EMCY_HEARTBEAT)

    def _on_pdo(self, frame: Frame, now_ns: int) -> None:
        for pdo in self._rpdos:
            if pdo.cob_id != frame.can_id:
                continue
            if len(frame.data) < pdo.size:
                self.report(EMCY_PDO_LENGTH, 0x11)
                continue
            pdo.take(frame.data, now_ns)
            self.cleared(EMCY_RPDO_TIMEOUT)
            self.cleared(EMCY_PDO_LENGTH)
            self.rpdo_received(now_ns)

    def _on_nmt(self, command: int, node: int, now_ns: int) -> None:
        if node not in (0, self.node_id):
            return
        was = self.state
        if command in (0x81, 0x82):
            self._reset()
        elif command in (0x01, 0x02, 0x80):
            new = {0x01: Nmt.OPERATIONAL, 0x02: Nmt.STOPPED, 0x80: Nmt.PRE_OPERATIONAL}[command]
            self.state = new
        if was == Nmt.OPERATIONAL and self.state != Nmt.OPERATIONAL:
            self.communication_lost()
        if was != Nmt.OPERATIONAL and self.state == Nmt.OPERATIONAL:
            for pdo in self._tpdos:
                pdo.restart()
            for rpdo in self._rpdos:
                rpdo.received_ns = None
