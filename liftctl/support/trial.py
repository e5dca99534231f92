"""A configuration on its way in, on trial, kept or taken back.

Role: the steps between "yes" on site and "good" on site, pure. Process: support. Must never: write
while a gate runs, keep what nobody found good, or be in a hurry while somebody hangs.

The order: the gate, asked to, ends itself at standstill; with its lock held the file is exchanged;
the gate that starts next has the new numbers. Each moment leaves the old file or the new one.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from config.schema import ConfigError, Site
from liftctl.ipc import GateState, StandDown, StoodDown
from liftctl.remote.documents import Answer
from liftctl.remote.reasons import REASONS
from liftctl.setup.applied import Applied
from liftctl.setup.changes import changed
from liftctl.support.clock import after, left_s
from liftctl.support.idle import busy
from liftctl.support.values import Asked, Change, Keeping, Offer, Tell, Work, Write, Wrote

ASK_S = 1.0  # between two requests to stand down
GIVE_UP_S = 20.0  # on the way in; the way back is tried for as long as it takes
START_S = 30.0  # for the gate to come back with the new numbers


def answer(work: Work, to: str, code: str, text: str = "", version: int = 0) -> None:
    """Tell the centre what became of an order; the code's own sentence unless `text` says more."""
    name, text = work.config.trust.controller, text or REASONS[code]
    at = int(work.now.wall_s)
    work.out.append(
        Tell(Answer(controller=name, at=at, to=to, code=code, text=text, version=version))
    )


def enter(work: Work, offer: Offer) -> None:
    """Somebody on site said yes, and the ledger has it: begin."""
    found, proposal, file = work.state.applied, offer.proposal, work.config.file
    before = found if found and found.base == file.hash else Applied(file.hash, 0, {})
    wanted = Applied(
        base=file.hash,
        version=proposal.version,
        changes={**before.changes, **proposal.changes},
        good_version=before.version,
        last_good=before.changes,
        trial=after(work.now, proposal.healthy_min * 60),
    )
    work.set(change=Change(wanted, work.now.boot_s, to=proposal.id))


def keep_it(work: Work, said: Asked) -> None:
    """Somebody on site found it good, and the ledger has it: write it down."""
    found = work.state.applied
    if found and on_trial(work) and _taken(work):
        kept = msgspec.structs.replace(found, trial=None, good_version=0, last_good={})
        work.out.append(Write(kept, between=False))
        work.set(keeping=Keeping(kept, said))


def on_trial(work: Work) -> bool:
    """May somebody find it good, or not; neither is on its way yet."""
    found, state = work.state.applied, work.state
    return bool(found and found.trial and not state.change and not state.keeping)


def _kept(work: Work, keeping: Keeping, why: str) -> None:
    """Good only where it is on disk: otherwise the trial goes on, and it may be said again."""
    work.set(keeping=None)
    kept, version = keeping.wanted, str(keeping.wanted.version)
    if why:
        work.refuse(keeping.said, "LC-REM-DISK")
        work.record("setup_not_kept", version=version, why="LC-REM-DISK")
        answer(work, "", "LC-REM-DISK", version=kept.version)
        return
    work.set(applied=kept)
    work.record("setup_kept", version=version, hash=work.state.site.hash)
    answer(work, "", "good", "found good on site", kept.version)


def take_back(work: Work, code: str) -> None:
    """The last good one again, as soon as nothing moves and nobody hangs."""
    found = work.state.applied
    if found is None or not on_trial(work):
        return
    good = Applied(found.base, found.good_version, found.last_good)
    work.record("setup_returning", version=str(found.version), why=code)
    work.set(change=Change(good, work.now.boot_s, code=code))


def watch(work: Work) -> None:
    """At every turn: go on with a change, look after a trial."""
    if work.state.change:
        _go_on(work, work.state.change)
        return
    found = work.state.applied
    if found is None or found.trial is None or work.state.keeping:
        return
    if left_s(found.trial, work.now) == 0:
        take_back(work, "LC-REM-UNHEALTHY")
    elif work.now.boot_s - work.state.tried_s > START_S and not _taken(work):
        take_back(work, "LC-REM-GATE")


def _taken(work: Work) -> bool:
    """The gate runs what is on trial."""
    gate = work.state.gate
    return bool(gate and gate.config_hash == work.state.site.hash and not gate.config_fallback)


def _go_on(work: Work, change: Change) -> None:
    if change.writing:
        return
    if not work.state.gate_up:
        work.set(change=replace(change, writing=True))
        work.out.append(Write(change.wanted, between=True))
        return
    if not change.code and work.now.boot_s - change.since_s > GIVE_UP_S:
        _abandon(work, change, "LC-REM-IDLE")
    elif work.now.boot_s - change.asked_s >= ASK_S:
        state = work.state
        if not busy(state.site, state.gate, state.controller, work.now_ns) or change.code:
            work.out.append(StandDown())
        work.set(change=replace(change, asked_s=work.now.boot_s))


def stood_down(work: Work, said: StoodDown) -> None:
    """The gate goes, or says why not."""
    change = work.state.change
    if change and said.why and not change.code:
        _abandon(work, change, "LC-REM-IDLE")


def wrote(work: Work, said: Wrote) -> None:
    """The file is exchanged, or was not touched."""
    if work.state.keeping:
        _kept(work, work.state.keeping, said.why)
        return
    change = work.state.change
    if change is None or not change.writing:
        return
    if said.why == "running":
        work.set(change=replace(change, writing=False))
        return
    if said.why:
        if change.code:
            work.set(change=replace(change, writing=False, asked_s=work.now.boot_s))
        else:
            _abandon(work, change, "LC-REM-DISK")
        return
    work.set(
        change=None,
        applied=change.wanted,
        site=site_of(work, change.wanted),
        tried_s=work.now.boot_s,
        gate=None,
    )
    work.keep(offer=None)
    version, digest = str(change.wanted.version), work.state.site.hash
    if change.code:
        work.record("setup_returned", version=version, hash=digest, why=change.code)
        answer(work, change.to, change.code, version=change.wanted.version)
    else:
        work.record("setup_applied", version=version, hash=digest)
        answer(work, change.to, "trial", "in force, on trial", change.wanted.version)


def site_of(work: Work, applied: Applied) -> Site:
    """The site in force with `applied`; the file's own when it is for another file."""
    file = work.config.file
    try:
        return changed(file, applied.changes) if applied.base == file.hash else file
    except ConfigError:
        return file


def _abandon(work: Work, change: Change, code: str) -> None:
    """Nothing was changed; the offer stays, somebody may say yes again."""
    work.set(change=None)
    work.record("setup_not_taken", version=str(change.wanted.version), why=code)
    answer(work, change.to, code, version=change.wanted.version)


def gate_seen(work: Work, gate: GateState) -> None:
    """A gate that fell back cannot use it: no need to wait."""
    found = work.state.applied
    if found and found.trial and gate.config_fallback:
        take_back(work, "LC-REM-GATE")
