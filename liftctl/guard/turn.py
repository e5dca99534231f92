"""One turn of the guard: are the gate's commands and the drives' motion what a finger asked for?
Pure.

Role: its own invariants over its own evidence; toggles the run enable while all hold, cuts when one
does not. Process: the guard. Must never: make a motion frame, or share an evaluator with the
kernel. It does not replace device deadmen or the hard-wired chain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from config.schema import Site
from drivers.frames import Frame
from liftctl.guard.watch import Contacts, Keys, Speed, Told, Watched, watched
from liftctl.ipc import GateState, Hold, StationGone, StopPress
from safety.bounds import Params

MS = 1_000_000
NODE_ID = 2
GATE_HEARTBEAT = 0x701
HAND = "hand"
TOGGLE_MS = 20
STILL_MM_S = {"hoist": 10.0, "traverse": 10.0, "stander": 1.5}
BELIEF_MS = 100.0  # five gate periods: an older command is no command
GRACE_MS = 150.0  # the gate's turn, the bus and both schedulers: a correct gate is never cut
UNCOMMANDED_MS = 200.0
GATE_SILENT_MS = 300.0
RELEASE_MS = 2000.0
NODE_SILENT_MS = 300.0
WAYS = {
    "hoist": ("UP", "DOWN"),
    "traverse": ("RIGHT", "LEFT"),
    "stander": ("STAND", "SIT"),
}
# These mean that gate or drive cannot be believed: they stand until the guard is started anew.
LASTING = ("no_evidence", "uncommanded", "overspeed", "wrong_way")


@dataclass(frozen=True, slots=True)
class GuardConfig:
    """The site's numbers and ids, as the guard reads them."""

    bus: str
    node: int
    watched: Watched
    params: Params
    top_mm_s: Mapping[str, float]
    decel_mm_s2: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest command and speed of an axis, and the speed it may still have."""

    command_mm_s: float = 0.0
    command_ns: int = 0
    speed_mm_s: float = 0.0
    speed_ns: int = 0
    may_have_mm_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Held:
    """What a station holds; presses up to `spent` were ended by a STOP and are nothing any more."""

    motion: str
    t_ns: int
    session: str = ""
    press: int = 0
    spent: int = 0


@dataclass(frozen=True, slots=True)
class GuardTurnState:
    """Everything a turn hands to the next."""

    last_ns: int
    axes: Mapping[str, Seen]
    evidence: Mapping[str, Held] = field(default_factory=dict)
    gate_ns: int = 0
    tick_ns: int = 0
    contacts: Contacts | None = None
    contacts_ns: int = 0
    since: Mapping[str, int] = field(default_factory=dict)
    cut: str = ""
    cut_ns: int = 0
    cuts: int = 0
    toggle: bool = False
    checks: int = 0


GuardInput = tuple[int, Frame] | GateState | Hold | StationGone | StopPress


@dataclass(frozen=True, slots=True)
class GuardOutputs:
    """Frames for the guard's own bus, and its beat for the gate."""

    frames: tuple[Frame, ...]
    echo_ns: int
    cut: str


def configure(site: Site) -> GuardConfig:
    """The guard's configuration of a site."""
    p = site.limits
    return GuardConfig(
        bus=site.guard.bus,
        node=site.guard.node,
        watched=watched(site),
        params=p,
        top_mm_s={
            "hoist": max(p.hoist_loaded_mm_s, p.hoist_empty_mm_s, p.hoist_down_mm_s),
            "traverse": p.traverse_mm_s,
            "stander": p.stand_mm_s,
        },
        decel_mm_s2={
            "hoist": p.hoist_decel_mm_s2,
            "traverse": p.traverse_decel_mm_s2,
            "stander": p.stand_decel_mm_s2,
        },
    )


def start(config: GuardConfig, now_ns: int) -> GuardTurnState:
    """Nothing seen: no run enable until the gate is heard."""
    return GuardTurnState(now_ns, {axis: Seen() for axis in WAYS})


