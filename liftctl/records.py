"""The record of one transfer: what the ledger's payload holds, what reports and exports read.

Role: the one typed, versioned schema between controller, recorder, desk, reports and exports.
Process: all. Must never: hold a name, a badge, a carer's identity or a resident's identity (the
token is random; who is behind it stands in another file), or invent a value: what a site cannot
know is None.

Units stand in the names: `_s` seconds, `_mm`, `_kg`, `_pct`, `_ns`. Moments inside a transfer are
seconds from its begin on the monotonic clock and may be negative (called before the panel was
touched). UTC is ISO 8601 and comes from the recorder, the only one who reads a wall clock.

Versions: 1 had no `schema` field; `read` fills what it did not have with None.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

SCHEMA = 2

OUTCOMES = ("completed", "aborted", "fallback2", "fault", "emergency", "interrupted")
"""How it ended. `fallback2`: planned for one, a second carer was needed. `interrupted`: the
recorder's own word, nobody could say how it ended."""

SOURCES = ("badge", "button", "none")
"""Who says that a carer was there: a badge was read, a button was pressed, or it was only stated
at the end."""

OUT_OF_PLAN = {
    "carers_missing": "fewer carers than needed while somebody hung or stood",
    "carers_stated": "at the end another number of carers was stated than had been seen",
    "resident": "another person was scanned than planned",
    "sling": "another sling was scanned than planned",
    "sling_overdue": "somebody who already hung was brought down in a sling past its inspection",
    "sling_withdrawn": "the same in a sling that had been withdrawn",
}
"""In what a transfer was not as planned."""

MOMENTS = {
    "called": "somebody called for the transfer; told by whoever began it",
    "arrive": "the first carer arrived; told by whoever began it",
    "begin": "the plan was chosen on the panel; always 0",
    "checks": "the checks were confirmed",
    "consent": "the resident said yes",
    "sling_on": "the sling was confirmed on the hooks",
    "lift_start": "the first upward (or standing) movement",
    "clear": "the load was taken: clear of the surface, or standing",
    "tension_pause": "the lift stopped by itself for the loops",
    "loops_ok": "the loops were confirmed",
    "traverse": "the first movement along the rail while carrying",
    "set_down": "the load was gone; the last time counts",
    "unhook": "the sling was confirmed off; the last time counts",
    "end": "the outcome was stated",
}
"""Keys of `phases`, in their usual order. A moment that did not happen has no key."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Base of everything in a record."""


class Stay(Part, frozen=True, kw_only=True):
    """One carer's presence. Nobody is identified: stays are intervals, in order of joining."""

    joined_s: float  # may be negative: was there before the panel was touched
    left_s: float | None = None  # None only while the transfer runs, or when nobody saw its end
    source: str = "none"  # one of SOURCES


class PlanPart(Part, frozen=True, kw_only=True):
    """What was agreed before the first motion; the kernel held the lift to it."""

    id: str | None = None  # digest of the assessment it came from; None: none on file
    limit_kg: float | None = None  # smallest of site, resident and sling
    carers: int | None = None  # chosen at begin
    carers_needed: int | None = None  # what the assessment asks for that day
    one_carer_allowed: bool = False
    assessed: str | None = None  # ISO date of the assessment
    expires: str | None = None  # ISO date of its end; past it two carers are needed


class SlingPart(Part, frozen=True, kw_only=True):
    """The sling of the plan. `matches`: what was scanned is what the plan names; None: no scan."""

    serial: str | None = None
    model: str | None = None
    size: str | None = None
    swl_kg: float | None = None
    inspected: str | None = None  # ISO date of the last inspection
    inspect_by: str | None = None  # ISO date of the next one
    matches: bool | None = None


class Weight(Part, frozen=True, kw_only=True):
    """The load cell's word. `raw_kg`: last reading at rest, hanging free, with the sling."""

    raw_kg: float | None = None
    zero_kg: float | None = None  # reading at begin, nothing on the hooks
    status: str = "unverified"  # no shipped scale is a verified weighing instrument


class Clock(Part, frozen=True, kw_only=True):
    """How far the UTC times may be trusted."""

    sync: str = "unknown"  # synchronised | unsynchronised | unknown (the kernel's own word)
    step_s: float = 0.0  # by how much the wall clock was set meanwhile, as far as it was watched


class Helper(Part, frozen=True, kw_only=True):
    """The second carer was called for on the panel; None in both: never called, never came."""

    called_s: float | None = None
    response_s: float | None = None  # from the call to the next carer's joining


class Block(Part, frozen=True, kw_only=True):
    """A held button was refused or stopped by an interlock row."""

    row: str
    at_s: float
    active: tuple[str, ...] = ()


class Alarm(Part, frozen=True, kw_only=True):
    """An alarm condition that rose during the transfer."""

    row: str
    priority: str
    at_s: float


class Pause(Part, frozen=True, kw_only=True):
    """A pause asked for by `by` (resident or carer); `why`: agitation or consent_withdrawn."""

    from_s: float
    to_s: float | None = None
    by: str = "resident"
    why: str = ""


