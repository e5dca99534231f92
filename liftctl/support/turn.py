"""One turn of the support process.

Role: `turn(config, state, now, inputs) -> (state, outputs)`, pure apart from the bundle's own
reading. Process: support (and tests). Must never: put out anything that is an input of the gate's
turn or of the controller's; the one word to the gate asks it to end at standstill.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import msgspec

from liftctl.ipc import ControllerState, GateState, StoodDown, Written
from liftctl.remote.documents import Live, Reported
from liftctl.setup.applied import Applied
from liftctl.support import answers, orders, trial
from liftctl.support.clock import Now, left_s
from liftctl.support.values import (
    Arrived,
    Asked,
    Config,
    Input,
    Kept,
    Link,
    Output,
    State,
    Tell,
    Work,
    Wrote,
)
from liftctl.support.view import picture

LIVE_S = 1.0
REPORT_S = 60.0
MOST_TRAILS = 1024


def start(config: Config, kept: Kept, applied: Applied | None, now: Now) -> State:
    """What the process begins with; what is for another file is not in force."""
    ours = applied if applied and applied.base == config.file.hash else None
    if kept.request and kept.asker is None:  # an older version's: nobody knows who signed it
        kept = msgspec.structs.replace(kept, request=None)
    state = State(site=config.file, kept=kept, applied=ours, tried_s=now.boot_s)
    if ours is None:
        return state
    if kept.offer and kept.offer.proposal.version == ours.version:  # killed between two files
        kept = msgspec.structs.replace(kept, offer=None)
        state = replace(state, kept=kept)
    work = Work(config, state, now, 0, "")
    work.set(site=trial.site_of(work, ours))
    return work.state


def turn(
    config: Config, state: State, now: Now, now_ns: int, fresh_id: str, inputs: Iterable[Input]
) -> tuple[State, list[Output]]:
    """Take the inputs in order, then see what has come to its end; call it every second."""
    work = Work(config, state, now, now_ns, fresh_id)
    for item in inputs:
        _take(work, item)
    _settle(work)
    return work.state, work.out


def _take(work: Work, item: Input) -> None:
    match item:
        case Arrived():
            orders.arrived(work, item.data)
        case Asked():
            answers.asked(work, item)
        case Written():
            answers.written(work, item)
        case GateState():
            work.set(gate=item)
            trial.gate_seen(work, item)
            orders.heed_overspeed(work, item)
        case ControllerState():
            work.set(controller=item)
        case StoodDown():
            trial.stood_down(work, item)
        case Wrote():
            trial.wrote(work, item)
        case Link():
            _link(work, item)


def _link(work: Work, link: Link) -> None:
    if link.name == "gate":
        work.set(gate_up=link.up, gate=None)
    elif link.name == "controller":
        work.set(controller=None)
    else:
        work.set(recorder_up=link.up)


def _settle(work: Work) -> None:
    answers.overdue(work)
    _expire(work)
    trial.watch(work)
    _live(work)
    _report(work)
    if len(work.state.trails) > MOST_TRAILS:  # a recorder that never answers
        work.set(trails=dict(list(work.state.trails.items())[-MOST_TRAILS:]))


def _expire(work: Work) -> None:
    kept = work.state.kept
    if kept.grant and left_s(kept.grant.until, work.now) == 0:
        orders.end_grant(work, "its time was over")
    if kept.request and kept.request.expires <= work.now.wall_s:
        work.keep(request=None)
        work.record("support_unanswered", order=kept.request.id)
    if kept.offer and kept.offer.proposal.expires <= work.now.wall_s and not work.state.change:
        work.keep(offer=None)
        proposal = kept.offer.proposal
        work.record("setup_unanswered", order=proposal.id, version=str(proposal.version))
        trial.answer(work, proposal.id, "LC-REM-EXPIRED", version=proposal.version)


def _live(work: Work) -> None:
    state = work.state
    if not state.kept.grant or not state.kept.grant.live or not state.gate:
        return
    if work.now.boot_s - state.live_s < LIVE_S:
        return
    work.set(live_s=work.now.boot_s)
    name, at = work.config.trust.controller, int(work.now.wall_s)
    shown = picture(state.site, state.gate, state.controller, work.now_ns)
    work.out.append(Tell(Live(controller=name, at=at, picture=shown), lasting=False))


def _report(work: Work) -> None:
    """The twin's other half: when it changes, and now and then."""
    state, gate = work.state, work.state.gate
    applied = state.applied
    said = Reported(
        controller=work.config.trust.controller,
        at=0,
        config_hash=gate.config_hash if gate else state.site.hash,
        config_version=applied.version if applied else 0,
        trial=bool(applied and applied.trial),
        fallback=gate.config_fallback if gate else work.config.fallback,
        software=work.config.version,
        kind=state.site.kind,
        granted=state.kept.grant is not None,
    )
    told = repr(said)
    if told == state.told and work.now.boot_s - state.reported_s < REPORT_S:
        return
    work.set(told=told, reported_s=work.now.boot_s)
    at = int(work.now.wall_s)
    said = msgspec.structs.replace(said, at=at)
    work.out.append(Tell(said, lasting=told != state.told))
