"""The closed list of what travels between a site and its centre. Nothing else is read by either.

Role: the one vocabulary of the remote protocol. Process: support, remote, centre. Must never: hold
a document that moves, permits, resets, releases, confirms or plans anything. What a person must
confirm is confirmed by a person who stands in the room, and no document can say it for them.

Times are seconds since 1970 (UTC). `controller` names the one site a document is for.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from liftctl.setup.changes import Value

Name = Annotated[str, Meta(min_length=1, max_length=80)]
Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{8,64}\Z")]
IdOrNone = Annotated[str, Meta(pattern=r"^([A-Za-z0-9_-]{8,64})?\Z")]
Moment = Annotated[int, Meta(ge=0, le=2**40)]
Count = Annotated[int, Meta(ge=0, le=2**31)]
Want = Literal["live", "bundle", "guide"]


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    """Base. Down: `expires` is when it stops counting, `issued` when it was signed."""

    controller: Name


class Order(Document, frozen=True, kw_only=True):
    """Base of what comes from the centre; each `id` counts once."""

    id: Id
    issued: Moment
    expires: Moment


# --- from the centre ------------------------------------------------------------------------------


class Proposal(Order, frozen=True, kw_only=True, tag="proposal"):
    """A desired configuration: `changes` to the one whose hash is `base`.

    `version` counts up for ever. `healthy_min`: minutes in which somebody on site has to find it
    good, or the last good one comes back.
    """

    version: Annotated[int, Meta(ge=1, le=2**31)]
    base: Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z")]
    changes: Annotated[dict[Name, Value], Meta(min_length=1, max_length=64)]
    by: Name
    reason: Annotated[str, Meta(min_length=3, max_length=500)]
    healthy_min: Annotated[int, Meta(ge=2, le=1440)] = 30


class SupportRequest(Order, frozen=True, kw_only=True, tag="support_request"):
    """A technician asks for a grant; the room gives it or does not."""

    who: Name
    reason: Annotated[str, Meta(min_length=3, max_length=500)]
    minutes: Annotated[int, Meta(ge=5, le=240)] = 60
    wants: Annotated[tuple[Want, ...], Meta(min_length=1, max_length=3)] = ("live",)


class SupportEnd(Order, frozen=True, kw_only=True, tag="support_end"):
    """The technician has finished."""


class LiveRequest(Order, frozen=True, kw_only=True, tag="live_request"):
    """Under a grant: the same read-only state the desk shows, once a second."""


class BundleRequest(Order, frozen=True, kw_only=True, tag="bundle_request"):
    """Under a grant: a log bundle. The room sees its contents first and says yes or no."""


class GuideRequest(Order, frozen=True, kw_only=True, tag="guide_request"):
    """Under a grant: show the room its own emergency-lowering script, step by step."""


Down = Proposal | SupportRequest | SupportEnd | LiveRequest | BundleRequest | GuideRequest


# --- to the centre --------------------------------------------------------------------------------


class Reported(Document, frozen=True, kw_only=True, tag="reported"):
    """What is so (the twin's other half)."""

    at: Moment
    config_hash: str
    config_version: Count
    trial: bool
    fallback: bool
    software: str
    kind: str
    granted: bool


class Answer(Document, frozen=True, kw_only=True, tag="answer"):
    """What became of the order `to`: a stable code and its sentence. `version` of a proposal."""

    at: Moment
    to: IdOrNone
    code: Name
    text: Annotated[str, Meta(max_length=2000)]
    version: Count = 0


class Live(Document, frozen=True, kw_only=True, tag="live"):
    """The desk's picture at `at`."""

    at: Moment
    picture: dict[str, Any]


class Bundle(Document, frozen=True, kw_only=True, tag="bundle"):
    """A zip archive, its SHA-256 (in the ledger of the site, too) and what is in it."""

    at: Moment
    to: IdOrNone
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    contents: tuple[tuple[str, int], ...]
    data: bytes


class GuideProgress(Document, frozen=True, kw_only=True, tag="guide_progress"):
    """How far somebody in the room has come; nothing here can be answered with a step."""

    at: Moment
    to: IdOrNone
    script: str
    step: Count
    of: Count
    ended: bool


class Trail(Document, frozen=True, kw_only=True, tag="trail"):
    """One line of the site's audit trail, without anybody's name; `seq` in the site's ledger."""

    at: Moment
    event: str
    detail: dict[str, str]
    seq: Count


Up = Reported | Answer | Live | Bundle | GuideProgress | Trail

TOO_DEEP = "it is nested deeper than any document of this list"

_down = msgspec.json.Decoder(Down)
_up = msgspec.json.Decoder(Up)


def read_down(data: bytes) -> Down:
    """An order; ValueError names the field that is wrong or unknown."""
    try:
        found: Down = _down.decode(data)
    except RecursionError as error:
        raise ValueError(TOO_DEEP) from error
    return found


def read_up(data: bytes) -> Up:
    """A report; ValueError as above."""
    try:
        found: Up = _up.decode(data)
    except RecursionError as error:
        raise ValueError(TOO_DEEP) from error
    return found
