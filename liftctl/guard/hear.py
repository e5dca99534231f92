"""One input into the guard's state: a press, a command, a speed, a contact. Pure.

Role: keeps the newest of everything the guard hears. Process: the guard. Must never: judge, or take
evidence from anything but a station's own beat or the keys on the bus.
"""

from __future__ import annotations

from dataclasses import replace

from drivers.frames import Frame
from liftctl.guard.state import HAND, MS, GuardConfig, GuardInput, GuardTurnState, Held, Seen
from liftctl.guard.watch import Contacts, Keys, Speed, Told
from liftctl.ipc import GateState, Hold, StationGone, StopPress

GATE_HEARTBEAT = 0x701
YOUNG_NS = 100 * MS  # bus and socket are read in any order: what was pressed first is not known


def hear(config: GuardConfig, state: GuardTurnState, item: GuardInput) -> GuardTurnState:
    """The state with one more input."""
    match item:
        case GateState():
            return replace(state, tick_ns=item.tick_ns)
        case Hold():
            return _hold(state, item)
        case StopPress():
            return replace(state, evidence={k: _ended(state, v) for k, v in state.evidence.items()})
        case StationGone():
            rest = {k: v for k, v in state.evidence.items() if k != item.station}
            return replace(state, evidence=rest)
        case (t_ns, frame):
            return _frame(config, state, t_ns, frame)


def _ended(state: GuardTurnState, held: Held) -> Held:
    """A press that STOP ended; one of the same moment may have come after it, and moves rightly."""
    young = held.motion and held.since_ns > state.last_ns - YOUNG_NS
    return held if young else replace(held, motion="", spent=held.press)


def _since(old: Held | None, motion: str, press: int, t_ns: int) -> int:
    """When this press was first heard."""
    same = old is not None and (old.motion, old.press) == (motion, press)
    return old.since_ns if old and same else t_ns


def _hold(state: GuardTurnState, item: Hold) -> GuardTurnState:
    old = state.evidence.get(item.station)
    spent = old.spent if old and old.session == item.session else 0
    motion, press = item.motion if item.press > spent else "", max(item.press, spent)
    since_ns = _since(old, motion, press, item.echo_ns)
    held = Held(motion, item.echo_ns, item.session, press, spent, since_ns)
    return replace(state, evidence={**state.evidence, item.station: held})


def _keys(state: GuardTurnState, keys: Keys, t_ns: int) -> GuardTurnState:
    old = state.evidence.get(HAND)
    press = int(bool(keys.down))
    spent = old.spent if old and press else 0
    motion = next(iter(keys.down)) if len(keys.down) == 1 and not spent else ""
    held = Held(motion, t_ns, HAND, press, spent, _since(old, motion, press, t_ns))
    return replace(state, evidence={**state.evidence, HAND: held})


def _frame(config: GuardConfig, state: GuardTurnState, t_ns: int, frame: Frame) -> GuardTurnState:
    if frame.extended or frame.remote or frame.error:
        return state
    if frame.id == GATE_HEARTBEAT:
        return replace(state, gate_ns=t_ns)
    if (read := config.watched.commands.get(frame.id)) is not None:
        return _told(state, read(frame.data), t_ns, command=True)
    if (read := config.watched.feedback.get(frame.id)) is not None:
        return _told(state, read(frame.data), t_ns, command=False)
    return state


def _moving(seen: Seen, told: Speed, t_ns: int) -> Seen:
    stood_ns = min(max(t_ns - seen.speed_ns, 0), YOUNG_NS)
    return replace(
        seen, speed_mm_s=told.mm_s, speed_ns=t_ns, limp=told.limp, heard_ns=seen.heard_ns + stood_ns
    )


def _told(state: GuardTurnState, told: Told | None, t_ns: int, command: bool) -> GuardTurnState:
    match told:
        case Speed():
            seen = state.axes[told.axis]
            new = (
                replace(seen, command_mm_s=told.mm_s, command_ns=t_ns)
                if command
                else _moving(seen, told, t_ns)
            )
            return replace(state, axes={**state.axes, told.axis: new})
        case Keys():
            return _keys(state, told, t_ns)
        case Contacts():
            return replace(state, contacts=told, contacts_ns=t_ns)
    return state