def turn(
    config: GuardConfig, state: GuardTurnState, now_ns: int, inputs: tuple[GuardInput, ...]
) -> tuple[GuardTurnState, GuardOutputs]:
    """Look, judge, toggle or cut."""
    for item in inputs:
        state = _absorb(config, state, item)
    state = _coast(config, state, now_ns)
    since = _since(state, now_ns, _broken(config, state, now_ns))
    state = _judge(replace(state, since=since), now_ns)
    toggle = not state.toggle if state.gate_ns and not state.cut else False
    state = replace(state, last_ns=now_ns, toggle=toggle, checks=state.checks + 1)
    return state, GuardOutputs(_frames(config, state, now_ns), state.tick_ns, state.cut)


def _absorb(config: GuardConfig, state: GuardTurnState, item: GuardInput) -> GuardTurnState:
    match item:
        case GateState():
            return replace(state, tick_ns=item.tick_ns)
        case Hold():
            return _hold(state, item)
        case StopPress():
            ended = {k: replace(v, motion="", spent=v.press) for k, v in state.evidence.items()}
            return replace(state, evidence=ended)
        case StationGone():
            rest = {k: v for k, v in state.evidence.items() if k != item.station}
            return replace(state, evidence=rest)
        case (t_ns, frame):
            return _frame(config, state, t_ns, frame)


def _hold(state: GuardTurnState, item: Hold) -> GuardTurnState:
    old = state.evidence.get(item.station)
    spent = old.spent if old and old.session == item.session else 0
    motion = item.motion if item.press > spent else ""
    held = Held(motion, item.echo_ns, item.session, max(item.press, spent), spent)
    return replace(state, evidence={**state.evidence, item.station: held})


def _keys(state: GuardTurnState, keys: Keys, t_ns: int) -> GuardTurnState:
    old = state.evidence.get(HAND)
    press = int(bool(keys.down))
    spent = old.spent if old and press else 0
    motion = next(iter(keys.down)) if len(keys.down) == 1 and not spent else ""
    held = {**state.evidence, HAND: Held(motion, t_ns, HAND, press, spent)}
    return replace(state, evidence=held)


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


def _told(state: GuardTurnState, told: Told | None, t_ns: int, command: bool) -> GuardTurnState:
    match told:
        case Speed():
            seen = state.axes[told.axis]
            new = (
                replace(seen, command_mm_s=told.mm_s, command_ns=t_ns)
                if command
                else replace(seen, speed_mm_s=told.mm_s, speed_ns=t_ns)
            )
            return replace(state, axes={**state.axes, told.axis: new})
        case Keys():
            return _keys(state, told, t_ns)
        case Contacts():
            return replace(state, contacts=told, contacts_ns=t_ns)
    return state


def _coast(config: GuardConfig, state: GuardTurnState, now_ns: int) -> GuardTurnState:
    """What each axis may still have after its command fell: half the configured ramp."""
    dt_s = (now_ns - state.last_ns) / 1e9
    axes = {}
    for axis, seen in state.axes.items():
        fallen = seen.may_have_mm_s - config.decel_mm_s2[axis] / 2 * dt_s
        live = now_ns - seen.command_ns <= GATE_SILENT_MS * MS
        asked = abs(seen.command_mm_s) if live else 0.0
        axes[axis] = replace(seen, may_have_mm_s=max(asked, fallen, 0.0))
    return replace(state, axes=axes)


def _held(config: GuardConfig, state: GuardTurnState, motion: str, now_ns: int) -> bool:
    limit_ns = config.params.evidence_ms * MS
    return any(
        held.motion == motion and 0 <= now_ns - held.t_ns <= limit_ns
        for held in state.evidence.values()
    )


def _sees_panels(config: GuardConfig, state: GuardTurnState, now_ns: int) -> bool:
    """Is a panel heard, also at neutral? Without one the guard cannot call a gate a liar."""
    limit_ns = (config.params.evidence_ms + GRACE_MS) * MS
    return any(now_ns - v.t_ns <= limit_ns for k, v in state.evidence.items() if k != HAND)


