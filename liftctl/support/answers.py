"""What a person in the room says: yes, no, done, next. Each by name, each recorded.

Role: from a step on the panel to outputs, pure. Process: support. Must never: act on a yes before
the ledger has it, or take a yes for something that is no longer asked.
"""

from __future__ import annotations

from collections.abc import Callable

from liftctl.ipc import Written
from liftctl.remote import documents as d
from liftctl.support import grants, orders, trial
from liftctl.support.clock import after, left_s
from liftctl.support.idle import busy
from liftctl.support.trial import answer
from liftctl.support.values import Asked, Awaited, Tell, Work

LEDGER_S = 5.0  # patience for an entry to become durable
Step = Callable[[Work, Asked, str], str]


def asked(work: Work, said: Asked) -> None:
    """Take the step, or say why not."""
    args, action = said.workflow.args, said.workflow.action
    step = ACTIONS.get(action)
    name = args.get("name", "").strip()
    if step is None:
        work.refuse(said, "LC-REM-STEP")
    elif action in NAMED and len(name) < 2:
        work.refuse(said, "LC-REM-NAME")
    elif code := step(work, said, name):
        work.refuse(said, code)


def _await(
    work: Work, said: Asked, what: str, order: str, record: str, grant: grants.Grant | None = None
) -> str:
    waiting = Awaited(what, order, work.now.boot_s, said.channel, said.workflow, grant)
    work.set(awaited={**work.state.awaited, record: waiting})
    return ""


def _where(said: Asked | Awaited) -> str:
    """panel or desk."""
    return said.workflow.station.partition(":")[0]


def _support_yes(work: Work, said: Asked, name: str) -> str:
    request, asker = work.state.kept.request, work.state.kept.asker
    if request is None or asker is None or request.expires <= work.now.wall_s:
        return "LC-REM-STEP"
    if said.workflow.args.get("order", "") != request.id:
        return "LC-REM-STEP"  # another came while this one was on the wall
    minutes = grants.minutes(request, said.workflow.args.get("minutes", ""))
    if not minutes:
        return "LC-REM-STEP"
    if not work.state.recorder_up:
        return "LC-REM-RECORDER"
    until = after(work.now, minutes * 60)
    grant = grants.grant(request, asker.holder, asker.key, name, until)
    told = {"who": asker.holder, "minutes": str(minutes), "at": _where(said)}
    record = work.record("support_granted", order=request.id, name=name, **told)
    return _await(work, said, "grant", request.id, record, grant)


def _support_no(work: Work, said: Asked, name: str) -> str:
    request = work.state.kept.request
    if request is None or said.workflow.args.get("order", request.id) != request.id:
        return "LC-REM-STEP"
    work.keep(request=None)
    work.record("support_refused", order=request.id, name=name)
    answer(work, request.id, "LC-REM-REFUSED")
    return ""


def _support_end(work: Work, said: Asked, name: str) -> str:
    if work.state.kept.grant is None:
        return "LC-REM-STEP"
    orders.end_grant(work, f"ended at the {_where(said)}")
    return ""


def _bundle_yes(work: Work, said: Asked, name: str) -> str:
    packed = work.state.packed
    if packed is None or said.workflow.args.get("sha256", "") != packed.sha256:
        return "LC-REM-STEP"
    if not work.state.recorder_up:
        return "LC-REM-RECORDER"
    order = work.state.packed_for
    record = work.record(
        "bundle_sent", order=order, name=name, sha256=packed.sha256, at=_where(said)
    )
    return _await(work, said, "bundle", order, record)


def _bundle_no(work: Work, said: Asked, name: str) -> str:
    packed = work.state.packed
    if packed is None or said.workflow.args.get("sha256", packed.sha256) != packed.sha256:
        return "LC-REM-STEP"
    order = work.state.packed_for
    work.set(packed=None, packed_for="")
    work.record("bundle_refused", order=order, name=name)
    answer(work, order, "LC-REM-REFUSED")
    return ""


def _guide_step(work: Work, said: Asked, name: str) -> str:
    guide = work.state.kept.guide
    if guide is None:
        return "LC-REM-STEP"
    moved = grants.turn_page(guide, "back" if said.workflow.action == "guide_back" else "next")
    if moved is None:
        orders.end_guide(work)
        return ""
    work.keep(guide=moved)
    work.record("guide_step", order=guide.order, step=str(moved.step))
    orders.progress(work)
    return ""


def _guide_end(work: Work, said: Asked, name: str) -> str:
    if work.state.kept.guide is None:
        return "LC-REM-STEP"
    orders.end_guide(work)
    return ""


