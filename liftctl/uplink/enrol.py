"""Enrolment at a knowledge centre, and what an enrolled gateway says about itself.

Role: what `liftctl enrol site` and `liftctl uplink status` do. Process: a person's shell. Must
never: send anything but an enrolment, or take from the centre whom this site trusts.
"""

from __future__ import annotations

import re
from datetime import datetime

import httpx

from config.schema import Site
from liftctl.entry import Unusable
from liftctl.places import Places
from liftctl.remote import enrol as remote
from liftctl.uplink import protocol
from liftctl.uplink.protocol import Enrol, Enrolled, Refused
from liftctl.uplink.sender import client, post
from liftctl.uplink.shell import outboxes
from liftctl.uplink.state import Enrolment, Folder, Position, checked

NAME = re.compile(r"[a-z0-9-]{1,60}")  # as the centre itself asks for
TOKEN = re.compile(r"[A-Za-z0-9_-]{0,200}")


def enrol(site: Site, url: str, code: str) -> Enrolment:
    """Hand the centre this gateway's two public keys, keep what it answers: where rows are sent,
    and the token of the box for orders. Unusable with the reason and the remedy.
    """
    places, folder, address = Places(site.name), Folder.of(site.name), checked(url)
    key = folder.key()
    public, reports = (
        item.public_key().public_bytes_raw() for item in (key, remote.site_key(places))
    )
    try:
        asked = Enrol(code.strip(), public, site.kind, site.title, reports)
        answer = post(client(), address, key, asked)
    except (httpx.HTTPError, protocol.ProtocolError) as error:
        raise Unusable(f"{address} does not answer ({type(error).__name__}); check it") from error
    if isinstance(answer, Refused):
        raise Unusable(f"{answer.code}: {answer.why}")
    if not isinstance(answer, Enrolled):
        raise Unusable(f"{address} answered something else; is it a centre's ingest?")
    names = (answer.municipality, answer.home, answer.controller)
    if not all(NAME.fullmatch(name) for name in names) or not TOKEN.fullmatch(answer.token):
        raise Unusable(f"{address} answered with a name or token that is none; is it a centre?")
    found = Enrolment(address, answer.municipality, answer.home, answer.controller)
    if answer.token:
        remote.enrol(places, f"{found.municipality}.{found.controller}", address, answer.token)
    folder.keep(found)
    return found


def status(site: str, now: datetime) -> dict[str, object]:
    """Per chain: the last durable row and its age, what waits, what stands in the way."""
    folder = Folder.of(site)
    memory = folder.memory()
    chains = {}
    for box in outboxes(site):
        at = memory.positions.get(box.stream, Position())
        waiting = box.pending(at.seq)
        age_s = None
        if at.durable_utc:
            age_s = round((now - datetime.fromisoformat(at.durable_utc)).total_seconds())
        chains[box.stream] = {
            "durable_seq": at.seq,
            "durable_age_s": age_s,
            "waiting_rows": waiting.rows,
            "waiting_since": waiting.oldest_utc or None,
            "trouble": at.trouble or None,
            "set_aside": [{"seq": seq, "why": why} for seq, why in at.set_aside],
        }
    return {"enrolled": folder.enrolled, "chains": chains}