def _broken(config: GuardConfig, state: GuardTurnState, now_ns: int) -> dict[str, float]:
    """Invariants that do not hold now, each with the milliseconds it may last before the cut."""
    found: dict[str, float] = {}
    if state.gate_ns and now_ns - state.gate_ns > GATE_SILENT_MS * MS:
        found["gate_silent"] = 0.0
    known = state.contacts is not None and now_ns - state.contacts_ns <= NODE_SILENT_MS * MS
    powered = not known or state.contacts is None or state.contacts.estop_closed
    for axis, seen in state.axes.items():
        found |= _axis(config, state, axis, seen, powered, now_ns)
    return found


def _axis(
    config: GuardConfig, state: GuardTurnState, axis: str, seen: Seen, powered: bool, now_ns: int
) -> dict[str, float]:
    found: dict[str, float] = {}
    up, down = WAYS[axis]
    heard = now_ns - seen.speed_ns <= NODE_SILENT_MS * MS  # a dead drive's last word is no speed
    speed = seen.speed_mm_s if heard else 0.0
    age_ms = (now_ns - seen.command_ns) / MS
    told = seen.command_mm_s if age_ms <= BELIEF_MS else 0.0  # a dead gate asks for nothing
    if told and not _held(config, state, up if told > 0 else down, now_ns):
        lie = _sees_panels(config, state, now_ns)
        found["no_evidence" if lie else "blind"] = GRACE_MS
    # Without torque or without a gate, what sinks is the strap or the lever: the way down.
    driven = powered and age_ms <= GATE_SILENT_MS
    if abs(speed) > STILL_MM_S[axis] and seen.may_have_mm_s == 0 and (driven or speed > 0):
        found["uncommanded"] = UNCOMMANDED_MS
    if abs(speed) > config.top_mm_s[axis] * 1.3 + STILL_MM_S[axis]:
        found["overspeed"] = 60.0
    if told * speed < 0 and abs(speed) > STILL_MM_S[axis]:
        found["wrong_way"] = UNCOMMANDED_MS
    if seen.command_mm_s and age_ms > GATE_SILENT_MS:
        found["commands_silent"] = 0.0
    return found


def _since(state: GuardTurnState, now_ns: int, broken: dict[str, float]) -> dict[str, int]:
    """When each broken invariant counts: its start plus its allowance, as a due time."""
    return {
        name: state.since.get(name, now_ns + int(allowed * MS)) for name, allowed in broken.items()
    }


def _judge(state: GuardTurnState, now_ns: int) -> GuardTurnState:
    due = sorted(name for name, at_ns in state.since.items() if now_ns >= at_ns)
    if due:
        lasting = state.cut in LASTING
        why = state.cut if lasting else next((n for n in due if n in LASTING), due[0])
        return replace(state, cut=why, cut_ns=now_ns, cuts=state.cuts + (not state.cut))
    calm = now_ns - state.cut_ns > RELEASE_MS * MS
    return replace(state, cut="") if state.cut and state.cut not in LASTING and calm else state


def _frames(config: GuardConfig, state: GuardTurnState, now_ns: int) -> tuple[Frame, ...]:
    enable = Frame(config.bus, 0x200 + config.node, bytes([state.toggle]))
    beat = () if state.checks % 5 else (Frame(config.bus, 0x700 + NODE_ID, b"\x05"),)
    if state.last_ns - state.contacts_ns > NODE_SILENT_MS * MS and state.checks % 25 == 0:
        beat = (Frame(config.bus, 0, bytes((1, config.node))), *beat)  # NMT start of our own node
    lies = [name for name in LASTING if state.since.get(name, now_ns + 1) <= now_ns]
    if not lies or state.cut not in LASTING:
        return (enable, *beat)
    # NMT stop has the highest priority of all ids; a drive whose 6007 is set ramps down on it.
    burst = tuple(Frame(config.bus, 0, bytes((2, node))) for node in config.watched.nodes)
    return (*burst, enable, *beat)
