"""`liftctl enrol ...` on site, `liftctl order ...` at the centre.

Role: command functions for liftctl.cli. Process: a person's shell. Must never: send anything, or
sign for two people at once.
"""

from __future__ import annotations

import json
import secrets
import time
from pathlib import Path
from typing import Annotated, Any, get_args

import msgspec
import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from config.schema import ConfigError, load
from liftctl.entry import Unusable
from liftctl.files import replace_file
from liftctl.places import Places
from liftctl.remote import documents as d
from liftctl.remote import enrol as enrolment
from liftctl.remote.envelope import LONGEST_S, Role, add, encode, key_id, open_envelope, sign
from liftctl.remote.reasons import Refusal
from liftctl.setup.changes import PROPOSABLE, Value

enrol_app = typer.Typer(no_args_is_help=True, help="On site: whose word from afar counts here.")
order_app = typer.Typer(no_args_is_help=True, help="At the centre: write and sign an order.")
SiteOption = Annotated[Path, typer.Option("--site", help="the site's TOML file")]
KeyOption = Annotated[Path, typer.Option("--key", help="your private key (`order key` makes one)")]
OutOption = Annotated[Path, typer.Option("--out", help="the signed envelope")]
DAYS = 365
Plain = d.SupportEnd | d.LiveRequest | d.BundleRequest | d.GuideRequest
KINDS: dict[str, type[Plain]] = {
    "end": d.SupportEnd,
    "live": d.LiveRequest,
    "bundle": d.BundleRequest,
    "guide": d.GuideRequest,
}


def _fail(text: str) -> typer.Exit:
    typer.echo(f"liftctl: {text}", err=True)
    return typer.Exit(2)


def _places(site: Path) -> Places:
    try:
        return Places(load(site).name)
    except ConfigError as error:
        raise _fail(str(error)) from error


@enrol_app.command("site")
def site_command(
    site: SiteOption,
    centre: Annotated[str, typer.Option(help="the centre's address, https://...")],
    code: Annotated[str, typer.Option(help="the one-time code", prompt=True, hide_input=True)],
    trust: Annotated[
        list[str] | None, typer.Option(help="ROLE:HEX:HOLDER, may be repeated")
    ] = None,
) -> None:
    """Enrol at a knowledge centre: its one-time code sets up all that is sent and fetched.

    Whose word counts here is said here, never by the centre: --trust, or `enrol key` later.
    """
    from liftctl.uplink.enrol import enrol  # an HTTP client: no other command waits for it

    try:
        words = [item.split(":", 2) for item in trust or ()]
        people = [_person(item) for item in words]  # before the code is used up
        found = enrol(load(site), centre, code)
        for role, public, holder in people:
            enrolment.trust_key(_places(site), public, role, holder, DAYS)
    except (ConfigError, Unusable, OSError) as error:
        raise _fail(str(error)) from error
    typer.echo(f"enrolled as {found.municipality} / {found.home} / {found.controller}")
    typer.echo(f"{len(people)} people's keys are trusted; restart this room's processes", err=True)


def _person(words: list[str]) -> tuple[str, str, str]:
    if len(words) != 3:
        raise Unusable(f"--trust {':'.join(words)}: write ROLE:HEX:HOLDER")
    role, public, holder = words
    enrolment.person(public, role, holder, DAYS)
    return role, public, holder


@enrol_app.command("office")
def office_command(
    site: SiteOption,
    centre: Annotated[str, typer.Option(help="https address of the office")],
    controller: Annotated[str, typer.Option(help="this site's name there")],
    token_file: Annotated[Path | None, typer.Option(help="the token the office gave")] = None,
) -> None:
    """Without a knowledge centre: an office that only hands out orders and keeps reports.

    Prints the key that reports are signed with.
    """
    places = _places(site)
    try:
        token = token_file.read_text(encoding="utf-8") if token_file else ""
        enrolment.enrol(places, controller, centre, token)
        public = enrolment.site_key(places).public_key().public_bytes_raw().hex()
    except (Unusable, OSError) as error:
        raise _fail(str(error)) from error
    typer.echo(f"enrolled as {controller}; reports are signed with {public}")


@enrol_app.command("key")
def key_command(
    site: SiteOption,
    public: Annotated[str, typer.Option(help="64 hex digits")],
    role: Annotated[str, typer.Option(help="support, configurator or safety")],
    holder: Annotated[str, typer.Option(help="whose key it is")],
    days: Annotated[int, typer.Option(min=1, max=1826)] = DAYS,
) -> None:
    """Trust one person's key in one role, for a time."""
    try:
        key = enrolment.trust_key(_places(site), public, role, holder, days)
    except (Unusable, OSError) as error:
        raise _fail(str(error)) from error
    typer.echo(f"{key.id} ({key.role}, {key.holder}) is trusted for {days} days")


@enrol_app.command("forget")
def forget_command(
    site: SiteOption, key: Annotated[str, typer.Option(help="its 16 hex digits")]
) -> None:
    """Trust a key no longer."""
    try:
        count = enrolment.forget_key(_places(site), key)
    except (Unusable, OSError) as error:
        raise _fail(str(error)) from error
    if not count:
        raise _fail(f"no key {key} is trusted here")
    typer.echo(f"{key} is forgotten")


