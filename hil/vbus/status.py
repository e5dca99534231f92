"""A controller's state and the error frame that SocketCAN shows it as (linux/can/error.h). Pure."""

from __future__ import annotations

from hil.vbus.confinement import NodeState
from hil.vbus.frame import (
    CAN_ERR_BUSOFF,
    CAN_ERR_CRTL,
    CAN_ERR_CRTL_ACTIVE,
    CAN_ERR_CRTL_RX_PASSIVE,
    CAN_ERR_CRTL_RX_WARNING,
    CAN_ERR_CRTL_TX_PASSIVE,
    CAN_ERR_CRTL_TX_WARNING,
    CAN_ERR_RESTARTED,
    Frame,
)


def status_frame(state: NodeState, tec: int, rec: int) -> Frame:
    """Active with both counters at zero is the end of a bus-off: `restarted`."""
    if state is NodeState.BUS_OFF:
        return Frame(CAN_ERR_BUSOFF, bytes(8), is_error=True)
    if state is NodeState.ACTIVE and tec == rec == 0:
        return Frame(CAN_ERR_RESTARTED, bytes(8), is_error=True)
    sending = tec >= rec
    bits = {
        NodeState.PASSIVE: CAN_ERR_CRTL_TX_PASSIVE if sending else CAN_ERR_CRTL_RX_PASSIVE,
        NodeState.WARNING: CAN_ERR_CRTL_TX_WARNING if sending else CAN_ERR_CRTL_RX_WARNING,
    }.get(state, CAN_ERR_CRTL_ACTIVE)
    data = bytes((0, bits, 0, 0, 0, 0, min(tec, 255), min(rec, 255)))
    return Frame(CAN_ERR_CRTL, data, is_error=True)


def state_of(frame: Frame) -> tuple[NodeState, int, int] | None:
    """(state, TEC, REC) of such an error frame; None for another one."""
    if frame.can_id & CAN_ERR_BUSOFF:
        return NodeState.BUS_OFF, 256, 0
    if frame.can_id & CAN_ERR_RESTARTED:
        return NodeState.ACTIVE, 0, 0
    if not frame.can_id & CAN_ERR_CRTL or len(frame.data) < 8:
        return None
    bits, tec, rec = frame.data[1], frame.data[6], frame.data[7]
    if bits & (CAN_ERR_CRTL_TX_PASSIVE | CAN_ERR_CRTL_RX_PASSIVE):
        return NodeState.PASSIVE, tec, rec
    if bits & (CAN_ERR_CRTL_TX_WARNING | CAN_ERR_CRTL_RX_WARNING):
        return NodeState.WARNING, tec, rec
    return (NodeState.ACTIVE, tec, rec) if bits & CAN_ERR_CRTL_ACTIVE else None
