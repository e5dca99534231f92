"""What each order from the centre leads to, at most: a question in the room, or a report.

Role: from a verified document to outputs, pure. Process: support. Must never: do anything an order
asks for that a person in the room has to say yes to.
"""

from __future__ import annotations

import msgspec

from liftctl.ipc import GateState
from liftctl.remote import documents as d
from liftctl.remote.envelope import Verified, verify
from liftctl.remote.reasons import Refusal
from liftctl.setup.judge import judge
from liftctl.support import bundle, grants
from liftctl.support.clock import left_s
from liftctl.support.trial import answer
from liftctl.support.values import Asker, Offer, Tell, Work

MOST_SEEN = 4096  # orders remembered until they expire; a flood beyond that is refused


def arrived(work: Work, data: bytes) -> None:
    """Verify, remember, follow or refuse; never raises."""
    work.set(heard_s=work.now.boot_s)
    if not data:
        return
    try:
        verified = verify(data, work.config.trust, work.now.wall_s)
    except Refusal as refusal:
        _stranger(work, refusal)
        return
    order = verified.order
    if order.id in work.state.repeated:
        return  # a centre hands an order out until it has the answer
    bucket, within = work.state.orders.take(int(work.now.boot_s * 1e9))
    work.set(orders=bucket)
    if not within:  # not remembered: it may come again when there is room
        _stranger(work, Refusal("LC-REM-MANY"))
        return
    try:
        _once(work, order)
        _follow(work, verified)
        if not isinstance(order, d.Proposal):
            answer(work, order.id, "taken", "the room has it")
    except Refusal as refusal:
        work.record("order_refused", order=order.id, code=refusal.code)
        version = order.version if isinstance(order, d.Proposal) else 0
        answer(work, order.id, refusal.code, refusal.text, version)


def _stranger(work: Work, refusal: Refusal) -> None:
    """Nobody is known to have signed it; who goes on sending such must not fill the ledger."""
    state = work.state
    bucket, within = state.strangers.take(int(work.now.boot_s * 1e9))
    work.set(strangers=bucket, unheard=state.unheard + 1)
    if within:
        work.record("order_refused", code=refusal.code, times=str(state.unheard + 1))
        work.set(unheard=0)
        answer(work, "", refusal.code, refusal.text)


def _once(work: Work, order: d.Down) -> None:
    now_s = work.now.wall_s
    seen = {name: until for name, until in work.state.kept.seen.items() if until > now_s}
    if order.id in seen or len(seen) >= MOST_SEEN:
        work.set(repeated=work.state.repeated & seen.keys() | {order.id})
        raise Refusal("LC-REM-REPLAY")
    # A clock that is set back must not revive what a later order has already outlived; and no
    # signer's clock that is ahead may set ours ahead.
    floor_s = max(work.state.kept.floor_s, min(float(order.issued), now_s))
    work.keep(seen={**seen, order.id: order.expires}, floor_s=floor_s)


def _follow(work: Work, verified: Verified) -> None:
    order = verified.order
    match order:
        case d.Proposal():
            _proposal(work, verified, order)
        case d.SupportRequest():
            _asked(work, verified, order)
        case d.SupportEnd():
            end_grant(work, "ended by the technician")
        case d.LiveRequest():
            grant = granted(work, verified, "live")
            work.keep(grant=msgspec.structs.replace(grant, live=True))
            work.record("live_view", order=order.id)
        case d.BundleRequest():
            granted(work, verified, "bundle")
            _bundle(work, order)
        case d.GuideRequest():
            granted(work, verified, "guide")
            _guide(work, order)


def _asked(work: Work, verified: Verified, request: d.SupportRequest) -> None:
    """Wall and ledger name whom the site enrolled; what a request says of itself is only said."""
    signer = next(key for key in verified.signers if key.role == "support")
    work.keep(request=request, asker=Asker(signer.holder, signer.id))
    says = {} if request.who == signer.holder else {"says": request.who}
    work.record("support_asked", order=request.id, who=signer.holder, **says)