@enrol_app.command("list")
def list_command(site: SiteOption) -> None:
    """Who is trusted here."""
    try:
        trust = enrolment.read_trust(_places(site))
    except Unusable as error:
        raise _fail(str(error)) from error
    typer.echo(f"{trust.controller} at {trust.centre or 'no centre'}")
    for key in trust.keys:
        until = time.strftime("%Y-%m-%d", time.gmtime(key.until))
        typer.echo(f"  {key.id}  {key.role:12} until {until}  {key.holder}")


@order_app.command("key")
def new_key_command(out: OutOption) -> None:
    """Make a private key for yourself; prints the public one, to be enrolled on site."""
    if out.exists():
        raise _fail(f"{out} exists; a key is not written over")
    fresh = Ed25519PrivateKey.generate()
    replace_file(out, fresh.private_bytes_raw())
    public = fresh.public_key().public_bytes_raw()
    typer.echo(f"{public.hex()}  ({key_id(public)})")


@order_app.command("propose")
def propose_command(
    controller: Annotated[str, typer.Option(help="the one site it is for")],
    base: Annotated[str, typer.Option(help="hash of the configuration in force there")],
    version: Annotated[int, typer.Option(help="higher than every one before")],
    change: Annotated[list[str], typer.Option("--set", help="KEY=VALUE, VALUE as JSON")],
    by: Annotated[str, typer.Option(help="your name")],
    reason: Annotated[str, typer.Option(help="what for; the room reads it")],
    key: KeyOption,
    out: OutOption,
    days: Annotated[int, typer.Option(min=1, max=30)] = 7,
    healthy_min: Annotated[int, typer.Option(min=2, max=1440)] = 30,
) -> None:
    """Propose a configuration. Numbers that touch safety need `order approve` by somebody else."""
    order = d.Proposal(
        **_head(controller, days * 86_400),
        version=version,
        base=base,
        changes=_changes(change),
        by=by,
        reason=reason,
        healthy_min=healthy_min,
    )
    _write(order, "configurator", key, out)


@order_app.command("approve")
def approve_command(
    file: Annotated[Path, typer.Argument(help="the envelope to answer for")],
    key: KeyOption,
    out: OutOption,
) -> None:
    """Add the second person's signature, in the role `safety`."""
    try:
        replace_file(out, add(file.read_bytes(), "safety", _private(key)))
    except (Refusal, OSError) as error:
        raise _fail(str(error)) from error
    typer.echo(f"{out}: signed twice")


@order_app.command("ask")
def ask_command(
    what: Annotated[str, typer.Argument(help="support, live, bundle, guide or end")],
    controller: Annotated[str, typer.Option(help="the one site it is for")],
    key: KeyOption,
    out: OutOption,
    who: Annotated[str, typer.Option(help="your name (support)")] = "",
    reason: Annotated[str, typer.Option(help="what for (support)")] = "",
    minutes: Annotated[int, typer.Option(min=5, max=240)] = 60,
) -> None:
    """Ask a room for a grant, or for something the grant covers."""
    head = _head(controller, 3600)
    if what == "support":
        wants: tuple[d.Want, ...] = get_args(d.Want)
        order: d.Down = d.SupportRequest(
            **head, who=who, reason=reason, minutes=minutes, wants=wants
        )
    elif what in KINDS:
        order = KINDS[what](**head)
    else:
        raise _fail(f"'{what}' is unknown; use support, {', '.join(KINDS)}")
    _write(order, "support", key, out)


@order_app.command("show")
def show_command(file: Annotated[Path, typer.Argument(help="an envelope")]) -> None:
    """What it says and who signed it. Checks no signature: only a site's trust can."""
    try:
        envelope = open_envelope(file.read_bytes())
        typer.echo(json.dumps(json.loads(envelope.body), indent=2))
    except (Refusal, OSError, ValueError) as error:
        raise _fail(str(error)) from error
    for item in envelope.signatures:
        typer.echo(f"signed by {item.key} as {item.role}")


def _head(controller: str, lasts_s: int) -> dict[str, Any]:
    now_s = time.time_ns() // 10**9
    lasts_s = min(lasts_s, LONGEST_S["proposal"])
    return {
        "controller": controller,
        "id": secrets.token_hex(12),
        "issued": now_s,
        "expires": now_s + lasts_s,
    }


def _changes(items: list[str]) -> dict[str, Value]:
    found = {}
    for item in items:
        name, _, text = item.partition("=")
        if name not in PROPOSABLE:
            raise _fail(f"'{name}' is not changed from afar; do it on site")
        try:
            found[name] = msgspec.json.decode(text, type=Value)
        except ValueError as error:
            raise _fail(f"{item}: {error}; write the value as JSON") from error
    return found


def _private(key: Path) -> Ed25519PrivateKey:
    try:
        return Ed25519PrivateKey.from_private_bytes(key.read_bytes())
    except (OSError, ValueError) as error:
        raise _fail(f"{key}: {error}; make one with 'liftctl order key'") from error


def _write(order: d.Down, role: Role, key: Path, out: Path) -> None:
    try:
        d.read_down(encode(order))  # said here, not only where it is refused
        replace_file(out, sign(encode(order), [(role, _private(key))]))
    except (ValueError, OSError) as error:
        raise _fail(str(error)) from error
    typer.echo(f"{out}: {order.id}")
