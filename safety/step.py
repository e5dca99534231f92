"""The kernel: one pure step from state and inputs to a verdict.

Role: the only place where authority, interlocks and speed meet. Process: the gate, and replay. Must
never: read a clock, do I/O, raise on any input, or let a motion start by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from safety import evaluate, shape, stations
from safety.authority import Authority, absorb, ages, granted
from safety.bounds import Params
from safety.evaluate import Active
from safety.facts import AxisMemory, Scene
from safety.memory import EMPTY, People, remember, want_marker
from safety.signals import NS_PER_MS, OPTIONAL, SPECS, Reading, accept, qualities
from safety.types import (
    AXIS_OF,
    LOWERING,
    NEED_MARKER,
    Act,
    Axis,
    AxisCommand,
    Cmd,
    Event,
    KernelInput,
    Marker,
    Motion,
    MotionVerdict,
    Quality,
    Sample,
    SignalId,
    Verdict,
)

AXES_OF = {"lift": (Axis.HOIST, Axis.TRAVERSE), "chair": (Axis.STANDER, Axis.DRIVE)}
VERIFIED = {
    "lift": (SignalId.HOIST_VERIFIED, SignalId.TRAVERSE_VERIFIED),
    "chair": (SignalId.STAND_VERIFIED, SignalId.DRIVE_VERIFIED),
}


@dataclass(frozen=True, slots=True)
class KernelConfig:
    """What the kernel needs of a site. `fallback`: the last accepted configuration runs instead
    (rule 11).
    """

    kind: str
    params: Params
    fallback: bool = False


@dataclass(frozen=True, slots=True)
class KernelState:
    """Everything one step hands to the next."""

    last_ns: int
    authority: Authority
    people: People
    marker: Marker
    readings: Mapping[SignalId, Reading] = field(default_factory=dict)
    axes: Mapping[Axis, AxisMemory] = field(default_factory=dict)
    cmds: Mapping[Axis, Cmd] = field(default_factory=dict)
    since: Mapping[str, int] = field(default_factory=dict)
    latched: frozenset[str] = frozenset()
    active: tuple[str, ...] = ()
    ready: bool = False


def boot(config: KernelConfig, now_ns: int, marker: Marker | None) -> KernelState:
    """The state after a restart. An unreadable marker (None) means: assume someone is aloft (rule
    9).
    """
    known = marker or replace(EMPTY, in_flight=True)
    axes = AXES_OF[config.kind]
    return KernelState(
        last_ns=now_ns,
        authority=Authority(),
        people=People.after_boot(config.kind, known),
        marker=replace(known, seq=known.seq + 1),
        axes={axis: AxisMemory() for axis in axes},
        cmds=dict.fromkeys(axes, Cmd.REST),
        latched=frozenset(known.latched),
    )


def step(
    config: KernelConfig, state: KernelState, now_ns: int, inputs: tuple[KernelInput, ...]
) -> tuple[KernelState, Verdict]:
    """Decide one turn. `now_ns`: monotonic; inputs in the order they arrived."""
    p = config.params
    authority, events = absorb(state.authority, inputs, now_ns, p)
    readings = _readings(config.kind, state.readings, inputs)
    scene = _scene(config, state, authority, readings, now_ns)
    people, more = remember(state.people, scene, authority.confirmed_pickup)
    scene.aloft, scene.standing = people.aloft, people.standing
    scene.pickup_height_mm, scene.confirmed = people.pickup_height_mm, people.confirmed
    facts = evaluate.truths(scene)
    latched = evaluate.latch(
        config.kind, facts, state.latched, authority.reset, set(authority.released)
    )
    ready = state.ready or _may_leave_faulted(config.kind, scene, authority, latched)
    active = evaluate.active_rows(config.kind, facts, latched)
    motions = evaluate.ladder(config.kind, active, granted(authority, now_ns, p))
    changes = _row_events(state, active, latched)
    authority, ended, hard = _end_presses(state, authority, active, motions, now_ns)
    draft = replace(
        state, last_ns=now_ns, authority=authority, people=people, readings=readings,
        since=scene.since, latched=latched, active=tuple(item.name for item in active), ready=ready,
    )  # fmt: skip
    hard = hard or authority.hard_stop
    draft, commands, waited = _command(config, draft, motions, hard, now_ns - state.last_ns)
    draft = _remember(draft)
    verdict = Verdict(
        commands=commands, motions=motions, active=draft.active, latched=tuple(sorted(latched)),
        owner=draft.authority.stations.owner, moving=_moving(draft, commands),
        events=(*events, *more, *changes, *ended, *waited), marker=draft.marker,
    )  # fmt: skip
    return draft, verdict


def _readings(
    kind: str, before: Mapping[SignalId, Reading], inputs: tuple[KernelInput, ...]
) -> Mapping[SignalId, Reading]:
    specs = SPECS[kind] | OPTIONAL
    fresh = {
        item.signal: accept(specs[item.signal], item.value, item.t_ns, item.ok)
        for item in inputs
        if isinstance(item, Sample) and item.signal in specs
    }
    return {**before, **fresh}


def _scene(
    config: KernelConfig,
    state: KernelState,
    authority: Authority,
    readings: Mapping[SignalId, Reading],
    now_ns: int,
) -> Scene:
    p = config.params
    plan = authority.plan
    age = ages(authority, now_ns)
    return Scene(
        kind=config.kind,
        now_ns=now_ns,
        params=p,
        quality=qualities(config.kind, readings, now_ns, p),
        raw={signal: reading.value for signal, reading in readings.items()},
        axes=state.axes,
        limit_kg=min(p.swl_kg, plan.limit_kg) if plan else p.swl_kg,
        gap_ms=(now_ns - state.last_ns) / NS_PER_MS,
        evidence_lost=authority.evidence_lost,
        key_held=stations.held_at_start(authority.stations),
        permission_age_ms=age.permission,
        guard_age_ms=age.guard,
        guard_cut=bool(authority.guard and authority.guard.cut),
        recorder_age_ms=age.recorder,
        recorder_healthy=bool(authority.recorder and authority.recorder.healthy),
        in_transfer=authority.in_transfer(state.people.aloft or state.people.standing),
        ready=state.ready,
        fallback=config.fallback,
        aloft=state.people.aloft,
        standing=state.people.standing,
        since=dict(state.since),
    )


def _may_leave_faulted(
    kind: str, scene: Scene, authority: Authority, latched: frozenset[str]
) -> bool:
    """Rule 9: nodes up, read-back right, run enable not off, neutral seen, no latch."""
    fresh = all(scene.quality[signal] is Quality.FRESH for signal in SPECS[kind])
    if (
        not fresh
        or latched
        or scene.is_off(SignalId.RUN_ENABLE)
        or not authority.neutral_seen(scene.now_ns, scene.params)
    ):
        return False
    return all(scene.value(signal) == 1 for signal in VERIFIED[kind])


def _row_events(
    state: KernelState, active: tuple[Active, ...], latched: frozenset[str]
) -> tuple[Event, ...]:
    now = {item.name for item in active}
    trips = tuple(Event("trip", item.name) for item in active if item.name not in state.active)
    clears = tuple(Event("clear", name) for name in state.active if name not in now)
    latches = tuple(Event("latch", name) for name in sorted(latched - state.latched))
    return trips + clears + latches


def _end_presses(
    state: KernelState,
    authority: Authority,
    active: tuple[Active, ...],
    motions: tuple[MotionVerdict, ...],
    now_ns: int,
) -> tuple[Authority, tuple[Event, ...], bool]:
    """A press ends when its motion is held, or when a row that slows it has just become active."""
    pressed = stations.pressed(authority.stations)
    verdict = next((item for item in motions if item.motion == pressed), None)
    if verdict is None:
        return authority, (), False
    new = [item for item in active if item.name not in state.active and _slows(item, pressed)]
    if verdict.act < Act.HOLD and not (new and pressed & LOWERING):
        return authority, (), False
    why = verdict.rows[0] if verdict.act >= Act.HOLD else new[0].name
    still = state.axes[AXIS_OF[pressed]].speed_mm_s == 0
    ended, events = stations.kill(authority.stations, why, now_ns)
    if still:
        events = (Event("refused", why),)
    return replace(authority, stations=ended), events, verdict.act >= Act.QUICK


def _slows(item: Active, pressed: Motion) -> bool:
    return any(r.act >= Act.SLOW and pressed & r.motions for r in item.reactions)


def _command(
    config: KernelConfig,
    state: KernelState,
    motions: tuple[MotionVerdict, ...],
    hard: bool,
    dt_ns: int,
) -> tuple[KernelState, tuple[AxisCommand, ...], tuple[Event, ...]]:
    pressed = stations.pressed(state.authority.stations)
    state, held, events = _wait_for_marker(config, state, pressed)
    acts = {item.motion: item.act for item in motions}
    commands = tuple(
        _axis(config, state, axis, Motion.NONE if held else pressed, acts, hard, dt_ns)
        for axis in AXES_OF[config.kind]
    )
    axes = {
        item.axis: shape.coast(
            state.axes[item.axis], item.speed_mm_s, shape.dynamics(item.axis, config.params), dt_ns
        )
        for item in commands
    }
    cmds = {item.axis: item.cmd for item in commands}
    return replace(state, axes=axes, cmds=cmds), commands, events


def _wait_for_marker(
    config: KernelConfig, state: KernelState, pressed: Motion
) -> tuple[KernelState, bool, tuple[Event, ...]]:
    """Rule 9: UP and STAND wait until the in-flight marker is durable, not for ever."""
    if not pressed & NEED_MARKER or state.people.marker_is_durable:
        return state, False, ()
    started = state.authority.stations.by_name[state.authority.stations.owner].press_ns
    if state.last_ns - started <= config.params.marker_wait_ms * NS_PER_MS:
        return state, True, ()
    ended, _ = stations.kill(state.authority.stations, "marker", state.last_ns)
    authority = replace(state.authority, stations=ended)
    return replace(state, authority=authority), True, (Event("refused", "marker"),)


def _axis(
    config: KernelConfig,
    state: KernelState,
    axis: Axis,
    pressed: Motion,
    acts: Mapping[Motion, Act],
    hard: bool,
    dt_ns: int,
) -> AxisCommand:
    p, memory, before = config.params, state.axes[axis], state.cmds[axis]
    if axis is Axis.DRIVE:  # inhibit only: the chair's own joystick drives
        return AxisCommand(axis, Cmd.MOVE if acts[Motion.DRIVE] < Act.HOLD else Cmd.QUICK)
    if any(acts[m] is Act.ISOLATE for m, on in AXIS_OF.items() if on is axis and m in acts):
        return AxisCommand(axis, Cmd.ISOLATE)
    if pressed and AXIS_OF[pressed] is axis:
        cap = _cap(config, state, pressed, acts[pressed])
        return shape.command(axis, pressed, cap, memory, before, p, dt_ns)
    if memory.may_have_mm_s == 0 and before is not Cmd.MOVE:
        return AxisCommand(axis, Cmd.REST)
    return AxisCommand(axis, Cmd.QUICK if hard or before is Cmd.QUICK else Cmd.RAMP)


def _cap(config: KernelConfig, state: KernelState, motion: Motion, act: Act) -> float:
    """The smallest of the independent speed caps."""
    p, axis = config.params, AXIS_OF[motion]
    docking = shape.dynamics(axis, p).docking_mm_s
    full = shape.full_speed(motion, state.people.aloft, p)
    lease = granted(state.authority, state.last_ns, p)
    if act >= Act.SLOW or not lease & motion or _near_the_ground(state, motion):
        return min(full, docking)
    return full


def _near_the_ground(state: KernelState, motion: Motion) -> bool:
    """The last stretch of a loaded descent is slow; without a height all of it is."""
    lease = state.authority.lease
    if motion is not Motion.DOWN or not lease or not state.people.aloft:
        return False
    height = state.readings.get(SignalId.HOIST_POS)
    return height is None or height.value <= lease.slow_below_mm


def _remember(state: KernelState) -> KernelState:
    busy = any(memory.may_have_mm_s > 0 for memory in state.axes.values())
    busy |= bool(stations.pressed(state.authority.stations))
    marker, people = want_marker(
        state.marker, state.people, state.latched, busy, state.authority.durable_seq
    )
    return replace(state, marker=marker, people=people)


def _moving(state: KernelState, commands: tuple[AxisCommand, ...]) -> Motion:
    pressed = stations.pressed(state.authority.stations)
    speeds = {item.axis: item.speed_mm_s for item in commands}
    return pressed if pressed and speeds[AXIS_OF[pressed]] else Motion.NONE