class Correction(Part, frozen=True, kw_only=True):
    """A later word about a closed record. The first record stays; this one is appended."""

    at_utc: str
    reason: str
    fields: dict[str, Any]


class TransferRecord(Part, frozen=True, kw_only=True):
    """One transfer. Who fills it: c controller, r recorder, s site file, p the resident's plan."""

    schema: int = SCHEMA
    id: str  # c, random
    follows: str | None = None  # c, the interrupted transfer this one ends

    municipality: str | None = None  # s
    home: str | None = None  # s
    ward: str | None = None  # s
    site: str = ""  # s, the gateway
    room: str = ""  # s, its title
    device: str | None = None  # s, lift | chair

    kind: str = ""  # c, from-to: bed-chair, chair-bed, bed-toilet, ..., stand-sit, reposition
    resident: str = ""  # p, random token
    mobility_class: str | None = None  # p
    plan: PlanPart = PlanPart()  # p
    sling: SlingPart | None = None  # p
    start_trigger: str | None = None  # c, the station it was begun at

    carers_planned: int | None = None  # c
    carers_actual: int | None = None  # c, most present at once
    carers_present: tuple[Stay, ...] = ()  # c
    badge_verified: bool = False  # c, a badge was read at begin
    helper: Helper = Helper()  # c

    started_mono_ns: int | None = None  # c
    started_utc: str | None = None  # r
    ended_utc: str | None = None  # r, None: nobody saw the end
    clock: Clock = Clock()  # r
    phases: dict[str, float] = {}  # c, keys: MOMENTS
    phases_utc: dict[str, str] = {}  # r, by the clock of the opening
    elapsed_s: float | None = None  # c, begin to end
    staff_s: float | None = None  # c, sum of all presences

    peak_load_kg: float | None = None  # c, None: no load cell
    weight: Weight | None = None  # c, None: no load cell
    asymmetry_pct: float | None = None  # c, largest left/right difference while carrying
    raised_mm: float | None = None  # c, while carrying
    traversed_mm: float | None = None  # c, while carrying
    peak_speed_mm_s: float | None = None  # c, of hoist or stander; the profile is in the black box
    battery_start_pct: float | None = None  # c
    battery_end_pct: float | None = None  # c

    consent: str | None = None  # c, yes | no | withdrawn; None: not asked
    pauses: tuple[Pause, ...] = ()  # c
    blocks: tuple[Block, ...] = ()  # c
    alarms: tuple[Alarm, ...] = ()  # c
    outcome: str = ""  # c or r, one of OUTCOMES
    reason: str | None = None  # c, code from the panel; r for interrupted
    out_of_plan: bool = False  # c
    out_of_plan_why: tuple[str, ...] = ()  # c: OUT_OF_PLAN
    exclude: bool = False  # c (training) or a correction
    exclude_reason: str | None = None
    note: str | None = None  # c, staff's own words; never in an export unless asked for

    version: str = ""  # c, of the software
    config_hash: str = ""  # c
    firmware: dict[str, str] | None = None  # c, device -> version; None: no device tells it

    events: tuple[dict[str, Any], ...] = ()  # r, interrupted only: what was told before
    last_seen_s: float | None = None  # r, interrupted only

    # added when read from a ledger
    ledger_seq: int | None = None
    erased: bool = False
    lowered_after: tuple[dict[str, Any], ...] = ()
    corrections: tuple[Correction, ...] = ()


class RecordError(ValueError):
    """A record that cannot be read; the message names the field."""


def read(raw: dict[str, Any]) -> TransferRecord:
    """A record of any version, typed; RecordError names the field that cannot be read.

    `raw` is what `read_transfers` returns; keys it does not know are left out.
    """
    told = raw if raw.get("schema") else _from_version_1(raw)
    try:
        return msgspec.convert(told, TransferRecord)
    except msgspec.ValidationError as error:
        raise RecordError(f"record {raw.get('id')}: {error}") from error


def staff_s(stays: Iterable[Stay], until_s: float) -> float:
    """Staff-seconds: the sum of all stays; who has not left is counted until `until_s`."""
    ends = ((until_s if stay.left_s is None else stay.left_s) - stay.joined_s for stay in stays)
    return round(sum(ends), 3)


def most_at_once(stays: Sequence[Stay]) -> int:
    """The largest number of carers present together."""
    return max(
        (
            sum(s.joined_s <= at_s and (s.left_s is None or s.left_s > at_s) for s in stays)
            for at_s in (stay.joined_s for stay in stays)
        ),
        default=0,
    )


def plain(record: TransferRecord) -> dict[str, Any]:
    """As JSON holds it."""
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(record))
    return found


def _from_version_1(raw: dict[str, Any]) -> dict[str, Any]:
    """Version 1 wrote "" for what it did not know."""
    blank = ("schema", "consent", "reason", "follows")
    found = {name: value for name, value in raw.items() if name not in blank or value}
    lists = ("carers_present", "blocks", "alarms", "pauses", "phases", "plan")
    return {name: value for name, value in found.items() if name not in lists or value}
