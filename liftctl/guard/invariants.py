"""The guard's invariants: what must hold, and how long it may be broken. Pure.

Role: compares commands, motion, evidence, ticks and the relay. Process: the guard. Must never:
excuse what it cannot see, or call a gate a liar for what a correct one does in its reaction time.
"""

from __future__ import annotations

from dataclasses import replace

from liftctl.guard.state import HAND, MS, WAYS, GuardConfig, GuardTurnState, Seen

STILL_MM_S = {"hoist": 10.0, "traverse": 10.0, "stander": 1.5}
BELIEF_MS = 100.0  # five gate periods: an older command is no command
GRACE_MS = 150.0  # the gate's turn, the bus and both schedulers: a correct gate is never cut
UNCOMMANDED_MS = 200.0
OVERSPEED_MS = 60.0
GATE_SILENT_MS = 300.0
NODE_SILENT_MS = 300.0
RELAY_OPEN_MS = 300.0  # 150 of its hold, 50 of its report, the bus and both schedulers
# Travel nobody asked for, in pieces shorter than any grace: about twice what one grace allows.
OWED_MM = {"hoist": 20.0, "traverse": 50.0, "stander": 5.0}
ENABLE_MARGIN_MM_S = 1.0

# These mean that gate or drive cannot be believed.
LIES = ("no_evidence", "uncommanded", "overspeed", "wrong_way", "defied")
# These are read from a drive's own word: its last one is a moment, and the silence after it no
# duration.
MEASURED = frozenset({"uncommanded", "overspeed", "wrong_way"})
# These stand until the guard is started anew: a relay that stuck once is not tried again by itself.
LASTING = (*LIES, "relay_stuck")


def told_mm_s(seen: Seen, now_ns: int) -> float:
    """The command that counts now; a dead gate asks for nothing."""
    return seen.command_mm_s if now_ns - seen.command_ns <= BELIEF_MS * MS else 0.0


def needs_enable(config: GuardConfig, axis: str, speed_mm_s: float) -> bool:
    """Is it what the relay exists to bar: up, sideways, or faster down than docking?"""
    free = config.free_down_mm_s[axis]
    return speed_mm_s > 0 or speed_mm_s < -free - (ENABLE_MARGIN_MM_S if free else 0.0)


def barred(config: GuardConfig, state: GuardTurnState, now_ns: int) -> bool:
    """Is anything commanded now that an open relay would bar?"""
    return any(
        needs_enable(config, axis, told_mm_s(seen, now_ns)) for axis, seen in state.axes.items()
    )


def account(config: GuardConfig, state: GuardTurnState, now_ns: int) -> GuardTurnState:
    """What each axis may still have after its command fell (half the configured ramp), and owes."""
    dt_s = max(0.0, (now_ns - state.last_ns) / 1e9)
    axes = {}
    for axis, seen in state.axes.items():
        fallen = seen.may_have_mm_s - config.decel_mm_s2[axis] / 2 * dt_s
        live = now_ns - seen.command_ns <= GATE_SILENT_MS * MS
        asked = abs(seen.command_mm_s) if live else 0.0
        seen = replace(seen, may_have_mm_s=max(asked, fallen, 0.0))  # noqa: PLW2901
        axes[axis] = replace(seen, owed_mm=_owed(config, state, axis, seen, now_ns))
    return replace(state, axes=axes)


def _owed(
    config: GuardConfig, state: GuardTurnState, axis: str, seen: Seen, now_ns: int
) -> dict[str, float]:
    """Never forgiven by waiting, or pauses between the pieces would make them free."""
    dt_s = min(max(now_ns - state.last_ns, 0) / MS, BELIEF_MS) / 1000
    told = told_mm_s(seen, now_ns)
    asked = told and _held(config, state, WAYS[axis][told < 0], now_ns)
    name, speed = _unasked(config, state, axis, seen, now_ns)
    paid = abs(told) * dt_s if asked else 0.0
    # what was over the bound has had its cut: from half of it a descent can go on, and be paid
    left = {k: mm if mm <= OWED_MM[axis] else OWED_MM[axis] / 2 for k, mm in seen.owed_mm.items()}
    owed = {k: mm - paid for k, mm in left.items() if mm > paid}
    if sees_panels(config, state, now_ns):
        owed.pop("blind", None)
    for_s = seen.heard_ns / 1e9 if name in MEASURED else dt_s
    return {**owed, name: owed.get(name, 0.0) + speed * for_s} if name else owed


