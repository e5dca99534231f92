"""What a taken trigger changes in the transfer besides its step.

Role: pure functions, one per trigger that has an effect, and the phase each trigger stamps.
Process: controller. Must never: do I/O or decide whether a trigger is taken (flows.py does).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import msgspec

from liftctl.controller import record
from liftctl.controller.flows import Step, Trigger
from liftctl.controller.plans import whole
from liftctl.controller.values import Plan, Transfer
from liftctl.ipc import GateState
from liftctl.records import OUTCOMES, SOURCES, Helper, most_at_once

STATED = OUTCOMES[:-1]  # "interrupted" is the recorder's word
_REASON_CHARS = 64
_NOTE_CHARS = 200
_LONGEST_CALL_S = 3600.0

# Trigger -> (phase, whether the last occurrence counts).
PHASES = {
    Trigger.CHECKS_OK: ("checks", False),
    Trigger.CONSENT_YES: ("consent", False),
    Trigger.HOOKED: ("sling_on", False),
    Trigger.MOVED_UP: ("lift_start", False),
    Trigger.MOVED_STAND: ("lift_start", False),
    Trigger.LOAD_TAKEN: ("clear", False),
    Trigger.HELD_FOR_LOOPS: ("tension_pause", False),
    Trigger.LOOPS_OK: ("loops_ok", False),
    Trigger.MOVED_SIDE: ("traverse", False),
    Trigger.LOAD_GONE: ("set_down", True),
    Trigger.UNHOOKED: ("unhook", True),
}


@dataclass(frozen=True, slots=True)
class Moment:
    """When and with what answers a trigger was taken. `before`: the step it was taken in."""

    at_s: float
    before: Step
    args: Mapping[str, str]
    gate: GateState | None


Effect = Callable[[Transfer, Moment], Transfer]


def _source(args: Mapping[str, str]) -> str:
    given = args.get("source", "button")
    return given if given in SOURCES else "none"


def _seconds(text: str) -> float | None:
    """A number of seconds a panel may claim, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value <= _LONGEST_CALL_S else None


def begun(id_: str, plan: Plan, now_ns: int, args: Mapping[str, str], station: str) -> Transfer:
    """A new transfer: who is present, since when (`arrived_s` ago), and called when."""
    present = whole(args, "present", str(plan.carers)) or plan.carers
    transfer = Transfer(
        id=id_,
        plan=plan,
        begun_ns=now_ns,
        phases=(("begin", 0.0),),
        start_trigger=station,
        training=args.get("training") == "yes",
        out_of_plan_why=plan.strays,
    )
    for name, told in (("called", "called_s"), ("arrive", "arrived_s")):
        ago_s = _seconds(args.get(told, ""))
        if ago_s is not None:
            transfer = record.stamped(transfer, name, round(-ago_s, 3), last=False)
    here_s = dict(transfer.phases).get("arrive", 0.0)
    for number in range(present):
        badge = plan.badge_verified and number == 0
        # Only the first carer's arrival was told.
        since_s = here_s if number == 0 else 0.0
        transfer = record.joined(transfer, since_s, "badge" if badge else "button")
    return transfer


def _taken(transfer: Transfer, moment: Moment) -> Transfer:
    return _counted(replace(transfer, carrying=True, pickup_height_mm=transfer.height_mm))


def _counted(transfer: Transfer) -> Transfer:
    """Out of plan while somebody hangs or stands with fewer carers than they need (H26)."""
    short = transfer.carrying and transfer.carers_now < transfer.plan.carers_needed
    return record.strayed(transfer, "carers_missing") if short else transfer


def _gone(transfer: Transfer, moment: Moment) -> Transfer:
    return replace(transfer, carrying=False, pickup_height_mm=None, confirmed_pickup=0)


def _loops(transfer: Transfer, moment: Moment) -> Transfer:
    pickup = moment.gate.pickup if moment.gate else 0
    return replace(transfer, confirmed_pickup=pickup)


def _consent(transfer: Transfer, moment: Moment) -> Transfer:
    return replace(transfer, consent=transfer.consent or "yes")


def _refusal(transfer: Transfer, moment: Moment) -> Transfer:
    if moment.before is Step.CONSENT:
        refused = replace(transfer, consent="no", outcome="aborted", reason="consent_no")
        return _end(refused, moment.at_s)
    return _pause(replace(transfer, consent="withdrawn"), moment, "consent_withdrawn")


