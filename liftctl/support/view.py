"""What panel and desk are shown of support, and what a technician is shown of the room.

Role: pure. Process: support. Must never: show a technician more than the desk shows.
"""

from __future__ import annotations

from typing import Any

from config.schema import Site
from liftctl.desk.watch import Watch
from liftctl.ipc import ControllerState, GateState, SupportState
from liftctl.setup.changes import differences
from liftctl.support.clock import Now, left_s
from liftctl.support.idle import busy
from liftctl.support.values import State

Shown = dict[str, Any] | None


def picture(
    site: Site, gate: GateState, controller: ControllerState | None, now_ns: int
) -> dict[str, Any]:
    """The desk's own read-only view, without the title: it is free text, and may be a name."""
    watch = Watch(site)
    watch.take(gate)
    if controller is not None:
        watch.take(controller)
    shown = watch.view(now_ns, "en")
    for name in ("processes", "support", "support_refused"):  # it hears two of five
        del shown[name]
    del shown["site"]["title"]
    return shown


def state_message(state: State, now: Now, now_ns: int) -> SupportState:
    """For panel and desk."""
    heard = None if state.heard_s is None else now.boot_s - state.heard_s
    return SupportState(
        tick_ns=now_ns,
        request=_request(state),
        grant=_grant(state, now),
        bundle=_bundle(state),
        guide=_guide(state),
        proposal=_proposal(state),
        trial=_trial(state, now),
        idle=busy(state.site, state.gate, state.controller, now_ns),
        heard_s=heard,
    )


def _request(state: State) -> Shown:
    asked, asker = state.kept.request, state.kept.asker
    if asked is None or asker is None:
        return None
    wants = list(asked.wants)
    return {
        "id": asked.id,
        "who": asker.holder,
        "says": asked.who,
        "reason": asked.reason,
        "minutes": asked.minutes,
        "wants": wants,
    }


def _grant(state: State, now: Now) -> Shown:
    grant = state.kept.grant
    if grant is None:
        return None
    return {
        "who": grant.who,
        "wants": list(grant.wants),
        "live": grant.live,
        "left_s": int(left_s(grant.until, now)),
    }


def _bundle(state: State) -> Shown:
    packed = state.packed
    return None if packed is None else {"contents": packed.contents, "sha256": packed.sha256}


def _guide(state: State) -> Shown:
    guide = state.kept.guide
    return None if guide is None else {"script": guide.script, "step": guide.step, "of": guide.of}


def _proposal(state: State) -> Shown:
    offer = state.kept.offer
    if offer is None:
        return None
    proposal = offer.proposal
    return {
        "version": proposal.version,
        "by": list(offer.signers),
        "reason": proposal.reason,
        "healthy_min": proposal.healthy_min,
        "changes": [
            (item.key, item.before, item.after)
            for item in differences(state.site, proposal.changes)
        ],
        "running": state.change is not None,
    }


def _trial(state: State, now: Now) -> Shown:
    found = state.applied
    if found is None or found.trial is None:
        return None
    back = state.change is not None and bool(state.change.code)
    return {"version": found.version, "left_s": int(left_s(found.trial, now)), "back": back}
