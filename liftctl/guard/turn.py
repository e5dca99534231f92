"""One turn of the guard: are the gate's commands and the drives' motion what a finger asked for?
Pure.

Role: its own invariants over its own evidence; toggles the run enable while all hold, cuts when one
does not, and reads back that the cut was one. Process: the guard. Must never: make a motion frame,
or share an evaluator with the kernel. It does not replace device deadmen or the hard-wired chain.
"""

from __future__ import annotations

from dataclasses import replace

from drivers.frames import Frame
from liftctl.guard.hear import hear
from liftctl.guard.invariants import (
    LASTING,
    LIES,
    NODE_SILENT_MS,
    account,
    barred,
    broken,
)
from liftctl.guard.state import MS, GuardConfig, GuardInput, GuardOutputs, GuardTurnState, Relay

NODE_ID = 2
RELEASE_MS = 2000.0
LATE_MS = 100.0  # after a gap of our own, what waits on the bus is older than it looks


def turn(
    config: GuardConfig, state: GuardTurnState, now_ns: int, inputs: tuple[GuardInput, ...]
) -> tuple[GuardTurnState, GuardOutputs]:
    """Look, judge, toggle or cut."""
    state = _late(state, now_ns)
    for item in inputs:
        state = hear(config, state, item)
    state = account(config, state, now_ns)
    found, unheard = broken(config, state, now_ns)
    due = _due(state, now_ns, found)
    due |= {name: max(due[name], now_ns + 1) for name in unheard}
    state = _judge(replace(state, due=due), now_ns)
    state = replace(state, axes={k: replace(v, heard_ns=0) for k, v in state.axes.items()})
    state = replace(state, last_ns=now_ns, relay=_relay(state, now_ns), checks=state.checks + 1)
    return state, GuardOutputs(_frames(config, state, now_ns), state.tick_ns, state.cut)


def _late(state: GuardTurnState, now_ns: int) -> GuardTurnState:
    """A relay that is to be open gets its time to say so anew."""
    if now_ns - state.last_ns <= LATE_MS * MS:
        return state
    return replace(state, relay=replace(state.relay, off_ns=now_ns))


def _due(state: GuardTurnState, now_ns: int, found: dict[str, float]) -> dict[str, int]:
    """When each broken invariant counts: its start plus its allowance; never later than it was."""
    return {
        name: min(now_ns + int(allowed * MS), state.due.get(name, 1 << 63))
        for name, allowed in found.items()
    }


def _judge(state: GuardTurnState, now_ns: int) -> GuardTurnState:
    due = sorted(name for name, at_ns in state.due.items() if now_ns >= at_ns)
    if due:
        lasting = [name for name in LASTING if name in due]
        why = state.cut if state.lasting else next(iter(lasting), due[0])
        why = "relay_stuck" if "relay_stuck" in due else why
        return replace(
            state,
            cut=why,
            lasting=state.lasting or bool(lasting),
            cut_ns=now_ns,
            cuts=state.cuts + (not state.cut),
        )
    calm = now_ns - state.cut_ns > RELEASE_MS * MS
    return replace(state, cut="") if state.cut and not state.lasting and calm else state


def _relay(state: GuardTurnState, now_ns: int) -> Relay:
    """Toggle only from a relay that was read open: one that is welded is found before it is
    needed.
    """
    relay = state.relay
    wanted = bool(state.gate_ns) and not state.cut
    read = state.contacts is not None and not state.contacts.relay_on
    opened = relay.opened or (read and state.contacts_ns > relay.off_ns)
    if wanted and (relay.toggles or opened):
        return Relay(toggles=True, bit=not relay.bit)
    return Relay(False, now_ns if relay.toggles else relay.off_ns, opened and not relay.toggles)


def _frames(config: GuardConfig, state: GuardTurnState, now_ns: int) -> tuple[Frame, ...]:
    enable = Frame(config.bus, 0x200 + config.node, bytes([state.relay.bit]))
    beat = () if state.checks % 5 else (Frame(config.bus, 0x700 + NODE_ID, b"\x05"),)
    if state.last_ns - state.contacts_ns > NODE_SILENT_MS * MS and state.checks % 25 == 0:
        beat = (Frame(config.bus, 0, bytes((1, config.node))), *beat)  # NMT start of our own node
    if not _must_stop(config, state, now_ns):
        return (enable, *beat)
    # NMT stop has the highest priority of all ids; a drive whose 6007 is set ramps down on it.
    burst = tuple(Frame(config.bus, 0, bytes((2, node))) for node in config.watched.nodes)
    return (*burst, enable, *beat)


def _must_stop(config: GuardConfig, state: GuardTurnState, now_ns: int) -> bool:
    """While a lie is due; and where the relay did not open, for all that it would have barred."""
    due = {name for name, at_ns in state.due.items() if now_ns >= at_ns}
    return bool(due & set(LIES)) or ("relay_stuck" in due and barred(config, state, now_ns))