def _pause(transfer: Transfer, moment: Moment, why: str = "agitation") -> Transfer:
    by = "carer" if moment.args.get("by") == "carer" else "resident"
    pause = {"from_s": moment.at_s, "by": by, "why": why}
    return replace(transfer, paused=True, pauses=(*transfer.pauses, pause))


def _resume(transfer: Transfer, moment: Moment) -> Transfer:
    ended = {**transfer.pauses[-1], "to_s": moment.at_s}
    return replace(transfer, paused=False, pauses=(*transfer.pauses[:-1], ended))


def _join(transfer: Transfer, moment: Moment) -> Transfer:
    more = record.joined(transfer, moment.at_s, _source(moment.args))
    called_s, response_s = transfer.helper.called_s, transfer.helper.response_s
    if called_s is None or response_s is not None:
        return more
    waited_s = round(moment.at_s - called_s, 3)
    return replace(more, helper=Helper(called_s=called_s, response_s=waited_s))


def _call(transfer: Transfer, moment: Moment) -> Transfer:
    """The first call counts: the wait began with it."""
    if transfer.helper.called_s is not None:
        return transfer
    return replace(transfer, helper=Helper(called_s=moment.at_s))


def _leave(transfer: Transfer, moment: Moment) -> Transfer:
    return _counted(record.left(transfer, moment.at_s))


def _finish(transfer: Transfer, moment: Moment) -> Transfer:
    """The carers' own count may add a stay nobody registered, never take one away."""
    stated = whole(moment.args, "carers") or 0
    seen = most_at_once(transfer.presences)
    for _ in range(stated - seen):
        transfer = record.joined(transfer, 0.0, "none")
    outcome = moment.args.get("outcome", "")
    alone_failed = transfer.plan.carers == 1 and max(seen, stated) > 1
    if outcome == "completed" and alone_failed:
        outcome = "fallback2"
    training = transfer.training or moment.args.get("training") == "yes"
    closed = replace(transfer, outcome=outcome, training=training)
    closed = record.strayed(closed, "carers_stated") if stated != seen else closed
    return _end(_because(closed, moment), moment.at_s)


def _cancel(transfer: Transfer, moment: Moment) -> Transfer:
    outcome = moment.args.get("outcome", "aborted")
    return _end(_because(replace(transfer, outcome=outcome), moment), moment.at_s)


def _because(transfer: Transfer, moment: Moment) -> Transfer:
    reason, note = moment.args.get("reason", ""), moment.args.get("note", "").strip()
    return replace(transfer, reason=reason[:_REASON_CHARS], note=note[:_NOTE_CHARS])


def _end(transfer: Transfer, at_s: float) -> Transfer:
    pauses = tuple({"to_s": at_s, **item} for item in transfer.pauses)
    stays = tuple(
        msgspec.structs.replace(item, left_s=at_s) if item.left_s is None else item
        for item in transfer.presences
    )
    over = replace(transfer, pauses=pauses, presences=stays, paused=False)
    return record.stamped(over, "end", at_s, last=True)


EFFECTS: dict[Trigger, Effect] = {
    Trigger.LOAD_TAKEN: _taken,
    Trigger.LOAD_GONE: _gone,
    Trigger.LOOPS_OK: _loops,
    Trigger.CONSENT_YES: _consent,
    Trigger.CONSENT_NO: _refusal,
    Trigger.PAUSE: _pause,
    Trigger.RESUME: _resume,
    Trigger.CARER_JOINED: _join,
    Trigger.CARER_LEFT: _leave,
    Trigger.HELPER_CALLED: _call,
    Trigger.FINISH: _finish,
    Trigger.CANCEL: _cancel,
}


def invalid(trigger: Trigger, args: Mapping[str, str]) -> bool:
    """Are the answers of this action missing or out of range?"""
    if trigger is Trigger.FINISH:
        return args.get("outcome") not in STATED or whole(args, "carers") is None
    if trigger is Trigger.CANCEL:
        return args.get("outcome", "aborted") not in STATED[1:]
    return False


def apply(transfer: Transfer, trigger: Trigger, step: Step, moment: Moment) -> Transfer:
    """The transfer after `trigger` led to `step`."""
    effect = EFFECTS.get(trigger)
    after = replace(effect(transfer, moment) if effect else transfer, step=step)
    if trigger not in PHASES:
        return after
    name, last = PHASES[trigger]
    return record.stamped(after, name, moment.at_s, last)
