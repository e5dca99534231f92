"""Bringing a CANopen node up: boot dialogue and NMT start, again after each reboot.

Role: the part every CANopen device shares. Process: the gate. Must never: start a node whose read-
back disagrees, or go on trusting one that booted, left operational or fell silent.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum

from drivers.canopen import nmt, sdo
from drivers.device import Grant
from drivers.frames import Frame

PAUSE_NS = 1_000_000_000  # before the whole dialogue is tried again
START_EVERY_NS = 200_000_000
START_FOR_NS = 3_000_000_000
SILENT_NS = 500_000_000


class Phase(Enum):
    """Where a node stands; only RUN is trusted."""

    DIALOGUE = "checking"
    START = "starting"
    RUN = "running"
    PAUSE = "waiting to try again"


@dataclass(frozen=True, slots=True)
class Boot:
    """The node's address and what must be written and read back before it is started."""

    bus: str
    node: int
    steps: tuple[sdo.Step, ...] = ()

    @property
    def accepts(self) -> frozenset[tuple[str, bool, int]]:
        """Heartbeat and, where there is a dialogue, the SDO server."""
        ids = [nmt.HEARTBEAT + self.node] + [sdo.REPLY + self.node] * bool(self.steps)
        return frozenset((self.bus, False, item) for item in ids)

    @property
    def mints(self) -> frozenset[Grant]:
        """NMT start and, where there is a dialogue, SDO requests."""
        grants = [Grant(self.bus, nmt.COMMAND, 2)]
        grants += [Grant(self.bus, sdo.REQUEST + self.node, 8)] * bool(self.steps)
        return frozenset(grants)


@dataclass(frozen=True, slots=True)
class BootState:
    """`since_ns`: when the phase began; `sent_ns`: last NMT start; `heard_ns`: last life sign."""

    phase: Phase = Phase.DIALOGUE
    sdo: sdo.Dialogue = field(default_factory=sdo.Dialogue)
    since_ns: int = 0
    sent_ns: int | None = None
    heard_ns: int = 0
    reason: str = ""
    stopped: bool = False  # by somebody's NMT stop: it answers no SDO until pre-operational

    @property
    def running(self) -> bool:
        """Verified, started and alive."""
        return self.phase is Phase.RUN

    @property
    def status(self) -> str:
        """For people: empty when running."""
        return "" if self.running else f"{self.phase.value}; {self.reason}".rstrip("; ")


def turn(
    boot: Boot, state: BootState, now_ns: int, isolated: bool = False
) -> tuple[BootState, tuple[Frame, ...]]:
    """What is due now: at most one SDO request or NMT start. A node that somebody stopped is not
    woken while its axis is `isolated`: what ran away would run on, a little each time (H1).
    """
    if state.phase is Phase.RUN and now_ns - state.heard_ns > SILENT_NS:
        state = BootState(reason="no heartbeat")
    if state.phase is Phase.PAUSE and now_ns - state.since_ns >= PAUSE_NS:
        state = BootState(reason=state.reason)
    if state.stopped:
        return (state, ()) if isolated else _wake(boot, state, now_ns)
    if state.phase is Phase.DIALOGUE:
        return _talk(boot, state, now_ns)
    if state.phase is Phase.START:
        return _start(boot, state, now_ns)
    return state, ()


def _wake(boot: Boot, state: BootState, now_ns: int) -> tuple[BootState, tuple[Frame, ...]]:
    if state.since_ns and now_ns - state.since_ns < START_EVERY_NS:
        return state, ()
    wake = Frame(boot.bus, nmt.COMMAND, nmt.pre_operational(boot.node))
    return replace(state, since_ns=now_ns), (wake,)


def _talk(boot: Boot, state: BootState, now_ns: int) -> tuple[BootState, tuple[Frame, ...]]:
    talk, request = sdo.poll(boot.steps, state.sdo, now_ns)
    if talk.failure:
        return BootState(Phase.PAUSE, talk, now_ns, reason=talk.failure), ()
    if sdo.verified(boot.steps, talk):
        return _start(boot, BootState(Phase.START, talk, now_ns), now_ns)
    state = replace(state, sdo=talk)
    return state, () if request is None else (Frame(boot.bus, sdo.REQUEST + boot.node, request),)


def _start(boot: Boot, state: BootState, now_ns: int) -> tuple[BootState, tuple[Frame, ...]]:
    if now_ns - state.since_ns > START_FOR_NS:
        return BootState(Phase.PAUSE, since_ns=now_ns, reason="does not become operational"), ()
    if state.sent_ns is not None and now_ns - state.sent_ns < START_EVERY_NS:
        return state, ()
    return replace(state, sent_ns=now_ns), (Frame(boot.bus, nmt.COMMAND, nmt.start(boot.node)),)


def alive(state: BootState, now_ns: int) -> BootState:
    """The node is operational: heartbeat 05, or a PDO, which only such nodes send."""
    if state.running:
        return replace(state, heard_ns=now_ns)
    if state.sent_ns is not None:
        return BootState(Phase.RUN, heard_ns=now_ns)
    return state


def is_boot_up(boot: Boot, frame: Frame) -> bool:
    """The node says that it was reset: whatever it knew is gone."""
    said = nmt.heartbeat(frame.data) if frame.id == nmt.HEARTBEAT + boot.node else None
    return said is nmt.NmtState.BOOT_UP


def on_frame(boot: Boot, state: BootState, frame: Frame, now_ns: int) -> BootState:
    """Digest a heartbeat or an SDO reply."""
    if frame.id == sdo.REPLY + boot.node:
        if state.phase is Phase.DIALOGUE:
            state = replace(state, sdo=sdo.reply(boot.steps, state.sdo, frame.data))
        return state
    said = nmt.heartbeat(frame.data)
    if said is nmt.NmtState.OPERATIONAL:
        return alive(state, now_ns)
    if said is nmt.NmtState.BOOT_UP:
        return BootState(reason="the node booted")
    if said is nmt.NmtState.STOPPED:
        return state if state.stopped else BootState(reason="the node was stopped", stopped=True)
    if said is not None and state.stopped:
        return BootState(reason=state.reason)
    if said is not None and state.running:
        return BootState(reason=f"the node went {said.name.lower().replace('_', '-')}")
    return state
