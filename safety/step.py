"""The kernel: one pure step from state and inputs to a verdict.

Role: the only place where authority, interlocks and speed meet. Process: the gate, and replay. Must
never: read a clock, do I/O, raise on any input, or let a motion start by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from safety import evaluate, stations
from safety.authority import Authority, absorb, granted
from safety.command import command, drive_waits
from safety.evaluate import MOTIONS_OF, Active
from safety.facts import Scene
from safety.memory import Measured, People, remember, want_marker
from safety.motion_facts import BY_AXIS
from safety.signals import KNOWN, Reading, accept, qualities
from safety.state import KernelConfig, KernelState
from safety.types import (
    AXIS_OF,
    LOWERING,
    Act,
    Axis,
    Beat,
    KernelInput,
    Motion,
    Quality,
    Sample,
    SignalId,
)  # fmt: skip
from safety.verdict import AxisCommand, Cmd, Event, MotionVerdict, Verdict

LOADED = (Axis.HOIST, Axis.TRAVERSE, Axis.STANDER)  # what a person may hang from
SAME_EVENT_NS = 2_000_000_000
VERIFIED = {
    "lift": (SignalId.HOIST_VERIFIED, SignalId.TRAVERSE_VERIFIED),
    "chair": (SignalId.STAND_VERIFIED, SignalId.DRIVE_VERIFIED),
}


def step(
    config: KernelConfig, state: KernelState, now_ns: int, inputs: tuple[KernelInput, ...]
) -> tuple[KernelState, Verdict]:
    """Decide one turn. `now_ns`: monotonic; inputs in the order they arrived."""
    p = config.params
    inputs = tuple(item for item in inputs if _belongs(config.kind, item))
    carrying = state.people.aloft or state.people.standing
    authority, events = absorb(state.authority, inputs, now_ns, p, carrying)
    readings = _readings(config.kind, state.readings, inputs)
    scene = _scene(config, state, authority, readings, now_ns)
    scene.people, more = _people(scene)
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
        state, last_ns=now_ns, authority=authority, people=scene.people, readings=readings,
        kept=scene.kept, latched=latched, active=tuple(item.name for item in active), ready=ready,
        lately=_lately(state.lately, active, now_ns),
    )  # fmt: skip
    hard = hard or authority.hard_stop
    draft, commands, waited = command(config, draft, motions, hard, now_ns - state.last_ns)
    blocked = hard or any(m.motion is Motion.DRIVE and m.act >= Act.HOLD for m in motions)
    draft = replace(
        _remember(draft), drive_ok_ns=now_ns if blocked else draft.drive_ok_ns,
        drive_freed=not blocked and (state.drive_freed or (authority.reset and scene.drive_waits)),
    )  # fmt: skip
    verdict = Verdict(
        commands=commands, motions=motions, active=draft.active, latched=tuple(sorted(latched)),
        owner=draft.authority.stations.owner, moving=_moving(draft, commands),
        events=(*events, *more, *changes, *ended, *waited), marker=draft.marker,
    )  # fmt: skip
    return draft, verdict


def _belongs(kind: str, item: KernelInput) -> bool:
    """A motion this device does not have, or that no station holds (driving is the joystick's), is
    no evidence of anything.
    """
    if not isinstance(item, Beat) or not item.motion:
        return True
    return item.motion in MOTIONS_OF[kind] and item.motion != Motion.DRIVE


def _readings(
    kind: str, before: Mapping[SignalId, Reading], inputs: tuple[KernelInput, ...]
) -> Mapping[SignalId, Reading]:
    specs = KNOWN[kind]
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
    return Scene(
        kind=config.kind,
        now_ns=now_ns,
        gap_ns=now_ns - state.last_ns,
        params=config.params,
        fitted=config.expected,
        quality=qualities(config.kind, readings, now_ns, config.params),
        raw={signal: reading.value for signal, reading in readings.items()},
        axes=state.axes,
        authority=authority,
        latched=state.latched,
        boot_ns=state.boot_ns,
        ready=state.ready,
        fallback=config.fallback,
        drive_waits=drive_waits(config.kind, state, now_ns),
        people=state.people,
        heard_ns={signal: reading.t_ns for signal, reading in readings.items()},
        kept=dict(state.kept),
    )


def _people(scene: Scene) -> tuple[People, tuple[Event, ...]]:
    """The person after this step's readings."""
    if scene.kind == "chair":
        stroke, reset = scene.value(SignalId.STAND_POS), scene.authority.reset
        seen = Measured(None, None, stroke, lowering=False, reset=reset)
    else:
        speed = scene.value(SignalId.HOIST_SPEED)
        sinking = speed is not None and speed < -BY_AXIS[Axis.HOIST].still_mm_s(scene.params)
        seen = Measured(
            scene.value(SignalId.LOAD_KG), scene.value(SignalId.HOIST_POS), None,
            lowering=sinking or scene.axes[Axis.HOIST].speed_mm_s < 0,
            raising=scene.axes[Axis.HOIST].speed_mm_s > 0, unseen=speed is None,
            slack=scene.is_off(SignalId.STRAP_TIGHT) is True, reset=scene.authority.reset,
        )  # fmt: skip
    confirmed = scene.authority.confirmed_pickup
    return remember(scene.people, scene.kind, seen, confirmed, scene.now_ns, scene.params)


def _may_leave_faulted(
    kind: str, scene: Scene, authority: Authority, latched: frozenset[str]
) -> bool:
    """Rule 9: nodes up, read-back right, run enable not off, neutral seen, no latch."""
    fresh = all(scene.quality[signal] is Quality.FRESH for signal in scene.fitted)
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
    new = [item for item in active if item.name not in state.lately and _slows(item, pressed)]
    if verdict.act < Act.HOLD and not (new and pressed & LOWERING):
        return authority, (), False
    why = verdict.rows[0] if verdict.act >= Act.HOLD else new[0].name
    still = state.axes[AXIS_OF[pressed]].speed_mm_s == 0
    ended, events = stations.kill(authority.stations, why, now_ns)
    if still:
        events = (Event("refused", why),)
    return replace(authority, stations=ended), events, verdict.act >= Act.QUICK


def _lately(
    before: Mapping[str, int], active: tuple[Active, ...], now_ns: int
) -> Mapping[str, int]:
    """A row that comes back within two seconds is the same event: chatter must strand nobody."""
    young = {name: t for name, t in before.items() if now_ns - t <= SAME_EVENT_NS}
    return young | {item.name: now_ns for item in active}


def _slows(item: Active, pressed: Motion) -> bool:
    return any(r.act >= Act.SLOW and pressed & r.motions for r in item.reactions)


def _remember(state: KernelState) -> KernelState:
    busy = any(
        cmd not in (Cmd.REST, Cmd.ISOLATE) for axis, cmd in state.cmds.items() if axis in LOADED
    )
    busy |= bool(stations.pressed(state.authority.stations))
    marker, people = want_marker(
        state.marker, state.people, state.latched, busy, state.authority.durable_seq
    )
    return replace(state, marker=marker, people=people)


def _moving(state: KernelState, commands: tuple[AxisCommand, ...]) -> Motion:
    pressed = stations.pressed(state.authority.stations)
    speeds = {item.axis: item.speed_mm_s for item in commands}
    return pressed if pressed and speeds.get(AXIS_OF[pressed]) else Motion.NONE