def _proposal(work: Work, verified: Verified, proposal: d.Proposal) -> None:
    state = work.state
    if work.config.fallback:
        raise Refusal("LC-REM-FALLBACK")
    confirmed = any(item.what == "setup" for item in state.awaited.values())
    if confirmed or state.change or (state.applied and state.applied.trial):
        raise Refusal("LC-REM-BUSY")
    made = judge(verified, proposal, state.site, state.kept.newest_version)
    people = tuple(key.holder for key in verified.signers)
    offer = Offer(proposal, people, made.hash)
    work.keep(newest_version=proposal.version, offer=offer)
    work.record(
        "setup_proposed", order=proposal.id, version=str(proposal.version), by=", ".join(people)
    )
    answer(work, proposal.id, "offered", "waits for somebody on site", proposal.version)


def granted(work: Work, verified: Verified, want: d.Want) -> grants.Grant:
    """The running grant, if it covers `want` and whoever signed has it; Refusal."""
    grant = work.state.kept.grant
    if grant is None or want not in grant.wants or left_s(grant.until, work.now) == 0:
        raise Refusal("LC-REM-GRANT")
    if grant.key not in {key.id for key in verified.signers}:
        raise Refusal("LC-REM-GRANT", "it was given to another key; ask for one of your own")
    return grant


def end_grant(work: Work, why: str) -> None:
    """The grant and everything that hung on it."""
    grant = work.state.kept.grant
    if grant is None:
        return
    end_guide(work)
    work.keep(grant=None)
    work.set(packed=None, packed_for="")
    work.record("support_ended", order=grant.request, why=why)
    answer(work, grant.request, "ended", why)


def _bundle(work: Work, order: d.BundleRequest) -> None:
    gate = msgspec.to_builtins(work.state.gate) if work.state.gate else {}
    try:
        packed = bundle.pack(work.state.site, gate)
    except ValueError as error:
        raise Refusal("LC-REM-SIZE", str(error)) from error
    except OSError as error:
        raise Refusal("LC-REM-DISK", str(error)) from error
    work.set(packed=packed, packed_for=order.id)
    work.record("bundle_asked", order=order.id, sha256=packed.sha256)


def _guide(work: Work, order: d.GuideRequest) -> None:
    name = grants.script(work.state.site.emergency_lowering.how, work.state.kept.overspeed)
    work.keep(guide=grants.begin(order.id, name))
    work.record("guide_begun", order=order.id, script=name)
    progress(work)


def progress(work: Work, ended: bool = False) -> None:
    """Tell the centre how far the room has come."""
    guide = work.state.kept.guide
    if guide is None:
        return
    work.out.append(
        Tell(
            d.GuideProgress(
                controller=work.config.trust.controller,
                at=int(work.now.wall_s),
                to=guide.order,
                script=guide.script,
                step=guide.step,
                of=guide.of,
                ended=ended,
            )
        )
    )


def end_guide(work: Work) -> None:
    """The script leaves the wall."""
    guide = work.state.kept.guide
    if guide is not None:
        progress(work, ended=True)
        work.keep(guide=None)
        work.record("guide_ended", order=guide.order, step=str(guide.step))


def heed_overspeed(work: Work, gate: GateState) -> None:
    """Remember it, for the time the gate says nothing; a script that began before it must not go
    on telling people to lower.
    """
    latched = tuple(sorted(grants.OVERSPEED.intersection(gate.latched)))
    if latched != work.state.kept.overspeed:
        work.keep(overspeed=latched)
    guide = work.state.kept.guide
    if guide is not None and grants.script(guide.script, latched) != guide.script:
        work.keep(guide=grants.begin(guide.order, "never"))
        work.record("guide_begun", order=guide.order, script="never")
        progress(work)
