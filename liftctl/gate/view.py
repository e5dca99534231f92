"""What the others may see of the gate: a state message made from a turn.

Role: read-only picture for panel, controller, guard, recorder and desk. Process: the gate. Must
never: be read back by the gate.
"""

from __future__ import annotations

from liftctl import __version__
from liftctl.gate.turn import GateConfig, GateTurnState
from liftctl.ipc import GateState, MotionState
from safety.load_facts import limit_kg
from safety.signals import NS_PER_MS, qualities
from safety.stations import pressed
from safety.types import Act, Axis, Motion, Quality
from safety.verdict import Cmd, MotionVerdict, Verdict

DRIVING = {"drive_moving", "drive_moving?"}


def mode(state: GateTurnState, verdict: Verdict) -> str:
    """One word for the state: faulted, moving, ready."""
    if verdict.latched or not state.kernel.ready:
        return "faulted"
    return "moving" if verdict.moving else "ready"


def in_use(state: GateTurnState) -> str:
    """Why the gate may not end now, "" when it may: nothing pressed or moving, nobody hangs or
    stands, no transfer, no chair that may be driving.
    """
    kernel = state.kernel
    if pressed(kernel.authority.stations) != Motion.NONE:
        return "somebody presses"
    if kernel.people.aloft or kernel.people.standing:
        return "somebody hangs or stands"
    if kernel.marker.in_flight:
        return "something may still move"
    if kernel.cmds.get(Axis.DRIVE) is Cmd.MOVE and DRIVING & set(kernel.active):
        return "the chair may be driving"
    if kernel.authority.in_transfer(carrying=False) or kernel.authority.plan is not None:
        return "a transfer runs"
    return ""


def _motion(item: MotionVerdict) -> MotionState:
    return MotionState(item.act <= Act.SLOW, item.act == Act.SLOW, item.act.name, item.rows)


def state_message(
    config: GateConfig,
    state: GateTurnState,
    verdict: Verdict,
    now_ns: int,
    events: tuple[tuple[str, str], ...],
) -> GateState:
    """The picture after the turn at `now_ns`, which is also the tick to echo."""
    kernel, p = state.kernel, config.kernel.params
    quality = qualities(config.kernel.kind, kernel.readings, now_ns, p)
    people = kernel.people
    return GateState(
        tick_ns=now_ns,
        site=config.site.name,
        kind=config.site.kind,
        mode=mode(state, verdict),
        owner=verdict.owner,
        moving=verdict.moving.name or "" if verdict.moving else "",
        motions={item.motion.name or "": _motion(item) for item in verdict.motions},
        values={
            signal.value: kernel.readings[signal].value if why is Quality.FRESH else None
            for signal, why in quality.items()
        },
        quality={s.value: why.value for s, why in quality.items() if why is not Quality.FRESH},
        active=verdict.active,
        latched=verdict.latched,
        aloft=people.aloft,
        standing=people.standing,
        tension_pause="tension_pause" in verdict.active,
        pickup=people.pickup,
        limit_kg=limit_kg(p, kernel.authority.plan),
        in_flight=verdict.marker.in_flight,
        events=events,
        devices=state.display,
        ages_ms=_ages(state, now_ns),
        counters=state.counters,
        config_hash=config.site.hash,
        config_fallback=config.kernel.fallback,
        version=__version__,
    )


def _ages(state: GateTurnState, now_ns: int) -> dict[str, float]:
    """Milliseconds since each lease's tick; -1 when there was none."""
    authority = state.kernel.authority
    beats = {"permission": "lease", "guard": "guard", "recorder": "recorder"}
    found = {name: authority.age_ms(beat, now_ns) for name, beat in beats.items()}
    owner = authority.stations.by_name.get(authority.stations.owner)
    if owner and pressed(authority.stations) != Motion.NONE:
        found["evidence"] = (now_ns - owner.echo_ns) / NS_PER_MS
    found |= {f"bus_{bus}": (now_ns - t) / NS_PER_MS for bus, t in state.heard_ns.items()}
    return {name: -1.0 if age is None else round(age, 1) for name, age in found.items()}
