"""Stand actuator: a Thomson Electrak HD with CANopen (objects 2100..2104, 2200..2204, 2005)."""

from __future__ import annotations

import math
from enum import IntFlag

from hil.nodes.canopen_node import EMCY_RPDO_TIMEOUT, CanopenNode
from hil.nodes.pdo import NS_PER_MS
from hil.plants.axis import AxisCommand

FULL_MM_S = 20.0
RAMP_MM_S2 = 60.0
_REDUCED_PERMILLE = 300  # the speed that runs without run enable, retracting only
_OVERLOAD_NS = 8 * NS_PER_MS
_AT_TARGET_MM = 0.05


class Fault(IntFlag):
    """Object 2204."""

    PARAMETER = 1
    OVERLOAD = 2
    VOLTAGE = 4
    TEMPERATURE = 8
    BACKDRIVE = 16
    MESSAGE_TIMEOUT = 32
    FATAL = 64
    MEMORY = 128


_LATCHED = Fault.OVERLOAD | Fault.MESSAGE_TIMEOUT | Fault.FATAL


class Electrak(CanopenNode):
    """Set the sensed values, tick, take `command`."""

    def __init__(self, node_id: int) -> None:
        self.position_mm = self.velocity_mm_s = self.current_a = 0.0
        self.run_enable, self.supplied = False, True
        self.power_lost()
        super().__init__("electrak_hd.eds", node_id)

    def power_lost(self) -> None:
        """Errors and the running command are volatile."""
        self.faults = Fault(0)
        self._received_ns: int | None = None
        self._over_since_ns: int | None = None

    def rpdo_received(self, now_ns: int) -> None:
        """Latched errors leave when enable is seen 0."""
        self._received_ns = now_ns
        if not self._enabled:
            self.faults &= ~_LATCHED
            self.cleared(EMCY_RPDO_TIMEOUT)
            self.cleared(0x2310)

    @property
    def _enabled(self) -> bool:
        return bool(self.od[0x2104, 0] & 1)

    def communication_lost(self) -> None:
        """NMT left operational: as a lost master."""
        if self._enabled:
            self._latch(Fault.MESSAGE_TIMEOUT, EMCY_RPDO_TIMEOUT)

    def application(self, now_ns: int) -> None:
        """Errors, then the actual values."""
        self._check_parameters()
        self._check_messages(now_ns)
        self._check_current(now_ns)
        speed_permille = round(abs(self.velocity_mm_s) / FULL_MM_S * 1000)
        self.od[0x2200, 0] = round(self.position_mm * 10)
        self.od[0x2201, 0] = round(self.current_a * 10)
        self.od[0x2202, 0] = speed_permille
        self.od[0x2203, 0] = (self.velocity_mm_s > 0) | (self.velocity_mm_s < 0) << 1
        self.od[0x2204, 0] = self.faults

    def _check_parameters(self) -> None:
        target, limit, speed = (self.od[i, 0] for i in (0x2100, 0x2101, 0x2102))
        good = target <= 3000 and limit <= 250 and 200 <= speed <= 1000 and self.od[0x2103, 0] <= 2
        self._set(Fault.PARAMETER, self._enabled and not good)
        self._set(Fault.VOLTAGE, not self.supplied)

    def _check_messages(self, now_ns: int) -> None:
        timeout_ns = self.od[0x2005, 0] * NS_PER_MS
        if self._received_ns is None or not self._enabled or not timeout_ns:
            return
        if now_ns - self._received_ns > timeout_ns:
            self._latch(Fault.MESSAGE_TIMEOUT, EMCY_RPDO_TIMEOUT)

    def _check_current(self, now_ns: int) -> None:
        if self.current_a * 10 <= self.od[0x2101, 0]:
            self._over_since_ns = None
        elif self._over_since_ns is None:
            self._over_since_ns = now_ns
        elif now_ns - self._over_since_ns >= _OVERLOAD_NS:
            self._latch(Fault.OVERLOAD, 0x2310)

    def _latch(self, fault: Fault, code: int) -> None:
        self.faults |= fault
        self.report(code, 0x81)

    def _set(self, fault: Fault, present: bool) -> None:
        self.faults = self.faults | fault if present else self.faults & ~fault

    @property
    def command(self) -> AxisCommand:
        """Towards the target, slowing down in time; a stop ramps, then the brake holds."""
        target_mm_s = self._wanted_mm_s()
        moving = target_mm_s != 0.0 or self.velocity_mm_s != 0.0
        return AxisCommand(moving and self.supplied, target_mm_s, RAMP_MM_S2, RAMP_MM_S2)

    def _wanted_mm_s(self) -> float:
        if not self._enabled or self.faults or self._received_ns is None:
            return 0.0
        way_mm = self.od[0x2100, 0] / 10.0 - self.position_mm
        speed_permille = self.od[0x2102, 0]
        blocked = way_mm > 0 or speed_permille > _REDUCED_PERMILLE
        if abs(way_mm) < _AT_TARGET_MM or (not self.run_enable and blocked):
            return 0.0
        speed = min(speed_permille / 1000 * FULL_MM_S, math.sqrt(RAMP_MM_S2 * abs(way_mm)))
        return math.copysign(speed, way_mm)
