"""Alarm conditions and alarm signals (IEC 60601-1-8).

Role: one signal per row that is active or latched. Process: controller. Must never: clear a
condition by acknowledging it; the kernel's latch ends by the row's own rule only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from liftctl.controller.flow import Case
from liftctl.controller.flows import ALARM, Signal
from liftctl.controller.values import Alarm
from liftctl.ipc import GateState

# Rows a device, process or signal that has not spoken yet brings about.
_UNSPOKEN = ("?", "_lost", "_feedback", "_unverified", "blind", "boot_faulted")
RANK = {"high": 0, "medium": 1, "low": 2}


def _fire(alarm: Alarm, trigger: str) -> Alarm:
    case = Case(state=alarm.signal, lasting=alarm.priority == "high")
    ALARM.fire(case, trigger)
    return replace(alarm, signal=Signal(case.state))


def _order(alarm: Alarm) -> tuple[bool, int, str]:
    return alarm.signal is Signal.ACK, RANK[alarm.priority], alarm.row


def _expected(row: str, gate: GateState, may_boot: bool) -> bool:
    """What has not spoken yet is no alarm, for as long as a start may take (H23)."""
    booting = "boot_faulted" in gate.active and "boot_deadline" not in gate.active
    return booting and may_boot and row.endswith(_UNSPOKEN)


def update(
    alarms: tuple[Alarm, ...], gate: GateState, priority_of: Callable[[str], str], may_boot: bool
) -> tuple[tuple[Alarm, ...], list[Alarm]]:
    """The alarms now (unacknowledged and highest first), and those that have just risen.

    `may_boot`: the time the site gives its devices to start is not up.
    """
    before = {alarm.row: alarm for alarm in alarms}
    rows = (row for row in gate.active if not _expected(row, gate, may_boot))
    standing = {row for row in (*rows, *gate.latched) if priority_of(row) in RANK}
    after, risen = [], []
    for row in sorted(before.keys() | standing):
        old = before.get(row) or Alarm(row, priority_of(row), Signal.OFF)
        new = _fire(old, "rises" if row in standing else "falls")
        if new.signal is Signal.ON and old.signal is not Signal.ON:
            risen.append(new)
        after.append(new)
    heard = [alarm for alarm in after if alarm.signal is not Signal.OFF]
    return tuple(sorted(heard, key=_order)), risen


def acknowledge(alarms: tuple[Alarm, ...], row: str) -> tuple[Alarm, ...]:
    """Acknowledge `row`, or every alarm when it is ""."""
    heard = [_fire(a, "acknowledge") if row in ("", a.row) else a for a in alarms]
    return tuple(sorted((a for a in heard if a.signal is not Signal.OFF), key=_order))