def _setup_yes(work: Work, said: Asked, name: str) -> str:
    state, offer = work.state, work.state.kept.offer
    if (
        offer is None
        or state.change
        or str(offer.proposal.version) != said.workflow.args.get("version", "")
    ):
        return "LC-REM-STEP"
    if offer.proposal.expires <= work.now.wall_s:
        return "LC-REM-EXPIRED"
    if offer.proposal.base != state.site.hash:
        return "LC-REM-BASE"
    if code := busy(state.site, state.gate, state.controller, work.now_ns):
        return code
    if not state.recorder_up:
        return "LC-REM-RECORDER"
    version = str(offer.proposal.version)
    record = work.record("setup_confirmed", order=offer.proposal.id, name=name, version=version)
    return _await(work, said, "setup", offer.proposal.id, record)


def _setup_no(work: Work, said: Asked, name: str) -> str:
    offer = work.state.kept.offer
    if offer is None or work.state.change:
        return "LC-REM-STEP"
    work.keep(offer=None)
    version = offer.proposal.version
    work.record("setup_refused", order=offer.proposal.id, name=name, version=str(version))
    answer(work, offer.proposal.id, "LC-REM-REFUSED", version=version)
    return ""


def _setup_good(work: Work, said: Asked, name: str) -> str:
    found = work.state.applied
    if found is None or not trial.on_trial(work):
        return "LC-REM-STEP"
    if not work.state.recorder_up:
        return "LC-REM-RECORDER"
    record = work.record("setup_found_good", name=name, version=str(found.version))
    return _await(work, said, "good", "", record)


def _setup_bad(work: Work, said: Asked, name: str) -> str:
    found = work.state.applied
    if found is None or not trial.on_trial(work):
        return "LC-REM-STEP"
    work.record("setup_found_bad", name=name, version=str(found.version))
    trial.take_back(work, "LC-REM-REFUSED")
    return ""


ACTIONS: dict[str, Step] = {
    "support_yes": _support_yes,
    "support_no": _support_no,
    "support_end": _support_end,
    "bundle_yes": _bundle_yes,
    "bundle_no": _bundle_no,
    "guide_next": _guide_step,
    "guide_back": _guide_step,
    "guide_end": _guide_end,
    "setup_yes": _setup_yes,
    "setup_no": _setup_no,
    "setup_good": _setup_good,
    "setup_bad": _setup_bad,
}
# What needs nobody beside the lift. Settings and the way down do: those are the room's alone.
FROM_OFFICE = frozenset({"support_yes", "support_no", "support_end", "bundle_yes", "bundle_no"})
NAMED = frozenset({"support_yes", "bundle_yes", "setup_yes", "setup_good"})


def written(work: Work, said: Written) -> None:
    """The ledger has it: now it may be done, and the centre may know."""
    trails, awaited = dict(work.state.trails), dict(work.state.awaited)
    record, waiting = trails.pop(said.id, None), awaited.pop(said.id, None)
    work.set(trails=trails, awaited=awaited)
    if record is not None:
        nameless = {key: text for key, text in record.detail.items() if key not in ("name", "by")}
        work.out.append(
            Tell(
                d.Trail(
                    controller=work.config.trust.controller,
                    at=int(work.now.wall_s),
                    event=record.event,
                    detail=nameless,
                    seq=said.seq,
                )
            )
        )
    if waiting is not None:
        _do(work, waiting)


def _do(work: Work, waiting: Awaited) -> None:
    """A no that came before the ledger's word took the question off the wall: then nothing."""
    kept, order = work.state.kept, waiting.order
    if waiting.what == "grant" and kept.request and kept.request.id == order:
        _grant(work, waiting)
    elif waiting.what == "bundle" and work.state.packed_for == order:
        _send_bundle(work)
    elif waiting.what == "setup" and kept.offer and kept.offer.proposal.id == order:
        if not work.state.change:
            trial.enter(work, kept.offer)
    elif waiting.what == "good":
        trial.keep_it(work, Asked(waiting.channel, waiting.workflow))


def _grant(work: Work, waiting: Awaited) -> None:
    if waiting.grant and left_s(waiting.grant.until, work.now):
        before = work.state.kept.grant
        if before and before.key != waiting.grant.key:
            orders.end_grant(work, "somebody else has the room's grant now")
        work.keep(request=None, grant=waiting.grant)
        answer(work, waiting.order, "granted", f"granted at the {_where(waiting)}")


def _send_bundle(work: Work) -> None:
    packed = work.state.packed
    if packed is None or work.state.kept.grant is None:
        return
    work.out.append(
        Tell(
            d.Bundle(
                controller=work.config.trust.controller,
                at=int(work.now.wall_s),
                to=work.state.packed_for,
                sha256=packed.sha256,
                contents=packed.contents,
                data=packed.data,
            )
        )
    )
    work.set(packed=None, packed_for="")


def overdue(work: Work) -> None:
    """A yes the ledger did not take in time is no yes."""
    for record, waiting in tuple(work.state.awaited.items()):
        if work.now.boot_s - waiting.since_s > LEDGER_S:
            awaited = {key: item for key, item in work.state.awaited.items() if key != record}
            work.set(awaited=awaited)
            work.refuse(Asked(waiting.channel, waiting.workflow), "LC-REM-RECORDER")