def _unasked(
    config: GuardConfig, state: GuardTurnState, axis: str, seen: Seen, now_ns: int
) -> tuple[str, float]:
    """The invariant that this axis breaks by moving now, and its speed."""
    told = told_mm_s(seen, now_ns)
    if told and not _held(config, state, WAYS[axis][told < 0], now_ns):
        return ("no_evidence" if sees_panels(config, state, now_ns) else "blind"), abs(told)
    speed = _speed(seen, now_ns)
    live = now_ns - seen.command_ns <= GATE_SILENT_MS * MS
    driven = _powered(state, now_ns) and live and not seen.limp
    # Without torque or without a gate, what sinks is the strap or the lever: the way down. A rail
    # has none.
    sinks = speed < 0 and axis != "traverse" and not driven
    moves = abs(speed) > STILL_MM_S[axis] and seen.may_have_mm_s == 0
    return ("uncommanded", abs(speed)) if moves and not sinks else ("", 0.0)


def _speed(seen: Seen, now_ns: int) -> float:
    """A dead drive's last word is no speed."""
    return seen.speed_mm_s if now_ns - seen.speed_ns <= NODE_SILENT_MS * MS else 0.0


def _powered(state: GuardTurnState, now_ns: int) -> bool:
    fresh = now_ns - state.contacts_ns <= NODE_SILENT_MS * MS
    return state.contacts is None or not fresh or state.contacts.estop_closed


def _held(config: GuardConfig, state: GuardTurnState, motion: str, now_ns: int) -> bool:
    limit_ns = config.params.evidence_ms * MS
    return any(
        held.motion == motion and 0 <= now_ns - held.t_ns <= limit_ns
        for held in state.evidence.values()
    )


def sees_panels(config: GuardConfig, state: GuardTurnState, now_ns: int) -> bool:
    """Is a panel heard, also at neutral? Without one the guard cannot call a gate a liar."""
    limit_ns = (config.params.evidence_ms + GRACE_MS) * MS
    return any(now_ns - v.t_ns <= limit_ns for k, v in state.evidence.items() if k != HAND)


def broken(
    config: GuardConfig, state: GuardTurnState, now_ns: int
) -> tuple[dict[str, float], frozenset[str]]:
    """Invariants that do not hold now, each with the milliseconds it may last before the cut; and
    those of them that only a drive breaks which said nothing since the last turn.
    """
    found: dict[str, float] = {}
    heard: set[str] = set()
    if state.gate_ns and now_ns - state.gate_ns > GATE_SILENT_MS * MS:
        found["gate_silent"] = 0.0
    if state.tick_ns and abs(now_ns - state.tick_ns) > GATE_SILENT_MS * MS:
        found["no_turn"] = 0.0
    if state.cut and barred(config, state, now_ns):
        found["defied"] = GRACE_MS
    if _relay_stuck(state):
        found["relay_stuck"] = 0.0
    for axis, seen in state.axes.items():
        for name, allowed in _axis(config, state, axis, seen, now_ns).items():
            found[name] = min(allowed, found.get(name, allowed))
            if seen.heard_ns:
                heard.add(name)
    return found, frozenset(found) & MEASURED - heard


def _relay_stuck(state: GuardTurnState) -> bool:
    """Read closed long after the toggling ended; at the first start before it ever began."""
    reported = state.contacts is not None and state.contacts.relay_on
    late = state.contacts_ns - state.relay.off_ns > RELAY_OPEN_MS * MS
    return not state.relay.toggles and reported and late


def _axis(
    config: GuardConfig, state: GuardTurnState, axis: str, seen: Seen, now_ns: int
) -> dict[str, float]:
    found: dict[str, float] = {}
    speed, told = _speed(seen, now_ns), told_mm_s(seen, now_ns)
    unasked, _ = _unasked(config, state, axis, seen, now_ns)
    if unasked:
        once_ms = UNCOMMANDED_MS if unasked == "uncommanded" else GRACE_MS
        found[unasked] = 0.0 if seen.owed_mm.get(unasked, 0.0) > OWED_MM[axis] else once_ms
    if abs(speed) > config.top_mm_s[axis] * 1.3 + STILL_MM_S[axis]:
        found["overspeed"] = OVERSPEED_MS
    if told * speed < 0 and abs(speed) > STILL_MM_S[axis]:
        found["wrong_way"] = UNCOMMANDED_MS
    if seen.command_mm_s and now_ns - seen.command_ns > GATE_SILENT_MS * MS:
        found["commands_silent"] = 0.0
    return found
